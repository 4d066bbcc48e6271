"""Nobody is there for eight hours, and 200 schedules come due meanwhile: each is made good once, as its rule says.

The worker stops, and what it would have planned eight hours ago is put into the rows. Then two workers start at once.
Each run writes a quote that names its workflow and its planned time. Which are to be made is worked out here, minute by
minute on the zone's clock and not by Pinxero's calendar; the sandbox's books tell which were made.

Days and cron expressions are the calendar's and not shortened; an interval in hours is real time and shortened like
every wait, and so is the outage for it.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bench import books
from bench.building import add_write, new_workflow, switch_on
from bench.cases import Case, Result, breaks
from bench.stage import Stage

OUTAGE = timedelta(hours=8)
#: The most missed starts that are made up for if all are wanted.
MOST = 10
#: For how long (real seconds) after the workers' start missed intervals are made up for.
_SPREAD_SECONDS = 300
#: Zones without daylight saving time: the tests of the calendar cover that, and a proof may run in any season.
_ZONES = ("Asia/Tokyo", "Asia/Kolkata", "Africa/Nairobi", "UTC", "America/Phoenix")
#: The kind of schedule, and which missed starts are wanted, repeated over the workflows.
_RULES = (
    ("daily", "once"),
    ("daily", "skip"),
    ("hourly", "once"),
    ("hourly", "all"),
    ("hourly", "skip"),
    ("half-hourly", "all"),
    ("interval", "once"),
    ("not yet", "once"),
)
_MUST_BE_NONE = ("duplicates", "lost", "invented", "open_runs", "needs_review", "not_succeeded")


@dataclass(frozen=True, eq=False)
class Plan:
    """One workflow: its number, its kind of schedule, what happens to missed starts, and its inputs."""

    number: int
    how: str
    missed: str
    zone: str
    inputs: Mapping[str, Any]


class Schedules(Case):
    """Missed scheduled starts are made once when workers run again."""

    size = 200
    noun = "schedules"
    longest = 600
    controls = {"no_key": "a start is known by its planned time"}

    def __init__(self) -> None:
        self.plans: list[Plan] = []

    def environment(self, options: argparse.Namespace) -> dict[str, str]:
        self.plans = plans(options.size, datetime.now(UTC))
        broken = breaks("schedules", options.control) if options.control else {}
        return {"XERO_MINUTE_LIMIT": "0", "XERO_CONCURRENT_LIMIT": "0", **broken}

    def break_on_purpose(self, control: str) -> None:
        from workflows.triggers import starting

        usual = starting.start_once

        def start_twice(workflow: Any, *, key: str, **told: Any) -> Any:
            usual(workflow, key=f"{key} again", **told)
            return usual(workflow, key=key, **told)

        starting.start_once = start_twice

    def build(self, stage: Stage) -> None:
        stage.calm()
        for plan in self.plans:
            workflow = new_workflow(stage, f"Schedule {plan.number}", "start.schedule", provider="", **plan.inputs)
            title = f"schedule {plan.number} {{{{ trigger.date }}}} {{{{ trigger.time }}}}"
            add_write(stage, workflow, "quote", "xero.create_quote", says="{{ trigger.planned_at }}", title=title)
            switch_on(workflow)

    def play(self, stage: Stage, options: argparse.Namespace) -> Result:
        from bench.witness import troubles

        _stop(stage.worker)
        now = datetime.now(UTC)
        _forget_eight_hours(now, stage.time_scale)
        stage.start_worker()
        first = stage.worker
        stage.start_worker()
        wanted = {plan: missed_starts(plan, now) for plan in self.plans}
        runs = sum(len(walls) or plan.how == "interval" for plan, walls in wanted.items())
        stage.wait_until_done(runs, longest=options.longest)
        # Time for starts that should not happen.
        time.sleep(_SPREAD_SECONDS / stage.time_scale / 2)
        _stop(first)
        stage.wait_until_done(runs, longest=30)
        books.settle(stage)
        made = [
            (str(each["Title"]), str(each["LineItems"][0]["Description"])) for each in books.quotes(stage, "schedule ")
        ]
        for trouble in troubles():
            print(trouble, file=sys.stderr)
        rules = Counter(f"{plan.how}, {plan.missed}" for plan in self.plans)
        result = compare(wanted, made, _regular(stage))
        return {"schedules": len(self.plans), **result, **books.leftovers(), "rules": dict(rules)}

    def shortcomings(self, result: Mapping[str, Any]) -> list[str]:
        found = [f"{name} is {result[name]}" for name in _MUST_BE_NONE if result[name]]
        if result["asked_for"] != result["schedules"]:
            found.append(f"{result['asked_for']} schedules were asked for, {result['schedules']} made")
        return found if result["made_good"] else [*found, "made_good is 0, so nothing was proved"]

    def caught(self, result: Mapping[str, Any], control: str) -> str:
        return f"{result['duplicates']} starts too many" if result["duplicates"] else ""


def plans(count: int, now: datetime) -> list[Plan]:
    """This many schedules, none of which is due within some minutes of now."""
    made = []
    for number in range(count):
        how, missed = _RULES[number % len(_RULES)]
        zone = _ZONES[number % len(_ZONES)]
        there = now.astimezone(ZoneInfo(zone))
        inputs: dict[str, Any] = {"timezone": zone, "missed": missed}
        if how in ("daily", "not yet"):
            away = timedelta(hours=3) if how == "not yet" else -timedelta(minutes=20 + number * 7 % 420)
            inputs |= {"how": "daily", "at": f"{there + away:%H:%M}"}
        elif how == "hourly":
            inputs |= {"how": "cron", "cron": f"{(there.minute - 7 - number % 40) % 60} * * * *"}
        elif how == "half-hourly":
            minute = (there.minute - 7 - number % 10) % 30
            inputs |= {"how": "cron", "cron": f"{minute},{minute + 30} * * * *"}
        else:
            inputs |= {"how": "hours", "every": 4}
        made.append(Plan(number, how, missed, zone, inputs))
    return made


def missed_starts(plan: Plan, now: datetime) -> list[str]:
    """The local dates and times of the starts to make up for; none for an interval, whose last one is spread."""
    came = [f"{wall:%Y-%m-%d %H:%M}" for wall in _minutes(plan.zone, now) if _comes(plan, wall)]
    return {"once": came[-1:], "all": came[-MOST:], "skip": []}[plan.missed]


def _minutes(zone: str, now: datetime) -> Iterator[datetime]:
    """Every minute of the outage, on the zone's clock."""
    place = ZoneInfo(zone)
    first = (now - OUTAGE).replace(second=0, microsecond=0) + timedelta(minutes=1)
    return ((first + timedelta(minutes=ahead)).astimezone(place) for ahead in range(int(OUTAGE.total_seconds() // 60)))


def _comes(plan: Plan, wall: datetime) -> bool:
    if plan.inputs["how"] == "daily":
        return f"{wall:%H:%M}" == plan.inputs["at"]
    if plan.inputs["how"] == "cron":
        return str(wall.minute) in plan.inputs["cron"].split()[0].split(",")
    return False


def compare(
    wanted: Mapping[Plan, Sequence[str]], made: Sequence[tuple[str, str]], is_regular: Callable[[Plan, datetime], bool]
) -> Result:
    """Compare what was made, as (title, planned time), with what was wanted.

    For an interval one start is wanted for all that were missed; `is_regular` recognises its next ordinary start.
    """
    counted = Counter(made)
    titles = {title for title, _ in counted}
    labels = {f"schedule {plan.number} {wall}" for plan, walls in wanted.items() for wall in walls}
    lost = len(labels - titles)
    of_intervals: set[str] = set()
    invented = made_good = 0
    for plan in wanted:
        if plan.how != "interval":
            continue
        its = [each for each in counted if each[0].startswith(f"schedule {plan.number} ")]
        of_intervals.update(title for title, _ in its)
        extra = [each for each in its if not is_regular(plan, datetime.fromisoformat(each[1]))]
        made_good += bool(its)
        lost += not its
        invented += max(0, len(extra) - 1)
    return {
        "made_good": len(labels & titles) + made_good,
        "duplicates": counted.total() - len(counted),
        "lost": lost,
        "invented": invented + len(titles - labels - of_intervals),
    }


def _regular(stage: Stage) -> Callable[[Plan, datetime], bool]:
    """Whether a start is a whole number of intervals before the next one, and so not made up for a missed one."""
    from workflows.models import Schedule

    following = dict(Schedule.objects.values_list("workflow__name", "next_at"))

    def is_regular(plan: Plan, at: datetime) -> bool:
        length = plan.inputs["every"] * 3600 / stage.time_scale
        planned = following[f"Schedule {plan.number}"]
        assert planned is not None
        off = (planned - at).total_seconds() % length
        # A run's start data has whole seconds.
        return bool(min(off, length - off) <= 1)

    return is_regular


def _forget_eight_hours(now: datetime, time_scale: float) -> None:
    """Store in the rows what was planned when the outage began."""
    from workflows.models import Schedule
    from workflows.triggers import schedules

    for row in Schedule.objects.select_related("workflow__published"):
        is_interval = row.rule["how"] == "hours"
        began = now - (OUTAGE / time_scale if is_interval else OUTAGE)
        following = schedules._next(schedules._rule(row.workflow, row.rule), began)
        Schedule.objects.filter(pk=row.pk).update(**schedules._fields(following))


def _stop(worker: subprocess.Popen[bytes] | None) -> None:
    assert worker is not None
    worker.send_signal(signal.SIGTERM)
    worker.wait(60)


case = Schedules()
