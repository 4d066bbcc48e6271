"""Workflows on a schedule: planned starts, due starts, and missed starts.

A row holds the next start of each. Supervisors check about once a second and handle each row in its own transaction.
The start's key is its local date and time, so neither two supervisors nor a clock set back start it twice.
"""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from integrations.core.clock import DatabaseNow, scaled, seconds
from integrations.framework import registry
from integrations.framework.base import Door, Start
from integrations.models import Connection
from workflows.definitions import recurrence
from workflows.definitions.recurrence import Every, Moment, Rule
from workflows.models import Schedule, Workflow
from workflows.runtime.clock import backoff, database_now
from workflows.triggers import starting

logger = logging.getLogger(__name__)

#: A start that is later than this (real seconds) counts as missed.
GRACE_SECONDS = 300
#: If all missed starts are wanted, at most this many, the latest.
MOST_MISSED = 10
_AT_ONCE = 200
#: For intervals up to this length (real seconds) the next start makes up for a missed one.
_SHORT_SECONDS = 900
#: Missed starts of longer intervals are spread over this time (real seconds) after an outage.
_SPREAD_SECONDS = 300
#: At most this many due starts are counted: after a long outage "every minute" has very many.
_MOST_COUNTED = 100_000


def plan(workflow: Workflow) -> None:
    """Plan the next start of an active workflow, as its published version says; none if it has no schedule.

    If the schedule is unchanged, the planned start stays.
    """
    rule = _inputs(workflow)
    if rule is None:
        forget(workflow)
        return
    known = Schedule.objects.filter(workflow=workflow).first()
    if known is not None and known.next_at is not None and known.rule == rule:
        return
    following = _next(_rule(workflow, rule), database_now())
    Schedule.objects.update_or_create(
        workflow=workflow,
        defaults={"rule": rule, "skipped": 0, "failures": 0, "last_error": "", **_fields(following)},
    )


def forget(workflow: Workflow) -> None:
    """Plan no more starts."""
    Schedule.objects.filter(workflow=workflow, next_at__isnull=False).update(next_at=None, next_key="")


def fire_due() -> int:
    """Start what is due; returns how many runs. Raises only if the database is lost."""
    started = 0
    due = Schedule.objects.filter(next_at__lte=DatabaseNow()).order_by("next_at").values_list("pk", flat=True)
    for pk in list(due[:_AT_ONCE]):
        try:
            with transaction.atomic():
                started += _fire(pk)
        except Exception as error:
            logger.exception("The schedule %s could not start its workflow.", pk)
            _failed(pk, error)
    return started


def next_times(workflow: Workflow, inputs: dict[str, Any], count: int = 5) -> list[datetime]:
    """The next times of a schedule with these inputs, in its zone. Raises ValueError if they are not a schedule."""
    rule = _rule(workflow, inputs)
    return [each.at.astimezone(rule.zone) for each in recurrence.first(rule, database_now(), count)]


def default_zone(workflow: Workflow) -> str:
    """The one time zone of the workflow's connections, else of the team's, else the installation's."""
    used = {workflow.trigger_connection_id, *workflow.steps.values_list("connection", flat=True)}
    ids = {each for each in used if each is not None}
    mine = Connection.objects.filter(team=workflow.team_id).exclude(status=Connection.Status.DISCONNECTED)
    for found in (mine.filter(pk__in=ids), mine):
        named = {str(each.details.get("timezone") or "") for each in found}
        zones = {zone for zone in named if _is_zone(zone)}
        if len(zones) == 1:
            return zones.pop()
    return settings.TIME_ZONE


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _inputs(workflow: Workflow) -> dict[str, Any] | None:
    """The published schedule; None if the workflow has none."""
    if workflow.published is None:
        return None
    start_data = workflow.published.plan["trigger"]
    try:
        trigger = registry.trigger(start_data["operation"])
    except registry.UnknownOperationError:
        return None
    is_clock = isinstance(trigger, Start) and Door.CLOCK in trigger.doors
    return dict(start_data["inputs"]) if is_clock else None


def _rule(workflow: Workflow, inputs: dict[str, Any]) -> Rule:
    zone = str(inputs.get("timezone") or "") or default_zone(workflow)
    return recurrence.rule_of(inputs, zone=zone, scale=settings.TIME_SCALE, herd=workflow.pk)


