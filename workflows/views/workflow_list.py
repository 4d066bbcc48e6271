"""The list of workflows, and a new one."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db.models import OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from integrations.framework.base import Connector
from integrations.framework.registry import operation_or_none, triggers
from integrations.teams.access import Can, allow, may, team_of
from pinxero.pages import page
from workflows.definitions import editing
from workflows.forms.page_forms import NewWorkflowForm
from workflows.models import Run, Workflow
from workflows.presenters.obstacles import blocked
from workflows.views.common import OperationOffer, connections_by_provider, offers

PER_PAGE = 50
_ORDERS = {
    "name": ("Name", ("name", "pk")),
    "-changed": ("Changed last", ("-changed_at", "-pk")),
    "-run": ("Ran last", ("-last_run_id", "name", "pk")),
    "status": ("Status", ("status", "name", "pk")),
}


@require_GET
@allow(Can.LOOK)
def workflows(request: HttpRequest) -> HttpResponse:
    """The team's workflows with their triggers and last runs."""
    order = request.GET.get("sort", "name")
    order = order if order in _ORDERS else "name"
    status = request.GET.get("status", "")
    search = request.GET.get("q", "").strip()[:100].replace("\x00", "")
    start = _page_number(request) * PER_PAGE
    last_run = Run.objects.filter(workflow=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    found = Workflow.objects.for_team(team_of(request)).select_related("trigger_connection", "published")
    found = found.annotate(last_run_id=Subquery(last_run)).defer("published__plan", "trigger_inputs")
    if status in Workflow.Status.values:
        found = found.filter(status=status)
    if search:
        found = found.filter(Q(name__icontains=search) | Q(description__icontains=search))
    rows = list(found.order_by(*_ORDERS[order][1])[start : start + PER_PAGE + 1])
    runs = Run.objects.only("status", "error", "created_at", "title").in_bulk(
        [row.last_run_id for row in rows[:PER_PAGE] if row.last_run_id]
    )
    kept_from = blocked(team_of(request), rows[:PER_PAGE])
    listed = [
        (row, operation_or_none(row.trigger_operation), runs.get(row.last_run_id), kept_from.get(row.pk, []))
        for row in rows[:PER_PAGE]
    ]
    context = {
        "rows": listed,
        "search": search,
        "status": status,
        "sort": order,
        "statuses": Workflow.Status.choices,
        "orders": [(key, label) for key, (label, _) in _ORDERS.items()],
        "is_filtered": bool(search or status in Workflow.Status.values),
        "may_build": may(request, Can.BUILD),
        "deleted": _just_deleted(request),
        "previous_page": start // PER_PAGE if start else None,
        "next_page": start // PER_PAGE + 2 if len(rows) > PER_PAGE else None,
    }
    return page(request, "workflows/list.html", context, title="Workflows")


def _just_deleted(request: HttpRequest) -> Workflow | None:
    """The workflow that was deleted on the way here, to offer its return."""
    asked = request.GET.get("deleted", "")
    if not asked.isdecimal() or len(asked) > 18 or not may(request, Can.BUILD):
        return None
    found: Workflow | None = Workflow.objects.deleted(team_of(request)).filter(pk=int(asked)).first()
    return found


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page", "1")
    return min(10_000, int(text) - 1) if text.isdecimal() and len(text) < 6 and int(text) > 0 else 0


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def new_workflow(request: HttpRequest) -> HttpResponse:
    """Name it and choose what starts it; the rest is edited on its own page."""
    team = team_of(request)
    connections = connections_by_provider(team)
    groups = offers(triggers(), connections)
    form = NewWorkflowForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        offer = _offered(groups, form.cleaned_data["trigger"])
        if offer is None or not offer.is_possible:
            form.add_error("trigger", "This trigger cannot be used yet. Connect its account first, or choose another.")
        else:
            mine = connections[offer.operation.connector.key]
            assert isinstance(request.user, User)
            try:
                workflow = editing.create_workflow(
                    team,
                    name=form.cleaned_data["name"],
                    operation=offer.operation.full_key,
                    connection=mine[0] if len(mine) == 1 else None,
                    by=request.user,
                )
            except editing.EditError as error:
                form.add_error("name", error.message)
            else:
                return redirect("workflow_trigger", workflow.pk)
    context = {"form": form, "groups": groups}
    return page(request, "workflows/new.html", context, title="New workflow")


def _offered(groups: Sequence[tuple[Connector, bool, list[OperationOffer]]], key: str) -> OperationOffer | None:
    return next((offer for _, _, its in groups for offer in its if offer.operation.full_key == key), None)
