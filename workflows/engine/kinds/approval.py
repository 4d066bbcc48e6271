"""Approval steps: a question to people. The run waits for what they decide, and no worker does.

Who may answer and how it is kept is a matter of a room above: it registers what asks in `QUESTIONS`, and `apps.ready`
fills it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workflows.definitions.kinds.approval import Refused
from workflows.engine import step_support
from workflows.engine.kinds.base import Handler, RunSteps
from workflows.engine.kinds.evaluate import evaluated
from workflows.engine.waits import WaitError
from workflows.language.values import text_of
from workflows.models import Run, StepRun

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext


@dataclass(frozen=True)
class Answer:
    """What people have decided. `message` says it where the step fails with it."""

    is_approved: bool
    by: str
    reason: str
    message: str


#: Gives the answer to the step's question, or None while people are asked.
QUESTIONS: list[Callable[[RunContext, Mapping[str, Any], StepRun, str], Answer | None]] = []


def perform(context: RunContext, step: Mapping[str, Any], step_run: StepRun, run_steps: RunSteps) -> None:
    """Ask, and wait. Raises WaitError until it is decided, StepFailedError where it is refused and that fails it."""
    if step_run.outcome is None:
        found = evaluated(context, step, step_run, {"message": step["inputs"].get("message", "")})
        step_run.outcome = {"message": text_of(found["message"])}
        # The request refers to the step run by its id.
        context.lease.record(step_run)
    answer = None
    for ask in QUESTIONS:
        answer = ask(context, step, step_run, str(step_run.outcome["message"]))
    if answer is None:
        context.lease.record(step_run)
        raise WaitError(Run.WaitReason.APPROVAL, pause=None, message=f"“{step_run.name}” waits until it is decided.")
    step_run.output = {
        "decision": "approved" if answer.is_approved else "refused",
        "by": answer.by,
        "reason": answer.reason,
    }
    if not answer.is_approved and step["refused"] == Refused.FAIL:
        raise step_support.fail(context, step_run, answer.message)
    step_support.succeed(context, step_run)


HANDLER = Handler(perform)
