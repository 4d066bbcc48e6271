"""Previews: a POST makes one, its page shows it. Nothing is written, so nothing has to be confirmed."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST

from integrations.framework.registry import operation_or_none
from integrations.teams.access import Can, allow, may, team_of
from pinxero.pages import page
from workflows.definitions import compiler, plans
from workflows.models import Preview, PreviewStep, Step, Workflow
from workflows.presenters.presentation import labelled_values
from workflows.presenters.runs import preview_presenter
from workflows.preview.items import item_named, items_at_hand
from workflows.preview.service import preview as make_preview
from workflows.publishing.publish import fingerprint
from workflows.views.common import any_workflow_or_404, workflow_or_404


@require_POST
@allow(Can.BUILD)
def preview_workflow(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Preview the draft, or with `version` that version, with the `item` named; `upto` and `fail_step` are steps,
    `forced` the filters, stops and paths to go on at."""
    workflow = workflow_or_404(request, workflow_id)
    return _previewed(request, workflow, upto=request.POST.get("upto", ""))


@require_POST
@allow(Can.BUILD)
def preview_step(request: HttpRequest, workflow_id: int, step_id: int) -> HttpResponse:
    """Preview the draft up to this step."""
    workflow = workflow_or_404(request, workflow_id)
    step: Step = get_object_or_404(workflow.steps, pk=step_id)
    return _previewed(request, workflow, upto=step.key)


def _previewed(request: HttpRequest, workflow: Workflow, *, upto: str) -> HttpResponse:
    number = request.POST.get("version", "")
    version = None
    if number.isascii() and number.isdecimal() and len(number) < 9:
        version = get_object_or_404(workflow.versions, number=int(number))
    plan = version.plan if version else compiler.compile_plan(workflow)
    keys = {step["key"] for step, _ in plans.each_step(plan)}
    fail_step = request.POST.get("fail_step", "")
    item = item_named(workflow, request.POST.get("item", ""))
    assert isinstance(request.user, User)
    made = make_preview(
        workflow,
        plan,
        item.data,
        by=request.user,
        upto=upto if upto in keys else None,
        fail_step=fail_step if fail_step in keys else None,
        force=keys.intersection(request.POST.getlist("forced")),
        version=version,
        title=item.title,
        origin=item.origin,
        item=item.key,
    )
    return redirect("preview", workflow.pk, made.pk)


@require_GET
@allow(Can.LOOK)
def preview(request: HttpRequest, workflow_id: int, preview_id: int) -> HttpResponse:
    """What would be done with the item, step by step."""
    workflow = any_workflow_or_404(request, workflow_id)
    mine = Preview.objects.for_team(team_of(request)).filter(workflow=workflow)
    shown: Preview = get_object_or_404(mine.select_related("by", "version", "called_by", "workflow"), pk=preview_id)
    rows = list(PreviewStep.objects.filter(preview=shown).select_related("connection__grant", "called__workflow"))
    names = {step["key"]: step["name"] for step, _ in plans.each_step(shown.plan)}
    is_draft = shown.version_id is None and shown.called_by_id is None
    is_older = is_draft and shown.plan_sha256 != fingerprint(compiler.compile_plan(workflow))
    may_build = may(request, Can.BUILD)
    context = {
        "workflow": workflow,
        "preview": shown,
        "tone": preview_presenter.tone(shown.status),
        "sentence": preview_presenter.sentence(shown),
        "trigger": operation_or_none(shown.plan["trigger"]["operation"]),
        "event_facts": labelled_values(shown.data) if shown.data else [],
        "nodes": preview_presenter.preview_nodes(shown, rows, may_build=may_build),
        "upto_name": names.get(shown.upto, ""),
        "fail_name": names.get(shown.fail_step, ""),
        "is_forced_throughout": bool(rows) and not shown.forced and all(row.is_forced for row in rows),
        "items": items_at_hand(workflow) if may_build and is_draft else [],
        "is_older": is_older,
        "is_publishable": is_draft and not is_older and _differs(workflow, shown),
        "days": Preview.KEPT_DAYS,
        "may_build": may_build and workflow.deleted_at is None and shown.called_by_id is None,
    }
    return page(request, "previews/preview.html", context, title=f"Preview of {workflow.name}")


def _differs(workflow: Workflow, shown: Preview) -> bool:
    """Whether what it shows is not published yet."""
    return workflow.published is None or workflow.published.plan_sha256 != shown.plan_sha256
