"""The list of runs, and bulk actions on them: first the number, then a confirmation, then progress."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Count, F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from integrations.core.address_values import number_of
from integrations.models import Connection, Team
from integrations.teams.access import Can, allow, may, team_of
from pinxero.pages import page
from workflows.definitions.description import describe
from workflows.forms.page_forms import DecisionForm
from workflows.models import Batch, Run, Workflow, WorkflowVersion
from workflows.presenters import posting_tables
from workflows.runs import bulk_actions, running_again
from workflows.runs.search import ATTENTION, ERRORS, OPEN, STATUSES, Filter
from workflows.views.common import state_of

PER_PAGE = 50
_LISTED = (
    "status", "wait_reason", "wake_at", "title", "result", "error", "created_at", "started_at", "finished_at", "replay",
    "waiting_since", "workflow__name", "connection__name", "connection__provider",
)  # fmt: skip
_MOST_VERSIONS, _MOST_SHOWN = 3, 10
#: Bulk actions, offered if the list is filtered to such runs, by status or by what they wait for.
_OFFERED: dict[Batch.What, tuple[str, set[str]]] = {
    Batch.What.RETRY: ("Try all of these again", {ATTENTION, Run.Status.FAILED, Run.Status.CRASHED}),
    Batch.What.ACKNOWLEDGE: ("Acknowledge those with errors", {ATTENTION, ERRORS}),
    Batch.What.RELEASE: ("Release all of these", {Run.WaitReason.HOLD}),
    Batch.What.CANCEL: ("Cancel all of these", {OPEN, Run.Status.WAITING, Run.Status.QUEUED, *Run.WaitReason}),
}
_EXPLAINED = {
    Batch.What.RETRY: "Each goes on from the step that failed, on the version that it began with. Steps that are done "
    "are not repeated.",
    Batch.What.RUN_AGAIN: "Each gets a new run of the same event on the version that is published now, from the first "
    "step. The new run takes the place of the failed one, which is cancelled, so that the two do not both write.",
    Batch.What.RELEASE: "They start one after the other, one a second, so that you can stop when something is wrong.",
    Batch.What.CANCEL: "Each ends where it is. What they have written stays. Writes whose outcome is not known yet are "
    "left out: these are decided one by one.",
    Batch.What.ACKNOWLEDGE: "They succeeded, but steps of them failed and were passed over. Each leaves “Needs "
    "attention” and keeps who acknowledged it and why. What failed stays as it is and can still be tried again. "
    "Runs that failed altogether are left out.",
}
_NEED_REASON = (Batch.What.CANCEL, Batch.What.ACKNOWLEDGE)
#: The two ways to try failed runs again.
_WAYS = {Batch.What.RETRY: "As they were", Batch.What.RUN_AGAIN: "On today’s version"}


@require_GET
@allow(Can.LOOK)
def runs(request: HttpRequest) -> HttpResponse:
    """The team's runs, newest first, paged by id so that a long list costs no more than a short one.

    With `?seen=` (the state shown now) it answers 204 if nothing has changed.
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
    documents = posting_tables.documents_of(rows)
    context = {
        "runs": rows,
        "listed": [(run, documents.get(run.pk)) for run in rows],
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
    """(URL, label) of the bulk actions that fit the filter."""
    return [
        (f"{reverse('bulk', args=[what])}?{urlencode(chosen.to_dict())}", label)
        for what, (label, fits) in _OFFERED.items()
        if chosen.wait in fits or (not chosen.wait and chosen.status in fits)
    ]


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def bulk(request: HttpRequest, what: str) -> HttpResponse:
    """Show which and how many runs are affected; start once a person has confirmed that number."""
    if what not in Batch.What.values:
        raise Http404("There is no such decision.")
    team, chosen, decision = team_of(request), Filter.of(request.GET), Batch.What(what)
    posted = request.POST if request.method == "POST" else None
    fitting = bulk_actions.fitting(team, decision, chosen, writes_twice=True)
    form = DecisionForm(posted, needs_reason=decision in _NEED_REASON, asks_provider_id=False)
    if posted is not None and form.is_valid():
        up_to = number_of(posted.get("up_to"))
        counted = number_of(posted.get("writes_twice") or posted.get("counted"))
        if up_to and counted:
            reason, by = form.cleaned_data["reason"], request.user
            assert isinstance(by, User)
            batch = bulk_actions.begin(
                team,
                decision,
                chosen,
                up_to=up_to,
                counted=counted,
                by=by,
                reason=reason,
                writes_twice="writes_twice" in posted,
            )
            return redirect("batch", batch.pk)
        messages.warning(request, "Nothing was done: check the number first.")
    many, have_written = fitting.count(), _have_written(decision, fitting)
    context = {
        "what": decision,
        "count": many,
        "have_written": have_written,
        "begins_with": many - have_written,
        "ways": _ways(team, decision, chosen),
        "up_to": bulk_actions.newest(fitting),
        "explanation": _EXPLAINED[decision],
        "looked_for": chosen.words(team),
        "form": form,
        "back": f"{reverse('runs')}?{urlencode(chosen.to_dict())}",
        "first": list(fitting.select_related("workflow").only(*_LISTED[:-2]).order_by("pk")[:_MOST_SHOWN]),
        **(_summary(decision, fitting) if many else {}),
    }
    return page(request, "runs/bulk.html", context, title=f"{decision.label}: {many:,} run{'s' * (many != 1)}")


def _have_written(decision: Batch.What, fitting: QuerySet[Run]) -> int:
    """How many of the runs would write a second time what they have written."""
    return running_again.having_written(fitting).count() if decision == Batch.What.RUN_AGAIN else 0


def _ways(team: Team, decision: Batch.What, chosen: Filter) -> list[dict[str, Any]]:
    """The two ways to try failed runs again, each with its number; none for other decisions."""
    if decision not in _WAYS:
        return []
    return [
        {
            "label": label,
            "count": bulk_actions.fitting(team, what, chosen, writes_twice=True).count(),
            "url": f"{reverse('bulk', args=[what])}?{urlencode(chosen.to_dict())}",
            "is_current": what == decision,
        }
        for what, label in _WAYS.items()
    ]


def _summary(decision: Batch.What, fitting: Any) -> dict[str, Any]:
    """How many runs belong to each workflow, and what the versions that they take place on do, in words."""
    version = F("workflow__published" if decision == Batch.What.RUN_AGAIN else "version_id")
    by_version = list(fitting.order_by().values("workflow__name", on=version).annotate(many=Count("pk")))
    by_version.sort(key=lambda row: (-row["many"], row["on"]))
    versions = WorkflowVersion.objects.select_related("workflow").in_bulk(
        [row["on"] for row in by_version[:_MOST_VERSIONS]]
    )
    return {
        "by_version": by_version[:_MOST_SHOWN],
        "others": len(by_version) - _MOST_SHOWN,
        "plans": [(version, describe(version.plan).splitlines()) for version in versions.values()],
    }


@require_GET
@allow(Can.LOOK)
def batch(request: HttpRequest, batch_id: int) -> HttpResponse:
    """The progress of a bulk action."""
    found = _batch_or_404(request, batch_id)
    worked = found.done + found.skipped
    is_under_way = found.status == Batch.Status.UNDER_WAY
    outcomes = _outcomes(found)
    context = {
        "batch": found,
        "outcomes": outcomes,
        "is_live": is_under_way or any(each["is_open"] for each in outcomes),
        "is_under_way": is_under_way,
        "worked": worked,
        "percent": 100 if not found.counted or found.status == Batch.Status.DONE
        else min(100, worked * 100 // found.counted),
        "looked_for": Filter.of(found.filter).words(found.team),
        "list": f"{reverse('runs')}?{urlencode(Filter.of(found.filter).to_dict())}",
        "may_build": may(request, Can.BUILD),
    }  # fmt: skip
    return page(request, "runs/batch.html", context, title=f"{found.get_what_display()}: {found.counted:,} runs")


def _outcomes(found: Batch) -> list[dict[str, Any]]:
    """What has become of the runs so far: how many are in which status, with the list of them."""
    counted = bulk_actions.outcomes(found)
    return [
        {
            "status": status,
            "label": status.label,
            "count": counted[status],
            "is_open": status in Run.OPEN,
            "url": f"{reverse('runs')}?{urlencode([('batch', found.pk), ('status', status.value)])}",
        }
        for status in Run.Status
        if counted.get(status)
    ]


@require_POST
@allow(Can.BUILD)
def stop_batch(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Stop a bulk action before its next run."""
    found = _batch_or_404(request, batch_id)
    if bulk_actions.stop(found):
        messages.success(request, "Stopped. What was already done stays done.")
    else:
        messages.info(request, "It had already ended.")
    return redirect("batch", found.pk)


def _batch_or_404(request: HttpRequest, batch_id: int) -> Batch:
    found: Batch = get_object_or_404(Batch.objects.for_team(team_of(request)).select_related("by", "team"), pk=batch_id)
    return found
