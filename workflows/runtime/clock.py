"""Time for waiting work: the database's clock, which all workers share, and growing pauses between attempts."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

#: Seconds between attempts where the provider did not say how long to wait.
_FIRST_PAUSE, _LONGEST_PAUSE = 15, 900


def backoff(tries: int) -> float:
    """The pause after this many attempts, in real seconds: it doubles each time, up to a quarter of an hour."""
    return float(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** max(0, min(tries - 1, 10))))


#: The database's time when it was last read, and this machine's monotonic clock at that moment.
_remembered: tuple[datetime, float] | None = None
_TRUSTED_SECONDS = 30.0


def remember_database_time(now: datetime) -> None:
    """Keep the database's time, as read just now by another query."""
    global _remembered
    _remembered = now, time.monotonic()


def database_now() -> datetime:
    """The database's time. Read with the last claim, and advanced by this machine's clock for up to half a minute."""
    # SQLite lives on this machine: its clock is this machine's.
    if connection.vendor != "postgresql":
        return timezone.now()
    passed = time.monotonic() - _remembered[1] if _remembered is not None else _TRUSTED_SECONDS
    if _remembered is None or passed >= _TRUSTED_SECONDS:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            remember_database_time(cursor.fetchone()[0])
        assert _remembered is not None
        return _remembered[0]
    return _remembered[0] + timedelta(seconds=passed)
