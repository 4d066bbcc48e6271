"""Signs of life of a worker: that tasks get on, and that their results are acknowledged.

django-q2 can look alive and do nothing (a killed child leaves a lock behind), so both are watched: `worker` is written
by tasks while they get on, `finished` when one ends, `monitor` by the process that records results.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import datetime

from integrations.clock import DatabaseNow, seconds
from workflows.models import Beat

WORKER, FINISHED, MONITOR = "worker", "finished", "monitor"
_NOTE_EVERY = 2.0
#: Longer than any chore's period and than a weekend without power.
_GONE_SECONDS = 7 * 86_400
_noted: dict[str, float] = {}
#: Set by the supervisor for its cluster, so that several hosts do not vouch for each other.
HOST_VARIABLE = "PINXERO_SUPERVISOR"


def note(part: str) -> None:
    """Write down that this part of this host's cluster is alive now."""
    name = f"{part}@{os.environ.get(HOST_VARIABLE, 'local')}"
    if not Beat.objects.filter(name=name).update(at=DatabaseNow()):
        Beat.objects.bulk_create([Beat(name=name, at=DatabaseNow())], ignore_conflicts=True)


def getting_on() -> None:
    """The same for `worker` from the midst of long work, at most every two seconds."""
    now = time.monotonic()
    if now - _noted.get(WORKER, -_NOTE_EVERY) >= _NOTE_EVERY:
        _noted[WORKER] = now
        note(WORKER)


@dataclass(frozen=True)
class Signs:
    """When each part of one cluster was last seen; None before its first sign."""

    worker: datetime | None
    finished: datetime | None
    monitor: datetime | None

    def is_stale(self, now: datetime, limit: float) -> bool:
        """Whether no task gets on for that many seconds, or what tasks finish is not acknowledged for so long."""
        if self.worker is None or (now - self.worker).total_seconds() > limit:
            return True
        if self.finished is None:
            return False
        if self.monitor is None:
            return (now - self.finished).total_seconds() > limit
        # Tasks go on ending while the last acknowledgement gets older and older.
        return (self.finished - self.monitor).total_seconds() > limit


def signs(host: str) -> Signs:
    """The signs of life of the cluster of that supervisor."""
    found = dict(Beat.objects.filter(name__endswith=f"@{host}").values_list("name", "at"))
    return Signs(*(found.get(f"{part}@{host}") for part in (WORKER, FINISHED, MONITOR)))


def forget(host: str) -> None:
    """Drop the signs of a cluster that is about to be started anew."""
    Beat.objects.filter(name__endswith=f"@{host}").delete()


def forget_old() -> int:
    """Drop the signs of supervisors that are gone for good, and the turns of chores that nobody takes any more; how
    many. Each start of a supervisor leaves some."""
    old = Beat.objects.filter(at__lt=DatabaseNow() - seconds(_GONE_SECONDS))
    return old.delete()[0]


def newest_worker_beat() -> datetime | None:
    """When any worker anywhere last ran a task."""
    beat = Beat.objects.filter(name__startswith=f"{WORKER}@").order_by("-at").first()
    return beat.at if beat else None
