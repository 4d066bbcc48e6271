"""Stop steps: the run ends here, with a message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workflows.engine import step_support
from workflows.engine.kinds.base import Handler, RunSteps
from workflows.engine.kinds.evaluate import evaluated
from workflows.engine.outcomes import StoppedError
from workflows.models import StepRun

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext


def perform(context: RunContext, step: Mapping[str, Any], step_run: StepRun, run_steps: RunSteps) -> None:
    """End the run with a message. Always raises StoppedError, also where the run counts as failed."""
    message = evaluated(context, step, step_run, {"message": step["inputs"].get("message", "")})["message"]
    text = str(message) if message not in (None, "") else f"Stopped at “{step_run.name}”."
    step_run.outcome = {"as": step["as"], "explanation": text}
    if step["as"] == "failed":
        # A failed step, so that a person can try again from here, or skip it.
        step_run.error = text
        step_support.fail(context, step_run, text)
    else:
        step_run.output = {"message": text}
        step_support.succeed(context, step_run)
    end_again(step, step_run)


def end_again(step: Mapping[str, Any], step_run: StepRun) -> None:
    """Raise StoppedError as the step decided when it ran."""
    outcome = step_run.outcome or {}
    raise StoppedError(outcome.get("as", "succeeded"), outcome.get("explanation", ""))


HANDLER = Handler(perform, end_again=end_again, ends_when_failed=True)
