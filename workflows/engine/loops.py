"""Loops: the same steps once for each item, each turn with a state of its own.

The list is taken once, when the loop is reached, and kept with it; a turn that has ended is a row (`kinds.TURN`) under
the loop's key. So how far a loop has come is two small questions to the database however many turns it has, and the
thousandth turn costs what the first did. Turns run one after the other.

A run that has been at it for a while lets others have their turn at its worker, between two turns of its loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Max, QuerySet

from workflows import mapping, plans
from workflows.engine import steps
from workflows.engine.lease import database_now
from workflows.engine.outcomes import FilteredError, StepFailedError, StoppedError, YieldError
from workflows.kinds import TURN
from workflows.models import StepRun
from workflows.values import KIND_NAMES, kind_of

if TYPE_CHECKING:
    from workflows.engine.walk import Walk

State = StepRun.State
Go = Callable[["Walk", list[dict[str, Any]]], None]

#: The fields of an item that tell people which one it is, best first.
_TELLING = ("title", "name", "Name", "InvoiceNumber", "Description", "description", "Reference", "Code", "id")

#: How long a run has its worker before others get their turn; well below the queue's time-out for a task.
SLICE_SECONDS = 5.0


@dataclass
class _Turns:
    """How far a loop has come: every turn up to `last` has a row; those of `open` are to be done again."""

    last: int = 0
    open: dict[int, StepRun] = field(default_factory=dict)
    #: What the turns of this walk came to, and what their steps brought.
    states: dict[int, str] = field(default_factory=dict)
    brought: dict[int, dict[str, Any]] = field(default_factory=dict)

    def is_done(self, number: int) -> bool:
        return number <= self.last and number not in self.open


def perform(walk: Walk, step: Mapping[str, Any], step_run: StepRun, go: Go) -> None:
    """Do the turns that are not done. Raises what interrupts the run; StepFailedError where the loop fails."""
    was_begun = step_run.inputs is not None
    if step_run.inputs is None:
        items_now = _items(walk, step, step_run)
        # The count beside the list, so that a page can tell it without reading the list.
        step_run.inputs, step_run.outcome = {"items": items_now}, {"count": len(items_now)}
        walk.lease.note(step_run)
    items: list[Any] = step_run.inputs["items"]
    turns = _so_far(walk, step) if was_begun else _Turns()
    try:
        for number, item in enumerate(items, start=1):
            if not turns.is_done(number):
                _make_room(walk, turns)
                # Only the turn that was under way when the run stopped, or one done again, has rows from before.
                _turn(walk, step, turns, go, number, item, len(items), has_rows=was_begun and number <= turns.last + 1)
    except StepFailedError as failed:
        step_run.state, step_run.error, step_run.finished_at = State.FAILED, failed.message, database_now()
        _keep_end(walk, step_run)
        raise StepFailedError(f"{step_run.name}, {failed.message}") from None
    except StoppedError as stopped:
        if stopped.status == "failed":
            step_run.state, step_run.error, step_run.finished_at = State.FAILED, stopped.message, database_now()
            _keep_end(walk, step_run)
        else:
            _finish(walk, step, step_run, turns, items)
        raise
    _finish(walk, step, step_run, turns, items)


def _items(walk: Walk, step: Mapping[str, Any], step_run: StepRun) -> list[Any]:
    """The list to go through. Raises StepFailedError where it is none, or longer than the loop may be."""
    try:
        found = mapping.evaluate(step["items"], walk.data, walk.context(walk.home(step)))
    except mapping.MappingError as error:
        raise steps.fail(walk, step_run, f"The list cannot be worked out. {error.message}") from None
    if found is None or found == "":
        return []
    if not isinstance(found, list):
        raise steps.fail(walk, step_run, f"A loop needs a list, and this is {KIND_NAMES[kind_of(found)]}.")
    limit = int(step["limit"])
    if len(found) > limit:
        raise steps.fail(
            walk,
            step_run,
            f"The list has {len(found):,} items, and the loop may take {limit:,}. Nothing was done for any of them. "
            "Raise the limit in the workflow, or make the list shorter.",
        )
    return found


def _rows(walk: Walk, step: Mapping[str, Any]) -> QuerySet[StepRun]:
    """The rows of the loop's turns."""
    found = StepRun.objects.filter(run=walk.run, step=step["key"], kind=TURN)
    return found.filter(iteration__startswith=f"{walk.iteration}.") if walk.iteration else found


