"""The form of a step: its operation's inputs, made from the Schema; and adding, moving and deleting steps."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from integrations.access import Can, allow, team_of
from integrations.base import Action
from integrations.registry import actions
from pinxero.pages import page
from workflows import confirming, editing, inputs, publishing
from workflows.forms import StepForm
from workflows.functions import FUNCTIONS
from workflows.models import Step, Workflow
from workflows.outline import Place
from workflows.sight import sight
from workflows.views.common import (
    connections_by_provider,
    loader,
    missing_scopes,
    offers,
    operation_or_none,
    pick_connection,
    seen_at,
    steps_of,
    workflow_or_404,
)

_USUAL = 8


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def new_step(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Choose an action, then fill in its form."""
    workflow = workflow_or_404(request, workflow_id)
    action = operation_or_none(request.GET.get("operation", ""))
    if not isinstance(action, Action):
        connections = connections_by_provider(team_of(request))
        context = {"workflow": workflow, "groups": offers(actions(), connections)}
        return page(request, "workflows/choose_action.html", context, title="Choose an action")
    return _edit(request, workflow, None, action)


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def step(request: HttpRequest, workflow_id: int, step_id: int) -> HttpResponse:
    """Show and save an action of the workflow."""
    workflow, found = _step_or_404(request, workflow_id, step_id)
    action = operation_or_none(found.operation)
    if not isinstance(action, Action):
        messages.error(request, f"{found.operation} is not available here any more. Delete the step or add another.")
        return redirect("workflow", workflow.pk)
    return _edit(request, workflow, found, action)


@require_POST
@allow(Can.BUILD)
def move_step(request: HttpRequest, workflow_id: int, step_id: int) -> HttpResponse:
    """One place up or down."""
    workflow, found = _step_or_404(request, workflow_id, step_id)
    if editing.move_step(found, up=request.POST.get("direction") == "up"):
        messages.success(request, f"{found.name} is moved.")
    return HttpResponseRedirect(reverse("workflow", args=[workflow.pk]) + f"#step-{found.pk}")


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def delete_step(request: HttpRequest, workflow_id: int, step_id: int) -> HttpResponse:
    """Ask, then remove the step."""
    workflow, found = _step_or_404(request, workflow_id, step_id)
    if request.method == "POST":
        editing.delete_step(found)
        messages.success(request, f"{found.name} is deleted.")
        return redirect("workflow", workflow.pk)
    context = {
        "workflow": workflow,
        "heading": f"Delete the step {found.name}?",
        "explanation": "Its inputs are removed with it. Later steps that use its values will have to be changed.",
        "submit": "Delete the step",
        "is_dangerous": True,
    }
    return page(request, "workflows/confirm.html", context, title="Delete a step")


def _step_or_404(request: HttpRequest, workflow_id: int, step_id: int) -> tuple[Workflow, Step]:
    workflow = workflow_or_404(request, workflow_id)
    mine = workflow.steps.filter(kind=Step.Kind.ACTION).select_related("connection__grant", "workflow")
    return workflow, get_object_or_404(mine, pk=step_id)


def _edit(request: HttpRequest, workflow: Workflow, step: Step | None, action: Action) -> HttpResponse:
    posted = request.POST if request.method == "POST" else None
    mine = connections_by_provider(team_of(request)).get(action.connector.key, [])
    stored = step.connection if step else None
    connection, missing = pick_connection(mine, posted.get("connection") if posted is not None else None, stored)
    if not action.connector.needs_connection:
        connection, missing = None, ""
    form = StepForm(posted, initial=_initial(step, action))
    errors: dict[str, str] = {}
    if posted is not None:
        sources = inputs.read(action.Inputs, posted)
        if not _is_draft(action, sources, posted):
            errors = inputs.problems(action.Inputs, sources, takes_tokens=True)
            errors = {**confirming.problems(action, sources, connection), **errors}
            if missing:
                errors["connection"] = missing
            if form.is_valid() and not errors:
                draft = editing.StepDraft(
                    name=form.cleaned_data["name"],
                    operation=action.full_key,
                    connection=connection,
                    sources=sources,
                    on_error=form.cleaned_data["on_error"],
                    max_attempts=form.cleaned_data["max_attempts"],
                )
                saved = editing.save_step(workflow, step, draft)
                messages.success(request, f"{saved.name} is saved.")
                return HttpResponseRedirect(reverse("workflow", args=[workflow.pk]) + f"#step-{saved.pk}")
    elif step is not None:
        sources = editing.sources_of(list(step.mappings.all()))
        errors = {p.input: p.message for p in publishing.problems(workflow) if p.step == step.key and p.input}
    else:
        sources = inputs.defaults(action.Inputs)
    load = loader(connection, refresh=posted.get("_refresh", "") if posted is not None else "")
    controls = inputs.controls(action.Inputs, sources, errors, load=load, takes_tokens=True, post=posted)
    usual, more = _folded(controls)
    standing = inputs.defaults(action.Inputs)
    pressed = posted.get("_refresh", "") or posted.get("_remove_row", "") if posted is not None else ""
    is_more_open = any(each.is_touched(standing.get(each.path)) or each.path == pressed.split(".")[0] for each in more)
    shown = {control.path for control in controls} | {"connection"}
    context = {
        "workflow": workflow,
        "step": step,
        "operation": action,
        "connections": mine,
        "connection": connection,
        "connection_error": errors.get("connection", ""),
        "missing_scopes": missing_scopes(action, connection) if connection else [],
        "controls": usual,
        "more_controls": more,
        "is_more_open": is_more_open,
        "stray_errors": [said for path, said in errors.items() if path.split(".")[0] not in shown],
        "form": form,
        "groups": sight(workflow, steps_of(workflow), seen_at(step, Place())).groups,
        "functions": list(FUNCTIONS.values()),
        "has_errors": bool(errors or (posted is not None and form.is_bound and form.errors)),
        "was_posted": posted is not None,
    }
    title = step.name if step else action.name
    return page(request, "workflows/step.html", context, title=title)


def _folded(controls: list[inputs.Control]) -> tuple[list[inputs.Control], list[inputs.Control]]:
    """The inputs that everybody sees, and the less usual ones: what may stay empty beyond the first eight."""
    rest = controls[_USUAL:]
    needed = [each for each in rest if each.is_required]
    return controls[:_USUAL] + needed, [each for each in rest if not each.is_required]


def _is_draft(action: Action, sources: editing.Sources, posted: QueryDict) -> bool:
    """Whether the post only asks for the form again: with another row, fresh choices, another connection."""
    return inputs.change_rows(action.Inputs, sources, posted) or "_refresh" in posted or "_reload" in posted


def _initial(step: Step | None, action: Action) -> dict[str, object]:
    if step is None:
        return {"name": action.name}
    return {"name": step.name, "on_error": step.on_error, "max_attempts": step.max_attempts}
