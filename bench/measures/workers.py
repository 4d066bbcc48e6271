"""Runs per second through real worker processes, by their number."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.bench_stage import CHECKOUT, BenchStage
from bench.measures import Row


def measure(stage: BenchStage) -> Iterator[Row]:
    """1, 2 and 4 workers; everything is stored first, then the time is measured."""
    from workflows.models import Run

    workflow = stage.workflow()
    count = stage.size(1_000, 60)
    for workers in (1, 2, 4):
        rates = []
        with running(workers):
            for repetition in range(3):
                before = Run.objects.filter(status="succeeded").count()
                began = time.monotonic()
                stage.accept(workflow, range(repetition * count, (repetition + 1) * count))
                while Run.objects.filter(status="succeeded").count() < before + count:
                    if time.monotonic() - began > 300:
                        raise SystemExit("The runs did not end.")
                    time.sleep(0.05)
                rates.append(count / (time.monotonic() - began))
        aim = "≥ 150 /s" if workers == 4 else ""
        yield Row(f"runs with {workers} worker{'s' if workers > 1 else ''}", "/s", rates, aim=aim)


@contextmanager
def running(workers: int) -> Iterator[subprocess.Popen[bytes]]:
    """`manage.py worker` with this many processes, ready to work."""
    from workflows.models import Beat
    from workflows.runtime import heartbeats

    Beat.objects.all().delete()
    process = subprocess.Popen(
        [sys.executable, str(CHECKOUT / "manage.py"), "worker", "--grace-seconds", "10"],
        cwd=CHECKOUT,
        env={**os.environ, "PINXERO_WORKERS": str(workers)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        ends = time.monotonic() + 60
        while heartbeats.newest_worker_heartbeat() is None:
            if time.monotonic() > ends or process.poll() is not None:
                raise SystemExit("The worker did not start.")
            time.sleep(0.05)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
