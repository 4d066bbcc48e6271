"""A whole run in one process, next to the bare HTTP call with the same rows written by hand."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from typing import Any

from bench.bench_stage import FIELDS, BenchStage, event
from bench.measures import Row

_REPEAT = 5


def measure(stage: BenchStage) -> Iterator[Row]:
    """Wall clock, processor time and statements per run."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from workflows.engine.work_loop import do_one
    from workflows.models import Run

    workflow = stage.workflow()
    count = stage.size(200, 20)
    walls, cpus, floor_walls, floor_cpus = [], [], [], []
    for repetition in range(_REPEAT):
        stage.accept(workflow, range(repetition * count, (repetition + 1) * count))
        wall, cpu = _timed(lambda: [do_one(prefers_runs=True) for _ in range(count)])
        walls.append(1000 * wall / count)
        cpus.append(1000 * cpu / count)
        wall, cpu = _timed(lambda first=repetition * count: _by_hand(stage, workflow, range(first, first + count)))
        floor_walls.append(1000 * wall / count)
        floor_cpus.append(1000 * cpu / count)
    left = Run.objects.exclude(status="succeeded").count()
    if left:
        raise SystemExit(f"{left} runs did not succeed: {Run.objects.exclude(status='succeeded').first().error}")
    stage.accept(workflow, range(1))
    with CaptureQueriesContext(connection) as caught:
        do_one(prefers_runs=True)
    yield Row("run: wall clock", "ms", walls, floor_walls, aim="≤ 3 × floor", note=f"{len(caught)} statements")
    yield Row("run: processor", "ms", cpus, floor_cpus, aim="≤ 8 ms, ≤ 3 × floor")


def _timed(do: Any) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    do()
    return time.perf_counter() - wall, time.process_time() - cpu


def _by_hand(stage: BenchStage, workflow: Any, numbers: range) -> None:
    """The floor: the call, and the rows that a run stores, with the intent committed before sending."""
    import requests
    from django.db import transaction
    from django.utils import timezone

    from workflows.models import Event, Run, StepRun

    session = requests.Session()
    for number in numbers:
        data = event(number)
        with transaction.atomic():
            made = Event.objects.create(team=workflow.team, operation="bench", key=f"{time.time_ns()}", data=data)
            run = Run.objects.create(
                team=workflow.team, workflow=workflow, version=workflow.published, event=made, status="running"
            )
        body = {name: data.get(name, "") for name in FIELDS}
        with transaction.atomic():
            StepRun.objects.create(run=run, step="filter", position=1, kind="filter", name="Filter", state="succeeded")
            step = StepRun.objects.create(
                run=run,
                step="send",
                position=2,
                kind="action",
                name="Send it",
                state="sent",
                request={"method": "POST", "body": body},
                idempotency_key=hashlib.sha256(f"{time.time_ns()}".encode()).hexdigest(),
                first_sent_at=timezone.now(),
            )
        answer = session.post(stage.target, json=body, timeout=10)
        with transaction.atomic():
            step.state, step.output, step.response_body = "succeeded", answer.json(), answer.text
            step.save()
            run.status, run.finished_at = "succeeded", timezone.now()
            run.save()
