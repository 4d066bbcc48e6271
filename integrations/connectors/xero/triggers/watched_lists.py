"""How lists of the accounting API are watched: the base of all triggers on them.

A poll asks for what changed since the newest change already read, less two minutes: Xero's times are in whole seconds,
and a change may appear late. Only the item's key decides what is new. The baseline and each day's thorough poll read
everything in the order of ids, which edits meanwhile do not change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from integrations.connectors.xero.answers import complete
from integrations.connectors.xero.client import PAGE_SIZE, XeroClient
from integrations.connectors.xero.organisation import time_zone
from integrations.connectors.xero.plain import plain, today_in
from integrations.connectors.xero.samples import fitting
from integrations.connectors.xero.triggers.filters import day_of
from integrations.framework.base import Item, Poll, Trigger
from integrations.transport.http import ApiClient

Record = dict[str, Any]

_OVERLAP = timedelta(seconds=120)
_PAGE_FOR_NEWEST, _PAGES_FOR_NEWEST = 100, 3
_GONE = frozenset({"DELETED", "VOIDED", "ARCHIVED"})


class RecordTrigger(Trigger):
    """A list of records is watched; a record is new once."""

    scopes = ("accounting.invoices",)
    #: The list in Xero's envelope, which is also the path, and the field with a record's id.
    plural: ClassVar[str]
    id_name: ClassVar[str]
    status_name: ClassVar[str] = "Status"
    #: The field that the least amount is compared with.
    amount_name: ClassVar[str] = "Total"
    #: The field with a record's date of creation; empty if there is none. A day of the books, or a time in UTC.
    date_name: ClassVar[str] = ""
    #: How Xero is asked for records dated from a day on: "where", a parameter's name, or "" if it cannot be asked.
    since_parameter: ClassVar[str] = ""
    #: Whether deleted, voided or archived records can be events.
    tells_of_gone: ClassVar[bool] = False
    #: The largest page; None if Xero does not let us choose.
    page_size: ClassVar[int | None] = PAGE_SIZE
    #: Sent with every poll.
    fixed_query: ClassVar[Mapping[str, str]] = {}

    # --- what a trigger defines -------------------------------------------------------------------------------------

    def query(self, inputs: Any, *, reads_all: bool) -> dict[str, str]:
        """The query parameters that narrow the list, except `where`."""
        return {}

    def conditions(self, inputs: Any, api: ApiClient, *, reads_all: bool) -> list[str]:
        """Conditions in Xero's filter language; all must hold. Never a person's own text."""
        return []

    def is_wanted(self, record: Record, inputs: Any) -> bool:
        """Whether the record meets the inputs."""
        return True

    def items(self, records: list[Record], poll: Poll) -> Iterator[Item]:
        """The items for the wanted records of one page."""
        for record in records:
            yield self.item(record, str(record[self.id_name]))

    def data(self, record: Record) -> dict[str, Any]:
        """The record as later steps use it."""
        return complete(record, self.sample)

    def sense(self, sample: Record, inputs: Mapping[str, Any], names: Mapping[str, str]) -> Record:
        """The sample as the inputs that only this trigger has would let it through."""
        status = fitting.first(inputs.get("status"))
        return fitting.in_status(sample, status) if status else sample

    # --- what all of them share -------------------------------------------------------------------------------------

    def sample_of(self, inputs: Mapping[str, Any], names: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        named = names or {}
        sample = self.sense(dict(self.sample), inputs, named)
        sample = fitting.of_contact(sample, inputs.get("contact_id"), named.get("contact_id", ""))
        return fitting.of_amount(sample, inputs.get("amount_at_least"), self.amount_name)

    def item(self, record: Record, key: str, *, is_event: bool = True) -> Item:
        """An item for the record; one that is gone counts as never having happened, so that a backfill leaves it
        out."""
        happened = None if self.is_gone(record) and not self.tells_of_gone else _moment(record.get(self.date_name))
        return Item(key=key, data=self.data(record), happened=happened, is_event=is_event)

    def is_gone(self, record: Mapping[str, Any]) -> bool:
        """Whether the record was deleted, voided or archived."""
        return record.get(self.status_name) in _GONE

    def poll(self, poll: Poll) -> Iterator[Item]:
        assert isinstance(poll.api, XeroClient)
        if poll.newest is not None:
            yield from self.newest(poll, "UpdatedDateUTC")
            return
        reads_all = poll.is_baseline or poll.is_thorough or poll.cursor is None
        headers = {} if reads_all else {"If-Modified-Since": str(poll.cursor)}
        if poll.since is not None and self.date_name == "UpdatedDateUTC":
            headers = {"If-Modified-Since": _midnight(poll.since, time_zone(poll.api))}
        pages = poll.api.pages(
            f"/{self.plural}",
            self.plural,
            self.whole_query(poll, reads_all=reads_all),
            headers=headers,
            page_size=self.page_size,
        )
        read = ([plain(record) for record in page] for page in pages)
        yield from self._all(read, poll) if reads_all else self._changed(read, poll)

    def newest(self, poll: Poll, sorted_by: str) -> Iterator[Item]:
        """The newest items, from a few pages at most; the records that the inputs leave out are read in vain."""
        assert isinstance(poll.api, XeroClient)
        assert poll.newest is not None
        size = None if self.page_size is None else _PAGE_FOR_NEWEST
        query = {**self.whole_query(poll, reads_all=poll.is_thorough), "order": f"{sorted_by} DESC"}
        found: list[Item] = []
        for page in islice(poll.api.pages(f"/{self.plural}", self.plural, query, page_size=size), _PAGES_FOR_NEWEST):
            records = self.chosen([plain(record) for record in page], poll)
            found += [item for item in self.items(records, poll) if item.is_event]
            if len(found) >= poll.newest:
                break
        yield from found[: poll.newest]

    def whole_query(self, poll: Poll, *, reads_all: bool) -> dict[str, str]:
        """All query parameters, except the page."""
        query = {**self.fixed_query, **self.query(poll.inputs, reads_all=reads_all)}
        conditions = self.conditions(poll.inputs, poll.api, reads_all=reads_all)
        if poll.since is not None and self.since_parameter == "where":
            conditions = [*conditions, f"{self.date_name}>={day_of(poll.since)}"]
        elif poll.since is not None and self.since_parameter:
            query[self.since_parameter] = poll.since.isoformat()
        if conditions:
            query["where"] = " AND ".join(conditions)
        return {**query, "order": f"{self.id_name if reads_all else 'UpdatedDateUTC'} ASC"}

    def _all(self, pages: Iterator[list[Record]], poll: Poll) -> Iterator[Item]:
        """The cursor comes last, and is from the first page: what changed while the others were read is read again."""
        cursor = None
        for number, page in enumerate(pages):
            cursor = _cursor(page) if number == 0 else cursor
            yield from self.items(self.chosen(page, poll), poll)
        if cursor is not None:
            yield Item.mark(cursor=cursor)

    def _changed(self, pages: Iterator[list[Record]], poll: Poll) -> Iterator[Item]:
        for page in pages:
            yield from _with_cursor(self.items(self.chosen(page, poll), poll), _cursor(page))

    def chosen(self, page: list[Record], poll: Poll) -> list[Record]:
        """The records that meet the inputs, and in a baseline those that are gone too: if one is restored, it is not
        new."""
        takes_gone = poll.is_baseline or self.tells_of_gone
        return [
            record
            for record in page
            if self.is_wanted(record, poll.inputs) and (takes_gone or not self.is_gone(record))
        ]


def today(api: ApiClient) -> date:
    """Today in the organisation's time zone."""
    return today_in(time_zone(api), datetime.now(UTC))


