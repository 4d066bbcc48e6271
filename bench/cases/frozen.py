"""A worker is frozen for three leases in the midst of its writes, thaws, and does nothing twice.

All of its processes are stopped (SIGSTOP) while each has a write on the wire, as when a virtual machine is paused. A
second worker takes its runs over when their leases end. Then the first goes on (SIGCONT) where it stood, its processes
before its supervisor, which would otherwise kill them before they could do harm.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from typing import Any

from bench.cases import Result
from bench.cases._pins import PinsCase, compared, count_ended, wait_for
from bench.stage import Stage

LEASES = 3
#: Writes take this long (real seconds, up to twice as many), so that the freeze catches some: below the 30 s time-out.
_SLOW = {"p_slow_commit": 1.0, "slow_commit_seconds": 12, "concurrent_limit": 1000}
#: How long the thawed processes run before their supervisor does (seconds of this machine).
_ALONE_SECONDS = 2.0


class Frozen(PinsCase):
    """A worker that comes back after its lease changes nothing."""

    size = 200
    must_be_some = ("taken_over", "fenced")
    controls = {"no_intent": "a write is not written down before it is sent"}

    def environment(self, options: argparse.Namespace) -> dict[str, str]:
        return {"PINXERO_SAFETIES_OFF": options.control}

    def play(self, stage: Stage, options: argparse.Namespace) -> Result:
        from integrations.core.clock import scaled
        from workflows.engine.lease import LEASE_SECONDS

        stage.faults(seed=options.seed, **_SLOW)
        pins = stage.add_pins(options.size)
        wait_for("a tenth of the runs done", lambda: count_ended() >= max(1, options.size // 10))
        first = stage.worker
        assert first is not None
        with _Frozen(first) as stopped:
            stage.start_worker()
            time.sleep(LEASES * scaled(LEASE_SECONDS))
        stage.faults(p_slow_commit=0.0)
        stage.wait_until_done(options.size, longest=options.longest)
        fenced = stage.log.read_text().count("was taken over by another worker") if stage.log.exists() else 0
        first.send_signal(signal.SIGTERM)
        first.wait(60)
        return {**compared(stage, pins), **_figures(), "fenced": fenced, "processes_frozen": stopped.count}

    def caught(self, result: Mapping[str, Any], control: str) -> str:
        return f"{result['duplicates']} duplicates" if result["duplicates"] else ""


class _Frozen:
    """Stop every process of a worker while the block lasts."""

    def __init__(self, worker: subprocess.Popen[bytes]) -> None:
        self.worker = worker
        self.below: list[int] = []

    @property
    def count(self) -> int:
        """How many processes were stopped."""
        return len(self.below) + 1

    def __enter__(self) -> _Frozen:
        from bench.descendants import descendants

        os.kill(self.worker.pid, signal.SIGSTOP)
        self.below = descendants(self.worker.pid)
        for pid in self.below:
            os.kill(pid, signal.SIGSTOP)
        return self

    def __exit__(self, *error: object) -> None:
        for pid in self.below:
            os.kill(pid, signal.SIGCONT)
        time.sleep(_ALONE_SECONDS)
        os.kill(self.worker.pid, signal.SIGCONT)


def _figures() -> Result:
    """How many runs changed from one worker to another, and how often at most."""
    from django.db.models import Max

    from workflows.models import Run

    most = Run.objects.aggregate(most=Max("claims"))["most"]
    return {"taken_over": Run.objects.filter(claims__gt=1).count(), "most_claims": most}


case = Frozen()
