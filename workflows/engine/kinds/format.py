"""Format steps: values worked out once, for later steps to use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workflows.engine import step_support
from workflows.engine.kinds.base import Handler, RunSteps
from workflows.engine.kinds.evaluate import evaluated
from workflows.models import StepRun

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext


def perform(context: RunContext, step: Mapping[str, Any], step_run: StepRun, run_steps: RunSteps) -> None:
    """Name values: each becomes an output of the step."""
    step_run.output = evaluated(context, step, step_run, step["values"])
    step_support.succeed(context, step_run)


HANDLER = Handler(perform)
