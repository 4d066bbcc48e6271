"""The form of a workflow's trigger: which one, on which connection, with which inputs, how often."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from integrations.access import Can, allow, team_of
from integrations.base import Start, Trigger
from integrations.registry import triggers
from pinxero.pages import page
from workflows import doorbell, editing, inputs
from workflows.forms import TriggerForm
from workflows.views.common import (
    connections_by_provider,
    loader,
    missing_scopes,
    offers,
    operation_or_none,
    pick_connection,
    workflow_or_404,
)
from workflows.views.rhythm import rhythm_of
from workflows.views.start_settings import start_form


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def trigger(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Show and save the trigger. `?trigger=` shows the form of another one; nothing changes until it is saved."""
    workflow = workflow_or_404(request, workflow_id)
    connections = connections_by_provider(team_of(request))
    wanted = operation_or_none(request.GET.get("trigger", "") or workflow.trigger_operation)
    chosen = wanted if isinstance(wanted, Trigger) else None
    if chosen is None or request.GET.get("change") == "1":
        groups = offers(triggers(), connections)
        return page(
            request, "workflows/choose_trigger.html", {"workflow": workflow, "groups": groups}, title="Choose a trigger"
        )
    if isinstance(chosen, Start):
        return start_form(request, workflow, chosen)
    is_stored = chosen.full_key == workflow.trigger_operation
    mine = connections.get(chosen.connector.key, [])
    posted = request.POST if request.method == "POST" else None
    stored = workflow.trigger_connection if is_stored else None
    connection, missing = pick_connection(mine, posted.get("connection") if posted is not None else None, stored)
    form = TriggerForm(posted, initial={"interval_minutes": workflow.interval_minutes})
    errors: dict[str, str] = {}
    if posted is not None:
        sources = inputs.read(chosen.Inputs, posted)
        is_draft = inputs.change_rows(chosen.Inputs, sources, posted) or "_refresh" in posted or "_reload" in posted
        if not is_draft:
            errors = inputs.problems(chosen.Inputs, sources, takes_tokens=False)
            if missing:
                errors["connection"] = missing
            if form.is_valid() and not errors:
                editing.set_trigger(
                    workflow,
                    operation=chosen.full_key,
                    connection=connection,
                    inputs=inputs.constants(chosen.Inputs, sources),
                    interval_minutes=form.cleaned_data["interval_minutes"],
                )
                messages.success(request, "The trigger is saved.")
                return redirect("workflow", workflow.pk)
    elif is_stored and workflow.trigger_inputs:
        sources = inputs.shown_constants(chosen.Inputs, workflow.trigger_inputs)
    else:
        sources = inputs.defaults(chosen.Inputs)
    load = loader(connection, refresh=posted.get("_refresh", "") if posted is not None else "")
    context = {
        "workflow": workflow,
        "operation": chosen,
        "is_stored": is_stored,
        "connections": mine,
        "connection": connection,
        "connection_error": errors.get("connection", ""),
        "missing_scopes": missing_scopes(chosen, connection) if connection else [],
        "controls": inputs.controls(chosen.Inputs, sources, errors, load=load, takes_tokens=False, post=posted),
        "form": form,
        "notice": _notice(chosen),
        "slowed": rhythm_of(workflow).slowed if is_stored else "",
        "has_errors": bool(errors or (posted is not None and form.errors)),
    }
    return page(request, "workflows/trigger.html", context, title=f"Trigger of {workflow.name}")


def _notice(trigger: Trigger) -> str:
    """What the minutes mean where the provider can give notice of changes."""
    name = trigger.connector.name
    if doorbell.is_instant(trigger.full_key):
        return f"{name} gives notice of this at once; the looks in between only catch what a notice has missed."
    return f"{name} can give notice of this at once, but no notice has arrived here yet: until then the minutes count."
