"""Adding a step and changing one: the chooser of kinds, and the form of an action, made from its Schema."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from integrations.access import Can, allow, team_of
from integrations.base import Action
from integrations.registry import actions
from pinxero.pages import page
from workflows import confirming, editing, inputs, kinds, publishing
from workflows.forms import StepForm
from workflows.functions import FUNCTIONS
from workflows.models import Step, Workflow
from workflows.outline import Place
from workflows.rows import EACH
from workflows.sight import Sight, sight
from workflows.tokens import TokenGroup
from workflows.views import filters
from workflows.views import kinds as kind_views
from workflows.views.common import (
    connections_by_provider,
    loader,
    missing_scopes,
    offers,
    operation_or_none,
    pick_connection,
    seen_at,
    steps_of,
    workflow_or_404,
)
from workflows.views.places import asked_place, back_to, carried, said, step_or_404

_USUAL = 8


@dataclass(frozen=True)
class KindOffer:
    """A kind of step as the chooser tells of it."""

    kind: str
    icon: str
    label: str
    purpose: str


_OFFERS = (
    (
        "Decide, repeat, work out, wait",
        (
            KindOffer(
                "filter", "filter_alt", "Filter", "Go on only if something is true. Otherwise the run ends here."
            ),
            KindOffer("branch", "alt_route", "Branch", "Do one thing in one case, another thing in another: if, else."),
            KindOffer("loop", "repeat", "Loop", "Do the same for each item of a list, such as each line of an order."),
            KindOffer(
                "format", "calculate", "Format", "Work out an amount, a date or a text once, and give it a name."
            ),
            KindOffer("lookup", "table_view", "Lookup table", "Turn one value into another: a board into its account."),
            KindOffer("delay", "schedule", "Delay", "Wait for some days, until a date, or until the next working day."),
            KindOffer(
                "call", "call_split", "Call another workflow", "Use what another workflow does, with data of this one."
            ),
            KindOffer("stop", "stop_circle", "Stop", "End the run here, as done or as failed, with a message."),
        ),
    ),
)


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def new_step(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Choose a kind of step or an action, then fill in its form. `?parent=` and `?before=` say where it is to stand."""
    workflow = workflow_or_404(request, workflow_id)
    place = asked_place(request, workflow)
    kind = request.GET.get("kind", "")
    if kind in (Step.Kind.FILTER, Step.Kind.PATH):
        return filters.edit(request, workflow, None, Step.Kind.FILTER, place)
    if kind in kinds.KINDS and kind != Step.Kind.ACTION:
        return kind_views.edit(request, workflow, None, kind, place)
    action = operation_or_none(request.GET.get("operation", ""))
    if isinstance(action, Action):
        return _edit(request, workflow, None, action, place)
    connections = connections_by_provider(team_of(request))
    context = {
        "workflow": workflow,
        "groups": offers(actions(), connections),
        "kinds": _OFFERS,
        "carried": carried(place),
        "where": said(place),
    }
    return page(request, "workflows/choose_action.html", context, title="Add a step")


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def step(request: HttpRequest, workflow_id: int, step_id: int) -> HttpResponse:
    """Show and save a step of the workflow."""
    workflow, found = step_or_404(request, workflow_id, step_id)
    place = Place(found.parent)
    if found.kind in (Step.Kind.FILTER, Step.Kind.PATH):
        return filters.edit(request, workflow, found, found.kind, place)
    if found.kind != Step.Kind.ACTION:
        return kind_views.edit(request, workflow, found, found.kind, place)
    action = operation_or_none(found.operation)
    if not isinstance(action, Action):
        messages.error(request, f"{found.operation} is not available here any more. Delete the step or add another.")
        return redirect("workflow", workflow.pk)
    return _edit(request, workflow, found, action, place)


