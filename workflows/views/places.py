"""Where steps stand, as people change it: places to add at, moving, duplicating, deleting, one more path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from integrations.access import Can, allow
from pinxero.pages import page
from workflows import arranging, editing, outline
from workflows.models import Step, Workflow
from workflows.outline import Node, Place
from workflows.views.common import steps_of, workflow_or_404


@dataclass(frozen=True)
class Spot:
    """A place to choose: what stands there is `holder`'s, `label` says before what."""

    key: str
    place: Place
    label: str


@dataclass(frozen=True)
class Holder:
    """Something that holds steps, with the places in it."""

    label: str
    depth: int
    spots: list[Spot]


def step_or_404(request: HttpRequest, workflow_id: int, step_id: int) -> tuple[Workflow, Step]:
    """The team's workflow and a step of it; for anybody else they do not exist."""
    workflow = workflow_or_404(request, workflow_id)
    mine = workflow.steps.select_related("connection__grant", "workflow", "parent")
    return workflow, get_object_or_404(mine, pk=step_id)


def asked_place(request: HttpRequest, workflow: Workflow) -> Place:
    """Where `?parent=` and `?before=` say; the end of the workflow where they say nothing. 404 for steps not there."""
    found: dict[str, Step | None] = {"parent": None, "before": None}
    for name in found:
        asked = request.GET.get(name, "")
        if asked:
            if not asked.isdecimal() or len(asked) > 18:
                raise Http404("There is no such step.")
            found[name] = get_object_or_404(workflow.steps.select_related("parent"), pk=int(asked))
    place = Place(found["parent"], found["before"])
    if place.before is not None and place.before.parent_id != (place.parent.pk if place.parent else None):
        raise Http404("These steps do not stand together.")
    return place


def carried(place: Place) -> str:
    """The place as it is carried from page to page, beside other parameters."""
    given = {"parent": place.parent and place.parent.pk, "before": place.before and place.before.pk}
    return urlencode({name: value for name, value in given.items() if value})


def said(place: Place) -> str:
    """The place in words."""
    holder = holder_said(place.parent)
    return f"Before “{place.before.name}”, {holder}" if place.before else f"At the end, {holder}"


def holder_said(parent: Step | None) -> str:
    """What holds a step, in words."""
    if parent is None:
        return "in the workflow itself"
    where = {
        Step.Kind.PATH: "in the path",
        Step.Kind.LOOP: "for each item of",
        Step.Kind.BRANCH: "as a path of",
    }.get(Step.Kind(parent.kind), "on the error path of")
    return f"{where} “{parent.name}”"


def places(steps: Sequence[Step], step: Step) -> list[Holder]:
    """Everywhere a step can be moved to, in the order of the workflow; not where it is, and not into itself."""
    nodes = outline.outline(steps)
    return [each for each in _holders(None, nodes, step, 0) if each.spots]


def _holders(holder: Node | None, inside: list[Node], step: Step, depth: int) -> Iterator[Holder]:
    parent = holder.step if holder else None
    if outline.can_hold(parent, step.kind) and _is_open(parent):
        spots = []
        others = [each for each in inside if each.step.pk != step.pk]
        own = next((index for index, each in enumerate(inside) if each.step.pk == step.pk), None)
        for index, each in enumerate(others):
            if index != own:
                spots.append(_spot(Place(parent, each.step), f"Before “{each.step.name}”"))
        if own is None or own != len(others):
            spots.append(_spot(Place(parent), "At the end" if others else "As the only step"))
        yield Holder(holder_said(parent), depth, spots)
    for node in inside:
        if node.step.pk != step.pk:
            yield from _holders(node, node.children, step, depth + 1)


def _is_open(parent: Step | None) -> bool:
    """Whether something may be moved there: an action has an error path only where it takes one."""
    return parent is None or parent.kind != Step.Kind.ACTION or parent.on_error == Step.OnError.ERROR_PATH


def _spot(place: Place, label: str) -> Spot:
    return Spot(f"{place.parent.pk if place.parent else 0}-{place.before.pk if place.before else 0}", place, label)


@require_POST
@allow(Can.BUILD)
def move_step(request: HttpRequest, workflow_id: int, step_id: int) -> HttpResponse:
    """One place up or down among those beside it."""
    _, found = step_or_404(request, workflow_id, step_id)
    if editing.move_step(found, up=request.POST.get("direction") == "up"):
        messages.success(request, f"{found.name} is moved.")
    return back_to(found)


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def place_step(request: HttpRequest, workflow_id: int, step_id: int) -> HttpResponse:
    """Choose another place for a step, in or out of paths and loops."""
    workflow, found = step_or_404(request, workflow_id, step_id)
    holders = places(steps_of(workflow), found)
    problem = ""
    if request.method == "POST":
        spots = [spot for holder in holders for spot in holder.spots]
        spot = next((each for each in spots if each.key == request.POST.get("place")), None)
        try:
            if spot is None:
                raise editing.EditError("Choose a place.")
            arranging.place_step(found, spot.place)
        except editing.EditError as error:
            problem = error.message
        else:
            messages.success(request, f"{found.name} is moved.")
            return back_to(found)
    context = {"workflow": workflow, "step": found, "holders": holders, "problem": problem}
    return page(request, "workflows/place.html", context, title=f"Move “{found.name}”")


@require_POST
@allow(Can.BUILD)
def duplicate_step(request: HttpRequest, workflow_id: int, step_id: int) -> HttpResponse:
    """A copy of the step and of all that stands in it, right after it."""
    _, found = step_or_404(request, workflow_id, step_id)
    try:
        copy = arranging.duplicate_step(found)
    except editing.EditError as error:
        messages.error(request, error.message)
        return back_to(found)
    messages.success(request, f"{copy.name} is there.")
    return back_to(copy)


@require_POST
@allow(Can.BUILD)
def add_path(request: HttpRequest, workflow_id: int, step_id: int) -> HttpResponse:
    """One more path of a branch; its conditions come next."""
    workflow, found = step_or_404(request, workflow_id, step_id)
    if found.kind != Step.Kind.BRANCH:
        raise Http404("Only a branch has paths.")
    made = editing.add_path(found)
    messages.success(request, f"{made.name} is there. Say now when it is taken.")
    return redirect("step", workflow.pk, made.pk)


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def delete_step(request: HttpRequest, workflow_id: int, step_id: int) -> HttpResponse:
    """Say what goes with the step and who uses it, ask, then remove it."""
    workflow, found = step_or_404(request, workflow_id, step_id)
    if request.method == "POST":
        editing.delete_step(found)
        messages.success(request, f"{found.name} is deleted.")
        return redirect("workflow", workflow.pk)
    steps = steps_of(workflow)
    node = outline.find(outline.outline(steps), found)
    inside = [] if node is None else [each.step for each in outline.walk(node.children)]
    gone = {found.pk, *(each.pk for each in inside)}
    left = [each for each in steps if each.pk not in gone]
    context = {
        "workflow": workflow,
        "step": found,
        "inside": inside,
        "users": arranging.uses(left, {found.key, *(each.key for each in inside)}),
    }
    return page(request, "workflows/delete_step.html", context, title="Delete a step")


def back_to(step: Step) -> HttpResponse:
    """To the workflow's page, where the step stands."""
    return HttpResponseRedirect(reverse("workflow", args=[step.workflow_id]) + f"#step-{step.pk}")
