"""The page of documents: what was written at providers, what it comes to, and both as files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from integrations.audit.exports import exported
from integrations.audit.record import About
from integrations.core.workbooks import Cell
from integrations.models import Connection, Team
from integrations.teams.access import Can, allow, may, team_of
from integrations.views.downloads import csv_download, workbook_download
from pinxero.pages import page
from workflows.books import search, totals
from workflows.books.search import Filter
from workflows.models import Workflow
from workflows.presenters import posting_tables

PER_PAGE = 50
#: More documents than this are not added up on a page: it would take seconds.
_MOST_ADDED_UP = 200_000


@require_GET
@allow(Can.LOOK)
def documents(request: HttpRequest) -> HttpResponse:
    """The team's postings, a page at a time; what they come to stands on the first page.

    `?from=` is the posting after which the page begins.
    """
    team, chosen, mark = team_of(request), Filter.of(request.GET), request.GET.get("from", "")[:100]
    found = chosen.find(team)
    listed = search.ordered(found.select_related("workflow", "connection"), chosen.order)
    rows = list(search.after(listed, chosen.order, mark)[: PER_PAGE + 1])
    has_more = len(rows) > PER_PAGE
    rows = rows[:PER_PAGE]
    query = request.GET.copy()
    query.pop("from", None)
    context = {
        "rows": posting_tables.with_undos(posting_tables.posting_rows(rows)),
        "may_undo": may(request, Can.UNDO),
        "chosen": chosen,
        "words": chosen.words(team),
        "problems": chosen.problems(),
        "is_first": not mark,
        "next": search.mark_of(rows[-1], chosen.order) if has_more else "",
        "query": query.urlencode(),
        "by_amount": chosen.order.endswith("amount"),
        **_choices(team),
        **(_totals(found) if rows and not mark else {}),
        "most": _MOST_ADDED_UP,
    }
    return page(request, "documents/list.html", context, title="Documents")


def _choices(team: Team) -> dict[str, Any]:
    """What the filter offers."""
    return {
        "connections": list(Connection.objects.for_team(team).values_list("pk", "name")),
        "workflows": list(Workflow.objects.filter(team=team).values_list("pk", "name")),
        "periods": search.PERIODS,
        "sorts": [(name, label) for name, (label, _) in search.SORTS.items()],
        "offered": search.offered(team),
    }


def _totals(found: Any) -> dict[str, Any]:
    if found[_MOST_ADDED_UP : _MOST_ADDED_UP + 1].exists():
        return {"is_too_many": True}
    return {
        "by_kind": posting_tables.total_rows(totals.by_kind(found), ["sub_total", "tax", "amount"]),
        "by_account": posting_tables.total_rows(totals.by_account(found), ["net", "tax"]),
    }


@require_GET
@allow(Can.LOOK)
def documents_csv(request: HttpRequest) -> StreamingHttpResponse:
    """All that the filter finds, as CSV."""
    return csv_download(posting_tables.COLUMNS, _file_rows(request, "CSV"), stem=_stem())


@require_GET
@allow(Can.LOOK)
def documents_xlsx(request: HttpRequest) -> StreamingHttpResponse:
    """All that the filter finds, as an Excel workbook."""
    return workbook_download(posting_tables.COLUMNS, _file_rows(request, "Excel"), stem=_stem())


def _file_rows(request: HttpRequest, form: str) -> Iterator[list[Cell]]:
    """The rows of a file, which is recorded as exported."""
    chosen, team = Filter.of(request.GET), team_of(request)
    words = chosen.recorded_words(team)
    exported(About("documents", "", "Documents"), team_id=team.pk, by=request.user, form=form, chosen=words)
    found = search.ordered(chosen.find(team), chosen.order)
    return posting_tables.file_rows(found, settings.BASE_URL)


def _stem() -> str:
    return f"Documents {timezone.localdate():%Y-%m-%d}"
