"""When a schedule fires: local dates and times in a zone, each once; pure, no clock and no database.

A rule gives wall times: 09:00 on the last working day. A wall time that the zone's clock shows twice fires the first
time; one that it skips fires at the next time it shows; several that coincide this way fire once. Day 29, 30 or 31 of a
month means its last day if the month is shorter. "Every so many minutes" is measured in real time, whatever the zone;
so is a cron expression whose minute or hour begins with a star: it fires in both hours when a clock shows one twice.

Working days are Monday to Friday; public holidays are not known.
"""

from __future__ import annotations

import calendar as months
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMES = dict(zip(_DAYS, months.day_name, strict=True))
#: The longest time between two days that fit a rule: 29 February, over a year 2100 that has none.
_FURTHEST_DAYS = 366 * 9
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Moment:
    """One time at which a schedule fires: `at` in UTC, `wall` as the rule gives it on the zone's clock, and its key."""

    at: datetime
    wall: datetime
    key: str


@dataclass(frozen=True)
class Every:
    """Every `seconds` of real time, counted from the epoch and shifted by `offset`."""

    seconds: float
    zone: ZoneInfo
    offset: float = 0.0

    def after(self, moment: datetime) -> Iterator[Moment]:
        """The times after this one, in order, without end."""
        count = int((moment.timestamp() - self.offset) // self.seconds) + 1
        while True:
            at = datetime.fromtimestamp(count * self.seconds + self.offset, UTC)
            if at > moment:
                yield Moment(at, at.astimezone(self.zone).replace(tzinfo=None), f"every {at.isoformat()}")
            count += 1


@dataclass(frozen=True)
class Days:
    """At these local times on the matching days."""

    how: str
    times: tuple[time, ...]
    zone: ZoneInfo
    days: frozenset[int] = frozenset()
    month_day: str = "day"
    number: int = 1

    def after(self, moment: datetime) -> Iterator[Moment]:
        """The times after this one, in order, without end."""
        # A day back, because a zone may have skipped a day since.
        first = moment.astimezone(self.zone).date() - timedelta(days=1)
        yield from _in_zone(self._walls(first), self.zone, moment)

    def _walls(self, first: date) -> Iterator[datetime]:
        for ahead in range(_FURTHEST_DAYS * 20):
            day = first + timedelta(days=ahead)
            if self.fits(day):
                yield from (datetime.combine(day, each) for each in self.times)

    def fits(self, day: date) -> bool:
        """Whether it fires on this local date."""
        if self.how == "weekdays":
            return day.weekday() < 5
        if self.how == "weekly":
            return day.weekday() in self.days
        if self.how == "monthly":
            return day == self._day_in(day.year, day.month)
        return True

    def _day_in(self, year: int, month: int) -> date:
        last = months.monthrange(year, month)[1]
        if self.month_day == "last":
            return date(year, month, last)
        if self.month_day == "before_end":
            return date(year, month, max(1, last - self.number))
        if self.month_day == "first_working":
            return next(day for day in _month(year, month, last) if day.weekday() < 5)
        if self.month_day == "last_working":
            return next(day for day in reversed(_month(year, month, last)) if day.weekday() < 5)
        return date(year, month, min(self.number, last))


@dataclass(frozen=True)
class Cron:
    """At the times of a cron expression, on the zone's clock."""

    expression: str
    zone: ZoneInfo

    def after(self, moment: datetime) -> Iterator[Moment]:
        """The times after this one, in order; none if no date matches."""
        first = moment.astimezone(self.zone).replace(tzinfo=None) - timedelta(days=1)
        # Without a zone it follows the calendar alone; clock changes are handled here.
        walls = CronSim(self.expression, first.replace(microsecond=0))
        minute, hour = self.expression.split()[:2]
        if minute.startswith("*") or hour.startswith("*"):
            yield from _in_real_time(walls, self.zone, moment, is_hourly=hour.startswith("*"))
        else:
            yield from _in_zone(walls, self.zone, moment)


Rule = Every | Days | Cron


def rule_of(inputs: Mapping[str, Any], *, zone: str, scale: float = 1.0, herd: int = 0) -> Rule:
    """The rule given by a schedule trigger's cleaned inputs. Raises ValueError if they give none.

    `zone` applies if the inputs name none. `herd` is any number that differs between schedules: those with the same
    interval are spread over it instead of firing all at once. Real time is divided by `scale`.
    """
    how = str(inputs.get("how") or "daily")
    try:
        place = ZoneInfo(str(inputs.get("timezone") or zone))
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"There is no time zone called {inputs.get('timezone') or zone!r}.") from error
    if how in ("minutes", "hours"):
        length = int(inputs.get("every") or 0) * (60 if how == "minutes" else 3600)
        if length <= 0:
            raise ValueError("It is not said how often it comes.")
        return Every(length / scale, place, _offset(herd, length) / scale)
    if how == "cron":
        return Cron(str(inputs.get("cron") or ""), place)
    return Days(
        how=how,
        times=_times(str(inputs.get("at") or "09:00")),
        zone=place,
        days=frozenset(_DAYS.index(day) for day in _several(inputs.get("days")) if day in _DAYS),
        month_day=str(inputs.get("month_day") or "day"),
        number=int(inputs.get("before" if inputs.get("month_day") == "before_end" else "day") or 1),
    )


