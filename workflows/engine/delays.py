"""Delay steps: the run waits, and no worker does. The moment is worked out once, when the step is reached, and kept.

Working days are Monday to Friday; days, dates and times of day are those of the organisation.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from integrations.clock import scaled
from workflows import mapping
from workflows.engine import steps
from workflows.engine.lease import database_now
from workflows.engine.waiting import WaitError
from workflows.kinds import LONGEST_DELAY_DAYS, UNITS
from workflows.models import Run, StepRun
from workflows.organisation import zone_of
from workflows.values import shown

if TYPE_CHECKING:
    from workflows.engine.walk import Walk

_SATURDAY = 5


class _UnusableError(Exception):
    """What the delay was given says no moment; the message says why."""


def perform(walk: Walk, step: Mapping[str, Any], step_run: StepRun) -> None:
    """Wait until the delay is over. Raises WaitError until then, StepFailedError where it says no moment."""
    now = database_now()
    if step_run.outcome is None:
        zone = zone_of(walk.home(step))
        try:
            until = _until(walk, step, now, zone)
        except (_UnusableError, mapping.MappingError) as error:
            raise steps.fail(walk, step_run, str(error)) from None
        # The shortened clock of a proof shortens this wait as any other.
        wakes = now + timedelta(seconds=max(0.0, scaled((until - now).total_seconds())))
        step_run.outcome = {"until": until.isoformat(), "wakes": wakes.isoformat(), "zone": zone.key}
        step_run.output = {"until": until.astimezone(zone).isoformat(timespec="seconds")}
    wakes = datetime.fromisoformat(step_run.outcome["wakes"])
    if now < wakes:
        walk.lease.note(step_run)
        raise WaitError(Run.WaitReason.DELAY, pause=None, until=wakes)
    steps.succeed(walk, step_run)


def _until(walk: Walk, step: Mapping[str, Any], now: datetime, zone: ZoneInfo) -> datetime:
    context = walk.context(walk.home(step))
    if step["how"] == "until_working_day":
        return _working_moment(now.astimezone(zone), time.fromisoformat(step["at"]))
    if step["how"] == "until":
        until = moment_of(mapping.evaluate(step["moment"], walk.data, context), zone)
    else:
        until = _after(now, mapping.evaluate(step["amount"], walk.data, context), step["unit"], zone)
    if until - now > timedelta(days=LONGEST_DELAY_DAYS):
        raise _UnusableError(
            f"The delay would last until {until.astimezone(zone):%-d %B %Y}; it may last {LONGEST_DELAY_DAYS} days."
        )
    return until


def moment_of(value: Any, zone: ZoneInfo) -> datetime:
    """A date or time as a moment: a date is its first minute, and what names no zone is meant in this one."""
    text = value.isoformat() if isinstance(value, date) else str(value or "").strip()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise _UnusableError(
            f"The delay needs a date or time such as 2026-11-30 or 2026-11-30T09:00, and this is {shown(value)}."
        ) from None
    return found if found.tzinfo is not None else _in_zone(found, zone)


def _after(now: datetime, amount: Any, unit: str, zone: ZoneInfo) -> datetime:
    label = dict(UNITS)[unit]
    try:
        number = Decimal(str(amount).strip())
    except InvalidOperation:
        number = Decimal(-1)
    if not number.is_finite() or number < 0 or (unit.endswith("days") and number != number.to_integral_value()):
        what = "a number" if unit in ("minutes", "hours") else "a whole number"
        raise _UnusableError(f"The delay needs {what} of {label}, and this is {shown(amount)}.")
    if number > LONGEST_DELAY_DAYS * 1440:
        raise _UnusableError(f"A delay may last {LONGEST_DELAY_DAYS} days; this is {number:,} {label}.")
    if unit in ("minutes", "hours"):
        return now + timedelta(minutes=float(number * (60 if unit == "hours" else 1)))
    if number > LONGEST_DELAY_DAYS:
        raise _UnusableError(f"A delay may last {LONGEST_DELAY_DAYS} days; this is {number:,} {label}.")
    local = now.astimezone(zone).replace(tzinfo=None)
    if unit == "days":
        return _in_zone(local + timedelta(days=int(number)), zone)
    day = local.date()
    for _ in range(int(number)):
        day = _working_day(day + timedelta(days=1))
    return _in_zone(datetime.combine(day, local.time()), zone) if number else now


def _working_moment(local: datetime, at: time) -> datetime:
    """The first moment from now on that is a working day at this time or later: now, where it is one."""
    zone = local.tzinfo
    assert isinstance(zone, ZoneInfo)
    day = _working_day(local.date())
    if day == local.date() and local.time() >= at:
        return local
    return _in_zone(datetime.combine(day, at), zone)


def _working_day(day: date) -> date:
    while day.weekday() >= _SATURDAY:
        day += timedelta(days=1)
    return day


def _in_zone(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment at which a clock on the wall shows this. A time that a clock skips is the same while later; of one
    that comes twice it is the first."""
    moment = wall.replace(tzinfo=zone)
    return datetime.fromtimestamp(moment.timestamp(), tz=zone)
