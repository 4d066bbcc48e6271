"""Loops: the same steps once for each item, each iteration with a state of its own.

The list is evaluated once, when the loop is reached, and kept with it. A finished iteration is a row of kind
`kinds.ITERATION` under the loop's key. So finding out how far a loop has come takes two small queries however many
iterations it has, and the thousandth iteration costs the same as the first. Iterations run one after the other.

A run that has used its worker for a while gives way to other runs between two iterations.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Max, QuerySet

from workflows.definitions import plans
from workflows.definitions.kinds import ITERATION
from workflows.engine import allowance, step_support
from workflows.engine.kinds.base import Handler, RunSteps
from workflows.engine.outcomes import FilteredError, StepFailedError, StoppedError, YieldError
from workflows.language import mapping
from workflows.language.values import KIND_NAMES, kind_of
from workflows.models import StepRun
from workflows.runtime.clock import database_now

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext

State = StepRun.State

#: The fields by which people recognise an item, best first.
_TITLE_FIELDS = ("title", "name", "Name", "InvoiceNumber", "Description", "description", "Reference", "Code", "id")

#: A list of ten thousand items with twenty fields each is larger than one value may be.
_LIST_TIMES = 20

#: How long a run may use its worker before it gives way; well below the queue's time-out for a task.
SLICE_SECONDS = 5.0


@dataclass
class _Iterations:
    """How far a loop has come: every iteration up to `last` has a row; those of `open` are to be done again."""

    last: int = 0
    open: dict[int, StepRun] = field(default_factory=dict)
    #: The states of the iterations made since the run was claimed, and the outputs of their steps.
    states: dict[int, str] = field(default_factory=dict)
    brought: dict[int, dict[str, Any]] = field(default_factory=dict)

    def is_done(self, number: int) -> bool:
        return number <= self.last and number not in self.open


def perform(context: RunContext, step: Mapping[str, Any], step_run: StepRun, run_steps: RunSteps) -> None:
    """Do the iterations that are not done. Raises what interrupts the run; StepFailedError where the loop fails."""
    was_begun = step_run.inputs is not None
    if step_run.inputs is None:
        items_now = _items(context, step, step_run)
        # The count is kept beside the list, so that a page can show it without reading the list.
        step_run.inputs, step_run.outcome = {"items": items_now}, {"count": len(items_now)}
        context.lease.note(step_run)
    items: list[Any] = step_run.inputs["items"]
    iterations = _so_far(context, step) if was_begun else _Iterations()
    try:
        for number, item in enumerate(context.taken(items), start=1):
            if not iterations.is_done(number):
                _make_room(context, iterations)
                # Only the turn that was under way when the run stopped, or one done again, has rows from before.
                _iterate(
                    context,
                    step,
                    iterations,
                    run_steps,
                    number,
                    item,
                    len(items),
                    has_rows=was_begun and number <= iterations.last + 1,
                )
    except StepFailedError as failed:
        step_run.state, step_run.error, step_run.finished_at = State.FAILED, failed.message, database_now()
        _keep_end(context, step_run)
        raise StepFailedError(f"{step_run.name}, {failed.message}") from None
    except StoppedError as stopped:
        if stopped.status == "failed":
            step_run.state, step_run.error, step_run.finished_at = State.FAILED, stopped.message, database_now()
            _keep_end(context, step_run)
        else:
            _finish(context, step, step_run, iterations, items)
        raise
    _finish(context, step, step_run, iterations, items)


def _items(context: RunContext, step: Mapping[str, Any], step_run: StepRun) -> list[Any]:
    """The items of the list. Raises StepFailedError where it is not a list, or longer than allowed."""
    try:
        found = mapping.evaluate(
            step["items"], context.data, context.mapping_context(context.home(step)), times=_LIST_TIMES
        )
    except mapping.MappingError as error:
        raise step_support.fail(context, step_run, f"The list cannot be worked out. {error.message}") from None
    if found is None or found == "":
        return []
    if not isinstance(found, list):
        raise step_support.fail(context, step_run, f"A loop needs a list, and this is {KIND_NAMES[kind_of(found)]}.")
    limit = int(step["limit"])
    if len(found) > limit:
        raise step_support.fail(
            context,
            step_run,
            f"The list has {len(found):,} items, and the loop may take {limit:,}. Nothing was done for any of them. "
            "Raise “Maximum items” in the workflow, or make the list shorter.",
        )
    if refused := allowance.refusal(context, len(found)):
        raise step_support.fail(context, step_run, refused)
    return found


def _rows(context: RunContext, step: Mapping[str, Any]) -> QuerySet[StepRun]:
    """The rows of the loop's iterations."""
    found = StepRun.objects.filter(run=context.run, step=step["key"], kind=ITERATION)
    return found.filter(iteration__startswith=f"{context.iteration}.") if context.iteration else found


