"""The page of a run: the audit page, and what a person decides about it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods

from integrations.framework.registry import operation_or_none
from integrations.teams.access import Can, allow, may, team_of
from pinxero.pages import page
from workflows.books import totals
from workflows.definitions import kinds, plans
from workflows.forms.page_forms import DecisionForm
from workflows.models import ApprovalRequest, Decision, Posting, Run, StepRun, Undo
from workflows.presenters import approval_cards, posting_tables
from workflows.presenters.presentation import labelled_values
from workflows.presenters.runs import run_tree
from workflows.presenters.runs.fix_links import FixLinks
from workflows.presenters.runs.run_presenter import sentence
from workflows.publishing import activation
from workflows.runs import available_actions, decisions, retrying, running_again

#: So many documents stand on the page of a run; the others are on the page of documents.
_MOST_DOCUMENTS = 20


@require_GET
@allow(Can.LOOK)
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """Everything known about one run. With `?seen=` (the state shown now) it answers 204 if nothing has changed."""
    shown = _run_or_404(request, run_id)
    steps = plans.plan_of(shown).get("steps", [])
    step_runs = run_tree.rows_at(shown, steps, "")
    state = _state(shown, step_runs)
    if request.GET.get("seen") == state:
        return HttpResponse(status=204)
    event, is_builder = shown.event, may(request, Can.BUILD)
    fixes = FixLinks(shown) if is_builder and not shown.is_undo else None
    again = Run.objects.filter(again_of=shown).select_related("version").first()
    context = {
        "subtitle": shown.title,
        "run": shown,
        "state": state,
        "sentence": sentence(shown, again),
        "again": again,
        "fix_url": _fix_url(shown, fixes),
        "trigger": operation_or_none(event.operation),
        "event": event,
        "event_facts": labelled_values(event.data),
        "nodes": run_tree.step_nodes(shown, steps, step_runs, fixes=fixes),
        "called_by": _caller(shown),
        **_undos(request, shown),
        "written": _written(shown),
        "approvals": _approvals(shown),
        "decisions": list(Decision.objects.filter(run=shown).select_related("by").order_by("pk")),
        "replays": list(
            Run.objects.filter(event=event, workflow=shown.workflow_id)
            .exclude(pk__in=[shown.pk, shown.again_of_id or 0, again.pk if again else 0])
            .only("status", "error", "replay")[:10]
        ),
        "actions": [each for each in available_actions.available_actions(shown) if _may_decide(request, each.key)],
        "newer": running_again.newer_version(shown) if shown.status in running_again.ENDED_BADLY else None,
    }
    return page(request, "runs/run.html", context, title=f"Run {shown.pk}")


def _written(shown: Run) -> dict[str, Any]:
    """What the run has written, where it is more than the card of one step shows: its documents and what they come
    to."""
    postings = Posting.objects.filter(run=shown)
    first = list(postings.select_related("workflow").order_by("step_run_id")[: _MOST_DOCUMENTS + 1])
    if len(first) < 2:
        return {}
    return {
        "rows": posting_tables.with_undos(posting_tables.posting_rows(first[:_MOST_DOCUMENTS])),
        "has_more": len(first) > _MOST_DOCUMENTS,
        "totals": posting_tables.total_rows(totals.by_kind(postings.order_by()), ["sub_total", "tax", "amount"]),
    }


def _approvals(shown: Run) -> list[tuple[ApprovalRequest, str]]:
    """The run's requests for approval, the newest first, each with the colour of its state."""
    asked = ApprovalRequest.objects.filter(run=shown).prefetch_related("approvals__by").order_by("-pk")
    return [(each, approval_cards.tone_of(each)) for each in asked[:_MOST_DOCUMENTS]]


def _undos(request: HttpRequest, shown: Run) -> dict[str, Any]:
    """What was taken back of it, or what it takes back, and whether this person may take back more."""
    if shown.is_undo:
        return {"undo_of": Run.objects.filter(postings__undos__run=shown).distinct().first()}
    rows = Undo.objects.filter(posting__run=shown).exclude(state=Undo.State.DROPPED)
    undos = list(Run.objects.filter(pk__in=rows.values("run")).only("status", "error").order_by("pk")[:10])
    asks = may(request, Can.UNDO) and not shown.is_open
    return {"undone_by": undos, "may_undo": asks and Posting.objects.filter(run=shown).exists()}


def _fix_url(shown: Run, fixes: FixLinks | None) -> str:
    """Where the editor puts right the first failure that ended the run, at the field where one is known."""
    if fixes is None or shown.status != Run.Status.FAILED:
        return ""
    failed = next(iter(retrying.failed(shown)), None)
    if failed is None:
        return ""
    problems = failed.problems if isinstance(failed.problems, dict) else {}
    return fixes.to_field(failed.step, next(iter(problems), ""))


def _run_or_404(request: HttpRequest, run_id: int) -> Run:
    mine = Run.objects.for_team(team_of(request)).select_related(
        "workflow__published", "version", "event__connection", "connection", "waits_for", "again_of__version"
    )
    found: Run = get_object_or_404(mine, pk=run_id)
    return found


