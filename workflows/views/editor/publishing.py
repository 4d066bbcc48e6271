"""Publishing a workflow, switching it on and off: each a page that says what will happen, and a POST that does it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from integrations.audit.word_changes import changes
from integrations.framework.base import Trigger
from integrations.framework.registry import operation_or_none
from integrations.teams.access import Can, allow
from pinxero.pages import page
from workflows.approvals import publication
from workflows.definitions import compiler, validation
from workflows.definitions.checks import confirmation
from workflows.definitions.description import describe, outline
from workflows.definitions.samples import sample_checks
from workflows.forms.page_forms import ActivateForm, PauseForm, PublishForm
from workflows.models import Workflow
from workflows.presenters import check_list, field_links, start_status
from workflows.presenters.runs.preview_presenter import sentence
from workflows.preview.fitting import is_clean, last_full_preview
from workflows.publishing import activation
from workflows.publishing import publish as publishing
from workflows.triggers import backfill, wake_on_webhook
from workflows.triggers.backfill import Counted
from workflows.views.common import steps_of, workflow_or_404


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def publish(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Show the workflow in plain English and what keeps it from being published; publish it.

    With `check` the organisations are asked what the checks need to know. The page asks for that once it is shown, so
    that nobody waits for a provider.
    """
    workflow = workflow_or_404(request, workflow_id)
    is_checked = "check" in request.GET
    found = validation.problems(workflow)
    checked = [] if found else sample_checks.sample_findings(workflow, may_ask=is_checked)
    found = found or sample_checks.refusals(checked)
    plan = None if found else compiler.compile_plan(workflow)
    previewed = last_full_preview(workflow, publishing.fingerprint(plan)) if plan is not None else None
    form = PublishForm(request.POST if request.method == "POST" else None, is_previewed=is_clean(previewed))
    shown = request.POST.get("shown", "")
    needs_second = publishing.needs_second_person(workflow.team_id)
    has_changed_since = bool(shown and plan is not None and shown != publishing.fingerprint(plan))
    if request.method == "POST" and form.is_valid() and not found:
        try:
            note = form.cleaned_data["note"]
            if needs_second:
                asked = publication.ask(workflow, by=_person(request), note=note, shown=shown)
                messages.success(request, "Asked. A second person publishes it.")
                return redirect("publication", workflow.pk, asked.number)
            version = publishing.publish(workflow, by=_person(request), note=note, shown=shown)
        except activation.NotAllowedNowError as error:
            form.add_error("note", error.message)
        except publishing.PublishError as error:
            found = error.problems
        except publishing.ChangedError:
            has_changed_since = True
        else:
            messages.success(request, f"Version {version.number} is published.")
            if form.cleaned_data["switch_on"]:
                return _switched_on(request, workflow)
            return redirect("workflow", workflow.pk)
    published = workflow.published
    trigger = operation_or_none(workflow.trigger_operation)
    plan = None if found else compiler.compile_plan(workflow)
    said = describe(plan) if plan is not None else ""
    context = {
        "workflow": workflow,
        "form": form,
        "problems": [(problem, field_links.link_of(workflow, problem)) for problem in found],
        "sentences": outline(said),
        "shown": publishing.fingerprint(plan) if plan is not None else "",
        "has_changed_since": has_changed_since,
        "needs_second": needs_second,
        "publication": publication.waiting(workflow),
        "changes": changes(describe(published.plan), said) if said and published else [],
        "has_changes": publishing.has_unpublished_changes(workflow),
        "previewed": previewed,
        "preview_sentence": sentence(previewed) if previewed else "",
        "is_previewed": is_clean(previewed),
        "trigger": trigger,
        "start": start_status.start_status(workflow),
        "checked": check_list.check_list(workflow, checked),
        "is_checked": is_checked,
        "destructions": confirmation.destructions(steps_of(workflow)),
    }
    return page(request, "workflows/publish.html", context, title=f"Publish {workflow.name}")


def _switched_on(request: HttpRequest, workflow: Workflow) -> HttpResponse:
    """Switch on what was just published, from now; if that cannot be, say so where it can be tried again."""
    if workflow.status == Workflow.Status.ACTIVE:
        return redirect("workflow", workflow.pk)
    try:
        activation.activate(workflow, by=_person(request))
    except activation.NotAllowedNowError as error:
        messages.error(request, f"It is not switched on yet. {error.message}")
        return redirect("activate_workflow", workflow.pk)
    messages.success(request, start_status.activation_message(workflow))
    return redirect("workflow", workflow.pk)


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def activate(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Say what switching on means, and how many runs a past day would start; switch it on."""
    workflow = workflow_or_404(request, workflow_id)
    form = ActivateForm(request.POST if request.method == "POST" else None)
    problem, counted = "", None
    if request.method == "POST" and form.is_valid():
        since = form.since_day
        try:
            if since is not None and not form.is_counted:
                counted = activation.count_backfill(workflow, since)
            else:
                shown = form.cleaned_data
                seen = Counted(shown["counted"] or 0, is_capped=shown["is_capped"]) if since else None
                activation.activate(workflow, by=_person(request), since=since, counted=seen)
                messages.success(request, start_status.activation_message(workflow))
                return redirect("workflow", workflow.pk)
        except activation.NotAllowedNowError as error:
            problem = error.message
    trigger = operation_or_none(workflow.published.plan["trigger"]["operation"]) if workflow.published else None
    minutes = workflow.interval_minutes
    context = {
        "workflow": workflow,
        "form": form,
        "counted": counted,
        "most": backfill.MOST_COUNTED,
        "trigger": trigger if isinstance(trigger, Trigger) else None,
        "start": start_status.start_status(workflow, published=True),
        "cadence": wake_on_webhook.cadence(trigger.full_key, minutes) if trigger else f"every {minutes} minutes",
        "problem": problem,
        "has_changes": workflow.published is not None and publishing.has_unpublished_changes(workflow),
    }
    return page(request, "workflows/activate.html", context, title=f"Switch on {workflow.name}")


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def pause(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Say what pausing means; pause it."""
    workflow = workflow_or_404(request, workflow_id)
    form = PauseForm(request.POST if request.method == "POST" else None)
    problem = ""
    if request.method == "POST" and form.is_valid():
        try:
            activation.pause(workflow, by=_person(request), reason=form.cleaned_data["reason"])
        except activation.NotAllowedNowError as error:
            problem = error.message
        else:
            messages.success(request, f"{workflow.name} is paused.")
            return redirect("workflow", workflow.pk)
    context = {
        "workflow": workflow,
        "heading": f"Pause {workflow.name}?",
        "explanation": start_status.pause_explanation(workflow),
        "form": form,
        "problem": problem,
        "submit": "Pause",
    }
    return page(request, "workflows/confirm.html", context, title="Pause")


@require_POST
@allow(Can.BUILD)
def look_now(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Check for new items now instead of at the next interval."""
    workflow = workflow_or_404(request, workflow_id)
    try:
        activation.poll_now(workflow, by=_person(request))
    except activation.NotAllowedNowError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Checking now. New runs appear below by themselves.")
        return HttpResponseRedirect(reverse("workflow", args=[workflow.pk]) + "?live=1#last-runs")
    return redirect("workflow", workflow.pk)


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
