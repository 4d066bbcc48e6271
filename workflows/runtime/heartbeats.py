"""Heartbeats of a worker: tasks make progress, and their results are acknowledged.

django-q2 can look alive and do nothing (a killed child leaves a lock behind), so both are watched: `worker` is written
by tasks while they run, `finished` when one ends, `monitor` by the process that records results.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import datetime

from integrations.core.clock import DatabaseNow, seconds
from workflows.models import Beat

WORKER, FINISHED, MONITOR = "worker", "finished", "monitor"
_NOTE_EVERY = 2.0
#: Longer than the period of any chore, and than a weekend without power.
_GONE_SECONDS = 7 * 86_400
_noted: dict[str, float] = {}
#: Set by the supervisor for its cluster, so that the heartbeats of several hosts are kept apart.
HOST_VARIABLE = "PINXERO_SUPERVISOR"


def note(part: str) -> None:
    """Record that this part of this host's cluster is alive now."""
    name = f"{part}@{os.environ.get(HOST_VARIABLE, 'local')}"
    if not Beat.objects.filter(name=name).update(at=DatabaseNow()):
        Beat.objects.bulk_create([Beat(name=name, at=DatabaseNow())], ignore_conflicts=True)


def note_progress() -> None:
    """Record a heartbeat of the `worker` part during long work, at most every two seconds."""
    now = time.monotonic()
    if now - _noted.get(WORKER, -_NOTE_EVERY) >= _NOTE_EVERY:
        _noted[WORKER] = now
        note(WORKER)


@dataclass(frozen=True)
class Heartbeats:
    """When each part of one cluster was last seen; None before its first heartbeat."""

    worker: datetime | None
    finished: datetime | None
    monitor: datetime | None

    def is_stale(self, now: datetime, limit: float) -> bool:
        """Whether no task has made progress, or no result was acknowledged, for more than `limit` seconds."""
        if self.worker is None or (now - self.worker).total_seconds() > limit:
            return True
        if self.finished is None:
            return False
        if self.monitor is None:
            return (now - self.finished).total_seconds() > limit
        # Tasks keep finishing while the last acknowledgement gets older.
        return (self.finished - self.monitor).total_seconds() > limit


def heartbeats_of(host: str) -> Heartbeats:
    """The heartbeats of that supervisor's cluster."""
    found = dict(Beat.objects.filter(name__endswith=f"@{host}").values_list("name", "at"))
    return Heartbeats(*(found.get(f"{part}@{host}") for part in (WORKER, FINISHED, MONITOR)))


def forget(host: str) -> None:
    """Delete the heartbeats of a cluster that is about to be restarted."""
    Beat.objects.filter(name__endswith=f"@{host}").delete()


def forget_old() -> int:
    """Delete the heartbeats of supervisors that are gone and the records of chores that no longer exist; returns how
    many. Each start of a supervisor leaves some."""
    old = Beat.objects.filter(at__lt=DatabaseNow() - seconds(_GONE_SECONDS))
    return old.delete()[0]


def newest_worker_heartbeat() -> datetime | None:
    """When any worker anywhere last ran a task."""
    beat = Beat.objects.filter(name__startswith=f"{WORKER}@").order_by("-at").first()
    return beat.at if beat else None
