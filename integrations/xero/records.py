"""How lists of the accounting API are watched: the machinery of all triggers on them.

A poll asks for what changed since the newest change it has seen, less two minutes: Xero's times have whole seconds, and
a change may be told late. What is new is decided by the item's key alone. The baseline, and the thorough poll of each
day, read everything in the order of the ids, which no edit in between changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from integrations.base import Item, Poll, Trigger
from integrations.http import ApiClient
from integrations.xero.answers import complete
from integrations.xero.client import PAGE_SIZE, XeroClient
from integrations.xero.organisation import time_zone
from integrations.xero.plain import plain, today_in
from integrations.xero.trigger_options import day_of

Record = dict[str, Any]

_OVERLAP = timedelta(seconds=120)
_GONE = frozenset({"DELETED", "VOIDED", "ARCHIVED"})


class RecordTrigger(Trigger):
    """A list of records is watched; a record is new once."""

    scopes = ("accounting.invoices",)
    #: The list in Xero's envelope, which is the address too, and the field that is a record's identity.
    plural: ClassVar[str]
    id_name: ClassVar[str]
    status_name: ClassVar[str] = "Status"
    #: The field that tells when a record came to be; empty where there is none. A day of the books, or a moment in UTC.
    date_name: ClassVar[str] = ""
    #: How Xero is asked for records dated from a day on: "where", a parameter's name, or "" where it cannot be asked.
    since_parameter: ClassVar[str] = ""
    #: Whether records that are gone (deleted, voided, archived) can be events.
    tells_of_gone: ClassVar[bool] = False
    #: The most on a page; None where Xero lets nobody choose.
    page_size: ClassVar[int | None] = PAGE_SIZE
    #: Sent with every poll.
    fixed_query: ClassVar[Mapping[str, str]] = {}

    # --- what a trigger says ----------------------------------------------------------------------------------------

    def query(self, inputs: Any, *, reads_all: bool) -> dict[str, str]:
        """What narrows the list at Xero, but for `where`."""
        return {}

    def conditions(self, inputs: Any, api: ApiClient, *, reads_all: bool) -> list[str]:
        """What narrows the list in Xero's filter language; all of it has to hold. Never a person's own text."""
        return []

    def is_wanted(self, record: Record, inputs: Any) -> bool:
        """Whether the inputs mean this record."""
        return True

    def items(self, records: list[Record], poll: Poll) -> Iterator[Item]:
        """What the wanted records of one page give."""
        for record in records:
            yield self.item(record, str(record[self.id_name]))

    def data(self, record: Record) -> dict[str, Any]:
        """The record as later steps use it."""
        return complete(record, self.sample)

    # --- what all of them do ----------------------------------------------------------------------------------------

    def item(self, record: Record, key: str, *, is_event: bool = True) -> Item:
        """An item for the record; one that is gone has never happened, so that it is not released."""
        happened = None if self.is_gone(record) and not self.tells_of_gone else _moment(record.get(self.date_name))
        return Item(key=key, data=self.data(record), happened=happened, is_event=is_event)

    def is_gone(self, record: Mapping[str, Any]) -> bool:
        """Whether the record was deleted, voided or archived."""
        return record.get(self.status_name) in _GONE

    def poll(self, poll: Poll) -> Iterator[Item]:
        assert isinstance(poll.api, XeroClient)
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

    def whole_query(self, poll: Poll, *, reads_all: bool) -> dict[str, str]:
        """Everything that is asked of the list, but for the page."""
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
        """The cursor comes last, and from the first page: what changed while the others were read is read again."""
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
        """What the inputs mean, and in a baseline what is gone too: if it comes back it is not new."""
        takes_gone = poll.is_baseline or self.tells_of_gone
        return [
            record
            for record in page
            if self.is_wanted(record, poll.inputs) and (takes_gone or not self.is_gone(record))
        ]


def today(api: ApiClient) -> date:
    """The day that it is in the organisation's books."""
    return today_in(time_zone(api), datetime.now(UTC))


def _with_cursor(items: Iterable[Item], cursor: str | None) -> Iterator[Item]:
    """The cursor with the last of the items; alone where there are none, so that a page of others is not read again."""
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
    """A day (`2026-11-22`) or a moment (`2026-11-22T10:00:00Z`) of a tidied record."""
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
