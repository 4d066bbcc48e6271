"""Schedules against an independent table: the world's clocks walked in steps of a quarter of an hour."""

from __future__ import annotations

from bisect import bisect_left
from calendar import Calendar
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate, pairwise, takewhile
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from workflows.definitions.recurrence import at_wall, describe, first, rule_of

ZONES = (
    "UTC", "Europe/London", "Europe/Dublin", "Europe/Berlin", "Europe/Lisbon", "Europe/Athens", "Europe/Istanbul",
    "Europe/Moscow", "Africa/Casablanca", "Africa/Cairo", "Africa/Johannesburg", "Africa/Lagos", "Asia/Tehran",
    "Asia/Beirut", "Asia/Jerusalem", "Asia/Gaza", "Asia/Karachi", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Yangon",
    "Asia/Tokyo", "Asia/Shanghai", "Australia/Sydney", "Australia/Lord_Howe", "Australia/Adelaide", "Australia/Eucla",
    "Pacific/Auckland", "Pacific/Chatham", "Pacific/Apia", "Pacific/Kiritimati", "Pacific/Easter", "Pacific/Norfolk",
    "America/New_York", "America/St_Johns", "America/Havana", "America/Sao_Paulo", "America/Santiago",
    "America/Asuncion", "America/Los_Angeles", "America/Nuuk", "America/Scoresbysund", "Atlantic/Azores",
)  # fmt: skip
YEARS = (2025, 2026, 2027)
BEGIN, END = datetime(2025, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


@lru_cache(maxsize=2)
def walk(zone: str) -> tuple[list[datetime], list[datetime]]:
    """UTC every quarter of an hour, from two days before the three years to the end, and how far the clock has come."""
    place = ZoneInfo(zone)
    start, steps = BEGIN - timedelta(days=2), int((END - BEGIN + timedelta(days=2)) / QUARTER)
    moments = [start + QUARTER * step for step in range(steps)]
    return moments, list(accumulate((each.astimezone(place).replace(tzinfo=None) for each in moments), max))


def table(zone: str, walls: Iterable[datetime]) -> list[datetime]:
    """For each wall time, in order, the first moment at which the clock has come so far; each moment once."""
    moments, reached = walk(zone)
    found: list[datetime] = []
    for wall in walls:
        place = bisect_left(reached, wall)
        if place < len(moments) and moments[place] > BEGIN and moments[place] not in found[-1:]:
            found.append(moments[place])
    return found


def days() -> list[date]:
    return [date(2024, 12, 30) + timedelta(days=each) for each in range(365 * 3 + 2)]


def of_month(pick: Callable[[list[date]], date]) -> list[date]:
    """One day of each month, picked from all its days."""
    months = [(2024, 12), *((year, month) for year in YEARS for month in range(1, 13))]
    return [pick([d for d in Calendar().itermonthdates(*m) if d.month == m[1]]) for m in months]


def is_working(day: date) -> bool:
    return day.isoweekday() <= 5


RULES: dict[str, tuple[dict[str, Any], list[date], list[str]]] = {
    "daily in the gap": ({"how": "daily", "at": "02:30"}, days(), ["02:30"]),
    "daily at midnight": ({"how": "daily", "at": "00:00"}, days(), ["00:00"]),
    "daily twice": ({"how": "daily", "at": "17:15, 1:30"}, days(), ["01:30", "17:15"]),
    "weekdays": ({"how": "weekdays", "at": "00:30"}, [d for d in days() if is_working(d)], ["00:30"]),
    "sundays": (
        {"how": "weekly", "days": "sun,sat", "at": "02:00"},
        [d for d in days() if not is_working(d)],
        ["02:00"],
    ),
    "the 31st": ({"how": "monthly", "day": 31, "at": "02:30"}, of_month(lambda m: m[-1]), ["02:30"]),
    "the 29th": ({"how": "monthly", "day": "29", "at": "09:00"}, of_month(lambda m: m[:29][-1]), ["09:00"]),
    "last day": ({"how": "monthly", "month_day": "last", "at": "23:45"}, of_month(lambda m: m[-1]), ["23:45"]),
    "last working day": (
        {"how": "monthly", "month_day": "last_working", "at": "09:00"},
        of_month(lambda m: [d for d in m if is_working(d)][-1]),
        ["09:00"],
    ),
    "first working day": (
        {"how": "monthly", "month_day": "first_working", "at": "09:00"},
        of_month(lambda m: next(d for d in m if is_working(d))),
        ["09:00"],
    ),
    "3 days before the end": (
        {"how": "monthly", "month_day": "before_end", "before": 3, "at": "02:30"},
        of_month(lambda m: m[-4]),
        ["02:30"],
    ),
    "cron on weekdays": ({"how": "cron", "cron": "30 2 * * 1-5"}, [d for d in days() if is_working(d)], ["02:30"]),
}
OFTEN = {"how": "cron", "cron": "0,30 0-4 * * *"}, [f"{hour:02}:{minute:02}" for hour in range(5) for minute in (0, 30)]


def walls(on: list[date], at: list[str]) -> Iterable[datetime]:
    return (datetime.combine(day, time.fromisoformat(each)) for day in on for each in at)


@pytest.mark.parametrize("zone", ZONES)
def test_every_rule_comes_when_the_walked_clock_first_gets_there_for_three_years(zone: str) -> None:
    for name, (inputs, on, at) in RULES.items():
        expected = table(zone, walls(on, at))
        rule = rule_of({**inputs, "timezone": zone}, zone="UTC")
        got = list(takewhile(lambda moment: moment.at < END, rule.after(BEGIN)))
        last = expected[-1]  # the table ends with the walk
        assert [each.at for each in got if each.at <= last] == expected, f"{name} in {zone}"
        assert len({each.key for each in got}) == len(got)
        assert all(one.at < two.at for one, two in pairwise(got))
    # What comes ten times a day is followed for a week around each change, and over two months where there are few.
    inputs, at = OFTEN
    expected = table(zone, walls(days(), at))
    rule = rule_of({**inputs, "timezone": zone}, zone="UTC")
    quiet = datetime(2026, 1, 28, tzinfo=UTC)
    for begin, length in [(quiet, 60), *((noon - timedelta(days=3), 7) for noon in changes(zone))]:
        end = begin + timedelta(days=length)
        got = list(takewhile(lambda moment, end=end: moment.at <= end, rule.after(begin)))  # type: ignore[misc]
        assert [each.at for each in got] == [each for each in expected if begin < each <= end], f"{begin} in {zone}"
        assert len({each.key for each in got}) == len(got) >= length * 9


def changes(zone: str) -> list[datetime]:
    """Noon of the days before the nights in which the zone's clock changes."""
    place = ZoneInfo(zone)
    noons = [datetime(2025, 1, 1, 12, tzinfo=UTC) + timedelta(days=each) for each in range(3 * 365)]
    offsets = [each.astimezone(place).utcoffset() for each in noons]
    return [noon for noon, before, after in zip(noons, offsets, offsets[1:], strict=False) if before != after]


@pytest.mark.parametrize("zone", ZONES)
def test_cron_follows_real_time_where_its_minute_or_hour_repeats(zone: str) -> None:
    place = ZoneInfo(zone)
    for noon in changes(zone):
        clock = [(each, each.astimezone(place)) for each in (noon + QUARTER * step for step in range(1, 100))]
        jumps = {
            two
            for (_, one_wall), (two, two_wall) in pairwise(clock)
            if (two_wall.replace(tzinfo=None) - one_wall.replace(tzinfo=None)) > QUARTER
        }
        expected = {
            "*/15 * * * *": [each for each, _ in clock],
            "30 * * * *": [each for each, wall in clock if wall.minute == 30],
            "45 */2 * * *": [each for each, wall in clock if wall.minute == 45 and wall.hour % 2 == 0],
            # Fixed hours that a night leaves out come at the next time there is, as ever.
            "*/30 0-4 * * *": [
                each for each, wall in clock if wall.hour < 5 and (wall.minute in (0, 30) or each in jumps)
            ],
        }
        for expression, wanted in expected.items():
            rule = rule_of({"how": "cron", "cron": expression, "timezone": zone}, zone="UTC")
            got = first(rule, noon, len(wanted))
            assert [each.at for each in got] == wanted, f"{expression} in {zone} after {noon}"
            assert len({each.key for each in got}) == len(got)


def test_every_quarter_of_an_hour_goes_on_through_the_autumn_night() -> None:
    inputs = {"how": "cron", "cron": "*/15 * * * *", "timezone": "Europe/London"}
    assert shown(inputs, "2026-10-25T00:29Z", 7) == [
        "10-25 01:30+0100", "10-25 01:45+0100", "10-25 01:00+0000", "10-25 01:15+0000", "10-25 01:30+0000",
        "10-25 01:45+0000", "10-25 02:00+0000",
    ]  # fmt: skip
    # Asked in the middle of the second hour, as after each start, it goes on from there.
    assert shown(inputs, "2026-10-25T01:15Z", 1) == ["10-25 01:30+0000"]
    # A fixed hour still comes once, and the first time.
    assert shown({**inputs, "cron": "30 1 * * *"}, "2026-10-25T00:00Z", 2) == ["10-25 01:30+0100", "10-26 01:30+0000"]


def test_there_are_forty_zones_and_their_clocks_change() -> None:
    assert len(set(ZONES)) >= 40
    changing = [zone for zone in ZONES if len({m.astimezone(ZoneInfo(zone)).utcoffset() for m, _ in _year()}) > 1]
    assert len(changing) > 20


def _year() -> list[tuple[datetime, None]]:
    return [(datetime(2026, month, 1, tzinfo=UTC), None) for month in range(1, 13)]


BERLIN = {"timezone": "Europe/Berlin"}


def shown(inputs: dict[str, Any], after: str, count: int) -> list[str]:
    rule = rule_of(inputs, zone="UTC")
    found = first(rule, datetime.fromisoformat(after), count)
    return [each.at.astimezone(rule.zone).strftime("%m-%d %H:%M%z") for each in found]


def test_a_time_that_comes_twice_starts_once_and_the_first_time() -> None:
    assert shown({"how": "daily", "at": "02:30", **BERLIN}, "2026-10-24T12:00Z", 2) == [
        "10-25 02:30+0200",
        "10-26 02:30+0100",
    ]
    # Asked between the two, it does not come again.
    assert shown({"how": "daily", "at": "02:30", **BERLIN}, "2026-10-25T01:00Z", 1) == ["10-26 02:30+0100"]


def test_a_time_that_is_left_out_starts_at_the_next_minute_there_is() -> None:
    assert shown({"how": "daily", "at": "02:30", **BERLIN}, "2026-03-28T12:00Z", 2) == [
        "03-29 03:00+0200",
        "03-30 02:30+0200",
    ]
    assert at_wall(datetime(2026, 3, 29, 2, 0), ZoneInfo("Europe/Berlin")) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_a_day_that_a_zone_leaves_out_starts_when_the_next_one_begins() -> None:
    # Samoa crossed the date line at the end of 2011-12-29.
    rule = rule_of({"how": "daily", "at": "09:00", "timezone": "Pacific/Apia"}, zone="UTC")
    found = first(rule, datetime(2011, 12, 29, 0, 0, tzinfo=UTC), 3)
    assert [each.at.astimezone(rule.zone).strftime("%d %H:%M") for each in found] == [
        "29 09:00",
        "31 00:00",
        "31 09:00",
    ]
    assert [each.key.split("T")[0] for each in found] == ["2011-12-29", "2011-12-30", "2011-12-31"]


def test_every_so_many_minutes_is_real_time_and_spread_over_its_length() -> None:
    inputs = {"how": "minutes", "every": "5", **BERLIN}
    offsets = set()
    for herd in range(200):
        found = first(rule_of(inputs, zone="UTC", herd=herd), datetime(2026, 10, 24, 23, 0, tzinfo=UTC), 60)
        assert {two.at - one.at for one, two in pairwise(found)} == {timedelta(minutes=5)}
        offsets.add(int(found[0].at.timestamp()) % 300)
    assert len(offsets) > 120
    assert max(offsets) - min(offsets) > 240
    hourly = {first(rule_of({"how": "hours", "every": 1}, zone="UTC", herd=h), BEGIN)[0].at.minute for h in range(600)}
    assert len(hourly) >= 48


def test_a_week_without_days_comes_never() -> None:
    assert first(rule_of({"how": "weekly", "days": ""}, zone="UTC"), BEGIN, 1) == []


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"how": "minutes", "every": "1"}, "every minute"),
        ({"how": "hours", "every": "6"}, "every 6 hours"),
        ({"how": "daily", "at": "9:00, 17:30"}, "every day at 09:00 and 17:30 (UTC)"),
        ({"how": "weekdays", "at": "09:00", **BERLIN}, "Monday to Friday at 09:00 (Europe/Berlin)"),
        ({"how": "weekly", "days": "thu,mon", "at": "09:00"}, "every Monday and Thursday at 09:00 (UTC)"),
        ({"how": "monthly", "day": "5", "at": "09:00"}, "on day 5 of every month at 09:00 (UTC)"),
        ({"how": "monthly", "day": "31"}, "on day 31 of every month (the last day of a shorter one) at 09:00 (UTC)"),
        ({"how": "monthly", "month_day": "last_working"}, "on the last working day of every month at 09:00 (UTC)"),
        (
            {"how": "monthly", "month_day": "before_end", "before": "1"},
            "1 day before the last day of every month at 09:00 (UTC)",
        ),
        ({"how": "cron", "cron": "0 9 L * *", **BERLIN}, "at 09:00 on the last day of every month (Europe/Berlin)"),
    ],
)
def test_a_rule_is_said_in_words(inputs: dict[str, Any], words: str) -> None:
    assert describe(inputs, zone="UTC") == words


def test_a_zone_that_there_is_not_is_told() -> None:
    with pytest.raises(ValueError, match="no time zone called 'Mars/Olympus'"):
        rule_of({"how": "daily", "timezone": "Mars/Olympus"}, zone="UTC")
