"""Xero's records as later steps use them: dates in ISO 8601, exact numbers, no duplicate fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

_XERO_DATE = re.compile(r"/Date\((-?\d{1,16})([+-]\d{4})?\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def plain(value: Any) -> Any:
    """A record with `/Date(1552262400000+0000)/` as `2019-03-11`, or as `2019-03-11T00:00:00Z` in fields ending in UTC.

    Duplicates such as `DateString` are left out.
    """
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _field(name, inner) for name, inner in value.items() if not _repeats(name, value)}
    return value


def _field(name: str, value: Any) -> Any:
    if isinstance(value, str) and (moment := read_moment(value)) is not None:
        if name.endswith("UTC"):
            return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")[:-6] + "Z"
        return moment.date().isoformat()
    return plain(value)


def _repeats(name: str, record: dict[str, Any]) -> bool:
    return name.endswith("String") and name.removesuffix("String") in record and "Date" in name


def read_moment(text: str) -> datetime | None:
    """The instant of Xero's date notation; the offset in it does not change the instant. None for other text."""
    match = _XERO_DATE.fullmatch(text)
    if match is None:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=int(match[1]))
    except OverflowError:
        return None


def today_in(zone: str, now: datetime) -> date:
    """Today's date in an IANA zone; in UTC if the zone is unknown."""
    try:
        return now.astimezone(ZoneInfo(zone)).date()
    except (KeyError, ValueError, OSError):
        return now.astimezone(UTC).date()


def stamp(record: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """These fields of a record as read, and when Xero says it last changed: shows whether somebody changed it since.

    Not every change updates that time, so the fields to be written are included too.
    """
    return {name: record.get(name) for name in (*names, "UpdatedDateUTC")}


def money(amount: Any) -> str:
    """An amount to two places, as people read it."""
    return f"{Decimal(str(amount)):,.2f}" if isinstance(amount, int | Decimal) else "an unknown amount"
