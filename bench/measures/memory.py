"""The memory of web and worker while they wait for work, and the time from start to the first answer."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import requests

from bench.bench_stage import CHECKOUT, BenchStage
from bench.measures import Row
from bench.measures.workers import running

_LIKE_DEPLOYED = ("--workers", "2", "--threads", "4", "--preload", "--no-control-socket")


def measure(stage: BenchStage) -> Iterator[Row]:
    """Memory is the proportional set size: what processes share is counted once."""
    workflow = stage.workflow()
    began = time.monotonic()
    with running(2) as worker:
        started = time.monotonic() - began
        stage.accept(workflow, range(20))
        time.sleep(5)
        at_work = _megabytes(worker.pid)
    web = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "pinxero.wsgi", "--bind", "127.0.0.1:0", *_LIKE_DEPLOYED],
        cwd=CHECKOUT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ.copy(),
    )
    began = time.monotonic()
    try:
        assert web.stderr is not None
        address = next(match[1] for line in web.stderr if (match := re.search(r"Listening at: (http://[\d.:]+)", line)))
        while True:
            try:
                if requests.get(f"{address}/accounts/login/", timeout=30).status_code == 200:
                    break
            except requests.ConnectionError:
                time.sleep(0.05)
        answered = time.monotonic() - began
        for _ in range(20):
            requests.get(f"{address}/accounts/login/", timeout=30)
        serving = _megabytes(web.pid)
    finally:
        web.send_signal(signal.SIGTERM)
        web.wait(20)
    yield Row("memory: web (2 processes)", "MiB", [serving])
    yield Row("memory: worker (2 at once)", "MiB", [at_work])
    yield Row("memory: both", "MiB", [serving + at_work], aim="< 250 MiB")
    yield Row("cold start: web to first page", "s", [answered])
    yield Row("cold start: worker to first task", "s", [started])


def _megabytes(pid: int) -> float:
    root = psutil.Process(pid)
    total = 0
    for process in (root, *root.children(recursive=True)):
        try:
            total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, AttributeError):
            continue
    return total / 2**20
