"""What a mapping may know about the organisation of a step: its time zone, currency and lock dates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from integrations.models import Connection
from workflows.language.values import MappingContext
from workflows.lookup_tables.lookup import Reader

_LOCKS = ("period_lock_date", "end_of_year_lock_date")


def context_of(
    connection: Connection | None, *, now: datetime, tables: Reader, deadline: float | None = None
) -> MappingContext:
    """Made from what the connection stores about its organisation; without a stored time zone, the installation's.

    `tables` is the run's reader: made once, so that a run reads one version of every lookup table. `deadline` is as
    in MappingContext.
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
        deadline=deadline,
    )


def zone_of(connection: Connection | None) -> ZoneInfo:
    """The organisation's time zone, else the installation's; UTC if the name is unknown here."""
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
