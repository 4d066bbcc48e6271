"""Backtests: a page to begin one, its progress and result, its files."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.db.models import F, QuerySet
from django.db.models.expressions import Combinable
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from integrations.audit.exports import exported
from integrations.framework.registry import operation_or_none
from integrations.teams.access import Can, allow, may, team_of
from integrations.views.downloads import download
from pinxero.pages import page
from workflows.definitions import compiler
from workflows.models import Backtest, BacktestDocument, BacktestItem, Preview, Workflow, WorkflowVersion
from workflows.presenters.runs import backtest_tables
from workflows.preview import backtest as backtests
from workflows.preview import backtest_items
from workflows.preview.service import preview
from workflows.publishing import publish
from workflows.views.common import any_workflow_or_404, workflow_or_404

PER_PAGE = 50
_DRAFT, _PUBLISHED = "draft", "published"
_SORTS: dict[str, tuple[str | Combinable, ...]] = {
    "item": ("item__number", "pk"),
    "-total": (F("total").desc(nulls_last=True), "pk"),
    "total": (F("total").asc(nulls_last=True), "pk"),
    "what": ("what", "whom", "pk"),
}
_SORT_LABELS = [
    ("item", "As the items came"),
    ("-total", "Largest total first"),
    ("total", "Smallest total first"),
    ("what", "By kind"),
]


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def backtest_workflow(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Choose the days and what is tested; begin."""
    workflow = workflow_or_404(request, workflow_id)
    has_changes = workflow.published is None or publish.has_unpublished_changes(workflow)
    problem = ""
    if request.method == "POST":
        version = workflow.published if request.POST.get("of") == _PUBLISHED or not has_changes else None
        plan = version.plan if version is not None else compiler.compile_plan(workflow)
        try:
            days = request.POST.get("days", "")
            made = backtests.begin(
                workflow, plan, days=int(days) if days in _days() else 0, by=_person(request), version=version
            )
        except backtests.NotBegunError as error:
            problem = error.message
        else:
            return redirect("backtest", workflow.pk, made.pk)
    context = {
        "workflow": workflow,
        "problem": problem,
        "days": backtests.DAYS,
        "chosen": request.POST.get("days") or "30",
        "of": request.POST.get("of") or (_DRAFT if has_changes else _PUBLISHED),
        "has_changes": has_changes,
        "has_trigger": operation_or_none(workflow.trigger_operation) is not None,
        "source": backtest_items.comes_from(workflow.trigger_operation),
        "most": backtest_items.MOST_ITEMS,
        "kept_days": backtests.KEPT_DAYS,
        "earlier": list(_backtests(request, workflow).defer("plan", "totals")[:10]),
    }
    return page(request, "backtests/begin.html", context, title=f"Backtest {workflow.name}")


def _days() -> set[str]:
    return {str(each) for each in backtests.DAYS}


@require_GET
@allow(Can.LOOK)
def backtest(request: HttpRequest, workflow_id: int, backtest_id: int) -> HttpResponse:
    """The progress and the result: figures, reasons, totals, and the documents or the items."""
    workflow, shown = _backtest_or_404(request, workflow_id, backtest_id)
    show = "items" if request.GET.get("show") == "items" else "documents"
    listed = _items(request, shown) if show == "items" else _documents(request, shown)
    context = {
        "workflow": workflow,
        "backtest": shown,
        "tone": backtest_tables.status_tone(shown),
        "percent": 100 * shown.done // shown.found if shown.found and shown.status != Backtest.Status.READING else 0,
        "figures": backtest_tables.figures(shown),
        "reasons": backtest_tables.reasons(shown),
        "totals": backtest_tables.totals(shown),
        "show": show,
        "files": list(backtest_tables.FILES.items()),
        "most": backtest_items.MOST_ITEMS,
        "kept_days": backtests.KEPT_DAYS,
        "may_build": may(request, Can.BUILD) and workflow.deleted_at is None,
        "here": _query(request),
        **listed,
    }
    return page(request, "backtests/backtest.html", context, title=f"Backtest of {workflow.name}")


def _query(request: HttpRequest) -> str:
    """The page's query without the number of the page."""
    query = request.GET.copy()
    query.pop("page", None)
    return query.urlencode()