def _so_far(context: RunContext, step: Mapping[str, Any]) -> _Iterations:
    rows = _rows(context, step)
    last = rows.aggregate(last=Max("position"))["last"] or 0
    return _Iterations(last=last, open={each.position: each for each in rows.filter(state=State.PENDING)})


def _make_room(context: RunContext, iterations: _Iterations) -> None:
    """Give way to other runs if this one has used the worker for long and has made progress."""
    if iterations.states and time.monotonic() - context.began > SLICE_SECONDS:
        raise YieldError


def _iterate(
    context: RunContext,
    step: Mapping[str, Any],
    iterations: _Iterations,
    run_steps: RunSteps,
    number: int,
    item: Any,
    count: int,
    *,
    has_rows: bool,
) -> None:
    """One iteration, and its row when it has ended. Raises what ends the loop or interrupts the run."""
    before = context.data["steps"]
    with context.loop_iteration(number, item, count) as brought:
        row = iterations.open.get(number) or StepRun(
            run=context.run,
            step=step["key"],
            iteration=context.iteration,
            position=number,
            kind=ITERATION,
            name=step["name"],
        )
        row.started_at = row.started_at or database_now()
        if has_rows:
            context.load(plans.keys_of_iteration(step))
        ends: Exception | None = None
        row.state, row.error, row.outcome = State.SUCCEEDED, "", {"title": _title(item)}
        try:
            run_steps(context, step["steps"])
        except FilteredError as filtered:
            row.state, row.outcome["explanation"] = State.SKIPPED, filtered.sentence
        except StoppedError as stopped:
            row.outcome["explanation"], ends = stopped.message, stopped
            if stopped.status == "failed":
                row.state, row.error = State.FAILED, stopped.message
        except StepFailedError as failed:
            row.state, row.error = State.FAILED, failed.message
            context.has_failures = True
            if step["on_item_error"] != "go_on":
                ends = StepFailedError(f"iteration {number}: {failed.message}")
        row.finished_at = database_now()
        context.lease.note(row)
        iterations.states[number] = row.state
        iterations.brought[number] = {key: output for key, output in brought.items() if key not in before and output}
    if ends is not None:
        raise ends


def _title(item: Any) -> str:
    """The item in a few words, for the list of iterations."""
    if isinstance(item, Mapping):
        texts = {str(name): value for name, value in item.items() if isinstance(value, str | int | Decimal)}
        telling = [texts[name] for name in _TITLE_FIELDS if texts.get(name) not in (None, "")]
        item = next(iter(telling or [value for value in texts.values() if value != ""]), "")
    return str(item)[:120] if isinstance(item, str | int | Decimal) else ""


def _finish(
    context: RunContext, step: Mapping[str, Any], step_run: StepRun, iterations: _Iterations, items: list[Any]
) -> None:
    """The loop is done: the results of its iterations become its output."""
    states, brought = iterations.states, iterations.brought
    if iterations.last:
        stored = _rows(context, step).values_list("position", "state")
        states = {**dict(stored), **states}
        brought = {**_stored_outputs(context, step, skip=iterations.brought), **brought}
    tally = list(states.values())
    step_run.output = {
        "count": len(items),
        "done": tally.count(State.SUCCEEDED),
        "failed": tally.count(State.FAILED),
        "skipped": tally.count(State.SKIPPED),
        "items": [brought.get(number, {}) for number in range(1, len(items) + 1)],
    }
    step_run.state, step_run.error, step_run.finished_at = State.SUCCEEDED, "", database_now()
    _keep_end(context, step_run)


def _stored_outputs(
    context: RunContext, step: Mapping[str, Any], *, skip: Mapping[int, Any]
) -> dict[int, dict[str, Any]]:
    """The stored outputs of earlier iterations, by iteration, read in one query."""
    found: dict[int, dict[str, Any]] = {}
    keys = plans.keys_of_iteration(step)
    rows = StepRun.objects.filter(run=context.run, step__in=keys, state__in=StepRun.FINISHED).exclude(kind=ITERATION)
    prefix = f"{context.iteration}." if context.iteration else ""
    if prefix:
        rows = rows.filter(iteration__startswith=prefix)
    for key, iteration, output in rows.values_list("step", "iteration", "output"):
        number = int(iteration.removeprefix(prefix))
        if output and number not in skip:
            found.setdefault(number, {})[key] = output
    return found


def _keep_end(context: RunContext, step_run: StepRun) -> None:
    # Its list may be long and does not change; only what has changed is written.
    context.lease.note(step_run, fields=("state", "error", "finished_at", "started_at", "output"))


HANDLER = Handler(perform)