def _state(shown: Run, step_runs: list[StepRun]) -> str:
    """A text that changes whenever the page would."""
    steps = "".join(f"{step.position}{step.state[:2]}{len(step.attempts)}{step.tries}." for step in step_runs)
    turns = StepRun.objects.filter(run=shown, kind=kinds.ITERATION).aggregate(
        count=Count("pk"), last=Max("finished_at")
    )
    in_turns = f"{turns['count']}.{turns['last']:%H%M%S%f}" if turns["last"] else ""
    return f"{shown.status}.{shown.wait_reason}.{shown.claims}.{steps}{in_turns}"


def _caller(shown: Run) -> Run | None:
    if shown.called_by_id is None:
        return None
    return Run.objects.filter(pk=shown.called_by_id, team=shown.team_id).select_related("workflow").first()


@require_GET
@allow(Can.LOOK)
def run_by_marker(request: HttpRequest, marker: str) -> HttpResponse:
    """The target of the link written into a document: redirects to the run that wrote it, and in a loop to
    the iteration."""
    mine = StepRun.objects.for_team(team_of(request)).filter(marker=marker).order_by("pk")
    found = mine.select_related("run__version").defer("inputs", "output").first() if marker else None
    if found is None:
        raise Http404("No run of your team has written this.")
    return redirect(posting_tables.address_of(found, found.run.version.plan))


@require_http_methods(["GET", "POST"])
@allow(Can.LOOK)
def way_out(request: HttpRequest, run_id: int, way: str) -> HttpResponse:
    """Ask for confirmation, then carry out a decision about a run. The run's status says which are possible."""
    shown = _run_or_404(request, run_id)
    if way not in Decision.What.values:
        raise Http404("There is no such decision.")
    if not _may_decide(request, way):
        raise PermissionDenied("Your role in this team does not allow this; it needs: builder.")
    again = Run.objects.filter(again_of=shown).first() if way == Decision.What.RUN_AGAIN else None
    if again is not None:
        return redirect("run", again.pk)
    chosen = next((each for each in available_actions.available_actions(shown) if each.key == way), None)
    if chosen is None:
        messages.warning(request, f"The run is {shown.get_status_display().lower()} by now, so this is not possible.")
        return redirect("run", shown.pk)
    posted = request.POST if request.method == "POST" else None
    written = running_again.written(shown) if way == Decision.What.RUN_AGAIN else []
    form = DecisionForm(
        posted,
        needs_reason=chosen.needs_reason,
        asks_provider_id=way == Decision.What.MARK_DONE,
        written=len(written),
    )
    problem = ""
    if posted is not None and form.is_valid():
        try:
            there = _decide(shown, way, form.cleaned_data, by=_person(request))
        except activation.NotAllowedNowError as error:
            problem = error.message
        else:
            messages.success(request, f"Done: {chosen.label.lower()}.")
            return redirect("run", there.pk)
    context = {
        "subtitle": shown.title,
        "run": shown,
        "action": chosen,
        "form": form,
        "problem": problem,
        "step": _asked_about(shown, way),
        "written": written,
    }
    return page(request, "runs/way_out.html", context, title=f"Run {shown.pk}")


def _may_decide(request: HttpRequest, way: str) -> bool:
    """Approvers let held runs go as builders do; everything else is for builders."""
    return may(request, Can.BUILD) or (way == Decision.What.RELEASE and may(request, Can.APPROVE))


def _asked_about(shown: Run, way: str) -> StepRun | None:
    """The step that the decision is about, to be shown with the question."""
    waiting = StepRun.objects.filter(run=shown, state=StepRun.State.NEEDS_REVIEW).select_related("connection").first()
    if waiting is None and way in (Decision.What.SKIP, Decision.What.MARK_DONE):
        return next(iter(retrying.failed(shown)), None)
    return waiting


def _decide(shown: Run, way: str, answers: dict[str, Any], *, by: User) -> Run:
    """Carry it out; returns the run to show afterwards."""
    reason = answers["reason"]
    if way == Decision.What.REPLAY:
        return decisions.replay(shown, by=by, reason=reason)
    if way == Decision.What.RUN_AGAIN:
        return decisions.run_again(shown, by=by, reason=reason, writes_twice=bool(answers.get("writes_twice")))
    if way == Decision.What.MARK_DONE:
        decisions.mark_done(shown, by=by, reason=reason, provider_id=answers["provider_id"])
    elif way == Decision.What.SEND_AGAIN:
        decisions.send_again(shown, by=by, reason=reason)
    elif way == Decision.What.SKIP:
        decisions.skip(shown, by=by, reason=reason)
    elif way == Decision.What.CANCEL:
        decisions.cancel(shown, by=by, reason=reason)
    elif way == Decision.What.ACKNOWLEDGE:
        decisions.acknowledge(shown, by=by, reason=reason)
    elif way == Decision.What.RELEASE:
        decisions.release(shown, by=by, reason=reason)
    else:
        decisions.retry(shown, by=by, reason=reason)
    return shown


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
