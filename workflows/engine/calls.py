"""Call steps: another workflow is started with data of this run, and waited for or not.

The called run is started once per step and turn, by a key that says so. While the caller waits it is a row like any
other waiting run; whoever ends the called run wakes it (`waiting.wake_caller`), in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction

from integrations.base import Door
from integrations.errors import InvalidInputError
from workflows.engine import steps
from workflows.engine.values import evaluated
from workflows.engine.waiting import WaitError
from workflows.kinds import MOST_CALLS
from workflows.models import Run, StepRun, Workflow

if TYPE_CHECKING:
    from workflows.engine.walk import Walk

Status = Run.Status
_STILL_GOING = (*Run.OPEN, Status.NEEDS_REVIEW)


def perform(walk: Walk, step: Mapping[str, Any], step_run: StepRun) -> None:
    """Start the workflow, and see how its run stands. Raises WaitError until it has ended, StepFailedError where it
    has not ended well."""
    if step_run.outcome is None:
        _start(walk, step, step_run)
    called = Run.objects.filter(pk=(step_run.outcome or {}).get("run") or 0).select_related("workflow").first()
    if called is None:
        raise steps.fail(walk, step_run, "The run that it started is not there any more.")
    step_run.output = {"run": called.pk, "status": called.status, "result": called.result}
    if step["waits"] and called.status in _STILL_GOING:
        walk.lease.note(step_run)
        raise WaitError(Run.WaitReason.CALL, pause=None, calls=called.pk)
    if step["waits"] and called.status not in (Status.SUCCEEDED, Status.FILTERED):
        said = f": {called.error}" if called.error else "."
        how = called.get_status_display().lower()
        raise steps.fail(walk, step_run, f"The run of “{called.workflow.name}” ended as {how}{said}")
    steps.succeed(walk, step_run)


def _start(walk: Walk, step: Mapping[str, Any], step_run: StepRun) -> None:
    # Imported here: starting reaches everything that a start may lead to, the engine included.
    from workflows import starting

    called = Workflow.objects.select_related("published").filter(pk=step["workflow"], team_id=walk.run.team_id).first()
    if called is None:
        raise steps.fail(walk, step_run, "The workflow to call is not there any more. Choose another one.")
    if walk.run.depth >= MOST_CALLS:
        raise steps.fail(
            walk,
            step_run,
            f"Workflows have called each other {MOST_CALLS} times in a row here, which is as deep as it goes. "
            "Look whether they call in a circle.",
        )
    given = evaluated(walk, step, step_run, step["inputs"])
    step_run.inputs = given
    key = f"call {walk.run.pk} {step['key']} {walk.iteration} {step_run.key_group}"
    try:
        trigger = starting.opens(called, Door.CALL)
        data = starting.cleaned(starting.fields_of(called), given)
        with transaction.atomic():
            run = starting.start(called, operation=trigger.full_key, key=key, data=data, called_by=walk.run)
            step_run.outcome = {"run": run.pk if run else None}
            walk.lease.record(step_run)
    except InvalidInputError as error:
        step_run.problems = error.problems
        raise steps.fail(walk, step_run, f"“{called.name}” does not take these values: {error.message}") from None
    except starting.NotStartedError as error:
        raise steps.fail(walk, step_run, error.message) from None


def has_ended(pk: int) -> bool:
    """Whether a called run needs no waiting for. Locks it, so that its end and the caller's wait cannot miss each
    other; called in the transaction that lets the caller wait."""
    status = Run.objects.select_for_update().filter(pk=pk).values_list("status", flat=True).first()
    return status not in _STILL_GOING