def _so_far(walk: Walk, step: Mapping[str, Any]) -> _Turns:
    rows = _rows(walk, step)
    last = rows.aggregate(last=Max("position"))["last"] or 0
    return _Turns(last=last, open={each.position: each for each in rows.filter(state=State.PENDING)})


def _make_room(walk: Walk, turns: _Turns) -> None:
    """Let other runs have the worker where this one has had it for long, and has got on since."""
    if turns.states and time.monotonic() - walk.began > SLICE_SECONDS:
        raise YieldError


def _turn(
    walk: Walk, step: Mapping[str, Any], turns: _Turns, go: Go, number: int, item: Any, count: int, *, has_rows: bool
) -> None:
    """One turn, and its row when it has ended. Raises what is to end the loop, or to interrupt the run."""
    before = walk.data["steps"]
    with walk.turn(number, item, count) as brought:
        row = turns.open.get(number) or StepRun(
            run=walk.run, step=step["key"], iteration=walk.iteration, position=number, kind=TURN, name=step["name"]
        )
        row.started_at = row.started_at or database_now()
        if has_rows:
            walk.load(plans.keys_of_turn(step))
        ends: Exception | None = None
        row.state, row.error, row.outcome = State.SUCCEEDED, "", {"title": _title(item)}
        try:
            go(walk, step["steps"])
        except FilteredError as filtered:
            row.state, row.outcome["explanation"] = State.SKIPPED, filtered.sentence
        except StoppedError as stopped:
            row.outcome["explanation"], ends = stopped.message, stopped
            if stopped.status == "failed":
                row.state, row.error = State.FAILED, stopped.message
        except StepFailedError as failed:
            row.state, row.error = State.FAILED, failed.message
            walk.has_failures = True
            if step["on_item_error"] != "go_on":
                ends = StepFailedError(f"turn {number}: {failed.message}")
        row.finished_at = database_now()
        walk.lease.note(row)
        turns.states[number] = row.state
        turns.brought[number] = {key: output for key, output in brought.items() if key not in before and output}
    if ends is not None:
        raise ends


def _title(item: Any) -> str:
    """The item in a few words, for the list of turns."""
    if isinstance(item, Mapping):
        texts = {str(name): value for name, value in item.items() if isinstance(value, str | int | Decimal)}
        said = [texts[name] for name in _TELLING if texts.get(name) not in (None, "")]
        item = next(iter(said or [value for value in texts.values() if value != ""]), "")
    return str(item)[:120] if isinstance(item, str | int | Decimal) else ""


def _finish(walk: Walk, step: Mapping[str, Any], step_run: StepRun, turns: _Turns, items: list[Any]) -> None:
    """The loop is done: what its turns came to becomes its output."""
    states, brought = turns.states, turns.brought
    if turns.last:
        stored = _rows(walk, step).values_list("position", "state")
        states = {**dict(stored), **states}
        brought = {**_stored_outputs(walk, step, skip=turns.brought), **brought}
    tally = list(states.values())
    step_run.output = {
        "count": len(items),
        "done": tally.count(State.SUCCEEDED),
        "failed": tally.count(State.FAILED),
        "skipped": tally.count(State.SKIPPED),
        "items": [brought.get(number, {}) for number in range(1, len(items) + 1)],
    }
    step_run.state, step_run.error, step_run.finished_at = State.SUCCEEDED, "", database_now()
    _keep_end(walk, step_run)


def _stored_outputs(walk: Walk, step: Mapping[str, Any], *, skip: Mapping[int, Any]) -> dict[int, dict[str, Any]]:
    """What the steps of turns before this walk brought, by turn, read at once."""
    found: dict[int, dict[str, Any]] = {}
    keys = plans.keys_of_turn(step)
    rows = StepRun.objects.filter(run=walk.run, step__in=keys, state__in=StepRun.FINISHED).exclude(kind=TURN)
    prefix = f"{walk.iteration}." if walk.iteration else ""
    if prefix:
        rows = rows.filter(iteration__startswith=prefix)
    for key, iteration, output in rows.values_list("step", "iteration", "output"):
        number = int(iteration.removeprefix(prefix))
        if output and number not in skip:
            found.setdefault(number, {})[key] = output
    return found


def _keep_end(walk: Walk, step_run: StepRun) -> None:
    # Its list may be long and does not change; only what the end brought is written.
    walk.lease.note(step_run, fields=("state", "error", "finished_at", "started_at", "output"))
