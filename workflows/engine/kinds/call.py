"""Call steps: another workflow is started with data of this run, and waited for or not.

The called run is started once per step and iteration, by a key made of both. While the caller waits it is a row like
any other waiting run; ending the called run wakes it (`waits.wake_caller`) in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction

from integrations.core.errors import InvalidInputError
from integrations.framework.base import Door
from workflows.definitions import start_values
from workflows.definitions.kinds import MOST_CALLS
from workflows.engine import allowance, step_support
from workflows.engine.kinds.base import Handler, RunSteps
from workflows.engine.kinds.evaluate import evaluated
from workflows.engine.waits import WaitError
from workflows.models import Run, StepRun, Workflow
from workflows.triggers import schedules, starting

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext

Status = Run.Status
_STILL_GOING = (*Run.OPEN, Status.NEEDS_REVIEW)


def perform(context: RunContext, step: Mapping[str, Any], step_run: StepRun, run_steps: RunSteps) -> None:
    """Start the workflow and check its run. Raises WaitError until it has ended, StepFailedError if it ended badly."""
    if step_run.outcome is None:
        _start(context, step, step_run)
    called = Run.objects.filter(pk=(step_run.outcome or {}).get("run") or 0).select_related("workflow").first()
    if called is None:
        raise step_support.fail(context, step_run, "The run that it started is not there any more.")
    step_run.output = {"run": called.pk, "status": called.status, "result": called.result}
    if step["waits"] and called.status in _STILL_GOING:
        context.lease.note(step_run)
        raise WaitError(Run.WaitReason.CALL, pause=None, calls=called.pk)
    if step["waits"] and called.status not in (Status.SUCCEEDED, Status.FILTERED):
        reason = f": {called.error}" if called.error else "."
        how = called.get_status_display().lower()
        raise step_support.fail(context, step_run, f"The run of “{called.workflow.name}” ended as {how}{reason}")
    step_support.succeed(context, step_run)


def _start(context: RunContext, step: Mapping[str, Any], step_run: StepRun) -> None:
    called = called_workflow(context, step, step_run)
    if refused := allowance.refusal(context, 1):
        raise step_support.fail(context, step_run, refused)
    operation, data = values_for(context, step, step_run, called)
    key = f"call {context.run.pk} {step['key']} {context.iteration} {step_run.key_group}"
    try:
        with transaction.atomic():
            run = starting.start(called, operation=operation, key=key, data=data, called_by=context.run)
            step_run.outcome = {"run": run.pk if run else None}
            context.lease.record(step_run)
    except start_values.NotStartedError as error:
        raise step_support.fail(context, step_run, error.message) from None


def called_workflow(context: RunContext, step: Mapping[str, Any], step_run: StepRun) -> Workflow:
    """The workflow that the step calls. Raises StepFailedError where it is gone, or called too deep."""
    called = (
        Workflow.objects.select_related("published").filter(pk=step["workflow"], team_id=context.run.team_id).first()
    )
    if called is None:
        raise step_support.fail(context, step_run, "The workflow to call is not there any more. Choose another one.")
    if context.run.depth >= MOST_CALLS:
        raise step_support.fail(
            context,
            step_run,
            f"Workflows have called each other {MOST_CALLS} times in a row here, which is the most. "
            "Check whether they call each other in a circle.",
        )
    return called


def values_for(
    context: RunContext, step: Mapping[str, Any], step_run: StepRun, called: Workflow
) -> tuple[str, dict[str, Any]]:
    """The trigger of the called workflow, and what it is given. Raises StepFailedError where it does not take that."""
    step_run.inputs = evaluated(context, step, step_run, step["inputs"])
    try:
        trigger = start_values.opens(called, Door.CALL)
        fields = start_values.fields_of(called)
        return trigger.full_key, start_values.cleaned(fields, step_run.inputs, zone=schedules.default_zone(called))
    except InvalidInputError as error:
        step_run.problems = error.problems
        raise step_support.fail(
            context, step_run, f"“{called.name}” does not take these values: {error.message}"
        ) from None
    except start_values.NotStartedError as error:
        raise step_support.fail(context, step_run, error.message) from None


def has_ended(pk: int) -> bool:
    """Whether a called run has ended. Locks it, so that its end and the caller's wait cannot miss each other; called in
    the transaction in which the caller begins to wait."""
    status = Run.objects.select_for_update().filter(pk=pk).values_list("status", flat=True).first()
    return status not in _STILL_GOING


HANDLER = Handler(perform)
