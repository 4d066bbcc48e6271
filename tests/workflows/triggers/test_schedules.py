"""Workflows started by the clock: once per local time, whatever was missed, restarted or broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import override_settings

from tests.base import Cast
from tests.workflows.conftest import Make
from tests.workflows.scripted import connector as scripted
from tests.workflows.starts import CONNECTORS, started_by
from workflows.models import Event, Run, Schedule, Workflow
from workflows.publishing import activation, publish
from workflows.triggers import schedules
from workflows.worker import sweeper

DAILY = {"how": "daily", "at": "09:00", "timezone": "Europe/Berlin"}
NINE = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)  # 09:00 in Berlin

Clock = Callable[[datetime], None]


@pytest.fixture(autouse=True)
def _with_starts(provider: scripted.Provider) -> Iterator[None]:
    with override_settings(CONNECTORS=CONNECTORS, TIME_SCALE=1):
        yield


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the clock by which schedules are planned and due."""
    from django.db.models import DateTimeField, Value

    def set_to(now: datetime) -> None:
        monkeypatch.setattr(schedules, "database_now", lambda: now)
        monkeypatch.setattr(schedules, "DatabaseNow", lambda: Value(now, output_field=DateTimeField()))

    set_to(NINE - timedelta(hours=1))
    return set_to


def keys() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("key", flat=True))


def scheduled(cast: Cast, make_workflow: Make, inputs: dict[str, Any], **options: Any) -> Workflow:
    return started_by(cast, make_workflow, "start.schedule", inputs, value="{{ trigger.date }}", **options)


def test_switching_on_plans_the_next_time_and_it_starts_once(cast: Cast, make_workflow: Make, clock: Clock) -> None:
    workflow = scheduled(cast, make_workflow, DAILY)
    assert Schedule.objects.get().next_at == NINE
    assert schedules.fire_due() == 0
    clock(NINE + timedelta(seconds=2))
    assert sweeper.sweep() >= 0
    assert schedules.fire_due() == 0
    run = Run.objects.get()
    assert (run.workflow, run.title, keys()) == (
        workflow,
        "Monday 2026-11-30, 09:00",
        ["2026-11-30T09:00 Europe/Berlin"],
    )
    assert run.event.data == {
        "date": "2026-11-30",
        "time": "09:00",
        "weekday": "Monday",
        "timezone": "Europe/Berlin",
        "planned_at": "2026-11-30T09:00:00+01:00",
        "started_at": "2026-11-30T09:00:02+01:00",
        "month": "November 2026",
        "month_start": "2026-11-01",
        "month_end": "2026-11-30",
        "last_month_start": "2026-10-01",
        "last_month_end": "2026-10-31",
    }
    assert Schedule.objects.get().next_at == NINE + timedelta(days=1)


def test_its_data_is_what_the_sample_promises(cast: Cast, make_workflow: Make, clock: Clock) -> None:
    from integrations.framework import registry

    scheduled(cast, make_workflow, DAILY)
    clock(NINE)
    schedules.fire_due()
    assert list(Run.objects.get().event.data) == list(registry.trigger("start.schedule").sample)


@pytest.mark.parametrize(
    ("missed", "days"),
    [
        ("", ["2026-12-04"]),
        ("once", ["2026-12-04"]),
        ("skip", []),
        ("all", [f"2026-{d}" for d in ("11-30", "12-01", "12-02", "12-03", "12-04")]),
    ],
)
def test_missed_starts_are_treated_as_the_workflow_says(
    missed: str, days: list[str], cast: Cast, make_workflow: Make, clock: Clock
) -> None:
    scheduled(cast, make_workflow, {**DAILY, "missed": missed})
    clock(NINE + timedelta(days=4, hours=3))
    assert schedules.fire_due() == len(days)
    assert [key[:10] for key in keys()] == days
    row = Schedule.objects.get()
    assert (row.next_at, row.skipped) == (NINE + timedelta(days=5), 5 - len(days))


def test_of_all_that_was_missed_the_last_ten_start(cast: Cast, make_workflow: Make, clock: Clock) -> None:
    scheduled(cast, make_workflow, {**DAILY, "missed": "all"})
    clock(NINE + timedelta(days=30, hours=1))
    assert schedules.fire_due() == 10
    assert keys()[-1][:10] == "2026-12-30"


def test_a_start_that_is_a_little_late_is_not_missed(cast: Cast, make_workflow: Make, clock: Clock) -> None:
    scheduled(cast, make_workflow, {**DAILY, "missed": "skip"})
    clock(NINE + timedelta(seconds=schedules.GRACE_SECONDS - 1))
    assert schedules.fire_due() == 1


