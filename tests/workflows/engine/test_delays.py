"""Delays: a run waits for its moment, no worker does, and the organisation's calendar says when that is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import override_settings

from integrations.core.errors import RejectedError
from tests.base import Cast
from tests.workflows.conftest import drain, settle
from tests.workflows.planting import MakeTree, begin, delay, loop, ran, state_of, step, write
from tests.workflows.scripted.connector import Provider
from workflows.engine.kinds import delay as delays
from workflows.models import Run
from workflows.runs import decisions

pytestmark = pytest.mark.django_db


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> object:
    """Set the clock that delays read."""

    def do(moment: str) -> None:
        monkeypatch.setattr(delays, "database_now", lambda: datetime.fromisoformat(moment).astimezone(UTC))

    return do


def until(run: Run) -> str:
    """The organisation's wall clock at the end of the delay."""
    return str(step(run, "d").output["until"])


# Moments that the database's clock, which nobody sets, is far from: a wait that is over by it would be due at once. In
# 2037 days of the month and of the week go together as in 2026, and clocks change on the same days.
@override_settings(TIME_SCALE=1)
@pytest.mark.parametrize(
    ("now", "settings", "ends"),
    [
        ("2037-11-27T15:00+13:00", {"how": "for", "amount": "90", "unit": "minutes"}, "2037-11-27T16:30:00+13:00"),
        ("2037-11-27T15:00+13:00", {"how": "for", "amount": "1.5", "unit": "hours"}, "2037-11-27T16:30:00+13:00"),
        ("2037-11-27T15:00+13:00", {"how": "for", "amount": "3", "unit": "working_days"}, "2037-12-02T15:00:00+13:00"),
        ("2037-11-28T15:00+13:00", {"how": "for", "amount": "1", "unit": "working_days"}, "2037-11-30T15:00:00+13:00"),
        # Clocks go back on 5 April 2037 in Auckland: a day later is 25 hours later, 24 hours are an hour less.
        ("2037-04-04T15:00+13:00", {"how": "for", "amount": "1", "unit": "days"}, "2037-04-05T15:00:00+12:00"),
        ("2037-04-04T15:00+13:00", {"how": "for", "amount": "24", "unit": "hours"}, "2037-04-05T14:00:00+12:00"),
        # And forward on 27 September: 02:30 is not there, so it is an hour later on the wall.
        ("2037-09-26T02:30+12:00", {"how": "for", "amount": "1", "unit": "days"}, "2037-09-27T03:30:00+13:00"),
        ("2037-11-27T15:00+13:00", {"how": "until", "moment": "2037-12-01"}, "2037-12-01T00:00:00+13:00"),
        ("2037-11-27T15:00+13:00", {"how": "until", "moment": "2037-12-01T08:15"}, "2037-12-01T08:15:00+13:00"),
        ("2037-11-27T15:00+13:00", {"how": "until", "moment": "2037-12-01T08:15Z"}, "2037-12-01T21:15:00+13:00"),
        ("2037-11-27T15:00+13:00", {"how": "until", "moment": "2037-12-01 08:15:00 UTC"}, "2037-12-01T21:15:00+13:00"),
        ("2037-11-27T15:00+13:00", {"how": "until", "moment": "2143268100"}, "2037-12-01T21:15:00+13:00"),
        ("2037-11-27T07:00+13:00", {"how": "until_working_day", "at": "09:00"}, "2037-11-27T09:00:00+13:00"),
        ("2037-11-28T12:00+13:00", {"how": "until_working_day", "at": "09:00"}, "2037-11-30T09:00:00+13:00"),
        ("2037-11-29T23:59+13:00", {"how": "until_working_day", "at": "08:30"}, "2037-11-30T08:30:00+13:00"),
    ],
)
def test_a_delay_ends_when_the_organisations_calendar_says(
    provider: Provider, make_tree: MakeTree, at: object, now: str, settings: dict[str, str], ends: str
) -> None:
    assert callable(at)
    run = begin(make_tree(delay("d", **settings), write("w")))
    at(now)
    drain()
    run.refresh_from_db()
    assert [run.status, run.wait_reason] == ["waiting", "delay"]
    assert until(run) == ends
    assert run.wake_at == datetime.fromisoformat(ends)
    assert run.lease_until is None
    assert provider.sent == []
    at(ends)
    Run.objects.update(wake_at="2020-01-01T00:00:00Z")
    drain()
    assert state_of(run) == "succeeded"
    assert len(provider.books) == 1


