"""What the proofs of schedules, days and polls ask for, worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bench.cases.day_limit import DAY, day_limit, per_day
from bench.cases.polled import Made
from bench.cases.polled import case as polled
from bench.cases.polled import compare as compare_polled
from bench.cases.schedules import Plan, compare, missed_starts, plans
from bench.cases.schedules import case as schedules
from integrations.connectors.start.schedule import OnSchedule

NOW = datetime(2026, 11, 23, 10, 30, 40, tzinfo=UTC)


def _plan(how: str, missed: str, zone: str = "UTC", /, **inputs: str) -> Plan:
    return Plan(7, how, missed, zone, inputs)


@pytest.mark.parametrize(
    ("missed", "wanted"),
    [
        ("once", ["2026-11-23 10:15"]),
        ("skip", []),
        ("all", [f"2026-11-23 {hour:02}:15" for hour in range(3, 11)]),
    ],
)
def test_an_hourly_schedule_is_made_good_as_its_rule_says(missed: str, wanted: list[str]) -> None:
    assert missed_starts(_plan("hourly", missed, how="cron", cron="15 * * * *"), NOW) == wanted


def test_of_more_than_ten_missed_starts_the_last_ten_are_wanted() -> None:
    wanted = missed_starts(_plan("half-hourly", "all", how="cron", cron="5,35 * * * *"), NOW)
    assert len(wanted) == 10
    assert (wanted[0], wanted[-1]) == ("2026-11-23 05:35", "2026-11-23 10:05")


@pytest.mark.parametrize(
    ("zone", "at", "wanted"),
    [
        ("Pacific/Auckland", "23:00", ["2026-11-23 23:00"]),
        ("Pacific/Auckland", "23:45", []),
        ("Asia/Kolkata", "08:01", ["2026-11-23 08:01"]),
        ("Asia/Kolkata", "08:00", []),
        ("America/Los_Angeles", "18:31", ["2026-11-22 18:31"]),
    ],
)
def test_a_daily_schedule_is_missed_where_its_zone_showed_its_time(zone: str, at: str, wanted: list[str]) -> None:
    assert missed_starts(_plan("daily", "once", zone, how="daily", at=at), NOW) == wanted


@pytest.mark.parametrize("now", [NOW, NOW.replace(hour=0, minute=2), NOW.replace(hour=23, minute=58)])
def test_schedules_of_a_proof_can_be_published_and_miss_what_they_should(now: datetime) -> None:
    made = plans(200, now)
    for plan in made:
        OnSchedule.Inputs.clean(dict(plan.inputs))
        came = len(missed_starts(plan, now))
        assert came == {
            ("daily", "once"): 1,
            ("hourly", "once"): 1,
            ("hourly", "all"): 8,
            ("half-hourly", "all"): 10,
        }.get((plan.how, plan.missed), 0)
    assert len({plan.number for plan in made}) == 200


def test_starts_are_compared_with_what_was_wanted() -> None:
    daily = _plan("daily", "once", how="daily", at="09:00")
    interval = Plan(8, "interval", "once", "UTC", {"how": "hours", "every": 4})
    wanted = {daily: ["2026-11-23 09:00"], interval: []}
    one = ("schedule 7 2026-11-23 09:00", "2026-11-23T09:00:00+00:00")
    good, regular, again = (
        ("schedule 8 2026-11-23 10:31", f"2026-11-23T10:31:{second:02}+00:00") for second in (5, 30, 50)
    )

    def told(*made: tuple[str, str]) -> dict[str, Any]:
        return compare(wanted, made, lambda plan, at: plan is interval and at.second == 30)

    nothing = {"made_good": 2, "duplicates": 0, "lost": 0, "invented": 0}
    assert told(one, good) == nothing
    assert told(one, regular) == nothing
    assert told(one, good, regular) == nothing
    assert told(one, good, again) == {**nothing, "invented": 1}
    assert told(one, one, good) == {**nothing, "duplicates": 1}
    assert told(one) == {**nothing, "made_good": 1, "lost": 1}
    assert told(good) == {**nothing, "made_good": 1, "lost": 1}
    assert told(one, good, ("schedule 7 2026-11-22 09:00", "2026-11-22T09:00:00+00:00")) == {**nothing, "invented": 1}


def test_a_proof_of_schedules_tells_what_went_wrong() -> None:
    names = ("duplicates", "lost", "invented", "open_runs", "needs_review", "not_succeeded")
    fine = {"asked_for": 40, "schedules": 40, "made_good": 90, **dict.fromkeys(names, 0)}
    assert schedules.shortcomings(fine) == []
    for name in names:
        assert schedules.shortcomings({**fine, name: 1}) == [f"{name} is 1"]
    assert schedules.shortcomings({**fine, "made_good": 0}) == ["made_good is 0, so nothing was proved"]
    assert schedules.shortcomings({**fine, "schedules": 39}) == ["40 schedules were asked for, 39 made"]
    assert schedules.caught({**fine, "duplicates": 3}, "no_key") == "3 starts too many"
    assert schedules.caught(fine, "no_key") == ""


def test_a_day_of_calls_begins_with_its_first_call() -> None:
    assert per_day([]) == []
    assert per_day([100, 101, 100 + DAY - 0.1, 100 + DAY, 200 + DAY]) == [3, 1, 1]


@pytest.mark.parametrize("size", [1, 5, 60, 300])
def test_pins_need_more_than_a_day_unless_they_are_very_few(size: int) -> None:
    assert day_limit(size) >= 1
    assert size < 3 or day_limit(size) < size


MADE = Made(last_email={"one": "one-2", "two": "two-0"}, edits=2, late=1)


def _quote(title: str, says: str) -> dict[str, Any]:
    return {"Title": title, "LineItems": [{"Description": says}]}


NEW = [_quote("new one", "one-0"), _quote("new two", "two-0")]
CHANGED = [_quote("changed one", "one-1"), _quote("changed one", "one-2"), _quote("changed two", "two-0")]


@pytest.mark.parametrize(
    ("new", "changed", "wrong"),
    [
        (NEW, CHANGED, {}),
        (NEW, CHANGED[1:], {}),
        (NEW[1:], CHANGED, {"lost": 1}),
        (NEW, CHANGED[:2], {"lost": 1}),
        (NEW, [CHANGED[0], CHANGED[2]], {"last_edits_missed": 1}),
        ([*NEW, NEW[0]], CHANGED, {"twice": 1}),
        (NEW, [*CHANGED, CHANGED[0]], {"twice": 1}),
        ([*NEW, _quote("new three", "")], CHANGED, {"invented": 1}),
    ],
)
def test_contacts_are_compared_with_the_quotes_of_them(
    new: list[dict[str, Any]], changed: list[dict[str, Any]], wrong: dict[str, int]
) -> None:
    told = compare_polled(MADE, new, changed)
    assert (told.pop("quotes_of_new"), told.pop("quotes_of_changes")) == (len(new), len(changed))
    assert told == {"lost": 0, "twice": 0, "invented": 0, "last_edits_missed": 0, **wrong}


def test_a_proof_of_polls_tells_what_went_wrong_and_what_was_not_tried() -> None:
    names = ("lost", "twice", "invented", "last_edits_missed", "open_runs", "needs_review", "not_succeeded")
    fine = {"asked_for": 40, "contacts": 40, "quotes_of_new": 40, "edits": 20, "late": 4, **dict.fromkeys(names, 0)}
    assert polled.shortcomings(fine) == []
    for name in names:
        assert polled.shortcomings({**fine, name: 1}) == [f"{name} is 1"]
    assert polled.shortcomings({**fine, "late": 0}) == ["late is 0, so nothing was proved"]
    assert polled.caught({**fine, "lost": 3}, "no_overlap") == "3 contacts were passed over"
    assert polled.caught(fine, "no_overlap") == ""
