"""Xero's records as later steps use them: dates as ISO 8601, numbers exact, nothing said twice."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

_XERO_DATE = re.compile(r"/Date\((-?\d{1,16})([+-]\d{4})?\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def plain(value: Any) -> Any:
    """A record with `/Date(1552262400000+0000)/` as `2019-03-11`, or as `2019-03-11T00:00:00Z` in fields ending in UTC.

    The siblings `DateString` and the like, which say the same again, are left out.
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
    """The day that it is in an IANA zone; in UTC for a zone that is not known."""
    try:
        return now.astimezone(ZoneInfo(zone)).date()
    except (KeyError, ValueError, OSError):
        return now.astimezone(UTC).date()
