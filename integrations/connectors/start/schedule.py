"""Starts on a schedule: how often, at what local time, in which time zone, and what happens to missed ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from django.db.models import TextChoices

from integrations.connectors.start import samples
from integrations.framework.base import Door, Start
from integrations.schema.schema import Schema, field

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_SHORTEST_MINUTES = 1


class How(TextChoices):
    """How often it starts."""

    MINUTES = "minutes", "Every so many minutes"
    HOURS = "hours", "Every so many hours"
    DAILY = "daily", "Every day"
    WEEKDAYS = "weekdays", "Monday to Friday"
    WEEKLY = "weekly", "On certain days of the week"
    MONTHLY = "monthly", "Every month"
    CRON = "cron", "As a cron expression says"


class Weekday(TextChoices):
    """Days of the week, in order."""

    MONDAY = "mon", "Monday"
    TUESDAY = "tue", "Tuesday"
    WEDNESDAY = "wed", "Wednesday"
    THURSDAY = "thu", "Thursday"
    FRIDAY = "fri", "Friday"
    SATURDAY = "sat", "Saturday"
    SUNDAY = "sun", "Sunday"


class MonthDay(TextChoices):
    """Which day of a month."""

    DAY = "day", "On a certain day"
    LAST = "last", "On the last day"
    FIRST_WORKING = "first_working", "On the first working day"
    LAST_WORKING = "last_working", "On the last working day"
    BEFORE_END = "before_end", "Some days before the month ends"


class Missed(TextChoices):
    """What happens to missed starts, for example while the server was down."""

    SKIP = "skip", "Leave them out"
    ONCE = "once", "Start once for all of them"
    ALL = "all", "Start each of them, at most 10"


_ASKED: dict[str, frozenset[str]] = {
    How.MINUTES: frozenset({"every"}),
    How.HOURS: frozenset({"every"}),
    How.DAILY: frozenset({"at"}),
    How.WEEKDAYS: frozenset({"at"}),
    How.WEEKLY: frozenset({"days", "at"}),
    How.MONTHLY: frozenset({"month_day", "at"}),
    How.CRON: frozenset({"cron"}),
}


class OnSchedule(Start):
    """The clock starts it: every day, every month, or as a cron expression says."""

    key = "schedule"
    name = "Start on a schedule"
    words = ("time", "timer", "every", "daily", "weekly", "monthly", "month end", "cron")
    sample = samples.MOMENT
    doors = frozenset({Door.CLOCK, Door.HAND})

    class Inputs(Schema):
        how: How = field("How often", default=How.DAILY)
        every: int | None = field("Every", default=None, minimum=1, maximum=1440)
        days: list[Weekday] = field("On these days", default=[])
        month_day: MonthDay = field("Day of the month", default=MonthDay.DAY)
        day: int | None = field(
            "Day", default=None, minimum=1, maximum=31, help="29, 30 and 31 mean the last day of a shorter month."
        )
        before: int | None = field("Days before the month's last day", default=None, minimum=1, maximum=27)
        at: str = field(
            "At", default="09:00", max_length=200, help="The time of day, as 09:00; several with commas between."
        )
        cron: str = field(
            "Cron expression", default="", max_length=100, help="Minute, hour, day, month, weekday, as 0 9 * * 1-5."
        )
        timezone: str = field("Time zone", default="", max_length=60)
        missed: Missed = field("Missed starts", default=Missed.ONCE)

        def check(self) -> Mapping[str, str]:
            asked = asked_for(self.how, self.month_day)
            found = {name: _CHECKS[name](self) for name in asked if name in _CHECKS}
            found["timezone"] = _zone_problem(self.timezone)
            return {name: said for name, said in found.items() if said}

    def asked(self, inputs: Mapping[str, Any]) -> frozenset[str]:
        return asked_for(str(inputs.get("how") or How.DAILY), str(inputs.get("month_day") or MonthDay.DAY)) | {
            "how",
            "timezone",
            "missed",
        }

    def title(self, data: Mapping[str, Any]) -> str:
        return f"{data.get('weekday', '')} {data.get('date', '')}, {data.get('time', '')}".strip(" ,")


def asked_for(how: str, month_day: str) -> frozenset[str]:
    """The inputs that a kind of schedule needs."""
    asked = _ASKED.get(how, frozenset())
    if how == How.MONTHLY:
        asked |= {MonthDay.DAY: {"day"}, MonthDay.BEFORE_END: {"before"}}.get(MonthDay(month_day), set())
    return asked


def _cron_problem(inputs: Any) -> str:
    if len(inputs.cron.split()) != 5:
        return "A cron expression has five parts: minute, hour, day, month, weekday, as 0 9 * * 1-5."
    try:
        next(CronSim(inputs.cron, datetime(2026, 1, 1)))
    except CronSimError as error:
        return f"This is no cron expression that can be read: {error}."
    except StopIteration:
        return "No day there is fits this cron expression."
    return ""


def _times_problem(inputs: Any) -> str:
    wrong = [part.strip() for part in inputs.at.split(",") if not _TIME.fullmatch(part.strip())]
    return f"Write times of day as 09:00, several with commas between; this is “{wrong[0]}”." if wrong else ""


def _every_problem(inputs: Any) -> str:
    most = 1440 if inputs.how == How.MINUTES else 24
    what = "minutes" if inputs.how == How.MINUTES else "hours"
    if inputs.every is None or inputs.every > most:
        return f"Say every how many {what}, between {_SHORTEST_MINUTES} and {most}."
    return ""


_CHECKS = {
    "every": _every_problem,
    "days": lambda inputs: "" if inputs.days else "Choose at least one day.",
    "day": lambda inputs: "" if inputs.day else "Say which day of the month, between 1 and 31.",
    "before": lambda inputs: "" if inputs.before else "Say how many days before, between 1 and 27.",
    "at": _times_problem,
    "cron": _cron_problem,
}


def _zone_problem(name: str) -> str:
    if not name:
        return ""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return f"There is no time zone called “{name}”. Choose one from the list."
    return ""