def test_after_an_outage_of_hours_every_five_minutes_starts_once_and_not_all_together(
    cast: Cast, make_workflow: Make, clock: Clock
) -> None:
    workflows = [
        scheduled(cast, make_workflow, {"how": "minutes", "every": 5}, name=f"Copy {number}") for number in range(20)
    ]
    back = NINE + timedelta(hours=8)
    at: list[datetime] = []
    for second in range(0, 300, 10):
        clock(back + timedelta(seconds=second))
        started = schedules.fire_due()
        at += [back + timedelta(seconds=second)] * started
    # Which second is whose follows from the workflow's number; whose second is the first is due with the last.
    clock(back + timedelta(seconds=300))
    at += [back + timedelta(seconds=300)] * schedules.fire_due()
    assert Run.objects.count() == len(workflows)
    assert Run.objects.values("workflow").distinct().count() == len(workflows)
    assert len(set(at)) >= 4
    assert max(at) - min(at) >= timedelta(seconds=180)


def test_a_missed_start_of_every_six_hours_is_made_good_within_minutes(
    cast: Cast, make_workflow: Make, clock: Clock
) -> None:
    scheduled(cast, make_workflow, {"how": "hours", "every": 6})
    planned = Schedule.objects.get()
    assert planned.next_at is not None
    back = planned.next_at + timedelta(hours=1)
    clock(back)
    assert schedules.fire_due() == 0
    clock(back + timedelta(seconds=301))
    assert schedules.fire_due() == 1
    assert keys() == [planned.next_key]
    assert Schedule.objects.get().next_at == planned.next_at + timedelta(hours=6)


def test_a_clock_that_is_set_back_starts_nothing_twice(cast: Cast, make_workflow: Make, clock: Clock) -> None:
    scheduled(cast, make_workflow, DAILY)
    clock(NINE)
    assert schedules.fire_due() == 1
    Schedule.objects.update(next_at=NINE, next_key="2026-11-30T09:00 Europe/Berlin")
    assert schedules.fire_due() == 0
    assert Run.objects.count() == 1


def test_publishing_again_moves_nothing_and_another_rule_counts_from_now(
    cast: Cast, make_workflow: Make, clock: Clock
) -> None:
    workflow = scheduled(cast, make_workflow, DAILY)
    clock(NINE + timedelta(seconds=1))
    publish.publish(workflow, by=cast.builder)
    assert Schedule.objects.get().next_at == NINE, "what was due is still due"
    workflow.trigger_inputs = {**DAILY, "at": "10:00"}
    workflow.save()
    publish.publish(workflow, by=cast.builder)
    assert Schedule.objects.get().next_at == NINE + timedelta(hours=1)


def test_nothing_is_planned_while_paused_and_what_was_missed_then_is_not_made_good(
    cast: Cast, make_workflow: Make, clock: Clock
) -> None:
    workflow = scheduled(cast, make_workflow, DAILY)
    activation.pause(workflow, by=cast.builder)
    assert Schedule.objects.get().next_at is None
    clock(NINE + timedelta(hours=1))
    assert schedules.fire_due() == 0
    activation.activate(workflow, by=cast.builder)
    assert schedules.fire_due() == 0
    assert Schedule.objects.get().next_at == NINE + timedelta(days=1)


def test_another_trigger_ends_the_schedule(cast: Cast, make_workflow: Make, clock: Clock) -> None:
    workflow = scheduled(cast, make_workflow, DAILY)
    workflow.trigger_operation, workflow.trigger_inputs = "start.manual", {"fields_asked": [{"label": "Date"}]}
    workflow.save()
    publish.publish(workflow, by=cast.builder)
    clock(NINE)
    assert schedules.fire_due() == 0
    assert Schedule.objects.get().next_at is None


def test_one_broken_schedule_keeps_no_other_from_starting(
    cast: Cast, make_workflow: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = scheduled(cast, make_workflow, DAILY, name="Broken")
    scheduled(cast, make_workflow, DAILY, name="Sound")
    Schedule.objects.filter(workflow=broken).update(rule={"how": "daily", "timezone": "Mars/Olympus"})
    clock(NINE)
    assert schedules.fire_due() == 1
    assert Run.objects.get().workflow.name == "Sound"
    row = Schedule.objects.get(workflow=broken)
    assert (row.failures, row.last_error) == (1, "There is no time zone called 'Mars/Olympus'.")
    assert row.next_at is not None
    assert row.next_at > NINE


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgresql
def test_two_supervisors_start_it_once(cast: Cast, make_workflow: Make, clock: Clock) -> None:
    from threading import Thread

    from django.db import connection

    scheduled(cast, make_workflow, DAILY)
    clock(NINE)
    started: list[int] = []

    def look() -> None:
        try:
            started.append(schedules.fire_due())
        finally:
            connection.close()

    threads = [Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(started) == Run.objects.count() == 1
