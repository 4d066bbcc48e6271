"""Claiming a run, and fencing every later write to it.

A claim is one conditional change of one row: it sets a lease and counts the token up. Everything the engine writes says
"where the run's token is mine", in the same transaction as the run's lease is renewed, so a worker that comes back
after its lease changes nothing. Time is the database's.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from integrations.clock import DatabaseNow, scaled, seconds
from workflows import beats
from workflows.models import Run, StepRun

#: Longer than the longest single call with its refresh: 5 + 30 s, twice, plus the token endpoint.
LEASE_SECONDS = 120
#: A run that took its worker with it so often without a step recorded is parked. Where workers are killed for other
#: reasons, three in a row do hit one run by chance: four of 1,000 in the proof.
POISON_KILLS = 5


class LostLeaseError(Exception):
    """Another worker has the run now; nothing more may be written to it here."""


@dataclass
class Lease:
    """The right to write to one run, as long as nobody claimed it after us."""

    run_id: int
    token: int
    renewed_at: float = field(default_factory=time.monotonic)

    def keep(self) -> None:
        """Renew the lease in the midst of a long step, before it has run for a quarter. Raises LostLeaseError."""
        beats.getting_on()
        if time.monotonic() - self.renewed_at < scaled(LEASE_SECONDS) / 4:
            return
        mine = Run.objects.filter(pk=self.run_id, lease_token=self.token, status=Run.Status.RUNNING)
        if not mine.update(lease_until=DatabaseNow() + seconds(LEASE_SECONDS)):
            raise LostLeaseError(f"run {self.run_id}")
        self.renewed_at = time.monotonic()

    def record(self, step_run: StepRun | None = None, *, run: dict[str, Any] | None = None) -> None:
        """Save a step run and changes of the run, together, and renew the lease. Raises LostLeaseError."""
        beats.getting_on()
        self.renewed_at = time.monotonic()
        with transaction.atomic():
            changes = {"lease_until": DatabaseNow() + seconds(LEASE_SECONDS), "kills": 0, **(run or {})}
            changed = Run.objects.filter(pk=self.run_id, lease_token=self.token, status=Run.Status.RUNNING).update(
                **changes
            )
            if not changed:
                raise LostLeaseError(f"run {self.run_id}")
            if step_run is not None:
                step_run.save()


def due(now: Any) -> Q:
    """Runs that a worker may claim: queued, woken, or left behind by a worker whose lease is over."""
    return (
        Q(status=Run.Status.QUEUED)
        | Q(status=Run.Status.WAITING, wake_at__lte=now)
        | Q(status=Run.Status.RUNNING, lease_until__lt=now)
    )


def claim() -> tuple[Run, Lease] | None:
    """Take the next due run, or None. A run that has killed its workers is parked instead of given out again."""
    while True:
        with transaction.atomic():
            runs = Run.objects.filter(due(DatabaseNow())).order_by("id")
            if connection.features.has_select_for_update_skip_locked:
                runs = runs.select_for_update(skip_locked=True)
            picked = runs.values("pk", "status", "kills").first()
            if picked is None:
                return None
            was_left_behind = picked["status"] == Run.Status.RUNNING
            kills = picked["kills"] + 1 if was_left_behind else 0
            is_poison = kills >= POISON_KILLS
            Run.objects.filter(pk=picked["pk"]).update(
                status=Run.Status.CRASHED if is_poison else Run.Status.RUNNING,
                lease_until=DatabaseNow() + seconds(LEASE_SECONDS),
                lease_token=F("lease_token") + 1,
                claims=F("claims") + 1,
                kills=kills,
                started_at=Coalesce(F("started_at"), DatabaseNow()),
                finished_at=DatabaseNow() if is_poison else None,
                wake_at=None,
                wait_reason="",
                error=_POISON if is_poison else "",
            )
            run = Run.objects.select_related("version", "event", "workflow", "team").get(pk=picked["pk"])
        if not is_poison:
            return run, Lease(run.pk, run.lease_token)


_POISON = (
    f"The worker that executed this run died {POISON_KILLS} times without getting any further, so the run was parked. "
    "Look at the worker's log, then try again."
)


def database_now() -> datetime:
    """The database's clock, read now."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT clock_timestamp()")
            now: datetime = cursor.fetchone()[0]
            return now
    # SQLite lives on this machine: its clock is this machine's.
    return timezone.now()
