"""Action steps that read: safe to repeat, so a crash or a time-out only means to ask again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from integrations.base import Effect
from integrations.errors import ReconnectError, RejectedError, TemporaryError
from workflows.engine import steps
from workflows.models import StepRun

if TYPE_CHECKING:
    from workflows.engine.walk import Walk


def is_read(step: Mapping[str, Any]) -> bool:
    """Whether the step's action only reads."""
    return steps.action_of(step).effect is Effect.READS


def perform(walk: Walk, step: Mapping[str, Any], step_run: StepRun) -> None:
    """Read and keep the output. Raises what the run is to do where it cannot."""
    action = steps.action_of(step)
    inputs = steps.inputs_of(walk, step, step_run, action)
    api = steps.client(walk, step, step_run)
    try:
        output = action.run(api, inputs)
    except RejectedError as error:
        steps.attempt(step_run, "read", "refused", response=error.response, message=error.message)
        raise steps.fail(walk, step_run, error.message) from None
    except (TemporaryError, ReconnectError) as error:
        steps.attempt(step_run, "read", "not now", response=error.response, message=error.message)
        raise steps.not_now(walk, step, step_run, error) from None
    steps.attempt(step_run, "read", "answered")
    step_run.output = output
    step_run.link = action.link(output, api.organisation)
    steps.succeed(walk, step_run)
