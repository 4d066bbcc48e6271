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
    #: Whether it may become possible once newer documents of the run, as a payment, are taken back.
    is_tried_later: bool = False

    @property
    def is_offered(self) -> bool:
        """Whether a person can choose it."""
        return self.request is not None or self.is_tried_later


def undo_cards(
    rows: Sequence[PostingRow], undos: Mapping[int, Undo], looked: Looked, chosen: Collection[int] | None
) -> list[UndoCard]:
    """One for each document, the newest first; `chosen` are those that the person has ticked, None before they have."""
    cards: list[UndoCard] = []
    for row in rows:
        is_after_others = any(card.request is not None for card in cards)
        cards.append(_card(row, undos.get(row.posting.pk), looked, chosen, is_after_others=is_after_others))
    return cards


def _card(
    row: PostingRow, undo: Undo | None, looked: Looked, chosen: Collection[int] | None, *, is_after_others: bool
) -> UndoCard:
    posting = row.posting
    if undo is not None:
        return UndoCard(row, undo=undo)
    prospect = looked.prospects.get(posting.pk)
    if prospect is None:
        return UndoCard(row, reason=looked.trouble.get(posting.pk, ""))
    is_tried_later = bool(prospect.refusal) and is_after_others
    is_usual = is_tried_later or not prospect.changed
    return UndoCard(
        row,
        words=_words(posting) if prospect.request else "",
        reason=prospect.nothing_left or prospect.refusal,
        changed=prospect.changed,
        digest=prospect.digest,
        request=shown_request(prospect.request, posting.connection) if prospect.request else None,
        is_chosen=is_usual if chosen is None else posting.pk in chosen,
        is_tried_later=is_tried_later,
    )


def _words(posting: Posting) -> str:
    action = registry.operation_or_none(posting.operation)
    return action.undo_words if isinstance(action, Action) else ""
