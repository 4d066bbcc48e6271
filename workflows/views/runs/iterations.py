"""The iterations of a loop in a run: a list by pages, and a page for each."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from integrations.teams.access import Can, allow, may, team_of
from pinxero.pages import page
from workflows.definitions import plans
from workflows.models import Run, Step, StepRun
from workflows.presenters.presentation import labelled_values
from workflows.presenters.runs import run_tree
from workflows.presenters.runs.fix_links import FixLinks
from workflows.runs import undoing

PER_PAGE = 50
_STATES = {"failed": "Failed", "skipped": "Ended by a filter", "succeeded": "Done"}


@require_GET
@allow(Can.LOOK)
def run_turns(request: HttpRequest, run_id: int, step: str) -> HttpResponse:
    """A loop's iterations, 50 to a page. `?within=` is the iteration of the loop around it, `?from=` where the page
    begins, `?state=` how the iterations ended."""
    run, loop = _loop_or_404(request, run_id, step)
    within, state = request.GET.get("within", ""), request.GET.get("state", "")
    begin = request.GET.get("from", "")
    rows = run_tree.iteration_rows(run, step, within if _is_iteration(within) else "").order_by("position")
    if state in _STATES:
        rows = rows.filter(state=state)
    if begin.isascii() and begin.isdecimal() and len(begin) < 9:
        rows = rows.filter(position__gte=int(begin))
    found = list(rows[: PER_PAGE + 1])
    context = {
        "subtitle": run.title,
        "run": run,
        "loop": loop,
        "iterations": run_tree.iterations_of(found[:PER_PAGE], run),
        "next": found[PER_PAGE].position if len(found) > PER_PAGE else None,
        "is_first": not begin,
        "states": list(_STATES.items()),
        "state": state,
        "within": within,
    }
    return page(request, "runs/turns.html", context, title=f"Iterations of {loop['name']}")


@require_GET
@allow(Can.LOOK)
def run_turn(request: HttpRequest, run_id: int, step: str, iteration: str) -> HttpResponse:
    """One iteration: its item, and what happened to it."""
    run, loop = _loop_or_404(request, run_id, step)
    around, _, number = iteration.rpartition(".")
    row = get_object_or_404(
        StepRun.objects.filter(run=run, step=step, kind=Step.Kind.LOOP),
        iteration=around if _is_iteration(around) else "",
    )
    items = (row.inputs or {}).get("items", [])
    if not _is_iteration(iteration) or not 1 <= int(number) <= len(items):
        raise Http404("The loop has no such iteration.")
    at = int(number)
    ended = run_tree.iteration_rows(run, step, around).filter(position=at).first()
    context: dict[str, Any] = {
        "subtitle": run.title,
        "run": run,
        "loop": loop,
        "number": at,
        "count": len(items),
        "iteration": run_tree.iterations_of([ended], run)[0] if ended else None,
        "item_facts": labelled_values(items[at - 1]),
        "nodes": run_tree.step_nodes(
            run,
            loop["steps"],
            run_tree.rows_at(run, loop["steps"], iteration),
            iteration,
            fixes=FixLinks(run) if may(request, Can.BUILD) else None,
        ),
        "before": _address(around, at - 1) if at > 1 else "",
        "after": _address(around, at + 1) if at < len(items) else "",
        "within": around,
        "iteration_key": iteration,
        "may_undo": may(request, Can.UNDO) and not run.is_open and undoing.written(run, iteration=iteration).exists(),
    }
    return page(request, "runs/turn.html", context, title=f"Iteration {at} of {loop['name']}")


def _loop_or_404(request: HttpRequest, run_id: int, step: str) -> tuple[Run, plans.PlanStep]:
    run = get_object_or_404(Run.objects.for_team(team_of(request)).select_related("workflow", "version"), pk=run_id)
    loop = plans.step_of(run.version.plan, step)
    if loop is None or loop["kind"] != Step.Kind.LOOP:
        raise Http404("The run has no such loop.")
    return run, loop


def _address(around: str, number: int) -> str:
    return f"{around}.{number}" if around else str(number)


def _is_iteration(text: str) -> bool:
    """Whether this names an iteration, such as 3 or 3.12."""
    return len(text) <= 100 and all(part.isascii() and part.isdecimal() and len(part) < 6 for part in text.split("."))
