"""The list of runs and the page of one: the audit page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods

from integrations.access import Can, allow, may, team_of
from integrations.models import Connection
from pinxero.pages import page
from workflows import lifecycle
from workflows.forms import DecisionForm
from workflows.models import Decision, Run, StepRun, Workflow
from workflows.readable import facts
from workflows.views.common import operation_or_none, state_of
from workflows.views.told import sentence, step_cards

PER_PAGE = 50
ATTENTION = "attention"
OPEN = "open"
_STATUS_SETS = {ATTENTION: Run.NEEDS_ATTENTION, OPEN: Run.OPEN}
_LISTED = (
    "status", "wait_reason", "wake_at", "title", "result", "error", "created_at", "started_at", "finished_at", "replay",
    "workflow__name", "connection__name", "connection__provider",
)  # fmt: skip


@require_GET
@allow(Can.LOOK)
def runs(request: HttpRequest) -> HttpResponse:
    """The team's runs, newest first, paged by id so that a long list costs what a short one does.

    With `?seen=` (what the page shows now) 204 where nothing has changed.
    """
    team = team_of(request)
    found = Run.objects.for_team(team).select_related("workflow", "connection").only(*_LISTED)
    chosen = {name: request.GET.get(name, "") for name in ("status", "workflow", "connection", "q")}
    found = _filtered(found, chosen)
    before, after = _id(request.GET.get("before")), _id(request.GET.get("after"))
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
    context = {
        "runs": rows,
        "chosen": chosen,
        "is_filtered": any(chosen.values()),
        "statuses": [(ATTENTION, "Needs attention"), (OPEN, "Under way"), *Run.Status.choices],
        "workflows": list(Workflow.objects.for_team(team).values_list("pk", "name")),
        "connections": list(Connection.objects.for_team(team).values_list("pk", "name")),
        "query": query.urlencode(),
        "live_query": live_query if request.GET.get("live") == "1" or any(run.is_open for run in rows) else "",
        "newer": rows[0].pk if rows and has_newer else None,
        "older": rows[-1].pk if rows and has_older else None,
        "is_newest": before is None and after is None,
    }
    return page(request, "runs/list.html", context, title="Runs")


def _filtered(found: Any, chosen: dict[str, str]) -> Any:
    status = chosen["status"]
    if status in _STATUS_SETS:
        found = found.filter(status__in=_STATUS_SETS[status])
    elif status in Run.Status.values:
        found = found.filter(status=status)
    for name in ("workflow", "connection"):
        number = _id(chosen[name])
        if number is not None:
            found = found.filter(**{f"{name}_id": number})
        elif chosen[name]:
            found = found.none()
    search = chosen["q"].strip()[:100].replace("\x00", "")
    if search:
        number = _id(search)
        found = found.filter(
            Q(title__icontains=search) | Q(result__icontains=search) | (Q() if number is None else Q(pk=number))
        )
    return found


def _id(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None


@require_GET
@allow(Can.LOOK)
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """Everything that is known of one run. With `?seen=` (what the page shows now) 204 where nothing has changed."""
    shown = _run_or_404(request, run_id)
    step_runs = list(
        StepRun.objects.filter(run=shown).select_related("connection__grant").order_by("position", "iteration")
    )
    state = _state(shown, step_runs)
    if request.GET.get("seen") == state:
        return HttpResponse(status=204)
    event = shown.event
    context = {
        "run": shown,
        "state": state,
        "sentence": sentence(shown),
        "trigger": operation_or_none(event.operation),
        "event": event,
        "event_facts": facts(event.data),
        "cards": step_cards(shown, step_runs),
        "decisions": list(Decision.objects.filter(run=shown).select_related("by").order_by("pk")),
        "replays": list(
            Run.objects.filter(event=event, workflow=shown.workflow_id)
            .exclude(pk=shown.pk)
            .only("status", "replay")[:10]
        ),
        "ways_out": lifecycle.ways_out(shown) if may(request, Can.BUILD) else [],
    }
    return page(request, "runs/run.html", context, title=f"Run {shown.pk}")


def _run_or_404(request: HttpRequest, run_id: int) -> Run:
    mine = Run.objects.for_team(team_of(request)).select_related(
        "workflow", "version", "event__connection", "connection", "waits_for"
    )
    found: Run = get_object_or_404(mine, pk=run_id)
    return found


def _state(shown: Run, step_runs: list[StepRun]) -> str:
    """Changes whenever the page would."""
    steps = "".join(f"{step.position}{step.state[:2]}{len(step.attempts)}{step.tries}." for step in step_runs)
    return f"{shown.status}.{shown.wait_reason}.{shown.claims}.{steps}"


@require_GET
@allow(Can.LOOK)
def run_by_marker(request: HttpRequest, marker: str) -> HttpResponse:
    """Where the link that was written into a document leads: to the run that wrote it."""
    mine = StepRun.objects.for_team(team_of(request)).filter(marker=marker).order_by("pk")
    found = mine.values_list("run_id", flat=True).first() if marker else None
    if found is None:
        raise Http404("No run of your team has written this.")
    return redirect("run", found)


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def way_out(request: HttpRequest, run_id: int, way: str) -> HttpResponse:
    """Ask, then do what a person decides about a run. Which decisions there are depends on where it stands."""
    shown = _run_or_404(request, run_id)
    if way not in Decision.What.values:
        raise Http404("There is no such decision.")
    chosen = next((each for each in lifecycle.ways_out(shown) if each.key == way), None)
    if chosen is None:
        messages.warning(request, f"The run is {shown.get_status_display().lower()} by now, so this is not possible.")
        return redirect("run", shown.pk)
    posted = request.POST if request.method == "POST" else None
    form = DecisionForm(posted, needs_reason=chosen.needs_reason, asks_provider_id=way == Decision.What.MARK_DONE)
    problem = ""
    if posted is not None and form.is_valid():
        try:
            there = _decide(shown, way, form.cleaned_data, by=_person(request))
        except lifecycle.NotAllowedNowError as error:
            problem = error.message
        else:
            messages.success(request, f"Done: {chosen.label.lower()}.")
            return redirect("run", there.pk)
    context = {
        "run": shown,
        "way": chosen,
        "form": form,
        "problem": problem,
        "step": StepRun.objects.filter(run=shown, state=StepRun.State.NEEDS_REVIEW)
        .select_related("connection")
        .first(),
    }
    return page(request, "runs/way_out.html", context, title=f"Run {shown.pk}")


def _decide(shown: Run, way: str, said: dict[str, str], *, by: User) -> Run:
    """Does it; the answer is the run to look at afterwards."""
    reason = said["reason"]
    if way == Decision.What.REPLAY:
        return lifecycle.replay(shown, by=by, reason=reason)
    if way == Decision.What.MARK_DONE:
        lifecycle.mark_done(shown, by=by, reason=reason, provider_id=said["provider_id"])
    elif way == Decision.What.SEND_AGAIN:
        lifecycle.send_again(shown, by=by, reason=reason)
    elif way == Decision.What.CANCEL:
        lifecycle.cancel(shown, by=by, reason=reason)
    elif way == Decision.What.RELEASE:
        lifecycle.release(shown, by=by, reason=reason)
    else:
        lifecycle.retry(shown, by=by, reason=reason)
    return shown


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
