"""The time from accepting an event to sending its request, with an idle worker: how long a person waits."""

from __future__ import annotations

import time
from collections.abc import Iterator

import requests

from bench.bench_stage import BenchStage
from bench.measures import Row
from bench.measures.workers import running


def measure(stage: BenchStage) -> Iterator[Row]:
    """One event at a time, at uneven intervals, so that none of Pinxero's intervals is matched by chance."""
    workflow = stage.workflow()
    count = stage.size(100, 10)
    sent: dict[int, float] = {}
    with running(2):
        time.sleep(2)
        for number in range(count):
            sent[number] = time.monotonic()
            stage.accept(workflow, range(number, number + 1))
            time.sleep(0.25 + (number * 37 % 100) / 400)
        time.sleep(2)
    arrived = dict(requests.get(f"http://127.0.0.1:{stage.port}/_arrivals", timeout=10).json())
    if len(arrived) < count:
        raise SystemExit(f"Only {len(arrived)} of {count} requests arrived.")
    took = sorted(1000 * (arrived[number] - at) for number, at in sent.items())
    yield Row("event to wire, idle: p50", "ms", [took[len(took) // 2]], aim="< 30 ms", note=f"{count} events")
    yield Row("event to wire, idle: p95", "ms", [took[int(len(took) * 0.95)]], note=f"largest {took[-1]:,.0f} ms")
