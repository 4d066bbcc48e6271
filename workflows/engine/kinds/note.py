"""Note steps: the text as it was when the run came by, kept for whoever reads the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workflows.engine import step_support
from workflows.engine.kinds.base import Handler, RunSteps
from workflows.engine.kinds.evaluate import evaluated
from workflows.language.values import text_of
from workflows.models import StepRun

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext


def perform(context: RunContext, step: Mapping[str, Any], step_run: StepRun, run_steps: RunSteps) -> None:
    """Keep the text. A value in it that cannot be worked out fails the step like any other."""
    found = evaluated(context, step, step_run, {"text": step["inputs"].get("text", "")})
    step_run.outcome = {"text": text_of(found["text"])}
    step_support.succeed(context, step_run)


HANDLER = Handler(perform)
