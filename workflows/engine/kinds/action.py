"""Action steps: what an operation does at a provider, read or written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from integrations.framework import registry
from workflows.engine import read_step, step_support
from workflows.engine.kinds.base import Handler, RunSteps
from workflows.engine.outcomes import ReviewError
from workflows.engine.writes import write_protocol
from workflows.models import StepRun

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext


State = StepRun.State


def perform(context: RunContext, step: Mapping[str, Any], step_run: StepRun, run_steps: RunSteps) -> None:
    """Read or write, as the operation says."""
    try:
        registry.action(step["operation"])
    except registry.UnknownOperationError:
        message = f"The action {step['operation']} is not available here any more. Choose another in the workflow."
        if step_run.state not in (State.SENT, State.UNCERTAIN):
            raise step_support.fail(context, step_run, message) from None
        step_run.state, step_run.error = State.NEEDS_REVIEW, message
        context.lease.record(step_run)
        raise ReviewError(f"{step_run.name}: it may have been written. {message}") from None
    if read_step.is_read(step):
        read_step.perform(context, step, step_run)
    else:
        write_protocol.perform(context, step, step_run)


HANDLER = Handler(perform)
