"""Taking back what a run has written: the page that shows what would be sent, and asks."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from integrations.teams.access import Can, allow, team_of
from pinxero.pages import page
from workflows.forms.page_forms import DecisionForm
from workflows.models import Run
from workflows.presenters import posting_tables
from workflows.presenters.runs.undo_cards import undo_cards
from workflows.publishing.activation import NotAllowedNowError
from workflows.runs import undoing

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


@require_http_methods(["GET", "POST"])
@allow(Can.UNDO)
def undo_run(request: HttpRequest, run_id: int) -> HttpResponse:
    """What would be sent for each document of the run; posted, it is taken back. `?iteration=` is one iteration of a
    loop, `?document=` one document."""
    mine = Run.objects.for_team(team_of(request)).select_related("workflow", "version", "event", "connection")
    run: Run = get_object_or_404(mine, pk=run_id)
    posted = request.POST if request.method == "POST" else None
    form = DecisionForm(posted, needs_reason=True, asks_provider_id=False)
    accepted = _accepted(request)
    problem = ""
    if posted is not None and form.is_valid():
        assert isinstance(request.user, User)
        try:
            made = undoing.take_back(run, accepted, by=request.user, reason=form.cleaned_data["reason"])
        except NotAllowedNowError as error:
            problem = error.message
        else:
            messages.success(request, f"Run {made.pk} takes it back.")
            return redirect("run", made.pk)
    context = {
        "subtitle": run.title,
        "run": run,
        "form": form,
        "problem": problem,
        **_shown(request, run, set(accepted) if posted is not None else None),
    }
    return page(request, "runs/take_back.html", context, title=f"Run {run.pk}")


def _shown(request: HttpRequest, run: Run, chosen: set[int] | None) -> dict[str, Any]:
    iteration = request.GET.get("iteration", "")[:100]
    document = _number(request.GET.get("document", ""))
    shown, has_more = undoing.at_once(undoing.written(run, iteration=iteration, posting=document))
    undos = undoing.last_undos(shown)
    looked = undoing.look([each for each in shown if each.pk not in undos] if not run.is_open else [])
    cards = undo_cards(posting_tables.posting_rows(shown), undos, looked, chosen)
    return {
        "cards": cards,
        "iteration": iteration,
        "has_more": has_more,
        "most": undoing.MOST,
        "count": sum(card.is_offered for card in cards),
    }


def _accepted(request: HttpRequest) -> dict[int, str]:
    """The documents that were ticked, each with the digest of the changes that stood beside it."""
    chosen = [number for text in request.POST.getlist("take") if (number := _number(text)) is not None]
    told = {number: request.POST.get(f"changed-{number}", "") for number in chosen}
    return {number: digest if _DIGEST.match(digest) else "" for number, digest in told.items()}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
