"""Filter steps: compare, write down both values, end the run (or the turn of a loop) where it does not pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workflows import conditions
from workflows.engine import steps
from workflows.engine.outcomes import FilteredError
from workflows.models import StepRun

if TYPE_CHECKING:
    from workflows.engine.walk import Walk


def perform(walk: Walk, step: Mapping[str, Any], step_run: StepRun) -> None:
    """Evaluate the conditions. Raises FilteredError when not met, StepFailedError when they cannot be compared."""
    # Lock dates and time zone are those of the organisation that the run writes to.
    context = walk.context(walk.connections.get(walk.run.connection_id or 0))
    try:
        outcome = conditions.evaluate(step["conditions"], walk.data, context)
    except conditions.ConditionError as error:
        raise steps.fail(walk, step_run, str(error)) from None
    steps.note_tables(step_run, context.tables)
    step_run.outcome = outcome.to_dict()
    steps.succeed(walk, step_run)
    insist(step, step_run)


def insist(step: Mapping[str, Any], step_run: StepRun) -> None:
    """Let only what met the conditions, by the outcome written down, go on. Raises FilteredError."""
    if not (step_run.outcome or {}).get("passed"):
        raise FilteredError(f"Not met: {conditions.describe(step['conditions'])}")
