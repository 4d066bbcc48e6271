"""Failed steps, for a person to try again, skip or settle: which ones ended a run, and which loops contain them.

A step inside a loop is reopened together with its iteration, its loop and any loops around that, so that the run comes
back to it. Nothing that succeeded is touched.
"""

from __future__ import annotations

from django.db.models import Q

from workflows.definitions import plans
from workflows.definitions.kinds import ITERATION
from workflows.engine.writes import sending
from workflows.models import Run, Step, StepRun
from workflows.runtime.clock import database_now

State = StepRun.State
#: How the rows of iterations and loops are reopened; a loop keeps its list.
_OPENED = {"state": State.PENDING, "error": "", "finished_at": None, "output": None}


def failed(run: Run, *, passed_over_too: bool = False) -> list[StepRun]:
    """The steps whose failure ended the run, or with `passed_over_too` every one that failed. A loop is among them only
    if it failed itself and not because of one of its iterations."""
    rows = StepRun.objects.filter(run=run, state=State.FAILED).exclude(kind=ITERATION).select_related("connection")
    if not passed_over_too:
        rows = rows.exclude(step__in=plans.passed_over(plans.plan_of(run)))
    # A loop that has its list has reached its iterations.
    return list(rows.exclude(kind=Step.Kind.LOOP, inputs__isnull=False).order_by("pk"))


def try_again(run: Run, step_run: StepRun) -> None:
    """Reset the step as if it had not been tried, and reopen what contains it."""
    step_run.state, step_run.tries, step_run.error = State.PENDING, 0, ""
    step_run.finished_at, step_run.idempotency_key = None, None
    if step_run.first_sent_at is not None:
        # The provider stores refusals under their key as well, and earlier look-ups say nothing about the next send.
        sending.again(step_run)
    elif step_run.kind not in (Step.Kind.ACTION, Step.Kind.CALL):
        step_run.outcome = None
    step_run.save()
    open_around(run, step_run)


def end_delay(run: Run) -> None:
    """End the delay that the run waits for now."""
    for step_run in StepRun.objects.filter(run=run, kind=Step.Kind.DELAY, state=State.PENDING):
        step_run.outcome = {**(step_run.outcome or {}), "wakes": database_now().isoformat()}
        step_run.save(update_fields=["outcome"])


def open_around(run: Run, step_run: StepRun) -> None:
    """Reopen the iterations and loops that contain the step, so that the run comes back to it."""
    numbers = step_run.iteration.split(".") if step_run.iteration else []
    rows = Q(pk__in=[])
    for depth, loop in enumerate(plans.loops_around(plans.plan_of(run), step_run.step)[: len(numbers)]):
        own, around = ".".join(numbers[: depth + 1]), ".".join(numbers[:depth])
        rows |= Q(step=loop, iteration=own, kind=ITERATION) | Q(step=loop, iteration=around, kind=Step.Kind.LOOP)
    StepRun.objects.filter(rows, run=run).exclude(state=State.PENDING).update(**_OPENED)
