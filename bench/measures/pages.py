"""Run list, run page, documents and dashboard, with a thousand runs and with a million."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from bench.bench_stage import BenchStage, event
from bench.measures import Row

_STATUSES = ("succeeded", "succeeded", "succeeded", "succeeded", "filtered", "failed", "cancelled", "succeeded")


def measure(stage: BenchStage) -> Iterator[Row]:
    """The small figure is the floor of the large one."""
    from django.contrib.auth.models import User
    from django.test import Client

    from integrations.models import Membership, Role

    workflow = stage.workflow()
    person = User.objects.create_user("bench", "bench@example.com", "bench", is_staff=True)
    Membership.objects.create(team=workflow.team, user=person, role=Role.BUILDER)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(person)
    fill(stage, workflow, 1_000)
    small = _times(client)
    large = stage.size(1_000_000, 5_000)
    fill(stage, workflow, large - 1_000)
    for name, (took, statements) in _times(client).items():
        before, fewer = small[name]
        aim = "≤ 2 × floor, ≤ 100 ms, same statements"
        note = f"{large:,} runs; {fewer} then {statements} statements"
        yield Row(f"page: {name}", "ms", took, before, aim=aim, note=note)


def _times(client: Any) -> dict[str, tuple[list[float], int]]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    from workflows.models import Run

    newest = Run.objects.order_by("-pk").first()
    assert newest is not None
    addresses = {
        "run list": reverse("runs"),
        "run list, failed": reverse("runs") + "?status=failed",
        "run list, last page": reverse("runs") + "?before=60",
        "run list, a document's number": reverse("runs") + "?q=INV-0000123",
        "run list, a contact": reverse("runs") + "?q=Customer+77",
        "run list, nothing fits": reverse("runs") + "?q=no+such+thing",
        "documents": reverse("documents"),
        "documents, a number": reverse("documents") + "?q=INV-0000123",
        "run": reverse("run", args=[newest.pk]),
        "dashboard": reverse("admin:index"),
    }
    found = {}
    for name, address in addresses.items():
        answer = client.get(address)
        if answer.status_code != 200:
            raise SystemExit(f"{address} answered {answer.status_code}.")
        with CaptureQueriesContext(connection) as caught:
            client.get(address)
        # The next request empties the log in which statements are counted.
        statements = len(caught)
        took = []
        for _ in range(7):
            began = time.perf_counter()
            client.get(address)
            took.append(1000 * (time.perf_counter() - began))
        found[name] = (took, statements)
    return found


def fill(stage: BenchStage, workflow: Any, count: int) -> None:
    """This many finished runs over the last year, most recent last, each with its event and two steps."""
    from datetime import timedelta

    from django.db import connection, transaction
    from django.utils import timezone

    from workflows.models import Event, Posting, Run, StepRun

    now, batch = timezone.now(), 2_000
    for first in range(0, count, batch):
        numbers = range(first, min(first + batch, count))
        with transaction.atomic():
            events = Event.objects.bulk_create(
                Event(team=workflow.team, operation="pinterest.new_pin", key=f"{time.time_ns()}-{n}", data=event(n))
                for n in numbers
            )
            runs = Run.objects.bulk_create(
                Run(
                    team=workflow.team,
                    workflow=workflow,
                    version=workflow.published,
                    event=each,
                    status=_STATUSES[n % len(_STATUSES)],
                    title=f"Chair number {n}",
                    result="WrittenDocument 200",
                    started_at=now,
                    finished_at=now,
                )
                for n, each in zip(numbers, events, strict=True)
            )
            steps = StepRun.objects.bulk_create(
                StepRun(run=run, step=key, position=place, kind=kind, name=key, state="succeeded", finished_at=now)
                for run in runs
                for place, (key, kind) in enumerate((("filter", "filter"), ("send", "action")), 1)
            )
            Posting.objects.bulk_create(
                _posting(workflow, step, n, now) for n, step in zip(numbers, steps[1::2], strict=True)
            )
            # Spread over a year, the newest last. The database layer sets `created_at`, so it is changed afterwards.
            least, most = runs[0].pk, runs[-1].pk
            back = now - timedelta(days=365 * (1 - (first + batch) / (count + batch)))
            Run.objects.filter(pk__gte=least, pk__lte=most).update(created_at=back)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _posting(workflow: Any, step: Any, number: int, now: Any) -> Any:
    from decimal import Decimal

    from workflows.models import Posting

    return Posting(
        step_run=step,
        team=workflow.team,
        run=step.run,
        workflow=workflow,
        version=workflow.published,
        step=step.step,
        operation="xero.create_invoice",
        effect="creates",
        origin="answered",
        noun="Sales invoice",
        number=f"INV-{number:07}",
        contact=f"Customer {number % 50_000}",
        organisation="Demo Company (NZ)",
        day=now.date(),
        currency="NZD",
        amount=Decimal(number % 1_000),
        sub_total=Decimal(number % 1_000),
        tax=Decimal(0),
        fingerprint="0" * 64,
        written_at=now,
    )
