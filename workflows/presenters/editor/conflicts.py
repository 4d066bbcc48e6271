"""What the second of two people with the same form is shown: who was first, what is there now, and what is theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from workflows.definitions.changes import deleting, revisions
from workflows.definitions.changes.revisions import SavedMeanwhileError
from workflows.models import Revised, Step, Workflow, WorkflowPart
from workflows.presenters.presentation import person, when


@dataclass(frozen=True)
class Conflict:
    """Somebody else has saved meanwhile: who (None for somebody who has left), when, and (label, theirs, mine).

    `revision` is what the form is to carry if it is saved all the same.
    """

    by: User | None
    at: datetime | None
    revision: int | str
    rows: list[tuple[str, str, str]]
    is_deleted: bool = False
    is_typed: bool = True
    mine: str = "Save mine anyway"
    theirs: str = "Take theirs"


def differing(theirs: Mapping[str, str], mine: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(label, theirs, mine) where the two differ, in the order of the form."""
    labels = dict.fromkeys([*theirs, *mine])
    both = [(label, theirs.get(label, ""), mine.get(label, "")) for label in labels]
    return [row for row in both if row[1] != row[2]]


def of_all(workflow: Workflow, rows: list[Revised], seen: str, *, mine: str, anyway: str) -> Conflict | None:
    """What was changed since `seen` in rows that are to be removed or replaced together; None if nothing was.

    `mine` says what is to happen to them, `anyway` what the button says that does it all the same.
    """
    changed = revisions.changed_since(rows, seen)
    said = [(label(row), f"saved by {person(row.saved_by)} {when(row.saved_at)}".strip(), mine) for row in changed]
    last = max(changed, key=lambda row: row.saved_at.timestamp() if row.saved_at else 0.0, default=None)
    by, at = (last.saved_by, last.saved_at) if last else (None, None)
    if revisions.has_lost(rows, seen):
        deleted = deleting.last_deleted(workflow)
        who = f"deleted by {person(deleted.deleted_by)} {when(deleted.deleted_at)}" if deleted else "deleted"
        said.append((deleted.name if deleted else "A step", who, mine))
        by, at = (deleted.deleted_by, deleted.deleted_at) if deleted and not last else (by, at)
    if not said:
        return None
    return Conflict(by, at, revisions.state_of(rows), said, is_typed=False, mine=anyway, theirs="Leave it")


def label(row: Revised) -> str:
    """What a person saves there."""
    if isinstance(row, Step):
        return row.name
    return str(row.get_part_display()) if isinstance(row, WorkflowPart) else "Trigger"


def sentence(error: SavedMeanwhileError, what: str, *, theirs: str, mine: str) -> str:
    """For a button that was pressed on an outdated page: who did `what`, what is there now, what it would have done."""
    moment = f" {when(error.at)}" if error.at else ""
    return (
        f"{person(error.by)} {what}{moment}, after you had opened this page, so nothing of yours is done yet. "
        f"Now: {theirs}. Yours would be: {mine}. If you still want it, do it once more."
    )


def names(steps: Iterable[Step]) -> str:
    """Steps in their order, in a sentence."""
    return ", ".join(step.name for step in steps)
