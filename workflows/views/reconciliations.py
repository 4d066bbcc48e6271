"""Reconciliations: what of the written was changed since, field by field; beginning one, its report, its file."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from integrations.audit.exports import exported
from integrations.core.address_values import day_of, number_of
from integrations.models import Connection
from integrations.teams.access import Can, allow, may, team_of
from integrations.views.downloads import csv_download
from pinxero.pages import page
from workflows.models import Reconciliation, ReconciliationFinding
from workflows.presenters import reconciliation_tables
from workflows.reconciliation import beginning, results
from workflows.reconciliation.results import Filter

PER_PAGE = 50


@require_http_methods(["GET", "POST"])
@allow(Can.LOOK)
def reconciliations(request: HttpRequest) -> HttpResponse:
    """Those of the team, the newest first, and a form to begin one."""
    team, problem, wrong = team_of(request), "", frozenset[str]()
    if request.method == "POST":
        _insist_may_begin(request)
        try:
            return redirect("reconciliation", _begin(request).pk)
        except beginning.NotBegunError as error:
            problem, wrong = error.message, frozenset(error.fields)
    today = timezone.localdate()
    connections = list(Connection.objects.for_team(team).exclude(status=Connection.Status.DISCONNECTED))
    found = Reconciliation.objects.for_team(team).select_related("connection", "by")
    chosen = number_of(request.GET.get("connection", ""))
    if chosen is not None:
        found = found.filter(connection=chosen)
    listed = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "listed": listed,
        "rows": [
            (each, reconciliation_tables.status_tone(each), reconciliation_tables.alarming(each)) for each in listed
        ],
        "connections": connections,
        "chosen": chosen,
        "since": request.POST.get("since") or (today - timedelta(days=30)).isoformat(),
        "until": request.POST.get("until") or today.isoformat(),
        "problem": problem,
        "wrong": wrong,
        "may_begin": _may_begin(request),
        "nightly_days": beginning.NIGHTLY_DAYS,
        "here": _query(request),
    }
    return page(request, "reconciliations/list.html", context, title="Reconciliation")


def _begin(request: HttpRequest) -> Reconciliation:
    """Raises NotBegunError."""
    pk = number_of(request.POST.get("connection", "")) or 0
    connection = Connection.objects.for_team(team_of(request)).filter(pk=pk).select_related("grant").first()
    if connection is None:
        raise beginning.NotBegunError("Choose an organisation.", "connection")
    since, until = day_of(request.POST.get("since", "")), day_of(request.POST.get("until", ""))
    if since is None or until is None:
        raise beginning.NotBegunError("Choose the first and the last day.", *(["until"] if since else ["since"]))
    assert isinstance(request.user, User)
    return beginning.begin(connection, since=since, until=until, by=request.user)


@require_GET
@allow(Can.LOOK)
def reconciliation(request: HttpRequest, reconciliation_id: int) -> HttpResponse:
    """The report: how many came out how, and what differs, field by field."""
    shown = _reconciliation_or_404(request, reconciliation_id)
    chosen = _filter_of(request.GET)
    found = chosen.of(shown)
    if not chosen.verdict:
        # What moved on as usual, and what cannot be read, is a figure to choose.
        found = found.filter(verdict__in=ReconciliationFinding.ALARMING)
    listed = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "shown": shown,
        "tone": reconciliation_tables.status_tone(shown),
        "percent": 100 * shown.done // shown.total if shown.total else 100,
        "figures": reconciliation_tables.figures(shown, chosen.verdict),
        "provider": reconciliation_tables.provider_of(shown),
        "others": reconciliation_tables.others_of(shown),
        "listed": listed,
        "rows": reconciliation_tables.rows(listed),
        "chosen": chosen,
        "is_narrow": bool(chosen.change or chosen.q or chosen.since or chosen.until or chosen.verdict),
        "changes": results.changes_in(shown),
        "verdicts": ReconciliationFinding.Verdict.choices,
        "may_begin": _may_begin(request),
        "here": _query(request),
    }
    return page(request, "reconciliations/report.html", context, title=f"Reconciliation of {shown.organisation}")


@require_POST
@allow(Can.LOOK)
def stop_reconciliation(request: HttpRequest, reconciliation_id: int) -> HttpResponse:
    """Stop it; what was found stays."""
    _insist_may_begin(request)
    shown = _reconciliation_or_404(request, reconciliation_id)
    if beginning.stop(shown):
        messages.success(request, "Stopped. What was found so far is below.")
    else:
        messages.info(request, "It had already ended.")
    return redirect("reconciliation", shown.pk)


@require_GET
@allow(Can.LOOK)
def reconciliation_csv(request: HttpRequest, reconciliation_id: int) -> StreamingHttpResponse:
    """The findings that the filter leaves, field by field."""
    shown, chosen = _reconciliation_or_404(request, reconciliation_id), _filter_of(request.GET)
    words = [("Verdict", chosen.verdict), ("Change", chosen.change), ("Search", "not kept" if chosen.q else "")]
    words += [("Since", str(chosen.since or "")), ("Until", str(chosen.until or ""))]
    told = [(label, value) for label, value in words if value]
    exported(shown, team_id=shown.team_id, by=request.user, form="CSV", chosen=told)
    rows = reconciliation_tables.file_rows(chosen.of(shown).iterator(chunk_size=500), settings.BASE_URL)
    return csv_download(reconciliation_tables.COLUMNS, rows, stem=f"Reconciliation {shown}")


def _filter_of(query: QueryDict) -> Filter:
    verdict = query.get("verdict", "")
    return Filter(
        verdict=verdict if verdict in ReconciliationFinding.Verdict.values else "",
        change=query.get("change", "")[:20],
        since=day_of(query.get("since", "")),
        until=day_of(query.get("until", "")),
        q=query.get("q", "")[:200].replace("\x00", ""),
    )


def _query(request: HttpRequest) -> str:
    """The page's query without the number of the page."""
    query = request.GET.copy()
    query.pop("page", None)
    return query.urlencode()


def _may_begin(request: HttpRequest) -> bool:
    """It uses up some of the day's calls, so who only reads does not begin one."""
    return may(request, Can.BUILD) or may(request, Can.APPROVE)


def _insist_may_begin(request: HttpRequest) -> None:
    if not _may_begin(request):
        raise PermissionDenied("Your role in this team does not allow this; it needs: builder or approver.")


def _reconciliation_or_404(request: HttpRequest, reconciliation_id: int) -> Reconciliation:
    mine = Reconciliation.objects.for_team(team_of(request)).select_related("connection", "by")
    found: Reconciliation = get_object_or_404(mine, pk=reconciliation_id)
    return found
