"""One poll of a provider, by how many workflows listen: the calls must not grow with them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from bench.bench_stage import BenchStage
from bench.measures import Row


def measure(stage: BenchStage) -> Iterator[Row]:
    """A poll that finds nothing new among 50 known items, for 10, 1,000 and 10,000 workflows on one connection."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from integrations.framework import registry
    from integrations.framework.base import Item
    from workflows.models import TriggerState, Workflow
    from workflows.triggers import polling

    first = stage.workflow()
    assert first.listens_to is not None
    calls = [0]

    def look(*args: Any, **kwargs: Any) -> Iterator[Item]:
        calls[0] += 1
        return iter([Item(key=str(n), data={"id": str(n)}) for n in range(50)])

    trigger = registry.trigger("pinterest.new_pin")
    type(trigger).poll = look  # type: ignore[method-assign]
    made = 1
    for wanted in (10, stage.size(1_000, 100), stage.size(10_000, 200)):
        Workflow.objects.bulk_create(
            Workflow(
                team=first.team,
                name=f"Copy {number}",
                status="active",
                trigger_operation=first.trigger_operation,
                trigger_connection=first.trigger_connection,
                published=first.published,
                listens_to=first.listens_to,
            )
            for number in range(made, wanted)
        )
        made = wanted
        took, statements = [], 0
        for _ in range(5):
            TriggerState.objects.update(next_due_at="2020-01-01T00:00:00Z", lease_until=None)
            calls[0] = 0
            began = time.perf_counter()
            with CaptureQueriesContext(connection) as caught:
                state = polling.claim()
                assert state is not None
                polling.poll(state)
            took.append(1000 * (time.perf_counter() - began))
            statements = len(caught)
        yield Row(f"a look for {wanted:,} workflows", "ms", took, note=f"{calls[0]} reading, {statements} statements")
