"""What a mapping may know of the organisation whose books a step is about: its days, its currency, its locks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from integrations.models import Connection
from workflows.lookups import Reader
from workflows.values import MappingContext

_LOCKS = ("period_lock_date", "end_of_year_lock_date")


def context_of(connection: Connection | None, *, now: datetime, tables: Reader) -> MappingContext:
    """By what the connection remembers of its organisation; the installation's time zone where it remembers none.

    `tables` is the reader of the run: made once, so that a run reads every lookup table in one version.
    """
    details: Mapping[str, Any] = (connection.details if connection else None) or {}
    zone = zone_of(connection)
    return MappingContext(
        timezone=zone.key,
        today=now.astimezone(zone).date(),
        lock_dates=tuple(day for name in _LOCKS if (day := _day(details.get(name))) is not None),
        currency=str(details.get("currency") or ""),
        year_end=_year_end(details.get("financial_year_end")),
        tables=tables,
    )


def zone_of(connection: Connection | None) -> ZoneInfo:
    """Where the organisation is; what it says of that may be nothing that is known here."""
    try:
        return ZoneInfo((connection.details.get("timezone") if connection else "") or settings.TIME_ZONE)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value or ""))
    except ValueError:
        return None


def _year_end(value: object) -> tuple[int, int] | None:
    day = _day(f"2000-{value}")
    return (day.month, day.day) if day else None
