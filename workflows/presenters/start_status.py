"""How a workflow without polling is started, for its pages, and how a person may start it there."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings

from integrations.framework.base import Door, Start
from integrations.framework.registry import UnknownOperationError, trigger
from workflows.definitions import recurrence, start_values
from workflows.models import Workflow
from workflows.presenters.labels import in_words
from workflows.triggers import schedules

_SENTENCES = {
    Door.FILE: "Each row of a CSV file that a builder uploads starts a run.",
    Door.CALL: "A step of another workflow that calls this one starts a run.",
    Door.API: "A program with a token starts a run by the API.",
    Door.ADDRESS: "A call of its own address starts a run.",
}
_ORDER = (Door.FILE, Door.API, Door.CALL, Door.ADDRESS)


@dataclass(frozen=True)
class StartStatus:
    """Sentences for the pages. `problem` says why the last start failed; `note` what was skipped."""

    sentences: list[str]
    next_times: list[str] = field(default_factory=list)
    problem: str = ""
    note: str = ""
    takes_files: bool = False
    asks: bool = False


def start_status(workflow: Workflow, *, published: bool = False) -> StartStatus | None:
    """How the workflow starts, by its draft or its published version; None if it polls."""
    operation, inputs = workflow.trigger_operation, workflow.trigger_inputs
    if published and workflow.published is not None:
        operation = workflow.published.plan["trigger"]["operation"]
        inputs = start_values.inputs_of(workflow)
    try:
        found = trigger(operation)
    except UnknownOperationError:
        return None
    if not isinstance(found, Start):
        return None
    if Door.CLOCK in found.doors:
        return _clock(workflow, inputs)
    by_hand = [] if found.is_open else ["A builder starts a run by hand."]
    sentences = by_hand + [_SENTENCES[door] for door in _ORDER if door in found.doors]
    return StartStatus(sentences, takes_files=Door.FILE in found.doors, asks=not found.is_open)


def _clock(workflow: Workflow, inputs: dict[str, object]) -> StartStatus:
    try:
        recurring = recurrence.describe(inputs, zone=str(inputs.get("timezone") or settings.TIME_ZONE))
        times = schedules.next_times(workflow, inputs)
    except (ValueError, OverflowError):
        return StartStatus(["The schedule is not set yet."])
    schedule = getattr(workflow, "schedule", None)
    problem = schedule.last_error if schedule is not None and schedule.failures else ""
    left = schedule.skipped if schedule is not None and schedule.next_at is not None else 0
    note = f"{left:,} missed start{' was' if left == 1 else 's were'} skipped since it was switched on." if left else ""
    return StartStatus([f"It starts {recurring}."], [in_words(each) for each in times], problem, note)


def activation_message(workflow: Workflow) -> str:
    """The message after the workflow was switched on."""
    start = start_status(workflow, published=True)
    if start is None:
        return f"{workflow.name} is active. It first records what is already there."
    if start.next_times:
        return f"{workflow.name} is active. It starts next on {start.next_times[0]}."
    return f"{workflow.name} is active and can be started."


def pause_explanation(workflow: Workflow) -> str:
    """What pausing means, for the page that asks."""
    if start_status(workflow, published=True) is None:
        return (
            "Nothing new is noticed while it is paused. Runs under way go on. What arrives meanwhile is not "
            "processed later: switching on again begins by recording what is there."
        )
    return (
        "Nothing starts it while it is paused. Runs that are under way go on. Missed starts are "
        "not made up for: it starts again from the moment it is switched on."
    )