@override_settings(TIME_SCALE=1)
@pytest.mark.parametrize(
    "settings",
    [
        {"how": "for", "amount": "0", "unit": "days"},
        {"how": "until", "moment": "2037-11-01"},
        {"how": "until_working_day", "at": "09:00"},
    ],
)
def test_a_delay_that_is_over_already_holds_nothing_up(
    provider: Provider, make_tree: MakeTree, at: object, settings: dict[str, str]
) -> None:
    assert callable(at)
    run = begin(make_tree(delay("d", **settings), write("w")))
    at("2037-11-27T15:00+13:00")
    drain()
    assert state_of(run) == "succeeded"
    run.refresh_from_db()
    assert run.claims == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"how": "for", "amount": "{{ trigger.title }}", "unit": "days"},
            'a whole number of days, and this is "Thing 1"',
        ),
        ({"how": "for", "amount": "1.5", "unit": "working_days"}, "a whole number of working days"),
        ({"how": "for", "amount": "-1", "unit": "hours"}, "a number of hours"),
        ({"how": "for", "amount": "900", "unit": "days"}, "may last 400 days"),
        ({"how": "until", "moment": "{{ trigger.title }}"}, "a date or time such as 2026-11-30 or 2026-11-30T09:00"),
        ({"how": "until", "moment": "2999-01-01"}, "it may last 400 days"),
    ],
)
def test_a_delay_that_says_no_moment_fails_and_says_what_it_was_given(
    provider: Provider, make_tree: MakeTree, settings: dict[str, str], words: str
) -> None:
    run = begin(make_tree(delay("d", **settings), write("w")))
    drain()
    run.refresh_from_db()
    assert run.status == "failed"
    assert words in run.error
    assert provider.sent == []


def test_a_delay_keeps_its_moment_when_the_worker_dies(provider: Provider, make_tree: MakeTree) -> None:
    run = begin(make_tree(delay("d", how="for", amount="1", unit="days"), write("w")))
    drain()
    before = until(run)
    Run.objects.update(status="running", wait_reason="", lease_until="2020-01-01T00:00:00Z")
    drain()
    assert state_of(run) == "waiting"
    assert until(run) == before


def test_a_person_can_end_a_delay(provider: Provider, make_tree: MakeTree, cast: Cast) -> None:
    run = begin(make_tree(delay("d", how="for", amount="300", unit="days"), write("w")))
    drain()
    assert state_of(run) == "waiting"
    decisions.retry(run, by=cast.builder)
    drain()
    assert state_of(run) == "succeeded"
    assert step(run, "d").state == "succeeded"
    run.refresh_from_db()
    assert run.wake_at is None or run.wake_at < datetime.now(UTC) + timedelta(days=1)


def test_each_turn_of_a_loop_can_wait_for_itself(provider: Provider, make_tree: MakeTree) -> None:
    short = delay("d", how="for", amount="1", unit="minutes")
    run = begin(make_tree(loop("each", "{{ trigger.numbers }}", short, write("w", "{{ item }}"))), numbers=[1, 2, 3])
    settle()
    assert [book["name"] for book in provider.books] == ["1", "2", "3"]
    run.refresh_from_db()
    assert [run.status, run.claims] == ["succeeded", 4]
    assert ran(run) == ["each", "d@1", "w@1", "d@2", "w@2", "d@3", "w@3"]


def test_a_delay_may_fail_and_be_passed_over(provider: Provider, make_tree: MakeTree) -> None:
    spec = delay("d", how="for", amount="{{ trigger.title }}", unit="days")
    spec.on_error = "go_on"
    run = begin(make_tree(spec, write("w")))
    provider.script = [RejectedError("No.")]
    drain()
    run.refresh_from_db()
    assert [run.status, run.error] == ["failed", "W: No."]
