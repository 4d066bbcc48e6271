"""The sandbox's time: shifted by the fault dial's clock offset, with durations shortened by the time scale."""

import time
from datetime import UTC, date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from django.conf import settings

from integrations.sandbox.exchange import fault_dial


def now() -> int:
    """Milliseconds since 1970 on the sandbox's own clock."""
    return int((time.time() + fault_dial.current().clock_offset_seconds) * 1000)


def scaled(seconds: float) -> float:
    """`seconds` of the providers' time in seconds here."""
    return seconds / float(settings.SANDBOX_TIME_SCALE)


def scaled_ms(seconds: float) -> int:
    return int(scaled(seconds) * 1000)


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def today(zone: str) -> date:
    return moment(now()).astimezone(_zone(zone)).date()


def moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)


def milliseconds(value: datetime) -> int:
    return int(value.timestamp() * 1000)


def iso_seconds(value: int) -> str:
    """2025-05-21T01:13:01, without a zone, as Pinterest and parts of Xero write UTC."""
    return moment(value).strftime("%Y-%m-%dT%H:%M:%S")