def _with_cursor(items: Iterable[Item], cursor: str | None) -> Iterator[Item]:
    """The items, the last one with the cursor; if there are none, the cursor alone, so that a page without wanted
    records is not read again."""
    held: Item | None = None
    for item in items:
        if held is not None:
            yield held
        held = item
    if held is not None:
        yield replace(held, cursor=cursor)
    elif cursor is not None:
        yield Item.mark(cursor=cursor)


def _cursor(page: list[Record]) -> str | None:
    """The newest change on the page less the overlap, by Xero's clock, as If-Modified-Since takes it."""
    told = [str(record["UpdatedDateUTC"]) for record in page if record.get("UpdatedDateUTC")]
    if not told:
        return None
    moments = [datetime.fromisoformat(text) for text in told]
    return (max(moments) - _OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(told: Any) -> date | datetime | None:
    """A day (`2026-11-22`) or a time (`2026-11-22T10:00:00Z`) from a record after `plain()`."""
    text = str(told or "")
    try:
        return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    except ValueError:
        return None


def _midnight(day: date, zone: str) -> str:
    """When a day begins in the organisation, as If-Modified-Since takes it."""
    try:
        start = datetime.combine(day, time.min, ZoneInfo(zone))
    except (KeyError, ValueError, OSError):
        start = datetime.combine(day, time.min, UTC)
    return start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
