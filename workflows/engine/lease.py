"""Claiming a run, and fencing every later write to it.

A claim is one conditional change of one row: it sets a lease and counts the token up. Everything the engine writes says
"where the run's token is mine", in the same transaction as the run's lease is renewed, so a worker that comes back
after its lease changes nothing. Time is the database's.

A step that can be worked out again without harm (a filter, a format, a read) need not be written down the moment it is
done: it is *noted*, and saved in the transaction of the next thing that must be, at the latest after two seconds. What
a write was answered is noted too, but saved before anything else leaves the process. So a step that writes costs two
transactions and one that does not costs none, and a kill repeats nothing but what may be repeated.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from integrations.clock import DatabaseNow, scaled, seconds
from workflows import beats
from workflows.engine import poison
from workflows.engine.prepared import prepared
from workflows.engine.waiting import wake_caller
from workflows.models import Run, StepRun, WorkflowVersion

#: Longer than the longest single call with its refresh: 5 + 30 s, twice, plus the token endpoint.
LEASE_SECONDS = 120
#: How long what may be noted stays unsaved, and how many rows at most.
NOTED_SECONDS, NOTED_ROWS = 2.0, 200


class LostLeaseError(Exception):
    """Another worker has the run now; nothing more may be written to it here."""


@dataclass
class _Note:
    """A step run to be saved; of one that is stored already, only these fields where some are named."""

    step_run: StepRun
    fields: set[str] | None


@dataclass
class Lease:
    """The right to write to one run, as long as nobody claimed it after us."""

    run_id: int
    token: int
    renewed_at: float = field(default_factory=time.monotonic)
    _notes: dict[int, _Note] = field(default_factory=dict)
    _noted_at: float = 0.0
    _presses: bool = False

    def keep(self) -> None:
        """Called before a call: save what must not be outrun by it, and renew the lease in the midst of a long step,
        before it has run for a quarter. Raises LostLeaseError."""
        beats.getting_on()
        if self._presses or self._is_late():
            self.record()
            return
        if time.monotonic() - self.renewed_at < scaled(LEASE_SECONDS) / 4:
            return
        mine = Run.objects.filter(pk=self.run_id, lease_token=self.token, status=Run.Status.RUNNING)
        if not mine.update(lease_until=DatabaseNow() + seconds(LEASE_SECONDS)):
            raise LostLeaseError(f"run {self.run_id}")
        self.renewed_at = time.monotonic()

    def note(self, step_run: StepRun, *, fields: Collection[str] | None = None, presses: bool = False) -> None:
        """Save a step run with the next record, before the next call where it `presses`. Raises LostLeaseError."""
        if not self._notes:
            self._noted_at = time.monotonic()
        noted = self._notes.setdefault(id(step_run), _Note(step_run, set()))
        noted.fields = None if fields is None or noted.fields is None else noted.fields | set(fields)
        self._presses = self._presses or presses
        if self._is_late():
            self.record()

    def drop_notes(self) -> None:
        """Forget what was noted and is not stored."""
        self._notes, self._presses = {}, False

    def _is_late(self) -> bool:
        return bool(self._notes) and (
            len(self._notes) >= NOTED_ROWS or time.monotonic() - self._noted_at > NOTED_SECONDS
        )

    def record(self, step_run: StepRun | None = None, *, run: dict[str, Any] | None = None) -> None:
        """Save a step run, what was noted and changes of the run, together, and renew the lease.

        Raises LostLeaseError.
        """
        beats.getting_on()
        self.renewed_at = time.monotonic()
        if step_run is not None:
            self._notes[id(step_run)] = _Note(step_run, None)
        # Inside another transaction it needs no savepoint: whoever loses the lease loses all of it.
        with transaction.atomic(savepoint=False):
            if not (_change(self.run_id, self.token, run) if run else _renew(self.run_id, self.token)):
                raise LostLeaseError(f"run {self.run_id}")
            self._save()
        self.drop_notes()

    def _save(self) -> None:
        notes = list(self._notes.values())
        stored = [note for note in notes if not note.step_run._state.adding]
        StepRun.objects.bulk_create([note.step_run for note in notes if note.step_run._state.adding])
        for note in stored:
            note.step_run.save(update_fields=note.fields)


def _change(run_id: int, token: int, changes: dict[str, Any]) -> int:
    mine = Run.objects.filter(pk=run_id, lease_token=token, status=Run.Status.RUNNING)
    return mine.update(**{"lease_until": DatabaseNow() + seconds(LEASE_SECONDS), "kills": 0, **changes})


def _renew(run_id: int, token: int) -> int:
    """The same without any change but the lease: said more often than anything else, once a step that writes.

    Worded by hand, because Django takes ten times as long to word it as the database to do it.
    """
    wait: Any = seconds(LEASE_SECONDS)
    if connection.vendor == "postgresql":
        until = "clock_timestamp() + %s"
    else:
        until, wait = "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW', %s)", f"+{wait.total_seconds():.3f} seconds"
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE workflows_run SET lease_until = {until}, kills = 0 "  # noqa: S608 - nothing in it is given
            "WHERE id = %s AND lease_token = %s AND status = 'running'",
            [wait, run_id, token],
        )
        return int(cursor.rowcount)


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
            run = _next()
            if run is None:
                return None
            _tell_time(run.now)
            was_left_behind = run.status == Run.Status.RUNNING
            kills = run.kills + 1 if was_left_behind else 0
            is_poison = was_left_behind and poison.is_poison(run.pk, kills)
            token = run.lease_token
            changes = {
                "status": Run.Status.CRASHED if is_poison else Run.Status.RUNNING,
                "lease_until": DatabaseNow() + seconds(LEASE_SECONDS),
                "lease_token": F("lease_token") + 1,
                "claims": F("claims") + 1,
                "kills": kills,
                "started_at": Coalesce(F("started_at"), DatabaseNow()),
                "finished_at": DatabaseNow() if is_poison else None,
                "wake_at": None,
                "wait_reason": "",
                "error": poison.said(kills) if is_poison else "",
            }
            if not Run.objects.filter(pk=run.pk, lease_token=token).update(**changes):
                continue
            if is_poison:
                _tell_of_poison(run, kills)
                wake_caller(run)
        if not is_poison:
            run.status, run.lease_token, run.claims, run.kills = Run.Status.RUNNING, token + 1, run.claims + 1, kills
            run.version = _version(run.version_id, run.workflow_id, run.plan_sha256)
            return run, Lease(run.pk, run.lease_token)


def _tell_of_poison(run: Run, kills: int) -> None:
    # What it calls ends where this module begins: services of runs write steps, and steps need the lease.
    from workflows import aftermath

    aftermath.after(run.pk, Run.Status.CRASHED, poison.said(kills))


#: A run that had this worker for long, and until when others come first.
_behind: tuple[int, float] = 0, 0.0
_OTHERS_SECONDS = 5.0


def let_others_go_first(run_id: int) -> None:
    """Give this worker to other runs for a while; only where there are none does this one go on at once."""
    global _behind
    _behind = run_id, time.monotonic() + _OTHERS_SECONDS


def _next() -> Any:
    run_id, until = _behind
    other = _claimable().exclude(pk=run_id).first() if time.monotonic() < until else None
    return other or prepared("claim", _claimable).first()


def _claimable() -> Any:
    """Due runs, the oldest first, locked where the database locks rows, with what a claim has to know."""
    runs = Run.objects.filter(due(DatabaseNow())).order_by("id").select_related("event", "workflow")
    if connection.features.has_select_for_update_skip_locked:
        runs = runs.select_for_update(skip_locked=True, of=("self",))
    return runs.annotate(now=DatabaseNow(), plan_sha256=F("version__plan_sha256"))


@lru_cache(maxsize=256)
def _version(pk: int, workflow_id: int, plan_sha256: str) -> WorkflowVersion:
    """A version, which never changes, read once by a worker: the plan is the largest part of what a claim reads."""
    return WorkflowVersion.objects.get(pk=pk)


#: The database's clock as it was told last, and this machine's at that moment.
_told: tuple[datetime, float] | None = None
_TRUSTED_SECONDS = 30.0


def _tell_time(now: datetime) -> None:
    global _told
    _told = now, time.monotonic()


def database_now() -> datetime:
    """The database's clock: as told with the last claim and carried on by this machine's for up to half a minute."""
    # SQLite lives on this machine: its clock is this machine's.
    if connection.vendor != "postgresql":
        return timezone.now()
    passed = time.monotonic() - _told[1] if _told is not None else _TRUSTED_SECONDS
    if _told is None or passed >= _TRUSTED_SECONDS:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            _tell_time(cursor.fetchone()[0])
        assert _told is not None
        return _told[0]
    return _told[0] + timedelta(seconds=passed)
