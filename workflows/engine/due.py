"""Which runs a worker may claim, by a query that costs the same however many runs there are.

A run is due when it is queued, when its time has come, or when the worker that had it is gone. "The oldest of these" is
one question to people but three to a database: an index leads to the first few of each kind, and only these few are
then compared, locked and read. With one condition for all three, PostgreSQL scanned a million finished runs per claim.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL

from workflows.models import Run

#: How many of each kind are considered: more than the workers and people that may have locked some at the same moment,
#: because locked rows are skipped.
CANDIDATES = 24


def due(now: Any) -> Q:
    """Runs that a worker may claim: queued, due to wake, or left behind by a worker whose lease has expired."""
    return (
        Q(status=Run.Status.QUEUED)
        | Q(status=Run.Status.WAITING, wake_at__lte=now)
        | Q(status=Run.Status.RUNNING, lease_until__lt=now)
    )


def candidates(most: int = CANDIDATES) -> Q:
    """Up to `most` due runs of each kind: the oldest, and of the waiting ones those that are due to wake first.

    Written as SQL, because Django cannot write a union of limited queries for SQLite. What is locked later has to be
    checked again with `due`: another worker may have taken it in between.
    """
    return Q(pk__in=RawSQL(_candidates(most), ()))  # noqa: S611 - nothing in it is given


def has_others() -> RawSQL:
    """An annotation for a claim: whether there is another run that a worker may claim."""
    return RawSQL(f"(SELECT COUNT(*) > 1 FROM ({_candidates(2)}) AS others)", (), BooleanField())  # noqa: S608, S611


def _candidates(most: int) -> str:
    # As a subquery it is evaluated once, before the index is used.
    if connection.vendor == "postgresql":
        now = "(SELECT clock_timestamp())"
    else:
        now = "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')"
    kinds = (
        "status = 'queued' ORDER BY id",
        f"status = 'waiting' AND wake_at <= {now} ORDER BY wake_at",
        f"status = 'running' AND lease_until < {now} ORDER BY id",
    )
    return " UNION ALL ".join(
        f"SELECT id FROM (SELECT id FROM workflows_run WHERE {kind} LIMIT {most}) AS kind{number}"  # noqa: S608
        for number, kind in enumerate(kinds)
    )


def is_any_due() -> bool:
    """Whether there is a run that a worker may claim."""
    return Run.objects.filter(candidates(1)).exists()