def first(rule: Rule, moment: datetime, count: int = 1) -> list[Moment]:
    """The next times after a moment, at most `count`."""
    found: list[Moment] = []
    if isinstance(rule, Days) and rule.how == "weekly" and not rule.days:
        return found
    for each in rule.after(moment):
        found.append(each)
        if len(found) == count:
            break
    return found


def at_wall(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment (UTC) at which the zone's clock shows this time; if it skips it, the end of the skip."""
    moment = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return moment
    # The clock skips it: the change is between the moments given by the offset after it and the one before.
    low, high = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), moment
    after = high.astimezone(zone).utcoffset()
    while high - low > _SECOND:
        middle = low + timedelta(seconds=int((high - low).total_seconds() // 2))
        low, high = (low, middle) if middle.astimezone(zone).utcoffset() == after else (middle, high)
    return high


def describe(inputs: Mapping[str, Any], *, zone: str) -> str:
    """The rule in words, continuing "It starts": "every Monday and Thursday at 09:00 (Pacific/Auckland)"."""
    how = str(inputs.get("how") or "daily")
    every = int(inputs.get("every") or 0)
    if how in ("minutes", "hours"):
        unit = how[:-1]
        return f"every {unit}" if every == 1 else f"every {every} {how}"
    place = str(inputs.get("timezone") or zone)
    if how == "cron":
        return f"{_cron_words(str(inputs.get('cron') or ''))} ({place})"
    at = _and([f"{each:%H:%M}" for each in _times(str(inputs.get("at") or "09:00"))])
    return f"{_days_words(inputs, how)} at {at} ({place})"


def _days_words(inputs: Mapping[str, Any], how: str) -> str:
    if how == "weekdays":
        return "Monday to Friday"
    if how == "weekly":
        return f"every {_and([_NAMES[day] for day in _DAYS if day in _several(inputs.get('days'))]) or 'week'}"
    if how != "monthly":
        return "every day"
    number = int(inputs.get("day") or 1)
    before = int(inputs.get("before") or 1)
    return {
        "last": "on the last day of every month",
        "first_working": "on the first working day of every month",
        "last_working": "on the last working day of every month",
        "before_end": f"{before} day{'' if before == 1 else 's'} before the last day of every month",
    }.get(
        str(inputs.get("month_day") or "day"),
        f"on day {number} of every month" + (" (the last day of a shorter one)" if number > 28 else ""),
    )


def _cron_words(expression: str) -> str:
    try:
        sentence = CronSim(expression, datetime(2026, 1, 1)).explain()
    except CronSimError:
        return f"as {expression} says"
    return sentence[:1].lower() + sentence[1:]


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def _in_zone(walls: Iterator[datetime], zone: ZoneInfo, moment: datetime) -> Iterator[Moment]:
    last = moment
    for wall in walls:
        at = at_wall(wall, zone)
        if at > last:
            last = at
            yield Moment(at, wall, f"{wall:%Y-%m-%dT%H:%M} {zone.key}")


def _in_real_time(walls: Iterator[datetime], zone: ZoneInfo, moment: datetime, *, is_hourly: bool) -> Iterator[Moment]:
    """The wall times as often as the clock shows them; skipped ones count only if their hour is fixed."""
    again: deque[Moment] = deque()
    last = moment
    for wall in walls:
        at = at_wall(wall, zone)
        key = f"{wall:%Y-%m-%dT%H:%M} {zone.key}"
        is_shown = at.astimezone(zone).replace(tzinfo=None) == wall
        while again and again[0].at < at:
            each = again.popleft()
            if each.at > last:
                last = each.at
                yield each
        if at > last and (is_shown or not is_hourly):
            last = at
            yield Moment(at, wall, key)
        second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
        if is_shown and second > at:
            again.append(Moment(second, wall, f"{key} again"))
    yield from (each for each in again if each.at > last)


def _month(year: int, month: int, last: int) -> list[date]:
    return [date(year, month, day) for day in range(1, last + 1)]


def _several(value: Any) -> list[str]:
    parts = value.split(",") if isinstance(value, str) else value or []
    return [str(part).strip() for part in parts]


def _times(text: str) -> tuple[time, ...]:
    found = set()
    for part in text.split(","):
        hour, _, minute = part.strip().partition(":")
        found.add(time(int(hour), int(minute or 0)))
    return tuple(sorted(found))


def _offset(herd: int, length: int) -> int:
    """When in its interval it fires: whole seconds, evenly spread and never changing."""
    return herd * 2_654_435_761 % 2**32 % length
