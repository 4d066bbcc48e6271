"""One search over what was written, runs and workflows; the dialog that Ctrl+K opens shows a part of this page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from integrations.core.address_values import amount_of
from integrations.models import Team
from integrations.teams.access import Can, allow, team_of
from pinxero.pages import page
from workflows.books import search as book_search
from workflows.models import Posting, Workflow
from workflows.presenters import posting_tables
from workflows.runs.search import Filter

#: Of each kind; the lists show all.
_MOST = 8
_LISTED = ("status", "wait_reason", "title", "result", "error", "created_at", "workflow__name", "connection__name")


@require_GET
@allow(Can.LOOK)
def search(request: HttpRequest) -> HttpResponse:
    """What has the text: documents with their organisation, runs, workflows."""
    text = request.GET.get("q", "").strip()[:200].replace("\x00", "")
    found = _found(team_of(request), text) if text else {}
    return page(request, "search/search.html", {"q": text, **found}, title="Search")


def _found(team: Team, text: str) -> dict[str, Any]:
    written = Posting.objects.for_team(team)
    fitting = book_search.containing(written, text)
    amount = amount_of(text)
    if amount is not None:
        fitting |= written.filter(amount=amount)
    documents = list(
        fitting.select_related("workflow", "connection").order_by("-written_at", "-step_run_id")[: _MOST + 1]
    )
    runs = list(
        Filter(q=text).find(team).select_related("workflow", "connection").only(*_LISTED).order_by("-pk")[: _MOST + 1]
    )
    workflows = Workflow.objects.for_team(team).filter(name__icontains=text).order_by("name", "pk")
    return {
        "documents": posting_tables.posting_rows(documents[:_MOST]),
        "has_more_documents": len(documents) > _MOST,
        "runs": runs[:_MOST],
        "has_more_runs": len(runs) > _MOST,
        "workflows": list(workflows[:_MOST]),
    }
