"""Delay steps: the run waits, but no worker does. The moment is calculated once, when the step is reached, and kept.

Working days are Monday to Friday; days, dates and times of day are those of the organisation.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from integrations.core import moments
from integrations.core.clock import scaled
from workflows.definitions.kinds.delay import Unit
from workflows.definitions.kinds.limits import LONGEST_DELAY_DAYS
from workflows.definitions.mapping_context import zone_of
from workflows.engine import step_support
from workflows.engine.kinds.base import Handler, RunSteps
from workflows.engine.waits import WaitError
from workflows.language import mapping
from workflows.language.values import shown
from workflows.models import Run, StepRun
from workflows.runtime.clock import database_now

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext

_SATURDAY = 5


class _UnusableError(Exception):
    """The delay's values do not give a moment; the message says why."""


def perform(context: RunContext, step: Mapping[str, Any], step_run: StepRun, run_steps: RunSteps) -> None:
    """Wait until the delay is over. Raises WaitError until then, StepFailedError if its values give no moment."""
    now = database_now()
    if step_run.outcome is None:
        zone = zone_of(context.home(step))
        try:
            until = _until(context, step, now, zone)
        except (_UnusableError, mapping.MappingError) as error:
            raise step_support.fail(context, step_run, str(error)) from None
        # The shortened clock of a proof shortens this wait like any other.
        wakes = now + timedelta(seconds=max(0.0, scaled((until - now).total_seconds())))
        step_run.outcome = {"until": until.isoformat(), "wakes": wakes.isoformat(), "zone": zone.key}
        step_run.output = {"until": until.astimezone(zone).isoformat(timespec="seconds")}
    wakes = datetime.fromisoformat(step_run.outcome["wakes"])
    if now < wakes:
        context.lease.note(step_run)
        raise WaitError(Run.WaitReason.DELAY, pause=None, until=wakes)
    step_support.succeed(context, step_run)


def _until(context: RunContext, step: Mapping[str, Any], now: datetime, zone: ZoneInfo) -> datetime:
    mapping_context = context.mapping_context(context.home(step))
    if step["how"] == "until_working_day":
        return _working_moment(now.astimezone(zone), time.fromisoformat(step["at"]))
    if step["how"] == "until":
        until = moment_of(mapping.evaluate(step["moment"], context.data, mapping_context), zone)
    else:
        until = _after(now, mapping.evaluate(step["amount"], context.data, mapping_context), step["unit"], zone)
    if until - now > timedelta(days=LONGEST_DELAY_DAYS):
        raise _UnusableError(
            f"The delay would last until {until.astimezone(zone):%-d %B %Y}; it may last {LONGEST_DELAY_DAYS} days."
        )
    return until


def moment_of(value: Any, zone: ZoneInfo) -> datetime:
    """A date or time as a moment: a date means its first minute; without a time zone, this one is meant."""
    try:
        read = value if isinstance(value, date) else moments.read(value)
        found = datetime.fromisoformat(read.isoformat() if read else str(value or "").strip())
    except ValueError:
        raise _UnusableError(
            f"The delay needs a date or time such as 2026-11-30 or 2026-11-30T09:00, and this is {shown(value)}."
        ) from None
    return found if found.tzinfo is not None else _in_zone(found, zone)


def _after(now: datetime, amount: Any, unit: str, zone: ZoneInfo) -> datetime:
    label = Unit(unit).label
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
    """The first moment from now on that is on a working day at this time or later: now, if it is one."""
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


HANDLER = Handler(perform)
