"""Two people with the same form: the second one to save is told, and overwrites nothing unseen.

A form carries the number of the row it was filled from. Saving it counts the number up where it is still the same, in
the transaction of the save; zero rows changed means that somebody else has saved meanwhile. What is removed or replaced
as a whole is compared by the numbers of all its rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from workflows.models import Revised, Step, Workflow, WorkflowPart
from workflows.models.revision import saved_now


class SavedMeanwhileError(Exception):
    """The row was saved since the form was filled from it: `by` whom (None for somebody who has left) and when."""

    def __init__(self, by: User | None, at: datetime | None) -> None:
        super().__init__("saved meanwhile")
        self.by, self.at = by, at


def part_of(workflow: Workflow, part: str) -> WorkflowPart:
    """That part of the workflow; where nobody has saved it yet a row that is not stored."""
    return workflow.parts.filter(part=part).first() or WorkflowPart(workflow=workflow, part=part)


@contextmanager
def saving(row: Revised, *, seen: int, by: User | None) -> Iterator[None]:
    """What is saved within is saved together with the row's next number, or not at all.

    Raises SavedMeanwhileError, before anything is saved, if the row's number is not `seen` any more. The row is a step,
    the workflow for its trigger, or another part of it.
    """
    with transaction.atomic():
        if isinstance(row, WorkflowPart) and row.pk is None:
            row.pk = WorkflowPart.objects.get_or_create(workflow=row.workflow, part=row.part)[0].pk
        now = saved_now()
        rows = type(row)._default_manager.filter(pk=row.pk, revision=seen)
        if not rows.update(revision=seen + 1, saved_by=by, saved_at=now):
            row.refresh_from_db()
            raise SavedMeanwhileError(row.saved_by, row.saved_at)
        row.revision, row.saved_by, row.saved_at = seen + 1, by, now
        yield


def rows_of(workflow: Workflow) -> list[Revised]:
    """All that people save of a workflow: its trigger, its steps, its other parts."""
    return [workflow, *workflow.steps.order_by("pk"), *workflow.parts.order_by("pk")]


def state_of(rows: Iterable[Revised]) -> str:
    """The numbers of these rows as one text, for a form that removes or replaces them all."""
    return " ".join(f"{_name(row)}:{row.revision}" for row in rows)


def changed_since(rows: Iterable[Revised], state: str) -> list[Revised]:
    """Those of the rows that were saved, or added, after `state` was made of them."""
    known = set(state.split())
    return [row for row in rows if f"{_name(row)}:{row.revision}" not in known]


def has_lost(rows: Iterable[Revised], state: str) -> bool:
    """Whether one of the rows of which `state` was made is gone."""
    return bool({each.partition(":")[0] for each in state.split()} - {_name(row) for row in rows})


def _name(row: Revised) -> str:
    if isinstance(row, Step):
        return str(row.pk)
    return row.part if isinstance(row, WorkflowPart) else "trigger"
