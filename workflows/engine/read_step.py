"""Action steps that read: safe to repeat, so after a crash or a time-out they just read again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from integrations.core.errors import ReconnectError, RejectedError, TemporaryError
from integrations.framework.base import Effect
from workflows.engine import step_support
from workflows.models import StepRun

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext


def is_read(step: Mapping[str, Any]) -> bool:
    """Whether the step's action only reads."""
    return step_support.action_of(step).effect is Effect.READS


def perform(context: RunContext, step: Mapping[str, Any], step_run: StepRun) -> None:
    """Read and keep the output. Raises what the run is to do where it cannot."""
    action = step_support.action_of(step)
    inputs = step_support.inputs_of(context, step, step_run, action)
    api = step_support.client(context, step, step_run)
    try:
        output = action.run(api, inputs)
    except RejectedError as error:
        step_support.attempt(step_run, "read", "refused", response=error.response, message=error.message)
        raise step_support.fail(context, step_run, error.message) from None
    except (TemporaryError, ReconnectError) as error:
        step_support.attempt(step_run, "read", "not now", response=error.response, message=error.message)
        raise step_support.not_now(context, step, step_run, error) from None
    step_support.attempt(step_run, "read", "answered")
    step_run.output = output
    step_run.link = action.link(output, api.organisation)
    step_support.succeed(context, step_run)
