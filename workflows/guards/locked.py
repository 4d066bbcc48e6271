"""The locked period: what is dated in it is held, refused, or moved to the first day after it.

Locked is everything up to the latest of the team's own date and the lock dates that the organisation has told. Those
are as old as the connection's details; the provider refuses by its own in any case.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from integrations.framework.base import Action
from integrations.models import Connection
from integrations.schema.documents import day_words
from integrations.transport.http import ApiClient
from workflows.definitions.mapping_context import zone_of
from workflows.engine import step_support
from workflows.engine.run_context import RunContext
from workflows.engine.writes.gates import Intent
from workflows.guards import settings
from workflows.guards.settings import Period, Settings
from workflows.guards.stops import Stop
from workflows.models import StepRun

_CODE = "locked_period"
#: Where a connection's details hold the organisation's own lock dates.
_TOLD = ("period_lock_date", "end_of_year_lock_date")


def look(intent: Intent, known: Settings) -> Stop | None:
    """Read the day on which the write counts, and decide."""
    name = intent.action.posted_on
    if known.period == Period.OFF or not name:
        return None
    day = getattr(intent.inputs, name, None) or _today(intent.connection)
    return decide(day, locked_until(known.lock_until, intent.connection), refuses=known.period == Period.FAIL)


def decide(day: date, locked: date | None, *, refuses: bool) -> Stop | None:
    """Whether the day is locked."""
    if locked is None or day > locked:
        return None
    return Stop(_CODE, f"It is dated {day_words(day)}, and the books are locked up to {day_words(locked)}.", refuses)


def move(
    context: RunContext,
    step: Mapping[str, Any],
    step_run: StepRun,
    action: Action,
    api: ApiClient,
    inputs: Any,
) -> Any:
    """The inputs with the day moved out of the locked period, where the team says so. Registered in
    `gates.ADJUSTERS`."""
    if not action.posted_on or context.run.is_undo:
        return inputs
    known = settings.of_run(context.run)
    if known.period != Period.MOVE:
        return inputs
    day = getattr(inputs, action.posted_on, None) or _today(step_run.connection)
    locked = locked_until(known.lock_until, step_run.connection)
    if decide(day, locked, refuses=False) is None or locked is None:
        return inputs
    moved = first_open(locked)
    step_run.inputs = {**(step_run.inputs or {}), action.posted_on: moved.isoformat()}
    told = (
        f"It was dated {day_words(day)}, and the books are locked up to {day_words(locked)}: its date is "
        f"{day_words(moved)} now."
    )
    if not any(line.get("message") == told for line in step_run.attempts or ()):
        step_support.attempt(step_run, "guard", "moved", message=told)
    return action.Inputs.clean(step_run.inputs)


def first_open(locked: date) -> date:
    """The first day that is not locked."""
    return locked + timedelta(days=1)


def locked_until(own: date | None, connection: Connection | None) -> date | None:
    """The last locked day: the team's own, or the organisation's where that is later."""
    days = [own, *(_day(connection.details.get(name)) for name in _TOLD)] if connection is not None else [own]
    return max((day for day in days if day is not None), default=None)


def _day(told: Any) -> date | None:
    try:
        return date.fromisoformat(str(told)[:10])
    except ValueError:
        return None


def _today(connection: Connection | None) -> date:
    return timezone.now().astimezone(zone_of(connection)).date()
