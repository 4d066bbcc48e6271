"""A workflow's page: what starts it, its filter, its steps; and its name, its versions, its end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from integrations.access import Can, allow, may
from integrations.models import Connection
from pinxero.pages import page
from workflows import editing, inputs, publishing
from workflows.compiling import step_tree
from workflows.forms import WorkflowForm
from workflows.models import Run, Step, Workflow
from workflows.sight import labels as labels_of
from workflows.templatetags.px import when
from workflows.views import start_told
from workflows.views.common import (
    ChoiceLabels,
    any_workflow_or_404,
    choice_labels,
    operation_or_none,
    state_of,
    steps_of,
    workflow_or_404,
)
from workflows.views.rhythm import rhythm_of
from workflows.views.tree import Drawing, Fact, as_text, called_in, drawn, facts

_VERSIONS_SHOWN = 20
_RUNS_SHOWN = 5
#: The database says when a look is due; its clock may be a little ahead of ours.
_CLOCKS_APART = timedelta(seconds=5)
LOOKING = "Looking now"
_RUN_LISTED = ("status", "wait_reason", "title", "result", "error", "created_at", "finished_at")


@require_GET
@allow(Can.LOOK)
def workflow(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """The workflow as it stands, step by step, with what still keeps it from being published.

    With `?seen=` (the runs that the page shows now) 204 where these have not changed.
    """
    shown = any_workflow_or_404(request, workflow_id)
    if shown.deleted_at is not None:
        context = {"workflow": shown, "may_build": may(request, Can.BUILD)}
        return page(request, "workflows/deleted.html", context, title=shown.name)
    runs = list(Run.objects.filter(workflow=shown).only(*_RUN_LISTED).order_by("-pk")[:_RUNS_SHOWN])
    look = _look(shown) if request.GET.get("live") == "1" else None
    seen = state_of(runs, look)
    if request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    tree = step_tree(shown)
    steps = [place.step for top in tree for place, _ in top.all()]
    groups, own = labels_of(shown, steps)
    found = publishing.problems(shown)
    labels = choice_labels([shown.trigger_connection, *(step.connection for step in steps)])
    cards = drawn(tree, groups=groups, own=own, labels=labels, problems=found)
    context = {
        "workflow": shown,
        "trigger": operation_or_none(shown.trigger_operation),
        "trigger_facts": _trigger_facts(shown, labels),
        "trigger_state": shown.listens_to,
        "rhythm": rhythm_of(shown),
        "start": start_told.told(shown),
        "cards": cards,
        "begins_with_filter": bool(cards) and cards[0].kind == Step.Kind.FILTER,
        "problems": found,
        "trigger_problems": [p for p in found if p.step == publishing.TRIGGER],
        "other_problems": [p for p in found if p.step is None],
        "has_changes": publishing.has_unpublished_changes(shown),
        "versions": _versions(shown)[:5],
        "runs": runs,
        "look": look,
        "is_live": look == LOOKING or any(run.is_open for run in runs),
        "seen": seen,
        "may_build": may(request, Can.BUILD),
    }
    return page(request, "workflows/editor.html", context, title=shown.name)


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def workflow_settings(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Rename it and say what it is for."""
    shown = workflow_or_404(request, workflow_id)
    initial = {"name": shown.name, "description": shown.description}
    form = WorkflowForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            editing.describe_workflow(shown, **form.cleaned_data)
        except editing.EditError as error:
            form.add_error("name", error.message)
        else:
            messages.success(request, "Saved.")
            return redirect("workflow", shown.pk)
    context = {"workflow": shown, "form": form}
    return page(request, "workflows/settings.html", context, title="Name and purpose")


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def delete_workflow(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Remove a draft that was never published; hide one that was, with what it wrote kept for auditors."""
    shown = workflow_or_404(request, workflow_id)
    problem = ""
    if request.method == "POST":
        try:
            editing.delete_workflow(shown, by=request.user if isinstance(request.user, User) else None)
        except editing.EditError as error:
            problem = error.message
        else:
            messages.success(request, f"{shown.name} is deleted.")
            return redirect("workflows")
    context = {
        "workflow": shown,
        "heading": f"Delete {shown.name}?",
        "explanation": (
            "It disappears from the list and never starts again. Its versions and runs stay, for whoever audits them, "
            "and it can be taken back from the list of deleted workflows."
            if shown.published
            else "The draft with its trigger, filter and steps is removed. This cannot be undone."
        ),
        "problem": problem,
        "submit": "Delete the workflow" if shown.published else "Delete the draft",
        "is_dangerous": True,
    }
    return page(request, "workflows/confirm.html", context, title="Delete")


@require_GET
@allow(Can.LOOK)
def versions(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Every version: number, who, when, why, and what it says."""
    shown = any_workflow_or_404(request, workflow_id)
    before = request.GET.get("before", "")
    found = _versions(shown)
    if before.isdecimal() and len(before) < 9:
        found = found.filter(number__lt=int(before))
    rows = list(found[: _VERSIONS_SHOWN + 1])
    context = {
        "workflow": shown,
        "versions": rows[:_VERSIONS_SHOWN],
        "older": rows[_VERSIONS_SHOWN - 1].number if len(rows) > _VERSIONS_SHOWN else None,
    }
    return page(request, "workflows/versions.html", context, title=f"Versions of {shown.name}")


@require_GET
@allow(Can.LOOK)
def version(request: HttpRequest, workflow_id: int, number: int) -> HttpResponse:
    """One version, as it was published: in plain English, and every input with what goes into it."""
    shown = any_workflow_or_404(request, workflow_id)
    found = get_object_or_404(shown.versions.select_related("published_by"), number=number)
    groups, own = labels_of(shown, steps_of(shown))
    names = {c.pk: c for c in Connection.objects.filter(team=shown.team_id)}
    labels = choice_labels(list(names.values()))
    drawing = Drawing(groups, own, names, labels, called_in(found.plan["steps"]))
    cards = drawing.cards(found.plan["steps"])
    trigger = operation_or_none(found.plan["trigger"]["operation"])
    connection = names.get(found.plan["trigger"]["connection"])
    context = {
        "workflow": shown,
        "version": found,
        "is_published": shown.published_id == found.pk,
        "may_build": may(request, Can.BUILD) and shown.deleted_at is None,
        "trigger": trigger,
        "trigger_connection": connection,
        "trigger_facts": facts(
            trigger.Inputs if trigger else None, as_text(found.plan["trigger"]["inputs"]), groups, connection, labels
        ),
        "cards": cards,
    }
    return page(request, "workflows/version.html", context, title=f"{shown.name}, version {number}")


def _look(workflow: Workflow) -> str:
    """How far the look is that a person has asked for. Its runs are there when it is done."""
    state = workflow.listens_to
    if state is None:
        return ""
    if state.next_due_at is not None and state.next_due_at <= timezone.now() + _CLOCKS_APART:
        return LOOKING
    if state.failures:
        return "The last look failed"
    return f"Looked {when(state.last_polled_at)}" + ("" if state.last_found else ": nothing new")


def _versions(workflow: Workflow) -> Any:
    return workflow.versions.select_related("published_by").defer("plan").order_by("-number")


def _trigger_facts(workflow: Workflow, labels: ChoiceLabels) -> list[Fact]:
    trigger = operation_or_none(workflow.trigger_operation)
    if trigger is None:
        return []
    sources = inputs.shown_constants(trigger.Inputs, workflow.trigger_inputs)
    return facts(trigger.Inputs, sources, [], workflow.trigger_connection, labels)
