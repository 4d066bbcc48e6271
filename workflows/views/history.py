"""History: deleted workflows, and the differences between two versions."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from integrations.audit.word_changes import changes
from integrations.teams.access import Can, allow, may, team_of
from pinxero.pages import page
from workflows.definitions import editing
from workflows.definitions.description import describe
from workflows.models import Workflow, WorkflowVersion
from workflows.views.common import any_workflow_or_404

_LISTED = 200


@require_GET
@allow(Can.LOOK)
def deleted(request: HttpRequest) -> HttpResponse:
    """The team's deleted workflows, the last deleted first."""
    found = Workflow.objects.deleted(team_of(request)).select_related("published", "deleted_by")
    rows = list(found.defer("published__plan", "trigger_inputs").order_by("-deleted_at")[:_LISTED])
    context = {"rows": rows, "may_build": may(request, Can.BUILD)}
    return page(request, "workflows/deleted_list.html", context, title="Deleted workflows")


@require_POST
@allow(Can.BUILD)
def take_back(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Restore a deleted workflow: paused, or as the draft that it was."""
    workflow = any_workflow_or_404(request, workflow_id)
    try:
        editing.undelete_workflow(workflow)
    except editing.EditError as error:
        messages.error(request, error.message)
        return redirect("deleted_workflows")
    state = ", as a draft." if workflow.published is None else ". It is paused until somebody switches it on."
    messages.success(request, f"{workflow.name} was restored{state}")
    return redirect("workflow", workflow.pk)


@require_GET
@allow(Can.LOOK)
def compare(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """How two versions differ: `?from=` and `?to=`, by default the last two."""
    workflow = any_workflow_or_404(request, workflow_id)
    versions = list(workflow.versions.select_related("published_by").order_by("-number"))
    if not versions:
        raise Http404("It has no versions yet.")
    new = _chosen(versions, request.GET.get("to"), 0)
    old = _chosen(versions, request.GET.get("from"), min(versions.index(new) + 1, len(versions) - 1))
    found = changes(describe(old.plan), describe(new.plan))
    context = {
        "workflow": workflow,
        "versions": versions,
        "old": old,
        "new": new,
        "changes": found,
        "is_same": old.plan_sha256 == new.plan_sha256,
    }
    return page(request, "workflows/compare.html", context, title=f"{workflow.name}: what changed")


def _chosen(versions: list[WorkflowVersion], asked: str | None, otherwise: int) -> WorkflowVersion:
    if not asked:
        return versions[otherwise]
    found = next((each for each in versions if str(each.number) == asked), None)
    if found is None:
        raise Http404("There is no such version.")
    return found
