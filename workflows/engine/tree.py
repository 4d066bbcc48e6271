"""Walking the tree of steps: what is done is passed by, what is not is done, and what fails is dealt with as the step
says.

The walk always begins at the first step. Finished steps only give their outputs; a branch goes the way it chose when it
was reached first; a loop goes on with the turn that is not done. So a run that waited or lost its worker takes the same
way again up to where it stood, without doing anything twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from integrations import registry
from workflows import conditions
from workflows.engine import calls, delays, filters, loops, reading, steps, values, writing
from workflows.engine.lease import database_now
from workflows.engine.outcomes import ReviewError, StepFailedError
from workflows.engine.walk import Walk
from workflows.models import Step, StepRun

PlanStep = dict[str, Any]
Kind, State, OnError = Step.Kind, StepRun.State, Step.OnError


def go(walk: Walk, plan_steps: Iterable[PlanStep]) -> None:
    """Take these steps one after the other. Raises what ends or interrupts the run, or the turn of a loop."""
    for step in plan_steps:
        _step(walk, step)


def _step(walk: Walk, step: PlanStep) -> None:
    step_run = walk.step_run(step)
    try:
        if not _is_settled(step, step_run):
            if step_run.started_at is None:
                step_run.started_at = database_now()
            _PERFORM[step["kind"]](walk, step, step_run)
            # The run got on: a later wait is a wait of its own.
            walk.run.waiting_since = None
    except StepFailedError as failed:
        _after_failure(walk, step, step_run, failed)
        return
    walk.data["steps"][step["key"]] = step_run.output or {}
    if step_run.provider_id:
        walk.result = (step_run.outcome or {}).get("described", walk.result)
    if step["kind"] == Kind.BRANCH:
        go(walk, _taken(step, step_run))


def _is_settled(step: PlanStep, step_run: StepRun) -> bool:
    """Whether the step has come to its end before, so that the run just goes on.

    Raises again what ended the run there: a worker may have died after the step was written down and before the run
    was. Nothing but a person's decision takes a step back from such an end.
    """
    if step_run.state == State.NEEDS_REVIEW:
        raise ReviewError(f"{step_run.name}: {step_run.error}")
    if step_run.state == State.FAILED and step["kind"] == Kind.STOP:
        values.insist(step_run)
    if step_run.state == State.FAILED:
        raise StepFailedError(f"{step_run.name}: {step_run.error}")
    if step_run.state == State.SUCCEEDED:
        if step["kind"] == Kind.FILTER:
            filters.insist(step, step_run)
        elif step["kind"] == Kind.STOP:
            values.insist(step_run)
    return step_run.state in StepRun.FINISHED


def _after_failure(walk: Walk, step: PlanStep, step_run: StepRun, failed: StepFailedError) -> None:
    """Go on as the step says for when it fails; raises the failure again where it ends the run."""
    policy = step.get("on_error", OnError.STOP)
    if policy == OnError.STOP:
        raise failed
    walk.has_failures = True
    if policy == OnError.ERROR_PATH:
        with walk.error(step_run, step_run.error):
            go(walk, step.get("error_steps", ()))


# --- what each kind does --------------------------------------------------------------------------------------------


def _action(walk: Walk, step: PlanStep, step_run: StepRun) -> None:
    try:
        registry.action(step["operation"])
    except registry.UnknownOperationError:
        message = f"The action {step['operation']} is not available here any more. Choose another in the workflow."
        if step_run.state not in (State.SENT, State.UNCERTAIN):
            raise steps.fail(walk, step_run, message) from None
        step_run.state, step_run.error = State.NEEDS_REVIEW, message
        walk.lease.record(step_run)
        raise ReviewError(f"{step_run.name}: it may have been written. {message}") from None
    if reading.is_read(step):
        reading.perform(walk, step, step_run)
    else:
        writing.perform(walk, step, step_run)


def _branch(walk: Walk, step: PlanStep, step_run: StepRun) -> None:
    """Choose the first path whose conditions are met, and note which and why."""
    taken, looked_at = None, []
    context = walk.context(walk.home(step))
    for path in step["paths"]:
        line: dict[str, Any] = {"key": path["key"], "name": path["name"], "passed": True}
        if path["conditions"] is not None:
            try:
                line |= conditions.evaluate(path["conditions"], walk.data, context).to_dict()
            except conditions.ConditionError as error:
                raise steps.fail(walk, step_run, f"{path['name']}: {error}") from None
        looked_at.append(line)
        if line["passed"]:
            taken = path["key"]
            break
    steps.note_tables(step_run, context.tables)
    step_run.outcome, step_run.output = {"paths": looked_at}, {"path": taken}
    steps.succeed(walk, step_run)


def _taken(step: PlanStep, step_run: StepRun) -> list[PlanStep]:
    """The steps of the path that the branch chose when it was reached first; none where it chose none."""
    chosen = (step_run.output or {}).get("path")
    return next((path["steps"] for path in step["paths"] if path["key"] == chosen), [])


def _loop(walk: Walk, step: PlanStep, step_run: StepRun) -> None:
    loops.perform(walk, step, step_run, go)


_PERFORM: dict[str, Callable[[Walk, PlanStep, StepRun], None]] = {
    Kind.ACTION: _action,
    Kind.FILTER: filters.perform,
    Kind.BRANCH: _branch,
    Kind.LOOP: _loop,
    Kind.DELAY: delays.perform,
    Kind.FORMAT: values.format_values,
    Kind.LOOKUP: values.look_up,
    Kind.CALL: calls.perform,
    Kind.STOP: values.stop,
}
