"""What taking back each document would do, for the page that asks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from integrations.framework import registry
from integrations.framework.base import Action
from workflows.models import Posting, Undo
from workflows.presenters.posting_tables import PostingRow
from workflows.presenters.runs.run_presenter import SentRequest, shown_request
from workflows.runs.undoing import Looked


@dataclass(frozen=True)
class UndoCard:
    """A document. Either `request` would be sent, or `reason` says why nothing can be."""

    row: PostingRow
    words: str = ""
    reason: str = ""
    changed: tuple[str, ...] = ()
    digest: str = ""
    request: SentRequest | None = None
    undo: Undo | None = None
    is_chosen: bool = False


def undo_cards(
    rows: Sequence[PostingRow], undos: Mapping[int, Undo], looked: Looked, chosen: Collection[int] | None
) -> list[UndoCard]:
    """One for each document; `chosen` are those that the person has ticked, None before they have."""
    return [_card(row, undos.get(row.posting.pk), looked, chosen) for row in rows]


def _card(row: PostingRow, undo: Undo | None, looked: Looked, chosen: Collection[int] | None) -> UndoCard:
    posting = row.posting
    if undo is not None:
        return UndoCard(row, undo=undo)
    prospect = looked.prospects.get(posting.pk)
    if prospect is None:
        return UndoCard(row, reason=looked.trouble.get(posting.pk, ""))
    if prospect.request is None:
        return UndoCard(row, reason=prospect.nothing_left or prospect.refusal, changed=prospect.changed)
    return UndoCard(
        row,
        words=_words(posting),
        changed=prospect.changed,
        digest=prospect.digest,
        request=shown_request(prospect.request, posting.connection),
        is_chosen=not prospect.changed if chosen is None else posting.pk in chosen,
    )


def _words(posting: Posting) -> str:
    action = registry.operation_or_none(posting.operation)
    return action.undo_words if isinstance(action, Action) else ""