def _edit(request: HttpRequest, workflow: Workflow, step: Step | None, action: Action, place: Place) -> HttpResponse:
    posted = request.POST if request.method == "POST" else None
    mine = connections_by_provider(team_of(request)).get(action.connector.key, [])
    stored = step.connection if step else None
    connection, missing = pick_connection(mine, posted.get("connection") if posted is not None else None, stored)
    if not action.connector.needs_connection:
        connection, missing = None, ""
    form = StepForm(posted, initial=_initial(step, action))
    errors: dict[str, str] = {}
    if posted is not None:
        sources = inputs.read(action.Inputs, posted)
        if not _is_draft(action, sources, posted):
            errors = inputs.problems(action.Inputs, sources, takes_tokens=True)
            errors = {**confirming.problems(action, sources, connection), **errors}
            if missing:
                errors["connection"] = missing
            if form.is_valid() and not errors:
                draft = editing.StepDraft(
                    name=form.cleaned_data["name"],
                    operation=action.full_key,
                    connection=connection,
                    sources=sources,
                    on_error=form.cleaned_data["on_error"],
                    max_attempts=form.cleaned_data["max_attempts"],
                )
                try:
                    saved = editing.save_step(workflow, step, draft, place=place)
                except editing.EditError as error:
                    form.add_error(None, error.message)
                else:
                    messages.success(request, f"{saved.name} is saved.")
                    return back_to(saved)
    elif step is not None:
        sources = editing.sources_of(list(step.mappings.all()))
        errors = {p.input: p.message for p in publishing.problems(workflow) if p.step == step.key and p.input}
    else:
        sources = inputs.defaults(action.Inputs)
    load = loader(connection, refresh=posted.get("_refresh", "") if posted is not None else "")
    here = sight(workflow, steps_of(workflow), seen_at(step, place))
    controls = inputs.controls(
        action.Inputs, sources, errors, load=load, takes_tokens=True, post=posted, lists=here.lists
    )
    usual, more = _folded(controls)
    standing = inputs.defaults(action.Inputs)
    pressed = posted.get("_refresh", "") or posted.get("_remove_row", "") if posted is not None else ""
    is_more_open = any(each.is_touched(standing.get(each.path)) or each.path == pressed.split(".")[0] for each in more)
    shown = {control.path for control in controls} | {"connection"}
    context = {
        "workflow": workflow,
        "step": step,
        "operation": action,
        "connections": mine,
        "connection": connection,
        "connection_error": errors.get("connection", ""),
        "missing_scopes": missing_scopes(action, connection) if connection else [],
        "controls": usual,
        "more_controls": more,
        "is_more_open": is_more_open,
        "stray_errors": [*form.non_field_errors(), *(said for path, said in errors.items() if _top(path) not in shown)],
        "offers_each": True,
        "form": form,
        "groups": [*_row_items(here, sources), *here.groups],
        "functions": list(FUNCTIONS.values()),
        "has_errors": bool(errors or (posted is not None and form.is_bound and form.errors)),
        "was_posted": posted is not None,
    }
    title = step.name if step else action.name
    return page(request, "workflows/step.html", context, title=title)


def _top(path: str) -> str:
    return path.split(".")[0]


def _row_items(here: Sight, sources: editing.Sources) -> list[TokenGroup]:
    """The values of the lists that rows are repeated over, each list once."""
    rows = [row for value in sources.values() if isinstance(value, list) for row in value]
    lists = dict.fromkeys(row[EACH] for row in rows if row.get(EACH, "").strip())
    return [group for group in map(here.items_of, lists) if group is not None]


def _folded(controls: list[inputs.Control]) -> tuple[list[inputs.Control], list[inputs.Control]]:
    """The inputs that everybody sees, and the less usual ones: what may stay empty beyond the first eight."""
    rest = controls[_USUAL:]
    needed = [each for each in rest if each.is_required]
    return controls[:_USUAL] + needed, [each for each in rest if not each.is_required]


def _is_draft(action: Action, sources: editing.Sources, posted: QueryDict) -> bool:
    """Whether the post only asks for the form again: with another row, fresh choices, another connection."""
    return inputs.change_rows(action.Inputs, sources, posted) or "_refresh" in posted or "_reload" in posted


def _initial(step: Step | None, action: Action) -> dict[str, object]:
    if step is None:
        return {"name": action.name}
    return {"name": step.name, "on_error": step.on_error, "max_attempts": step.max_attempts}
