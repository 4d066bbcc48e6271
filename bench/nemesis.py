"""The nemesis: kills real processes, one each second and once all of them, at random from a seed."""

from __future__ import annotations

import os
import random
import signal

import psutil

from bench.descendants import descendants
from bench.meanwhile import Meanwhile
from bench.stage import Stage


class Nemesis(Meanwhile):
    """Kill while the block lasts. `kills` counts processes, `whole_kills` the kill of all at once.

    If the nemesis fails, the proof fails: leaving the block raises its error.
    """

    broken = "The nemesis broke down, so nothing is proved."

    def __init__(self, stage: Stage, *, seed: int, whole_after: int, every: float = 1.0) -> None:
        super().__init__(every=every)
        self.stage, self.whole_after = stage, whole_after
        self.random = random.Random(seed)
        self.kills = self.whole_kills = 0

    def once(self) -> None:
        if not self.whole_kills and self._written() >= self.whole_after:
            self.whole_kills += 1
            self._kill_all()
        else:
            self._kill_one()

    def _kill_one(self) -> None:
        """Kill one child of the cluster: a worker, the pusher, the monitor or the sentinel."""
        assert self.stage.worker is not None
        try:
            clusters = psutil.Process(self.stage.worker.pid).children()
        except psutil.NoSuchProcess:
            return
        below = [pid for cluster in clusters for pid in descendants(cluster.pid)]
        if below:
            self._kill(self.random.choice(sorted(below)))

    def _kill_all(self) -> None:
        """Kill the supervisor and everything below it at once, as when a host dies; then start it again."""
        assert self.stage.worker is not None
        everything = [*descendants(self.stage.worker.pid), self.stage.worker.pid]
        for pid in everything:
            self._kill(pid)
        self.stage.worker.wait()
        self.stage.start_worker()

    def _kill(self, pid: int) -> None:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.kills += 1

    def _written(self) -> int:
        from django.db import DatabaseError, connection

        from workflows.models import Run

        try:
            return Run.objects.exclude(status__in=Run.OPEN).count()
        except DatabaseError:
            return 0
        finally:
            connection.close()