def _items(request: HttpRequest, shown: Backtest) -> dict[str, Any]:
    found: QuerySet[BacktestItem] = shown.items.defer("data").order_by("number")
    outcome, group = request.GET.get("outcome", ""), request.GET.get("group", "")[:300].replace("\x00", "")
    if outcome in BacktestItem.Outcome.values:
        found = found.filter(outcome=outcome)
    if group:
        found = found.filter(group=group)
    listed: Page[BacktestItem] = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return {
        "listed": listed,
        "rows": [(each, backtest_tables.tone_of(each.outcome)) for each in listed],
        "outcome": outcome,
        "group": group,
        "outcomes": BacktestItem.Outcome.choices,
    }


def _documents(request: HttpRequest, shown: Backtest) -> dict[str, Any]:
    found: QuerySet[BacktestDocument] = shown.documents.select_related("item", "connection")
    kinds = list(found.order_by("what").values_list("what", flat=True).distinct())
    currencies = [each for each in found.order_by("currency").values_list("currency", flat=True).distinct() if each]
    what, currency = request.GET.get("what", ""), request.GET.get("currency", "")
    sort = request.GET.get("sort", "item")
    if what in kinds:
        found = found.filter(what=what)
    if currency in currencies:
        found = found.filter(currency=currency)
    found = found.order_by(*_SORTS.get(sort, _SORTS["item"])).defer("item__data")
    listed: Page[BacktestDocument] = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return {
        "listed": listed,
        "rows": backtest_tables.document_rows(listed),
        "kinds": kinds,
        "currencies": currencies,
        "what": what,
        "currency": currency,
        "sort": sort,
        "sorts": _SORT_LABELS,
    }


@require_POST
@allow(Can.BUILD)
def stop_backtest(request: HttpRequest, workflow_id: int, backtest_id: int) -> HttpResponse:
    """Stop it before its next item."""
    _, shown = _backtest_or_404(request, workflow_id, backtest_id)
    if backtests.stop(shown):
        messages.success(request, "Stopped. What was found out so far is below.")
    else:
        messages.info(request, "It had already ended.")
    return redirect("backtest", workflow_id, shown.pk)


@require_POST
@allow(Can.BUILD)
def preview_item(request: HttpRequest, workflow_id: int, backtest_id: int, backtest_item_id: int) -> HttpResponse:
    """Preview one of its items, step by step."""
    workflow, shown = _backtest_or_404(request, workflow_id, backtest_id)
    item: BacktestItem = get_object_or_404(shown.items, pk=backtest_item_id)
    version: WorkflowVersion | None = shown.version
    made = preview(
        workflow,
        shown.plan,
        item.data,
        by=_person(request),
        version=version,
        title=item.title,
        origin=Preview.Origin.REAL,
    )
    return redirect("preview", workflow.pk, made.pk)


@require_GET
@allow(Can.LOOK)
def backtest_file(request: HttpRequest, workflow_id: int, backtest_id: int, part: str) -> HttpResponse:
    """Its documents, their lines or its items as a file for a spreadsheet."""
    workflow, shown = _backtest_or_404(request, workflow_id, backtest_id)
    if part not in backtest_tables.FILES:
        raise Http404("There is no such file.")
    content = backtest_tables.csv_of(shown, part)
    which = [("Backtest", str(shown.pk)), ("Part", part)]
    exported(workflow, team_id=workflow.team_id, by=request.user, form="CSV", chosen=which)
    return download(content, stem=f"{workflow.name} backtest {part}", extension="csv", content_type="text/csv")


def _backtest_or_404(request: HttpRequest, workflow_id: int, backtest_id: int) -> tuple[Workflow, Backtest]:
    workflow = any_workflow_or_404(request, workflow_id)
    return workflow, get_object_or_404(_backtests(request, workflow), pk=backtest_id)


def _backtests(request: HttpRequest, workflow: Workflow) -> QuerySet[Backtest]:
    mine = Backtest.objects.for_team(team_of(request)).filter(workflow=workflow)
    found: QuerySet[Backtest] = mine.select_related("version", "by")
    return found


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
