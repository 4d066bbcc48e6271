"""Claiming a run, and fencing every later write to it.

A claim is one conditional UPDATE of one row: it sets a lease and increases the token. Everything the engine writes says
"where the run's token is mine", in the same transaction that renews the lease, so a worker that comes back after its
lease has expired changes nothing. Time is the database's.

A step that can be repeated without harm (a filter, a format, a read) need not be saved the moment it is done: it is
*noted*, and saved in the transaction of the next thing that must be, after two seconds at the latest. The answer to a
write is noted too, but saved before anything else is sent. So a step that writes costs two transactions, one that does
not costs none, and after a kill only what may be repeated is repeated.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from integrations.core.clock import DatabaseNow, scaled, seconds
from workflows.engine import after_run, poison_runs
from workflows.engine.due import candidates, due, has_others
from workflows.engine.waits import wake_caller
from workflows.models import Run, StepRun, WorkflowVersion
from workflows.runtime import clock, heartbeats
from workflows.runtime.clock import database_now as database_now
from workflows.runtime.prepared_query import prepared

#: Longer than the longest single call with its refresh: 5 + 30 s, twice, plus the token endpoint.
LEASE_SECONDS = 120
#: How long noted steps may stay unsaved, and how many.
NOTED_SECONDS, NOTED_ROWS = 2.0, 200
#: What else is stored in the transaction that records step runs, with these; rooms above register themselves.
RECORDERS: list[Callable[[Sequence[StepRun]], None]] = []


class LostLeaseError(Exception):
    """Another worker has the run now; nothing more may be written to it here."""


class CancelAskedError(Exception):
    """A person has cancelled the run: what was to be sent next is not sent."""


@dataclass
class _Note:
    """A step run to be saved; if it is stored already and fields are named, only these."""

    step_run: StepRun
    fields: set[str] | None


@dataclass
class Lease:
    """The right to write to one run, as long as no other worker has claimed it since."""

    run_id: int
    token: int
    renewed_at: float = field(default_factory=time.monotonic)
    _notes: dict[int, _Note] = field(default_factory=dict)
    _noted_at: float = 0.0
    _is_urgent: bool = False

    def keep(self) -> None:
        """Called before each call to a provider: save what must be stored first, and renew the lease during a long step
        once a quarter of it has passed. Raises LostLeaseError."""
        heartbeats.note_progress()
        if self._is_urgent or self._is_late():
            self.record()
            return
        if time.monotonic() - self.renewed_at < scaled(LEASE_SECONDS) / 4:
            return
        mine = Run.objects.filter(pk=self.run_id, lease_token=self.token, status=Run.Status.RUNNING)
        if not mine.update(lease_until=DatabaseNow() + seconds(LEASE_SECONDS)):
            raise LostLeaseError(f"run {self.run_id}")
        self.renewed_at = time.monotonic()

    def note(self, step_run: StepRun, *, fields: Collection[str] | None = None, is_urgent: bool = False) -> None:
        """Save a step run with the next record, before the next call if it `is_urgent`. Raises LostLeaseError."""
        if not self._notes:
            self._noted_at = time.monotonic()
        noted = self._notes.setdefault(id(step_run), _Note(step_run, set()))
        noted.fields = None if fields is None or noted.fields is None else noted.fields | set(fields)
        self._is_urgent = self._is_urgent or is_urgent
        if self._is_late():
            self.record()

    def drop_notes(self) -> None:
        """Forget what was noted and is not stored."""
        self._notes, self._is_urgent = {}, False

    def _is_late(self) -> bool:
        return bool(self._notes) and (
            len(self._notes) >= NOTED_ROWS or time.monotonic() - self._noted_at > NOTED_SECONDS
        )

    def is_cancelled(self, step_run: StepRun) -> bool:
        """Whether recording failed because a person has cancelled the run, and not because of another worker. Then the
        step run is no longer noted; what was noted before it is saved with the next record."""
        mine = Run.objects.filter(pk=self.run_id, lease_token=self.token, status=Run.Status.RUNNING)
        if not mine.filter(cancel_asked_at__isnull=False).exists():
            return False
        self._notes.pop(id(step_run), None)
        return True

    def record(
        self, step_run: StepRun | None = None, *, run: dict[str, Any] | None = None, unless_cancelled: bool = False
    ) -> None:
        """Save a step run, all notes and changes of the run together, and renew the lease.

        Raises LostLeaseError; with `unless_cancelled` also where a person has cancelled the run.
        """
        heartbeats.note_progress()
        self.renewed_at = time.monotonic()
        if step_run is not None:
            self._notes[id(step_run)] = _Note(step_run, None)
        # Inside another transaction no savepoint is needed: whoever has lost the lease rolls back all of it.
        with transaction.atomic(savepoint=False):
            if not (
                _change(self.run_id, self.token, run) if run else _renew(self.run_id, self.token, unless_cancelled)
            ):
                raise LostLeaseError(f"run {self.run_id}")
            self._save()
        self.drop_notes()

    def _save(self) -> None:
        notes = list(self._notes.values())
        stored = [note for note in notes if not note.step_run._state.adding]
        StepRun.objects.bulk_create([note.step_run for note in notes if note.step_run._state.adding])
        for note in stored:
            note.step_run.save(update_fields=note.fields)
        for recorded in RECORDERS:
            recorded([note.step_run for note in notes])


def _change(run_id: int, token: int, changes: dict[str, Any]) -> int:
    mine = Run.objects.filter(pk=run_id, lease_token=token, status=Run.Status.RUNNING)
    return mine.update(**{"lease_until": DatabaseNow() + seconds(LEASE_SECONDS), "kills": 0, **changes})


def _renew(run_id: int, token: int, unless_cancelled: bool) -> int:
    """Only renew the lease. This is the most frequent query, once per step that writes, so it is written as SQL:
    Django takes ten times as long to build it as the database to execute it.
    """
    wait: Any = seconds(LEASE_SECONDS)
    unless = " AND cancel_asked_at IS NULL" if unless_cancelled else ""
    if connection.vendor == "postgresql":
        until = "clock_timestamp() + %s"
    else:
        until, wait = "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW', %s)", f"+{wait.total_seconds():.3f} seconds"
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE workflows_run SET lease_until = {until}, kills = 0 "  # noqa: S608 - nothing in it is given
            f"WHERE id = %s AND lease_token = %s AND status = 'running'{unless}",
            [wait, run_id, token],
        )
        return int(cursor.rowcount)


def claim() -> tuple[Run, Lease] | None:
    """Claim the next due run; None where there is none. A run that has killed its workers is parked instead."""
    while True:
        with transaction.atomic():
            run = _next()
            if run is None:
                return None
            clock.remember_database_time(run.now)
            was_left_behind = run.status == Run.Status.RUNNING
            kills = run.kills + 1 if was_left_behind else 0
            is_poison = was_left_behind and poison_runs.is_poison(run.pk, kills)
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
                "error": poison_runs.explanation(kills) if is_poison else "",
            }
            if not Run.objects.filter(pk=run.pk, lease_token=token).update(**changes):
                continue
            if is_poison:
                _notify_of_poison(run, kills)
                wake_caller(run)
        if not is_poison:
            run.status, run.lease_token, run.claims, run.kills = Run.Status.RUNNING, token + 1, run.claims + 1, kills
            run.version = _version(run.version_id, run.workflow_id, run.plan_sha256)
            return run, Lease(run.pk, run.lease_token)


def _notify_of_poison(run: Run, kills: int) -> None:
    after_run.follow_up(run.pk, Run.Status.CRASHED, poison_runs.explanation(kills))


#: The run that has used this worker for long, and until when others come first.
_behind: tuple[int, float] = 0, 0.0
_OTHERS_SECONDS = 5.0


def let_others_go_first(run_id: int) -> None:
    """Prefer other runs on this worker for a while; this one goes on at once only if there are none."""
    global _behind
    _behind = run_id, time.monotonic() + _OTHERS_SECONDS


def _next() -> Any:
    run_id, until = _behind
    other = _claimable().exclude(pk=run_id).first() if time.monotonic() < until else None
    return other or prepared("claim", _claimable).first()


def _claimable() -> Any:
    """Due runs, oldest first, locked where the database locks rows, with what a claim needs.

    `has_others` says whether there were more, which saves another query.
    """
    runs = Run.objects.filter(candidates(), due(DatabaseNow())).order_by("id").select_related("event", "workflow")
    if connection.features.has_select_for_update_skip_locked:
        runs = runs.select_for_update(skip_locked=True, of=("self",))
    return runs.annotate(now=DatabaseNow(), plan_sha256=F("version__plan_sha256"), has_others=has_others())


@lru_cache(maxsize=256)
def _version(pk: int, workflow_id: int, plan_sha256: str) -> WorkflowVersion:
    """A version, read once per worker: it never changes, and its plan is the largest part of what a claim reads."""
    return WorkflowVersion.objects.get(pk=pk)
