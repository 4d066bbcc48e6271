"""Holding a posting against the record as it is now: same, moved on, changed field by field, or gone.

Only what the posting says is compared, and only what the provider gives: an amount that was not known at the time has
not changed. That a document is approved, sent or paid after it was written is the usual course and no change of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter

from django.db.models import TextChoices

from integrations.core.exact_json import storable_text
from integrations.core.numbers import with_places
from integrations.framework.base import Effect
from integrations.framework.current import Current, CurrentLine, Gone, Reading, RecordState, Unreadable
from workflows.models import Posting, PostingLine


class Verdict(TextChoices):
    """What has become of what was written."""

    SAME = "same", "Same"
    MOVED_ON = "moved_on", "Moved on"
    CHANGED = "changed", "Changed"
    GONE = "gone", "Gone"
    UNREADABLE = "unreadable", "Not readable"


class Change(TextChoices):
    """How it differs from what was written."""

    AMOUNT = "amount", "Amount"
    ACCOUNT = "account", "Account"
    TAX_RATE = "tax_rate", "Tax rate"
    NUMBER = "number", "Renumbered"
    DAY = "day", "Date"
    CONTACT = "contact", "Another contact"
    CONTACT_MERGED = "contact_merged", "Contact merged"
    NAME = "name", "Renamed"
    REFERENCE = "reference", "Reference"
    CURRENCY = "currency", "Currency"
    VOIDED = "voided", "Voided"
    DELETED = "deleted", "Deleted"
    ARCHIVED = "archived", "Archived"
    MERGED = "merged", "Merged"
    RESTORED = "restored", "Restored"
    STATUS = "status", "New state"
    PAID = "paid", "Paid"


#: The usual course of a document.
USUAL = frozenset({Change.STATUS, Change.PAID})
_ENDS = {
    RecordState.VOIDED: Change.VOIDED,
    RecordState.DELETED: Change.DELETED,
    RecordState.ARCHIVED: Change.ARCHIVED,
    RecordState.MERGED: Change.MERGED,
}
_LONGEST = 200


@dataclass(frozen=True)
class FieldChange:
    """A field by its label, as it was written and as it is now."""

    change: Change
    label: str
    was: str
    now: str


@dataclass(frozen=True)
class Comparison:
    """The verdict, what differs, and what else is to be said: why it cannot be read, or as "merged into Ridgeway"."""

    verdict: Verdict
    fields: tuple[FieldChange, ...] = ()
    note: str = ""

    @property
    def changes(self) -> tuple[Change, ...]:
        """How it differs, each once."""
        return tuple(dict.fromkeys(each.change for each in self.fields))

    @property
    def is_unchanged(self) -> bool:
        """Whether it is certainly as it was written, down to its state."""
        return self.verdict is Verdict.SAME


def compare(
    posting: Posting,
    lines: Sequence[PostingLine],
    reading: Reading,
    *,
    leaves: RecordState = RecordState.OPEN,
) -> Comparison:
    """What has become of a posting. `leaves` is the state in which its action leaves a record. Pure."""
    if isinstance(reading, Unreadable):
        return Comparison(Verdict.UNREADABLE, note=reading.reason)
    if leaves.is_ended:
        return _of_ended(posting, reading)
    if isinstance(reading, Gone):
        return Comparison(Verdict.GONE, (FieldChange(Change.DELETED, "State", _status(posting), "no longer there"),))
    found = (*_state(posting, reading), *_head(posting, reading), *_lines(posting, lines, reading))
    changes = {each.change for each in found}
    if reading.state is RecordState.DELETED:
        verdict = Verdict.GONE
    elif changes - USUAL:
        verdict = Verdict.CHANGED
    else:
        verdict = Verdict.MOVED_ON if changes else Verdict.SAME
    return Comparison(verdict, found, reading.note)


def _of_ended(posting: Posting, reading: Current | Gone) -> Comparison:
    """Of what was voided, deleted or archived by the step: whether it is still."""
    if isinstance(reading, Gone) or reading.state.is_ended:
        return Comparison(Verdict.SAME)
    was, now = posting.status or "ended", reading.status or "there again"
    return Comparison(Verdict.CHANGED, (FieldChange(Change.RESTORED, "State", was, now),))


def _state(posting: Posting, now: Current) -> Iterator[FieldChange]:
    told = now.status or now.state.value.capitalize()
    if now.state.is_ended:
        # What is closed was finished, which is its usual course.
        yield FieldChange(_ENDS.get(now.state, Change.STATUS), "State", _status(posting), told)
    elif posting.status and now.status and posting.status != now.status:
        change = Change.PAID if now.state is RecordState.PAID else Change.STATUS
        yield FieldChange(change, "State", posting.status, now.status)


def _status(posting: Posting) -> str:
    return posting.status or "as written"


def _head(posting: Posting, now: Current) -> Iterator[FieldChange]:
    # What a person said is there was not read, so the posting only says what was to be written.
    is_known = posting.origin != Posting.Origin.PERSON
    texts = (
        (Change.NUMBER, "Number", posting.number, now.number),
        (Change.CURRENCY, "Currency", posting.currency, now.currency),
        (Change.NAME, "Name", posting.described, now.described and now.described[:300]),
    )
    for change, label, was, is_now in texts:
        if is_known and was and is_now is not None and not _is_same(was, is_now):
            yield FieldChange(change, label, was, is_now)
    if is_known and now.day is not None and now.day != posting.day:
        yield FieldChange(Change.DAY, "Date", posting.day.isoformat(), now.day.isoformat())
    yield from _contact(posting, now)
    is_whole = is_known and posting.effect == Effect.CREATES.value
    if now.reference is not None and (posting.reference or is_whole) and not _is_same(posting.reference, now.reference):
        yield FieldChange(Change.REFERENCE, "Reference", posting.reference, now.reference)
    for label, amount, is_amount in (
        ("Subtotal", posting.sub_total, now.sub_total),
        ("Tax", posting.tax, now.tax),
        ("Total", posting.amount, now.amount),
    ):
        if amount is not None and is_amount is not None and amount != is_amount:
            yield FieldChange(Change.AMOUNT, label, amount_text(amount), amount_text(is_amount))


def _contact(posting: Posting, now: Current) -> Iterator[FieldChange]:
    """Another contact than the document was written for. A contact's name is its own; a document does not change by
    it."""
    if posting.contact_id and now.contact_id and posting.contact_id.lower() != now.contact_id.lower():
        change = Change.CONTACT_MERGED if now.is_contact_merged else Change.CONTACT
        yield FieldChange(change, "Contact", posting.contact or posting.contact_id, now.contact or now.contact_id)
        return
    is_the_contact = bool(posting.contact) and posting.contact_id == posting.provider_id
    if is_the_contact and now.contact is not None and not _is_same(posting.contact, now.contact):
        yield FieldChange(Change.NAME, "Name", posting.contact, now.contact)


def _is_same(was: str, now: str) -> bool:
    """Whether two texts are equal as the books keep them, however many spaces stand between their words."""
    return was.split() == storable_text(now)[:_LONGEST].split() or was.split() == storable_text(now).split()


def amount_text(amount: Decimal) -> str:
    """An amount with at least two places and all that are not zero, without marks between thousands."""
    return with_places(amount, 2, grouped=False)


# --- lines ------------------------------------------------------------------------------------------------------------


def _lines(posting: Posting, lines: Sequence[PostingLine], now: Current) -> Iterator[FieldChange]:
    """Other accounts and tax rates; not where the posting does not know all of its lines."""
    if not now.lines or not _are_whole(posting, lines) or any(each.net is None for each in now.lines):
        return
    yield from _groups(Change.ACCOUNT, lines, now.lines, attrgetter("account"), _is_account)
    yield from _groups(Change.TAX_RATE, lines, now.lines, attrgetter("tax_rate"), _is_rate)


def _are_whole(posting: Posting, lines: Sequence[PostingLine]) -> bool:
    if not lines or posting.sub_total is None or any(line.unknown for line in lines):
        return False
    return sum((line.net for line in lines), Decimal(0)) == posting.sub_total


def _groups(
    change: Change,
    lines: Sequence[PostingLine],
    current: Sequence[CurrentLine],
    name_of: Callable[[PostingLine | CurrentLine], str],
    fits: Callable[[str, CurrentLine], bool],
) -> Iterator[FieldChange]:
    """One change if the net amounts stand under other names, or are otherwise divided among them. A document whose
    amount changed is only said to have other accounts if it has."""
    if any(not name_of(line) for line in lines):
        return  # what the provider filled in is not known
    was: dict[str, Decimal] = {}
    for line in lines:
        was[name_of(line)] = was.get(name_of(line), Decimal(0)) + line.net
    now: dict[str, Decimal] = {}
    for each in current:
        name = next((name for name in was if fits(name, each)), name_of(each))
        now[name] = now.get(name, Decimal(0)) + (each.net or 0)
    is_otherwise_divided = was != now and sum(was.values()) == sum(now.values())
    if was.keys() != now.keys() or is_otherwise_divided:
        names = [name for name in (*was, *now) if was.get(name) != now.get(name)]
        yield FieldChange(change, change.label, _told(was, names), _told(now, names))


def _told(sums: dict[str, Decimal], names: Iterable[str]) -> str:
    return "; ".join(f"{name or 'none'}: {amount_text(sums[name])}" for name in dict.fromkeys(names) if name in sums)


def _is_account(name: str, line: CurrentLine) -> bool:
    return name == line.account or (bool(line.account_code) and name.partition(" - ")[0] == line.account_code)


def _is_rate(name: str, line: CurrentLine) -> bool:
    return name in {line.tax_rate, line.tax_rate_code}
