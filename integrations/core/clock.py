"""Time: the database's clock, and the one scale by which every wait can be shortened in a test.

Leases compare times written by several machines, so they are written and read by the database's clock, never by a
worker's. `DatabaseNow` is that clock inside a query; every wait is written with `seconds`.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import DateTimeField, Func


class DatabaseNow(Func):
    """The database's present moment, at the statement and not at the transaction's start."""

    output_field = DateTimeField()
    template = "CURRENT_TIMESTAMP"

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """PostgreSQL freezes CURRENT_TIMESTAMP at the start of a transaction; clock_timestamp() goes on."""
        return self.as_sql(compiler, connection, template="clock_timestamp()", **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """SQLite's CURRENT_TIMESTAMP has whole seconds only; leases need finer ones.

        SQLite compares moments as texts, so this one is written as Django writes those of Python: with six places, or
        none at a whole second. Else a moment that has been read would not equal the one that is stored.
        """
        now = "REPLACE(STRFTIME('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f000', 'NOW'), '.000000', '')"
        return self.as_sql(compiler, connection, template=now, **extra)


class DatabaseNowOnce(DatabaseNow):
    """The same, computed once per statement: only with such a value can PostgreSQL use an index.

    Not for comparisons after waiting for a row: it would be the time before the wait.
    """

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """As an uncorrelated subquery."""
        return self.as_sql(compiler, connection, template="(SELECT clock_timestamp())", **extra)


def seconds(real: float) -> timedelta:
    """A wait of so many real seconds, shortened by PINXERO_TIME_SCALE."""
    return timedelta(seconds=real / settings.TIME_SCALE)


def scaled(real: float) -> float:
    """The same as a number of seconds, for time-outs and sleeps."""
    return real / settings.TIME_SCALE


def unscaled(shortened: float) -> float:
    """The real seconds of a wait that was measured on the shortened clock."""
    return shortened * settings.TIME_SCALE
