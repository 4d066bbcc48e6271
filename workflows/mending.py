"""Failed steps, for a person to try again, skip or settle: which ones ended a run, and what lies around them.

A step inside a loop is opened again together with its turn and its loop, and with those around that, so that the run
finds its way back to it. Nothing that succeeded is touched.
"""

from __future__ import annotations

from django.db.models import Q

from workflows import plans
from workflows.engine import writing
from workflows.engine.lease import database_now
from workflows.kinds import TURN
from workflows.models import Run, Step, StepRun

State = StepRun.State
#: What opening does to the rows of turns and loops; a loop keeps the list that it has begun.
_OPENED = {"state": State.PENDING, "error": "", "finished_at": None, "output": None}


def failed(run: Run, *, passed_over_too: bool = False) -> list[StepRun]:
    """The steps whose failure ended the run, or with `passed_over_too` every one that failed. A loop is among them only
    where it failed itself and not by one of its turns."""
    rows = StepRun.objects.filter(run=run, state=State.FAILED).exclude(kind=TURN).select_related("connection")
    if not passed_over_too:
        rows = rows.exclude(step__in=plans.passed_over(run.version.plan))
    # A loop that has its list got as far as its turns.
    return list(rows.exclude(kind=Step.Kind.LOOP, inputs__isnull=False).order_by("pk"))


def try_again(run: Run, step_run: StepRun) -> None:
    """Make the step as if it had not been tried, and open what lies around it."""
    step_run.state, step_run.tries, step_run.error = State.PENDING, 0, ""
    step_run.finished_at, step_run.idempotency_key = None, None
    if step_run.first_sent_at is not None:
        # The provider keeps refusals under their key as well, and earlier lookups say nothing of the next send.
        writing.again(step_run)
    elif step_run.kind not in (Step.Kind.ACTION, Step.Kind.CALL):
        step_run.outcome = None
    step_run.save()
    open_around(run, step_run)


def end_delay(run: Run) -> None:
    """Let the delay that the run waits for be over now."""
    for step_run in StepRun.objects.filter(run=run, kind=Step.Kind.DELAY, state=State.PENDING):
        step_run.outcome = {**(step_run.outcome or {}), "wakes": database_now().isoformat()}
        step_run.save(update_fields=["outcome"])


def open_around(run: Run, step_run: StepRun) -> None:
    """Open the turns and loops that the step lies in, so that the run comes past it again."""
    numbers = step_run.iteration.split(".") if step_run.iteration else []
    rows = Q(pk__in=[])
    for depth, loop in enumerate(plans.loops_around(run.version.plan, step_run.step)[: len(numbers)]):
        turn, around = ".".join(numbers[: depth + 1]), ".".join(numbers[:depth])
        rows |= Q(step=loop, iteration=turn, kind=TURN) | Q(step=loop, iteration=around, kind=Step.Kind.LOOP)
    StepRun.objects.filter(rows, run=run).exclude(state=State.PENDING).update(**_OPENED)
