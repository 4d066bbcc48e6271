"""Keeps one django-q2 cluster working, not merely alive.

A cluster can stop in ways that its own heartbeat does not show: a killed child can leave the queue's lock behind, a
dead monitor causes every task to be repeated, a dead sentinel leaves orphans. So the supervisor starts the cluster in a
session of its own, requests a heartbeat every few seconds, and trusts only two facts together: tasks make progress, and
their results are acknowledged. When either goes stale, or the process ends for any reason, the whole process group is
killed and a new cluster started. Nothing is lost: the rows are the truth, the queue only wakes workers.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import random
import secrets
import signal
import socket
import time
from multiprocessing.context import ForkProcess
from types import FrameType

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, close_old_connections, connection, connections

from integrations.connections.preload import load_before_fork
from integrations.core.clock import scaled
from workflows.runtime import heartbeats, schema_version
from workflows.runtime.broker import request_heartbeat, wake_for_chores
from workflows.runtime.clock import database_now
from workflows.worker.sweeper import sweep

logger = logging.getLogger(__name__)

_SWEEP_EVERY = 1.0
_CHORES_EVERY = 60.0
_QUICK_DEATH = 2.0
_LONGEST_PAUSE = 30.0
_GRACE_SECONDS = 150
_OUTDATED_PAUSE = 5.0
#: A fork shares what the supervisor has loaded and starts at once. There are no threads that a fork would lose.
_FORK = multiprocessing.get_context("fork")


class Supervisor:
    """Runs until it is stopped by a signal; `run` returns the exit code."""

    def __init__(self, *, stale_seconds: float | None = None, grace_seconds: float = _GRACE_SECONDS) -> None:
        self.stale_seconds = stale_seconds if stale_seconds is not None else settings.STALE_SECONDS
        self.heartbeat_every = min(10.0, self.stale_seconds / 4)
        self.grace_seconds = grace_seconds
        self.host = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self.process: ForkProcess | None = None
        self.started_at = 0.0
        self.restarts = 0
        self.quick_deaths = 0
        self.is_stopping = False
        self.is_waiting = False

    def run(self) -> int:
        """Supervise until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        last_beat = last_sweep = last_chores = float("-inf")
        try:
            while not self.is_stopping:
                if self.process is not None and not self.process.is_alive():
                    self._restart(f"The cluster ended with code {self.process.exitcode}.")
                    continue
                now = time.monotonic()
                try:
                    close_old_connections()
                    if self._is_outdated():
                        continue
                    if self.process is None:
                        self._start()
                    if now - last_sweep >= _SWEEP_EVERY:
                        last_sweep = now
                        sweep()
                    if now - last_beat >= self.heartbeat_every:
                        last_beat = now
                        request_heartbeat()
                    if now - last_chores >= scaled(_CHORES_EVERY):
                        last_chores = now
                        wake_for_chores()
                    if self._is_stale(now):
                        self._restart(f"No sign of life for {self.stale_seconds:g} s.")
                except DatabaseError as error:
                    logger.warning("The database cannot be used just now: %s", error)
                    connection.close()
                    self._pause(1.0)
                time.sleep(0.2)
        finally:
            self._reap(self.grace_seconds)
        return 0

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.is_stopping = True

    def _start(self) -> None:
        # Only heartbeats of the new cluster count from here.
        heartbeats.forget(self.host)
        load_before_fork("workflows.engine.execute")
        # Two processes on one connection would read each other's answers.
        connections.close_all()
        self.process = _FORK.Process(target=_be_the_cluster, args=(self.host,))
        self.process.start()
        self.started_at = time.monotonic()
        logger.info("Cluster started, process %s.", self.process.pid)

    def _is_outdated(self) -> bool:
        """Let the cluster finish, and wait while the database is newer than this code: a newer worker does the work."""
        found = schema_version.unknown_migrations()
        if found and not self.is_waiting:
            logger.warning(
                "The database was migrated by a newer Pinxero (%s). This worker finishes what it has begun and then "
                "waits. Start the new version's worker in its place.",
                ", ".join(found),
            )
            self._reap(self.grace_seconds)
        if not found and self.is_waiting:
            logger.warning("The database fits this version of Pinxero again; this worker goes on.")
        self.is_waiting = bool(found)
        if found:
            self._pause(scaled(_OUTDATED_PAUSE))
        return bool(found)

    def _is_stale(self, now: float) -> bool:
        if now - self.started_at <= self.stale_seconds:
            return False
        return heartbeats.heartbeats_of(self.host).is_stale(database_now(), self.stale_seconds)

    def _restart(self, why: str) -> None:
        self.restarts += 1
        lived = time.monotonic() - self.started_at
        logger.warning("%s Starting it anew (restart %s).", why, self.restarts)
        self._reap(1.0)
        self.quick_deaths = self.quick_deaths + 1 if lived < _QUICK_DEATH else 0
        if self.quick_deaths > 1:
            # It does not even start properly: pause longer each time instead of looping.
            self._pause(min(_LONGEST_PAUSE, 0.25 * 2 ** min(self.quick_deaths, 8)))

    def _pause(self, length: float) -> None:
        ends = time.monotonic() + length
        while not self.is_stopping and time.monotonic() < ends:
            time.sleep(0.1)

    def _reap(self, grace: float) -> None:
        """Send SIGTERM to the main process only, never to the group; then SIGKILL to the group, orphans included."""
        process, self.process = self.process, None
        if process is None or process.pid is None:
            return
        if process.is_alive():
            process.terminate()
            process.join(grace)
            if process.is_alive():
                logger.warning("The cluster did not stop within %g s; it is killed.", grace)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.join()


def _be_the_cluster(host: str) -> None:
    """Run the cluster in the forked child, in a session of its own and without the supervisor's signal handlers."""
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    os.environ[heartbeats.HOST_VARIABLE] = host
    random.seed()
    call_command("cluster")
