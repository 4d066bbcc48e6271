"""What was written, as it is now: what `Action` and `Connector` declare so that the books can be held against it.

An action reads what it wrote by the provider's ids, many at once where the provider lets it, and gives for each a
`Reading`: `Current`, `Gone`, or `Unreadable` with a sentence where it cannot say. Nothing is written, and the calls are
the caller's to pay for. A connector lists what was written with this installation's app, whoever asked for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

from integrations.transport.http import ApiClient


class RecordState(StrEnum):
    """Where a record is in its life, whatever the provider calls that."""

    OPEN = "open"
    PAID = "paid"
    VOIDED = "voided"
    DELETED = "deleted"
    ARCHIVED = "archived"
    MERGED = "merged"
    CLOSED = "closed"

    @property
    def is_ended(self) -> bool:
        """Whether the provider no longer counts it."""
        return self not in {RecordState.OPEN, RecordState.PAID}


@dataclass(frozen=True)
class CurrentLine:
    """What the lines come to for one account and one tax rate. `net` is without tax.

    `account` and `tax_rate` are worded as the action's document words them; the codes are the provider's, because
    people rename accounts. `net` and `tax` are None where the provider gives none.
    """

    account: str
    account_code: str
    tax_rate: str
    tax_rate_code: str
    net: Decimal | None
    tax: Decimal | None


@dataclass(frozen=True, kw_only=True)
class Current:
    """A record as it is now, in the words in which a posting says what was written.

    None is what a record of this kind does not say, so that it is not compared; "" is what is empty. `reference` is
    without the marker. `note` is what only this provider knows of the state, as "merged into Ridgeway", in words that
    continue a sentence. `output` is the record as the action's output would give it.
    """

    state: RecordState = RecordState.OPEN
    described: str | None = None
    number: str | None = None
    day: date | None = None
    contact: str | None = None
    contact_id: str | None = None
    reference: str | None = None
    status: str | None = None
    currency: str | None = None
    sub_total: Decimal | None = None
    tax: Decimal | None = None
    amount: Decimal | None = None
    lines: tuple[CurrentLine, ...] | None = None
    #: True if the contact differs because it was merged into another.
    is_contact_merged: bool = False
    note: str = ""
    output: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Gone:
    """The provider no longer has a record with that id."""


@dataclass(frozen=True)
class Unreadable:
    """Whether it is as written cannot be said; `reason` is a sentence for people."""

    reason: str


Reading = Current | Gone | Unreadable
#: By the provider's id.
Readings = Mapping[str, Reading]


@dataclass(frozen=True)
class Written:
    """What is to be read: the provider's id, the contact's id at the time if there was one, and what the write gave, {}
    where that is no longer kept."""

    provider_id: str
    contact_id: str = ""
    output: Mapping[str, Any] = field(default_factory=dict)


class Readable:
    """The part of an action that reads what it wrote, as it is now."""

    #: Why that is not possible, as a sentence for people; empty if `current` says how it is.
    unreadable: ClassVar[str] = "What this step writes cannot be read back, so whether it is unchanged is not known."
    #: The state in which the write leaves its record: an archived contact that is open again was restored.
    leaves: ClassVar[RecordState] = RecordState.OPEN

    def current(self, api: ApiClient, written: Sequence[Written]) -> Readings:
        """Each of what was written through this client, as it is now, by its id. What has none is unreadable.

        Asks as seldom as the provider allows: any number may be given, and 40 at a time suit all. Raises the client's
        errors, RejectedError where the provider refuses to show any of it.
        """
        return {each.provider_id: Unreadable(self.unreadable) for each in written}


@dataclass(frozen=True, kw_only=True)
class OwnRecord:
    """A record at the provider that was written with this installation's app. `marker` is what it carries of a step
    run, "" if nothing; `changed_at` is by the provider's clock."""

    provider_id: str
    noun: str
    marker: str = ""
    link: str = ""
    changed_at: datetime | None = None
    current: Current


class ListsOwn:
    """The part of a connector that lists what was written with this installation's app."""

    #: What `own_records` gives, to continue a sentence: "invoices and bills". Empty if the provider lists nothing.
    own_records_are: ClassVar[str] = ""

    def own_records(self, api: ApiClient, since: datetime) -> Iterator[list[OwnRecord]]:
        """Pages of what the app has written and what changed since then, oldest change first. Raises the client's
        errors."""
        return iter(())
