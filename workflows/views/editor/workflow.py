"""A workflow's page with trigger, filter and steps; its settings, its versions, and deleting it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from integrations.framework.registry import operation_or_none
from integrations.models import Connection
from integrations.teams.access import Can, allow, may
from pinxero.pages import page
from workflows.definitions import editing
from workflows.definitions.changes import copying, deleting, revisions
from workflows.definitions.description import outline
from workflows.forms.page_forms import WorkflowForm
from workflows.models import Run, Workflow, WorkflowPart
from workflows.presenters.editor.available_values import token_groups
from workflows.presenters.labels import choice_labels
from workflows.presenters.presentation import when
from workflows.presenters.step_cards import CardBuilder, as_text, called_in, input_lines
from workflows.views.common import any_workflow_or_404, signed_in, state_of, steps_of, workflow_or_404
from workflows.views.editor.form_page import WholePage, confirmed
from workflows.views.editor.panel import editor_page

_VERSIONS_SHOWN = 20
_RUNS_SHOWN = 5
#: The database decides when a check is due; its clock may be a little ahead of ours.
_CLOCKS_APART = timedelta(seconds=5)
LOOKING = "Checking now"
_RUN_LISTED = ("status", "wait_reason", "title", "result", "error", "created_at", "finished_at")


@require_GET
@allow(Can.LOOK)
def workflow(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """The draft step by step, with what still keeps it from being published; beside it the last runs and versions.

    With `?seen=` (the runs shown now) it answers 204 if they have not changed.
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
    context = {
        "versions": _versions(shown)[:5],
        "runs": runs,
        "look": look,
        "is_live": look == LOOKING or any(run.is_open for run in runs),
        "seen": seen,
        "deleted": deleting.last_deleted(shown) if may(request, Can.BUILD) else None,
    }
    return editor_page(request, shown, "workflows/overview.html", context, title="")


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def workflow_settings(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Rename it and say what it is for."""
    return NamePage(request, workflow_or_404(request, workflow_id)).answer()


class NamePage(WholePage):
    """What a workflow is called and what it is for."""

    template = "workflows/settings.html"
    title = "Name and purpose"

    def __init__(self, request: HttpRequest, workflow: Workflow) -> None:
        super().__init__(request, workflow, revisions.part_of(workflow, WorkflowPart.Part.NAME))
        self.form = WorkflowForm(self.posted, initial=self.stored_fields())

    def stored_fields(self) -> dict[str, object]:
        """The name and the purpose."""
        stored = Workflow.objects.get(pk=self.workflow.pk)
        return {"name": stored.name, "description": stored.description}

    def save(self, typed: None) -> HttpResponse:
        """Store them and go to the workflow."""
        editing.describe_workflow(self.workflow, **self.form.cleaned_data)
        messages.success(self.request, "Saved.")
        return redirect("workflow", self.workflow.pk)

    def refuse(self, message: str) -> None:
        """Show why the name cannot be taken."""
        self.form.add_error("name", message)


@require_POST
@allow(Can.BUILD)
def copy_workflow(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Make a draft with the same trigger and steps, and go there."""
    made = copying.copy_workflow(workflow_or_404(request, workflow_id), by=cast(User, request.user))
    messages.success(request, f"{made.name} is there, as a draft. Nothing runs until you publish it and switch it on.")
    return redirect("workflow", made.pk)


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def delete_workflow(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Delete a draft that was never published; else hide the workflow and keep its history for auditors."""
    shown = workflow_or_404(request, workflow_id)
    problem = ""
    rows = revisions.rows_of(shown)
    conflict = confirmed(request, shown, rows, mine="deleted", anyway="Delete it anyway")
    if request.method == "POST" and "_theirs" in request.POST:
        return redirect("workflow", shown.pk)
    if request.method == "POST" and conflict is None:
        try:
            editing.delete_workflow(shown, by=signed_in(request))
        except editing.EditError as error:
            problem = error.message
        else:
            messages.success(request, f"{shown.name} is deleted.")
            return redirect(reverse("workflows") + f"?deleted={shown.pk}")
    context = {
        "workflow": shown,
        "heading": f"Delete {shown.name}?",
        "explanation": (
            "It disappears from the list and starts no more runs. Its versions and runs are kept for auditors, "
            "and it can be restored from the list of deleted workflows."
            if shown.published
            else "It disappears from the list, and can be restored from the list of deleted workflows."
        ),
        "problem": problem,
        "revision": revisions.state_of(rows),
        "conflict": conflict,
        "submit": "Delete the workflow" if shown.published else "Delete the draft",
        "is_dangerous": True,
    }
    return page(request, "workflows/confirm.html", context, title="Delete")


@require_GET
@allow(Can.LOOK)
def versions(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Every version: number, who published it, when, why, and its content."""
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
    """One version as published: in plain English, and with every input."""
    shown = any_workflow_or_404(request, workflow_id)
    found = get_object_or_404(shown.versions.select_related("published_by"), number=number)
    groups, own = token_groups(shown, steps_of(shown))
    names = {c.pk: c for c in Connection.objects.filter(team=shown.team_id)}
    labels = choice_labels(list(names.values()))
    builder = CardBuilder(groups, own, names, labels, called_in(found.plan["steps"]))
    cards = builder.cards(found.plan["steps"])
    trigger = operation_or_none(found.plan["trigger"]["operation"])
    connection = names.get(found.plan["trigger"]["connection"])
    fields = trigger.Inputs.fields() if trigger else ()
    context = {
        "workflow": shown,
        "version": found,
        "sentences": outline(found.summary),
        "is_published": shown.published_id == found.pk,
        "may_build": may(request, Can.BUILD) and shown.deleted_at is None,
        "trigger": trigger,
        "trigger_connection": connection,
        "trigger_facts": input_lines(fields, as_text(found.plan["trigger"]["inputs"]), groups, connection, labels),
        "cards": cards,
    }
    return page(request, "workflows/version.html", context, title=f"{shown.name}, version {number}")


def _look(workflow: Workflow) -> str:
    """The progress of the check that a person asked for. When it is done, its runs exist."""
    state = workflow.listens_to
    if state is None:
        return ""
    if state.next_due_at is not None and state.next_due_at <= timezone.now() + _CLOCKS_APART:
        return LOOKING
    if state.failures:
        return "The last check failed"
    return f"Checked {when(state.last_polled_at)}" + ("" if state.last_found else ": nothing new")


def _versions(workflow: Workflow) -> Any:
    return workflow.versions.select_related("published_by").defer("plan").order_by("-number")
