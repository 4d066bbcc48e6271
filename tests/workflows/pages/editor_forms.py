"""The forms of the editor that change a workflow, and what two people save who opened one together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from tests.world import BOARD, World
from workflows.definitions import editing
from workflows.models import Step

Values = dict[str, Any]


@dataclass(frozen=True)
class Form:
    """A form that changes a workflow, and what two people who opened it together save."""

    #: The name of its address.
    url: str
    #: Makes what it needs, and gives its address.
    address: Callable[[World], str]
    first: Values
    theirs: Values
    #: (label, saved meanwhile, yours)
    rows: list[tuple[str, str, str]]


def _of_draft(url: str) -> Callable[[World], str]:
    return lambda world: reverse(url, args=[world.draft.pk])


def wait(world: World) -> str:
    settings = {"how": "for", "amount": "3", "unit": "days"}
    step = editing.save_kind(world.draft, None, kind="delay", name="Wait", settings=settings, sources={})
    return reverse("step", args=[world.draft.pk, step.pk])


def _branch(world: World) -> Step:
    return editing.add_branch(world.draft, name="How large?", paths=1, has_otherwise=True)


def _path(world: World) -> str:
    return reverse("step", args=[world.draft.pk, _branch(world).children.order_by("position")[0].pk])


def _contact(world: World) -> str:
    draft = editing.StepDraft("Know them", "xero.create_or_update_contact", world.xero, {"name": "Bayside"})
    return reverse("step", args=[world.draft.pk, editing.save_step(world.draft, None, draft).pk])


def _schedule(world: World) -> str:
    inputs = {"how": "daily", "at": "08:00"}
    editing.set_trigger(world.draft, operation="start.schedule", connection=None, inputs=inputs, interval_minutes=5)
    return reverse("workflow_trigger", args=[world.draft.pk])


def called(world: World, url: str) -> str:
    editing.set_trigger(world.draft, operation="start.webhook", connection=None, inputs={}, interval_minutes=5)
    return reverse(url, args=[world.draft.pk])


def _place(world: World) -> str:
    return reverse("place_step", args=[world.workflow.pk, world.steps[0].pk])


def condition(value: str) -> Values:
    comparison = {"row": "0", "parent.0": "", "operator.0": "text.contains", "left.0": "{{ trigger.name }}"}
    return {**comparison, "name": "Filter", "right.0": value}


WAIT = {"name": "Wait", "in.how": "for", "in.unit": "days", "on_error": "stop"}
_TRIGGER = {"in.board_id": BOARD}
_SAFE = {
    "hold_above": "50", "most_per_hour": "200", "notify": "default", "expected": "", "expected_weekday": "0",
}  # fmt: skip

FORMS = {
    "trigger": Form(
        "workflow_trigger",
        lambda world: reverse("workflow_trigger", args=[world.workflow.pk]),
        {**_TRIGGER, "interval_minutes": "7"},
        {**_TRIGGER, "interval_minutes": "9"},
        [("Check every (minutes)", "7", "9")],
    ),
    "schedule": Form(
        "workflow_trigger",
        _schedule,
        {"in.how": "daily", "in.at": "09:00", "in.timezone": "UTC", "in.missed": "once"},
        {"in.how": "daily", "in.at": "10:00", "in.timezone": "UTC", "in.missed": "once"},
        [("At", "09:00", "10:00")],
    ),
    "first filter": Form(
        "workflow_filter",
        _of_draft("workflow_filter"),
        condition("tart"),
        condition("cake"),
        [("Conditions", 'name contains "tart"', 'name contains "cake"')],
    ),
    "path": Form(
        "step",
        _path,
        {**condition("tart"), "name": "Path 1"},
        {**condition("cake"), "name": "Sweet"},
        [("Conditions", 'name contains "tart"', 'name contains "cake"'), ("Name", "Path 1", "Sweet")],
    ),
    "branch": Form(
        "step",
        lambda world: reverse("step", args=[world.draft.pk, _branch(world).pk]),
        {"name": "By size"},
        {"name": "By amount"},
        [("Name", "By size", "By amount")],
    ),
    "step of a kind": Form(
        "step", wait, {**WAIT, "in.amount": "5"}, {**WAIT, "in.amount": "9"}, [("How many", "5", "9")]
    ),
    "action": Form(
        "step",
        _contact,
        {"name": "Know them", "in.name": "Bayside", "on_error": "stop", "max_attempts": "5"},
        {"name": "Find them", "in.name": "Acme", "on_error": "stop", "max_attempts": "5"},
        [("Name", "Bayside", "Acme"), ("Name", "Know them", "Find them")],
    ),
    "name": Form(
        "workflow_settings",
        _of_draft("workflow_settings"),
        {"name": "Boards", "description": ""},
        {"name": "A draft of Acme", "description": "For May"},
        [("Name", "Boards", "A draft of Acme"), ("What is it for?", "", "For May")],
    ),
    "safeguards": Form(
        "workflow_safeguards",
        _of_draft("workflow_safeguards"),
        {**_SAFE, "pause_after": "4"},
        {**_SAFE, "pause_after": "8"},
        [("Pause after this many failures in a row", "4", "8")],
    ),
    "signature": Form(
        "hook_signature",
        lambda world: called(world, "hook_signature"),
        {"signature": "hex", "header": "X-First", "time_header": "", "secret": "one-secret"},
        {"signature": "hex", "header": "X-Second", "time_header": "", "secret": "two-secret"},
        [("Header", "X-First", "X-Second")],
    ),
    "place": Form(
        "place_step",
        _place,
        {"place": "0-0"},
        {"place": "at the front"},
        [],
    ),
}
