"""Filter steps: compare, record both values, and end the run (or the iteration of a loop) if it does not pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workflows.engine import step_support
from workflows.engine.kinds.base import Handler, RunSteps
from workflows.engine.outcomes import FilteredError
from workflows.language import conditions
from workflows.models import StepRun

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext


def perform(context: RunContext, step: Mapping[str, Any], step_run: StepRun, run_steps: RunSteps) -> None:
    """Evaluate the conditions. Raises FilteredError when not met, StepFailedError when they cannot be compared."""
    # Lock dates and time zone are those of the organisation that the run writes to.
    mapping_context = context.mapping_context(context.connections.get(context.run.connection_id or 0))
    try:
        outcome = conditions.evaluate(step["conditions"], context.data, mapping_context)
    except conditions.ConditionError as error:
        raise step_support.fail(context, step_run, str(error)) from None
    step_support.note_tables(step_run, mapping_context.tables)
    step_run.outcome = outcome.to_dict()
    step_support.succeed(context, step_run)
    end_again(step, step_run)


def end_again(step: Mapping[str, Any], step_run: StepRun) -> None:
    """Raise FilteredError again if the recorded outcome did not meet the conditions."""
    if not (step_run.outcome or {}).get("passed"):
        raise FilteredError(f"Not met: {conditions.describe(step['conditions'])}")


HANDLER = Handler(perform, end_again=end_again)
