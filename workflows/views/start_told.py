"""What a workflow's pages tell of a start that nobody polls for, and how a person may start it from there."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings

from integrations.base import Door, Start
from integrations.registry import UnknownOperationError, trigger
from workflows import calendar, schedules, starting
from workflows.models import Workflow
from workflows.views.start_settings import in_words

_SAID = {
    Door.FILE: "Each row of a CSV file that a builder uploads starts a run.",
    Door.CALL: "A step of another workflow that calls this one starts a run.",
    Door.API: "A program with a token starts a run by the API.",
    Door.ADDRESS: "A call of its own address starts a run.",
}
_ORDER = (Door.FILE, Door.API, Door.CALL, Door.ADDRESS)


@dataclass(frozen=True)
class StartTold:
    """Sentences for the pages. `problem` is why the last start failed; `note` what was left out."""

    sentences: list[str]
    next_times: list[str] = field(default_factory=list)
    problem: str = ""
    note: str = ""
    takes_files: bool = False
    asks: bool = False


def told(workflow: Workflow, *, published: bool = False) -> StartTold | None:
    """What is to be told of the workflow's start as it is edited now, or as it was published; None where it polls."""
    operation, inputs = workflow.trigger_operation, workflow.trigger_inputs
    if published and workflow.published is not None:
        operation = workflow.published.plan["trigger"]["operation"]
        inputs = starting.inputs_of(workflow)
    try:
        found = trigger(operation)
    except UnknownOperationError:
        return None
    if not isinstance(found, Start):
        return None
    if Door.CLOCK in found.doors:
        return _clock(workflow, inputs)
    by_hand = [] if found.is_open else ["A builder starts a run by hand."]
    said = by_hand + [_SAID[door] for door in _ORDER if door in found.doors]
    return StartTold(said, takes_files=Door.FILE in found.doors, asks=not found.is_open)


def _clock(workflow: Workflow, inputs: dict[str, object]) -> StartTold:
    try:
        said = calendar.describe(inputs, zone=str(inputs.get("timezone") or settings.TIME_ZONE))
        times = schedules.next_times(workflow, inputs)
    except (ValueError, OverflowError):
        return StartTold(["It is not said yet when it starts."])
    schedule = getattr(workflow, "schedule", None)
    problem = schedule.last_error if schedule is not None and schedule.failures else ""
    left = schedule.skipped if schedule is not None and schedule.next_at is not None else 0
    note = (
        f"{left:,} missed start{' was' if left == 1 else 's were'} left out since it was switched on." if left else ""
    )
    return StartTold([f"It starts {said}."], [in_words(each) for each in times], problem, note)


def once_active(workflow: Workflow) -> str:
    """What is said when it has been switched on."""
    start = told(workflow, published=True)
    if start is None:
        return f"{workflow.name} is active. It first notes what is there already."
    if start.next_times:
        return f"{workflow.name} is active. It starts next on {start.next_times[0]}."
    return f"{workflow.name} is active and can be started."


def while_paused(workflow: Workflow) -> str:
    """What pausing means."""
    if told(workflow, published=True) is None:
        return (
            "Nothing new is noticed while it is paused. Runs that are under way go on. What arrives meanwhile is not "
            "caught up on: switching on again begins by noting what is there."
        )
    return (
        "Nothing starts it while it is paused. Runs that are under way go on. What would have started it meanwhile is "
        "not made good: it starts again from the moment it is switched on."
    )
