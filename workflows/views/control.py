"""Publishing a workflow, switching it on and off: each a page that says what will happen, and a POST that does it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from integrations.access import Can, allow
from integrations.base import Trigger
from pinxero.pages import page
from workflows import confirming, doorbell, lifecycle, publishing, releasing
from workflows.describing import changes, describe
from workflows.forms import ActivateForm, NoteForm, PauseForm
from workflows.models import Step, Workflow
from workflows.releasing import Counted
from workflows.views import start_told
from workflows.views.common import operation_or_none, steps_of, workflow_or_404


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def publish(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Show the workflow in plain English and what keeps it from being published; publish it."""
    workflow = workflow_or_404(request, workflow_id)
    form = NoteForm(request.POST or None)
    found = publishing.problems(workflow)
    if request.method == "POST" and form.is_valid() and not found:
        try:
            version = publishing.publish(workflow, by=_person(request), note=form.cleaned_data["note"])
        except publishing.PublishError as error:
            found = error.problems
        else:
            messages.success(request, f"Version {version.number} is published.")
            return redirect("workflow", workflow.pk)
    published = workflow.published
    said = "" if found else describe(publishing.compile_plan(workflow))
    context = {
        "workflow": workflow,
        "form": form,
        "problems": [(problem, _place(workflow, problem)) for problem in found],
        "sentences": said.splitlines(),
        "changes": changes(describe(published.plan), said) if said and published else [],
        "has_changes": publishing.has_unpublished_changes(workflow),
        "destructions": confirming.destructions(steps_of(workflow)),
    }
    return page(request, "workflows/publish.html", context, title=f"Publish {workflow.name}")


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def activate(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Say what switching on means, and how much of the past a day would release; switch it on."""
    workflow = workflow_or_404(request, workflow_id)
    form = ActivateForm(request.POST if request.method == "POST" else None)
    problem, counted = "", None
    if request.method == "POST" and form.is_valid():
        since = form.since_day
        try:
            if since is not None and not form.is_counted:
                counted = lifecycle.count_release(workflow, since)
            else:
                shown = form.cleaned_data
                seen = Counted(shown["counted"] or 0, is_capped=shown["is_capped"]) if since else None
                lifecycle.activate(workflow, by=_person(request), since=since, counted=seen)
                messages.success(request, start_told.once_active(workflow))
                return redirect("workflow", workflow.pk)
        except lifecycle.NotAllowedNowError as error:
            problem = error.message
    trigger = operation_or_none(workflow.published.plan["trigger"]["operation"]) if workflow.published else None
    minutes = workflow.interval_minutes
    context = {
        "workflow": workflow,
        "form": form,
        "counted": counted,
        "most": releasing.MOST_COUNTED,
        "trigger": trigger if isinstance(trigger, Trigger) else None,
        "start": start_told.told(workflow, published=True),
        "cadence": doorbell.cadence(trigger.full_key, minutes) if trigger else f"every {minutes} minutes",
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
            lifecycle.pause(workflow, by=_person(request), reason=form.cleaned_data["reason"])
        except lifecycle.NotAllowedNowError as error:
            problem = error.message
        else:
            messages.success(request, f"{workflow.name} is paused.")
            return redirect("workflow", workflow.pk)
    context = {
        "workflow": workflow,
        "heading": f"Pause {workflow.name}?",
        "explanation": start_told.while_paused(workflow),
        "form": form,
        "problem": problem,
        "submit": "Pause",
    }
    return page(request, "workflows/confirm.html", context, title="Pause")


@require_POST
@allow(Can.BUILD)
def look_now(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Look for new items now instead of at the next turn."""
    workflow = workflow_or_404(request, workflow_id)
    try:
        lifecycle.look_now(workflow, by=_person(request))
    except lifecycle.NotAllowedNowError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "It looks now. New runs appear below by themselves.")
        return HttpResponseRedirect(reverse("workflow", args=[workflow.pk]) + "?live=1#last-runs")
    return redirect("workflow", workflow.pk)


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _place(workflow: Workflow, problem: publishing.Problem) -> tuple[str, str]:
    """Where a problem is mended: the address of the page and the words of the link."""
    if problem.step is None:
        return reverse("new_step", args=[workflow.pk]), "Add a step"
    if problem.step == publishing.TRIGGER:
        return reverse("workflow_trigger", args=[workflow.pk]), "Trigger"
    step = workflow.steps.filter(key=problem.step).first()
    if step is None:
        return reverse("workflow", args=[workflow.pk]), "Workflow"
    if problem.input is None and step.kind in (Step.Kind.ACTION, Step.Kind.BRANCH, Step.Kind.LOOP):
        # What stands in them is changed on the workflow's page.
        return reverse("workflow", args=[workflow.pk]) + f"#step-{step.pk}", step.name
    input_id = "#id_in-" + problem.input.replace(".", "-").replace("~", "-") if problem.input else ""
    return reverse("step", args=[workflow.pk, step.pk]) + input_id, step.name
