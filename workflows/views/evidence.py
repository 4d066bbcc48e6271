"""Evidence packs to download: of a run, and of the documents that a filter finds."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from integrations.teams.access import Can, allow, team_of
from integrations.views.downloads import as_download
from workflows.books.search import Filter
from workflows.evidence import pack
from workflows.models import Run


@require_GET
@allow(Can.LOOK)
def run_evidence(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """Everything about the run, for those who may read it."""
    mine = Run.objects.for_team(team_of(request)).select_related("team", "workflow")
    return _sent(pack.of_run(get_object_or_404(mine, pk=run_id), by=_person(request)), f"Evidence run {run_id}")


@require_GET
@allow(Can.LOOK)
def documents_evidence(request: HttpRequest) -> HttpResponseBase:
    """Everything about the runs that wrote what the filter finds; back to the page where they are too many."""
    chosen = Filter.of(request.GET)
    found = None if chosen.problems() else pack.of_documents(chosen, team_of(request), by=_person(request))
    if found is None:
        if not chosen.problems():
            messages.warning(
                request,
                f"These documents are from more than {pack.MOST_RUNS} runs, which is too much for one evidence pack. "
                "Choose a shorter period.",
            )
        return redirect(f"{reverse('documents')}?{request.GET.urlencode()}")
    return _sent(found, f"Evidence documents {timezone.localdate():%Y-%m-%d}")


def _sent(made: pack.Pack, stem: str) -> StreamingHttpResponse:
    return as_download(StreamingHttpResponse(made.begin(), content_type="application/zip"), stem, "zip")


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
