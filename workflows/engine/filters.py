"""Filter steps: compare, write down both values, end the run where it does not pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integrations.models import Connection
from workflows import conditions
from workflows.engine.lease import database_now
from workflows.engine.outcomes import FilteredError, StepFailedError
from workflows.models import StepRun

if TYPE_CHECKING:
    from workflows.engine.execute import Walk


def perform(walk: Walk, step: dict[str, Any], step_run: StepRun) -> None:
    """Evaluate the conditions. Raises FilteredError when not met, StepFailedError when they cannot be compared."""
    step_run.finished_at = database_now()
    try:
        outcome = conditions.evaluate(step["conditions"], walk.data, walk.context(_connection(walk)))
    except conditions.ConditionError as error:
        step_run.state, step_run.error = StepRun.State.FAILED, str(error)
        walk.lease.record(step_run)
        raise StepFailedError(f"{step_run.name}: {error}") from None
    step_run.state, step_run.outcome = StepRun.State.SUCCEEDED, outcome.to_dict()
    walk.lease.record(step_run)
    insist(step, step_run)


def insist(step: dict[str, Any], step_run: StepRun) -> None:
    """Let only what met the conditions, by the outcome written down, go on. Raises FilteredError."""
    if not (step_run.outcome or {}).get("passed"):
        raise FilteredError(f"Not met: {conditions.describe(step['conditions'])}")


def _connection(walk: Walk) -> Connection | None:
    """Lock dates and time zone are those of the organisation that the run writes to."""
    return walk.connections.get(walk.run.connection_id or 0)
