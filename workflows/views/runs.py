"""The page of a run: the audit page, and what a person decides about it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Count, Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods

from integrations.access import Can, allow, may, team_of
from pinxero.pages import page
from workflows import kinds, lifecycle, mending
from workflows.forms import DecisionForm
from workflows.models import Decision, Run, StepRun
from workflows.readable import facts
from workflows.views import tracks
from workflows.views.common import operation_or_none
from workflows.views.told import sentence


@require_GET
@allow(Can.LOOK)
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """Everything that is known of one run. With `?seen=` (what the page shows now) 204 where nothing has changed."""
    shown = _run_or_404(request, run_id)
    steps = shown.version.plan.get("steps", [])
    step_runs = tracks.rows_at(shown, steps, "")
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
        "tracks": tracks.tracks(shown, steps, step_runs),
        "called_by": _caller(shown),
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
    turns = StepRun.objects.filter(run=shown, kind=kinds.TURN).aggregate(count=Count("pk"), last=Max("finished_at"))
    in_turns = f"{turns['count']}.{turns['last']:%H%M%S%f}" if turns["last"] else ""
    return f"{shown.status}.{shown.wait_reason}.{shown.claims}.{steps}{in_turns}"


def _caller(shown: Run) -> Run | None:
    if shown.called_by_id is None:
        return None
    return Run.objects.filter(pk=shown.called_by_id, team=shown.team_id).select_related("workflow").first()


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
        "step": _asked_about(shown, way),
    }
    return page(request, "runs/way_out.html", context, title=f"Run {shown.pk}")


def _asked_about(shown: Run, way: str) -> StepRun | None:
    """The step that the decision is about, to be shown with the question."""
    waiting = StepRun.objects.filter(run=shown, state=StepRun.State.NEEDS_REVIEW).select_related("connection").first()
    if waiting is None and way in (Decision.What.SKIP, Decision.What.MARK_DONE):
        return next(iter(mending.failed(shown)), None)
    return waiting


def _decide(shown: Run, way: str, said: dict[str, str], *, by: User) -> Run:
    """Does it; the answer is the run to look at afterwards."""
    reason = said["reason"]
    if way == Decision.What.REPLAY:
        return lifecycle.replay(shown, by=by, reason=reason)
    if way == Decision.What.MARK_DONE:
        lifecycle.mark_done(shown, by=by, reason=reason, provider_id=said["provider_id"])
    elif way == Decision.What.SEND_AGAIN:
        lifecycle.send_again(shown, by=by, reason=reason)
    elif way == Decision.What.SKIP:
        lifecycle.skip(shown, by=by, reason=reason)
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
