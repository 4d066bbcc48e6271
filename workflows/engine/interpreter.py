"""Running the tree of steps: finished steps are skipped, the others are performed, and failures are handled as the step
says.

Execution always begins at the first step. Finished steps only give their outputs; a branch takes the path that it chose
the first time; a loop continues with the iteration that is not done. So a run that waited or lost its worker comes back
to where it was without doing anything twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workflows.engine.kinds import HANDLERS, Handler
from workflows.engine.outcomes import ReviewError, StepFailedError
from workflows.engine.run_context import RunContext
from workflows.models import Step, StepRun
from workflows.runtime.clock import database_now

PlanStep = dict[str, Any]
State, OnError = StepRun.State, Step.OnError


def run_steps(context: RunContext, plan_steps: Iterable[PlanStep]) -> None:
    """Run these steps one after the other. Raises what ends or interrupts the run, or the iteration of a loop."""
    for step in plan_steps:
        _step(context, step)


def _step(context: RunContext, step: PlanStep) -> None:
    step_run = context.step_run(step)
    try:
        if not _is_settled(step, step_run):
            if step_run.started_at is None:
                step_run.started_at = database_now()
            _handler(context, step).perform(context, step, step_run, run_steps)
            # The run made progress, so a later wait is a new one.
            context.run.waiting_since = None
    except StepFailedError as failed:
        _after_failure(context, step, step_run, failed)
        return
    context.data["steps"][step["key"]] = step_run.output or {}
    if step_run.provider_id:
        context.result = (step_run.outcome or {}).get("described", context.result)
    run_steps(context, HANDLERS[step["kind"]].follow(step, step_run))


def _handler(context: RunContext, step: PlanStep) -> Handler:
    """Who performs the step: the engine's handler of its kind, or the one that stands in for it."""
    found: Handler = context.stand_ins.get(step["kind"]) or HANDLERS[step["kind"]]
    return found


def _is_settled(step: PlanStep, step_run: StepRun) -> bool:
    """Whether the step was finished before, so that the run just goes on.

    Raises again what ended the run there: a worker may have died after the step was recorded and before the run was.
    Only a person's decision reopens such a step.
    """
    if step_run.state == State.NEEDS_REVIEW:
        raise ReviewError(f"{step_run.name}: {step_run.error}")
    handler = HANDLERS[step["kind"]]
    if step_run.state == State.FAILED and handler.ends_when_failed:
        handler.end_again(step, step_run)
    if step_run.state == State.FAILED:
        raise StepFailedError(f"{step_run.name}: {step_run.error}")
    if step_run.state == State.SUCCEEDED:
        handler.end_again(step, step_run)
    return step_run.state in StepRun.FINISHED


def _after_failure(context: RunContext, step: PlanStep, step_run: StepRun, failed: StepFailedError) -> None:
    """Go on as the step's error setting says; raises the failure again where it ends the run."""
    policy = step.get("on_error", OnError.STOP)
    if policy == OnError.STOP:
        raise failed
    context.has_failures = True
    if policy == OnError.ERROR_PATH:
        with context.error(step_run, step_run.error):
            run_steps(context, step.get("error_steps", ()))
