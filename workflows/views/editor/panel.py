"""The editor is one page: the workflow's steps, and beside them a panel with the form that is at this address.

A browser that only wants the panel (HTMX says so by the element it fills) gets it with the steps as they are now, which
HTMX puts in their places; everybody else gets the whole page. Without scripts every link and form works as a page.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from integrations.framework.registry import operation_or_none
from integrations.teams.access import Can, may
from pinxero.pages import page
from workflows.approvals import publication
from workflows.definitions import validation
from workflows.definitions.changes import revisions
from workflows.definitions.step_rows import step_tree
from workflows.forms import schema_form
from workflows.models import Step, Workflow, WorkflowPart
from workflows.presenters import start_status
from workflows.presenters.editor import sample_card
from workflows.presenters.editor.available_values import token_groups
from workflows.presenters.field_links import trigger_lines
from workflows.presenters.labels import ChoiceLabels, choice_labels
from workflows.presenters.obstacles import blocked
from workflows.presenters.polling_status import polling_status
from workflows.presenters.step_cards import InputLine, cards_of, input_lines
from workflows.publishing import publish

#: What a browser fills, by the element's id: the panel; a part of it, for which the steps need not be drawn; the steps.
_PANEL, _PARTS, _STEPS = "panel", {"px-form", "last-runs", "px-sample", "px-output", "trigger-sample"}, "flow"


def editor_page(
    request: HttpRequest, workflow: Workflow, template: str, context: dict[str, Any] | None = None, *, title: str
) -> HttpResponse:
    """The template, which extends `layout` and fills its block "panel", beside the workflow's steps; or a part of it.

    `title` says what is in the panel.
    """
    wanted = _wanted(request)
    if wanted in _PARTS:
        answer = render(request, template, _in_panel(workflow, title, context))
    elif wanted == _PANEL:
        around = {**steps_context(request, workflow), "with_steps": True}
        answer = render(request, template, {**around, **_in_panel(workflow, title, context)})
    elif wanted == _STEPS:
        answer = render(request, "workflows/flow.html", steps_context(request, workflow))
    else:
        around = {"layout": "workflows/editor.html", "panel_title": title, **steps_context(request, workflow)}
        answer = page(request, template, {**around, **(context or {})}, title=workflow.name)
    if request.method == "POST":
        answer["HX-Push-Url"] = "false"  # it is the form again: the address stays
    patch_vary_headers(answer, ["HX-Request", "HX-Target"])
    return answer


def _in_panel(workflow: Workflow, title: str, context: dict[str, Any] | None) -> dict[str, Any]:
    return {"layout": "workflows/panel.html", "panel_title": title, "workflow": workflow, **(context or {})}


def _wanted(request: HttpRequest) -> str:
    """The id of the element that the answer is for; empty for the whole page."""
    return request.headers.get("HX-Target", "") if request.headers.get("HX-Request") else ""


def steps_context(request: HttpRequest, workflow: Workflow) -> dict[str, Any]:
    """What the page shows of the draft: its trigger and steps, and what keeps it from being published."""
    tree = step_tree(workflow)
    groups, own = token_groups(workflow, [place.step for top in tree for place, _ in top.all()])
    found = validation.problems(workflow, tree)
    labels = choice_labels([workflow.trigger_connection, *_connections(tree)])
    cards = cards_of(tree, groups=groups, own=own, labels=labels, problems=found)
    return {
        "workflow": workflow,
        "trigger": operation_or_none(workflow.trigger_operation),
        "trigger_facts": _trigger_facts(workflow, labels),
        "trigger_sample": groups[0],
        "is_unread": sample_card.is_unread(workflow, groups[0].origin),
        "trigger_state": workflow.listens_to,
        "polling": polling_status(workflow),
        "blocked": blocked(workflow.team, [workflow]).get(workflow.pk, []),
        "start": start_status.start_status(workflow),
        "cards": cards,
        "begins_with_filter": bool(cards) and cards[0].kind == Step.Kind.FILTER,
        "problems": found,
        "trigger_problems": trigger_lines(workflow, [p for p in found if p.step == validation.TRIGGER]),
        "other_problems": [p for p in found if p.step is None],
        "publication": publication.waiting(workflow),
        "has_changes": publish.has_unpublished_changes(workflow),
        "may_build": may(request, Can.BUILD),
        "order_revision": revisions.part_of(workflow, WorkflowPart.Part.ORDER).revision,
        "open_address": _open_address(request),
    }


def _connections(tree: list[Any]) -> list[Any]:
    return [place.step.connection for top in tree for place, _ in top.all()]


def _open_address(request: HttpRequest) -> str:
    """The address of what is in the panel, whose card is marked."""
    here = request.headers.get("HX-Current-URL", "") if _wanted(request) == _STEPS else ""
    return urlsplit(here).path if here else request.path


def _trigger_facts(workflow: Workflow, labels: ChoiceLabels) -> list[InputLine]:
    trigger = operation_or_none(workflow.trigger_operation)
    if trigger is None:
        return []
    sources = schema_form.shown_constants(trigger.Inputs, workflow.trigger_inputs)
    return input_lines(trigger.Inputs.fields(), sources, [], workflow.trigger_connection, labels)
