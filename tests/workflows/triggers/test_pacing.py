"""Looks slow down by themselves when a day's calls run low, never below what was asked, and the pages say so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from integrations.connections import service
from integrations.core.clock import seconds
from integrations.models import CallBudget, Connection
from tests.base import Cast
from tests.workflows.conftest import Make, drain, thing
from tests.workflows.scripted.connector import Provider
from tests.world import make_world
from workflows.models import TriggerState, Workflow
from workflows.triggers import pacing, polling
from workflows.triggers.pacing import Day, Pace, PollDemand, doorbell_interval, slowed_interval

LOOKS = st.lists(st.builds(PollDemand, st.integers(1, 15), st.integers(1, 40)), min_size=1, max_size=8)
DAYS = st.builds(
    lambda limit, part, seconds: Day(limit * part // 100, limit, seconds),
    st.integers(1, 100_000),
    st.integers(0, 100),
    st.floats(0, 86_400, allow_nan=False),
)


@given(LOOKS, DAYS)
def test_looks_are_never_more_often_than_asked_and_never_rarer_than_once_till_the_day_ends(
    looks: list[PollDemand], day: Day
) -> None:
    for each in looks:
        minutes = slowed_interval(each.minutes, day, looks)
        assert each.minutes <= minutes <= max(each.minutes, -(-day.seconds // 60) + 1)


@given(LOOKS, DAYS)
def test_what_the_looks_take_fits_what_polls_may_use_unless_one_look_is_all_there_is(
    looks: list[PollDemand], day: Day
) -> None:
    paces = [(each, slowed_interval(each.minutes, day, looks)) for each in looks]
    if any(minutes >= day.seconds / 60 for _, minutes in paces):
        return
    takes = sum(each.calls * day.seconds / 60 / minutes for each, minutes in paces)
    assert takes <= float(day.usable) + 1e-6


@given(LOOKS, DAYS, st.integers(0, 50))
def test_fewer_calls_left_never_make_it_faster(looks: list[PollDemand], day: Day, fewer: int) -> None:
    less = Day(max(0, day.left - fewer), day.limit, day.seconds)
    for each in looks:
        assert slowed_interval(each.minutes, less, looks) >= slowed_interval(each.minutes, day, looks)


@given(LOOKS, st.floats(0, 86_400, allow_nan=False))
def test_without_a_limit_nothing_slows_down(looks: list[PollDemand], seconds: float) -> None:
    assert all(slowed_interval(each.minutes, Day(0, 0, seconds), looks) == each.minutes for each in looks)


@pytest.mark.parametrize(
    ("left", "limit", "hours", "looks", "minutes"),
    [
        (240, 1000, 8, [PollDemand(5)], 12),  # 96 looks wanted, 40 calls may be used
        (1000, 1000, 24, [PollDemand(5)], 5),  # 288 of 700
        (1000, 1000, 24, [PollDemand(5)] * 4, 9),  # 1,152 of 700
        (1000, 1000, 24, [PollDemand(5), PollDemand(5, 4)], 11),  # 288 + 1,152 of 700
        (5000, 5000, 24, [PollDemand(1), PollDemand(1)], 1),  # 2,880 of 3,500
        (200, 1000, 3, [PollDemand(5)], 180),  # nothing is left for polls until the day ends
        (0, 1000, 2, [PollDemand(15)], 120),
        (0, 1000, 0, [PollDemand(15)], 15),
    ],
)
def test_the_arithmetic_by_examples(left: int, limit: int, hours: int, looks: list[PollDemand], minutes: int) -> None:
    assert slowed_interval(looks[0].minutes, Day(left, limit, hours * 3600), looks) == minutes


def test_it_is_said_in_plain_words() -> None:
    day = Day(240, 1000, 8 * 3600)
    assert Pace(5, 12, day, "Demo Company (NZ)").sentence == (
        "Every 12 minutes instead of 5 today: 240 of 1,000 calls are left for Demo Company (NZ)."
    )
    assert Pace(1, 180, day, "Acme").sentence.startswith("About every 3 hours instead of 1 today:")
    assert Pace(5, 5, day, "Acme").sentence == ""
    assert [pacing.every(minutes) for minutes in (1, 2, 119, 120)] == [
        "Every minute", "Every 2 minutes", "Every 119 minutes", "About every 2 hours",
    ]  # fmt: skip


@given(DAYS, st.integers(1, 200))
def test_looks_for_notices_never_take_more_than_polls_may_use(day: Day, calls: int) -> None:
    """Notices without end: each look is made as soon as it may be, until nothing is left for them."""
    if not day.limit:
        return
    left = day.left
    for _ in range(50):
        distance = doorbell_interval(Day(left, day.limit, day.seconds), calls=calls)
        if distance is None:
            break
        assert distance >= pacing.DOORBELL_SECONDS
        left -= calls
        assert left >= day.limit / 5


@pytest.mark.parametrize(
    ("left", "limit", "calls", "distance"),
    [
        (0, 0, 1, 10),  # no limit
        (1000, 1000, 1, 10),
        (1000, 1000, 3, 16),  # 700 may be used
        (300, 1000, 1, 36),  # 100 may be used
        (210, 1000, 1, 360),
        (201, 1000, 2, None),
        (200, 1000, 1, None),  # the kept fifth
    ],
)
def test_notices_ask_less_often_the_fewer_calls_are_left(
    left: int, limit: int, calls: int, distance: int | None
) -> None:
    assert doorbell_interval(Day(left, limit, 8 * 3600), calls=calls) == distance


def test_what_holds_notices_up_is_said_in_plain_words() -> None:
    day, name = Day(240, 1000, 8 * 3600), "Acme"
    said = [
        Pace(5, minutes, day, name, bell, is_instant).sentence
        for minutes, bell, is_instant in ((5, 90, True), (5, None, True), (12, 360, True), (5, None, False))
    ]
    left = "240 of 1,000 calls are left for Acme."
    assert said == [
        f"At most every 90 seconds when notices come today: {left}",
        f"No sooner when notices come today: {left}",
        f"Every 12 minutes instead of 5 today, and at most every 6 minutes when notices come: {left}",
        "",
    ]


# --- for real -------------------------------------------------------------------------------------------------------


def spend(connection: Connection, used: int, limit: int, *, hours_left: int) -> None:
    """So much of the day is used up."""
    started = timezone.now() - (seconds(86_400) - seconds(hours_left * 3600))
    CallBudget.objects.update_or_create(
        connection=connection, defaults={"day_used": used, "day_limit": limit, "day_started_at": started}
    )


def minutes_to_next(state: TriggerState) -> float:
    assert state.next_due_at is not None
    assert state.last_polled_at is not None
    planned = state.next_due_at - state.last_polled_at
    return planned / seconds(60)


def test_a_poll_plans_the_next_one_later_when_calls_run_low(
    provider: Provider, make_workflow: Make, connection: Connection, cast: Cast, client: Client, settings: object
) -> None:
    settings.TIME_SCALE = 1  # type: ignore[attr-defined]
    provider.per_day = 1000
    workflow = make_workflow()
    drain()
    state = TriggerState.objects.get()
    assert (state.every_minutes, round(minutes_to_next(state))) == (5, 5)

    spend(connection, 760, 1000, hours_left=8)
    polling.poll_now(state)
    drain()
    state.refresh_from_db()
    assert (state.every_minutes, round(minutes_to_next(state))) == (12, 12)

    client.force_login(cast.builder)
    said = "Every 12 minutes instead of 5 today: 240 of 1,000 calls are left for Scripted account."
    page = client.get(reverse("workflow", args=[workflow.pk])).content.decode()
    assert said in page
    assert "Checks every 12 minutes; last checked" in " ".join(page.split())
    assert said in client.get(reverse("workflow_trigger", args=[workflow.pk])).content.decode()
    assert [note.text for note in service.notes(connection) if note.is_warning] == [f"New thing: {said}"]

    spend(connection, 10, 1000, hours_left=20)
    polling.poll_now(state)
    drain()
    state.refresh_from_db()
    assert state.every_minutes == 5
    assert "instead of" not in client.get(reverse("workflow", args=[workflow.pk])).content.decode()


def test_what_a_look_costs_is_measured(provider: Provider, make_workflow: Make) -> None:
    provider.calls = 4
    workflow = make_workflow()
    drain()
    assert TriggerState.objects.get().calls_per_look == 1, "the baseline says nothing of ordinary looks"
    workflow.refresh_from_db()
    polling.poll_now(workflow.listens_to)
    drain()
    assert TriggerState.objects.get().calls_per_look == 4


def test_the_most_eager_workflow_sets_the_pace_and_the_others_are_told(
    provider: Provider, make_workflow: Make, cast: Cast, client: Client
) -> None:
    calm, eager = make_workflow(name="Calm"), make_workflow(name="Eager")
    Workflow.objects.filter(pk=calm.pk).update(interval_minutes=15)
    Workflow.objects.filter(pk=eager.pk).update(interval_minutes=2)
    provider.items = [thing(1)]
    polling.poll_now(TriggerState.objects.get())
    drain()
    assert TriggerState.objects.get().every_minutes == 2
    client.force_login(cast.builder)
    page = " ".join(client.get(reverse("workflow", args=[calm.pk])).content.decode().split())
    assert "Checks every 2 minutes" in page
    assert "Eager shares this check and needs it every 2 minutes." in page
    other = " ".join(client.get(reverse("workflow", args=[eager.pk])).content.decode().split())
    assert "One check serves this workflow and 1 other." in other


def test_the_day_that_is_over_counts_no_more(provider: Provider, connection: Connection) -> None:
    provider.per_day = 1000
    started = timezone.now() - seconds(86_400) - timedelta(seconds=1)
    CallBudget.objects.create(connection=connection, day_used=990, day_limit=1000, day_started_at=started)
    day = pacing.day_of(connection)
    assert (day.left, day.limit, day.seconds) == (1000, 1000, 86_400.0)


def test_the_connection_says_what_its_triggers_take(cast: Cast, client: Client, settings: object) -> None:
    settings.PINTEREST_DAY_LIMIT = 1000  # type: ignore[attr-defined]
    world = make_world(cast)
    client.force_login(cast.auditor)
    path = reverse("connection", args=[world.pinterest.pk])
    shown = client.get(path).content.decode()
    assert "One trigger checks this connection, using about 288 calls a day of the 1,000 available." in shown
    assert "instead of" not in shown
    spend(world.pinterest, 760, 1000, hours_left=8)
    shown = client.get(path).content.decode()
    assert "New pin: Every 12 minutes instead of 5 today: 240 of 1,000 calls are left for Acme pins." in shown
    assert "checks this connection" not in client.get(reverse("connection", args=[world.xero.pk])).content.decode()
