"""The list of runs, and what is done to many of them at once: the number first, then a question, then progress."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from integrations.access import Can, allow, may, team_of
from integrations.models import Connection
from pinxero.pages import page
from workflows import batches
from workflows.describing import describe
from workflows.finding import STATUSES, Filter, number_of
from workflows.forms import DecisionForm
from workflows.models import Batch, Run, Workflow, WorkflowVersion
from workflows.views.common import state_of

PER_PAGE = 50
_LISTED = (
    "status", "wait_reason", "wake_at", "title", "result", "error", "created_at", "started_at", "finished_at", "replay",
    "waiting_since", "workflow__name", "connection__name", "connection__provider",
)  # fmt: skip
_MOST_VERSIONS, _MOST_SHOWN = 3, 10
#: What can be done to many, offered where the list is narrowed to such runs: by status, or by why they wait.
_OFFERED: dict[Batch.What, tuple[str, set[str]]] = {
    Batch.What.RETRY: ("Try all of these again", {"attention", Run.Status.FAILED, Run.Status.CRASHED}),
    Batch.What.RELEASE: ("Let all of these go", {Run.WaitReason.HOLD}),
    Batch.What.CANCEL: ("Cancel all of these", {"open", Run.Status.WAITING, Run.Status.QUEUED, *Run.WaitReason}),
}
_EXPLAINED = {
    Batch.What.RETRY: "Each goes on from the step that failed. Steps that are done are not repeated.",
    Batch.What.RELEASE: "They start one after the other, one a second, so that you can stop when something is wrong.",
    Batch.What.CANCEL: "Each ends where it is. What they have written stays. Writes whose outcome is not known yet are "
    "left out: these are decided one by one.",
}


@require_GET
@allow(Can.LOOK)
def runs(request: HttpRequest) -> HttpResponse:
    """The team's runs, newest first, paged by id so that a long list costs what a short one does.

    With `?seen=` (what the page shows now) 204 where nothing has changed.
    """
    team = team_of(request)
    chosen = Filter.of(request.GET)
    found = chosen.find(team).select_related("workflow", "connection").only(*_LISTED)
    before, after = number_of(request.GET.get("before")), number_of(request.GET.get("after"))
    if after is not None:
        rows = list(found.filter(pk__gt=after).order_by("pk")[: PER_PAGE + 1])
        has_newer, has_older = len(rows) > PER_PAGE, True
        rows = rows[:PER_PAGE][::-1]
    else:
        if before is not None:
            found = found.filter(pk__lt=before)
        rows = list(found.order_by("-pk")[: PER_PAGE + 1])
        has_newer, has_older = before is not None, len(rows) > PER_PAGE
        rows = rows[:PER_PAGE]
    seen = state_of(rows)
    if request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    query = request.GET.copy()
    query["seen"] = seen
    live_query = query.urlencode()
    for name in ("before", "after", "seen"):
        query.pop(name, None)
    is_builder = may(request, Can.BUILD)
    context = {
        "runs": rows,
        "chosen": chosen,
        "is_filtered": bool(chosen.to_dict()),
        "is_narrow": bool(chosen.wait or chosen.since or chosen.until),
        "statuses": STATUSES,
        "waits": Run.WaitReason.choices,
        "workflows": list(Workflow.objects.for_team(team).values_list("pk", "name")),
        "connections": list(Connection.objects.for_team(team).values_list("pk", "name")),
        "query": query.urlencode(),
        "live_query": live_query if request.GET.get("live") == "1" or any(run.is_open for run in rows) else "",
        "newer": rows[0].pk if rows and has_newer else None,
        "older": rows[-1].pk if rows and has_older else None,
        "is_newest": before is None and after is None,
        "offered": _offered(chosen) if rows and is_builder else [],
        "under_way": list(Batch.objects.for_team(team).filter(status=Batch.Status.UNDER_WAY)) if is_builder else [],
    }
    return page(request, "runs/list.html", context, title="Runs")


def _offered(chosen: Filter) -> list[tuple[str, str]]:
    """(address, label) of what makes sense for what is shown."""
    return [
        (f"{reverse('bulk', args=[what])}?{urlencode(chosen.to_dict())}", label)
        for what, (label, fits) in _OFFERED.items()
        if chosen.wait in fits or (not chosen.wait and chosen.status in fits)
    ]


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def bulk(request: HttpRequest, what: str) -> HttpResponse:
    """How many runs it would be and what they are; done once a person has said yes to that number."""
    if what not in Batch.What.values:
        raise Http404("There is no such decision.")
    team, chosen, decision = team_of(request), Filter.of(request.GET), Batch.What(what)
    fitting = batches.fitting(team, decision, chosen)
    posted = request.POST if request.method == "POST" else None
    form = DecisionForm(posted, needs_reason=decision == Batch.What.CANCEL, asks_provider_id=False)
    if posted is not None and form.is_valid():
        up_to, counted = number_of(posted.get("up_to")), number_of(posted.get("counted"))
        if up_to and counted:
            reason, by = form.cleaned_data["reason"], request.user
            assert isinstance(by, User)
            batch = batches.begin(team, decision, chosen, up_to=up_to, counted=counted, by=by, reason=reason)
            return redirect("batch", batch.pk)
        messages.warning(request, "Nothing was done: look at the number first.")
    many = fitting.count()
    context = {
        "what": decision,
        "count": many,
        "up_to": batches.newest(fitting),
        "explanation": _EXPLAINED[decision],
        "looked_for": chosen.words(team),
        "form": form,
        "back": f"{reverse('runs')}?{urlencode(chosen.to_dict())}",
        "first": list(fitting.select_related("workflow").only(*_LISTED[:-2]).order_by("pk")[:_MOST_SHOWN]),
        **(_told(fitting) if many else {}),
    }
    return page(request, "runs/bulk.html", context, title=f"{decision.label}: {many:,} run{'s' * (many != 1)}")


def _told(fitting: Any) -> dict[str, Any]:
    """How many belong to each workflow, and what the versions they run on would do, in words."""
    by_version = list(fitting.order_by().values("workflow__name", "version").annotate(many=Count("pk")))
    by_version.sort(key=lambda row: (-row["many"], row["version"]))
    versions = WorkflowVersion.objects.select_related("workflow").in_bulk(
        [row["version"] for row in by_version[:_MOST_VERSIONS]]
    )
    return {
        "by_version": by_version[:_MOST_SHOWN],
        "others": len(by_version) - _MOST_SHOWN,
        "plans": [(version, describe(version.plan).splitlines()) for version in versions.values()],
    }


@require_GET
@allow(Can.LOOK)
def batch(request: HttpRequest, batch_id: int) -> HttpResponse:
    """How far it has come with them."""
    found = _batch_or_404(request, batch_id)
    worked = found.done + found.skipped
    is_under_way = found.status == Batch.Status.UNDER_WAY
    context = {
        "batch": found,
        "is_under_way": is_under_way,
        "worked": worked,
        "percent": 100 if not found.counted or found.status == Batch.Status.DONE
        else min(100, worked * 100 // found.counted),
        "looked_for": Filter.of(found.filter).words(found.team),
        "list": f"{reverse('runs')}?{urlencode(Filter.of(found.filter).to_dict())}",
        "may_build": may(request, Can.BUILD),
    }  # fmt: skip
    return page(request, "runs/batch.html", context, title=f"{found.get_what_display()}: {found.counted:,} runs")


@require_POST
@allow(Can.BUILD)
def stop_batch(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Do it to no further run."""
    found = _batch_or_404(request, batch_id)
    if batches.stop(found):
        messages.success(request, "Stopped. What was done to runs before stays done.")
    else:
        messages.info(request, "It had ended already.")
    return redirect("batch", found.pk)


def _batch_or_404(request: HttpRequest, batch_id: int) -> Batch:
    found: Batch = get_object_or_404(Batch.objects.for_team(team_of(request)).select_related("by", "team"), pk=batch_id)
    return found