def _fire(pk: int) -> int:
    """Start what is due in one row, and plan the next start; returns how many runs were started."""
    rows = Schedule.objects.filter(pk=pk, next_at__lte=DatabaseNow())
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    row = rows.select_related("workflow__published").first()
    if row is None or row.next_at is None:
        return 0
    workflow = row.workflow
    if workflow.status != Workflow.Status.ACTIVE or workflow.deleted_at is not None or _inputs(workflow) is None:
        Schedule.objects.filter(pk=pk).update(next_at=None, next_key="")
        return 0
    rule, now = _rule(workflow, row.rule), database_now()
    due = _due(row, rule, now)
    wanted = _wanted(str(row.rule.get("missed") or "once"), due, now)
    following = _next(rule, now)
    if len(wanted) == 1 and (later := _later(workflow, rule, due, following, now)) is not None:
        # A missed start is made up for with the next one, or a little later, so that not all come at once.
        Schedule.objects.filter(pk=pk).update(skipped=F("skipped") + len(due) - 1, **_fields(later))
        return 0
    started = sum(_start(workflow, rule, moment, now) for moment in wanted)
    Schedule.objects.filter(pk=pk).update(
        skipped=F("skipped") + max(0, len(due) - len(wanted)),
        failures=0,
        last_error="",
        **({"last_at": DatabaseNow()} if wanted else {}),
        **_fields(following),
    )
    return started


def _due(row: Schedule, rule: Rule, now: datetime) -> list[Moment]:
    """Every start from the planned one until now, in order."""
    assert row.next_at is not None
    wall = row.next_at.astimezone(rule.zone).replace(tzinfo=None)
    planned = Moment(row.next_at, _wall_of(row.next_key) or wall, row.next_key)
    later = takewhile(lambda each: each.at <= now, rule.after(row.next_at))
    return [planned, *(each for each, _ in zip(later, range(_MOST_COUNTED), strict=False))]


def _wanted(missed: str, due: list[Moment], now: datetime) -> list[Moment]:
    """The due starts to carry out."""
    if missed == "all":
        return due[-MOST_MISSED:]
    last = due[-1]
    return [] if missed == "skip" and _is_missed(last, now) else [last]


def _later(workflow: Workflow, rule: Rule, due: list[Moment], following: Moment | None, now: datetime) -> Moment | None:
    """When to make up for one missed start of a real-time interval; None for now."""
    if not isinstance(rule, Every) or not _is_missed(due[0], now):
        return None
    if rule.seconds <= scaled(_SHORT_SECONDS):
        return following
    spread = seconds(workflow.pk * 2_654_435_761 % 2**32 % _SPREAD_SECONDS + 1)
    return Moment(now + spread, due[-1].wall, due[-1].key)


def _is_missed(moment: Moment, now: datetime) -> bool:
    return now - moment.at > seconds(GRACE_SECONDS)


def _start(workflow: Workflow, rule: Rule, moment: Moment, now: datetime) -> bool:
    assert workflow.published is not None
    operation = workflow.published.plan["trigger"]["operation"]
    data = start_data(moment, rule.zone, now)
    return starting.start_once(workflow, operation=operation, key=moment.key, data=data).is_new


def start_data(moment: Moment, zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    """The data of a scheduled start: the planned local date and time, this month and the last."""
    day = moment.wall.date()
    first = day.replace(day=1)
    before = first - timedelta(days=1)
    return {
        "date": day.isoformat(),
        "time": f"{moment.wall:%H:%M}",
        "weekday": f"{day:%A}",
        "timezone": zone.key,
        "planned_at": moment.at.astimezone(zone).isoformat(timespec="seconds"),
        "started_at": now.astimezone(zone).isoformat(timespec="seconds"),
        "month": f"{day:%B %Y}",
        "month_start": first.isoformat(),
        "month_end": _month_end(day).isoformat(),
        "last_month_start": before.replace(day=1).isoformat(),
        "last_month_end": before.isoformat(),
    }


def _month_end(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _next(rule: Rule, after: datetime) -> Moment | None:
    return next(iter(recurrence.first(rule, after.astimezone(UTC))), None)


def _fields(moment: Moment | None) -> dict[str, Any]:
    return {"next_at": moment.at if moment else None, "next_key": moment.key if moment else ""}


def _wall_of(key: str) -> datetime | None:
    """The local date and time in a key; None for the key of a real-time interval."""
    try:
        return datetime.fromisoformat(key.partition(" ")[0])
    except ValueError:
        return None


def _failed(pk: int, error: Exception) -> None:
    """Try this row again later; the others are not affected."""
    failures = Schedule.objects.filter(pk=pk).values_list("failures", flat=True).first() or 0
    Schedule.objects.filter(pk=pk).update(
        next_at=DatabaseNow() + seconds(backoff(failures + 1)), failures=F("failures") + 1, last_error=str(error)[:500]
    )
