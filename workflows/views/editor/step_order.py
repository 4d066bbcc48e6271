"""The order of steps: where to add one, moving, copying, deleting and putting back, adding a path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from integrations.teams.access import Can, allow, team_of
from workflows.definitions import editing, kinds, ordering, tree
from workflows.definitions.changes import copying, deleting, revisions
from workflows.definitions.tree import Node, Place
from workflows.forms.page_forms import PlainForm
from workflows.models import Revised, Step, Workflow, WorkflowPart
from workflows.presenters.editor.conflicts import names, sentence
from workflows.presenters.presentation import person, when
from workflows.views.common import signed_in, steps_of, workflow_or_404
from workflows.views.editor.form_page import FormPage, confirmed, seen_number
from workflows.views.editor.panel import editor_page

_CHOOSE = "Choose a place."


@dataclass(frozen=True)
class Spot:
    """A place to choose; `label` says before which step."""

    key: str
    place: Place
    label: str


@dataclass(frozen=True)
class Holder:
    """Something that contains steps, with the places inside it."""

    label: str
    depth: int
    spots: list[Spot]


def step_or_404(request: HttpRequest, workflow_id: int, step_id: int) -> tuple[Workflow, Step]:
    """The team's workflow and a step of it; for anybody else they do not exist."""
    workflow = workflow_or_404(request, workflow_id)
    mine = workflow.steps.select_related("connection__grant", "workflow", "parent")
    return workflow, get_object_or_404(mine, pk=step_id)


def asked_place(request: HttpRequest, workflow: Workflow) -> Place:
    """The place given by `?parent=` and `?before=`, else the end of the workflow. 404 for unknown steps."""
    found: dict[str, Step | None] = {"parent": None, "before": None}
    for name in found:
        asked = request.GET.get(name, "")
        if asked:
            if not asked.isdecimal() or len(asked) > 18:
                raise Http404("There is no such step.")
            found[name] = get_object_or_404(workflow.steps.select_related("parent"), pk=int(asked))
    place = Place(found["parent"], found["before"])
    if place.before is not None and place.before.parent_id != (place.parent.pk if place.parent else None):
        raise Http404("These steps are not next to each other.")
    return place


def place_text(place: Place) -> str:
    """The place in words."""
    holder = holder_text(place.parent)
    return f"Before “{place.before.name}”, {holder}" if place.before else f"At the end, {holder}"


def holder_text(parent: Step | None) -> str:
    """What contains a step, in words."""
    if parent is None:
        return "in the workflow itself"
    return f"{kinds.of(parent.kind).inside_words} “{parent.name}”"


def open_places(steps: Sequence[Step], step: Step) -> list[Holder]:
    """All places to which a step can be moved, in the order of the workflow; not its own, and not inside itself."""
    nodes = tree.build_tree(steps)
    return [each for each in _holders(None, nodes, step, 0) if each.spots]


def _holders(holder: Node | None, inside: list[Node], step: Step, depth: int) -> Iterator[Holder]:
    parent = holder.step if holder else None
    if tree.can_hold(parent, step.kind) and _is_open(parent):
        spots = []
        others = [each for each in inside if each.step.pk != step.pk]
        own = next((index for index, each in enumerate(inside) if each.step.pk == step.pk), None)
        for index, each in enumerate(others):
            if index != own:
                spots.append(_spot(Place(parent, each.step), f"Before “{each.step.name}”"))
        if own is None or own != len(others):
            spots.append(_spot(Place(parent), "At the end" if others else "As the only step"))
        yield Holder(holder_text(parent), depth, spots)
    for node in inside:
        if node.step.pk != step.pk:
            yield from _holders(node, node.children, step, depth + 1)


def _is_open(parent: Step | None) -> bool:
    """Whether a step may be moved there: into an action only if it uses its error path."""
    return parent is None or parent.kind != Step.Kind.ACTION or parent.on_error == Step.OnError.ERROR_PATH


def _spot(place: Place, label: str) -> Spot:
    return Spot(f"{place.parent.pk if place.parent else 0}-{place.before.pk if place.before else 0}", place, label)


@require_POST
@allow(Can.BUILD)
def move_step(request: HttpRequest, workflow_id: int, step_id: int) -> HttpResponse:
    """Move it up or down by one."""
    workflow, found = step_or_404(request, workflow_id, step_id)
    order = revisions.part_of(workflow, WorkflowPart.Part.ORDER)
    up = request.POST.get("direction") == "up"
    try:
        with revisions.saving(order, seen=seen_number(request, order), by=signed_in(request)):
            is_moved = editing.move_step(found, up=up)
    except revisions.SavedMeanwhileError as error:
        siblings = ordering.siblings_of(found)
        theirs, mine = names(siblings), names(ordering.swapped(siblings, found, up=up))
        messages.warning(request, sentence(error, "moved steps", theirs=theirs, mine=mine))
    else:
        if is_moved:
            messages.success(request, f"{found.name} was moved.")
    return back_to(found)


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def place_step(request: HttpRequest, workflow_id: int, step_id: int) -> HttpResponse:
    """Choose another place for a step, in or out of paths and loops."""
    return PlacePage(request, *step_or_404(request, workflow_id, step_id)).answer()


class PlacePage(FormPage[Spot | None]):
    """Where a step is to stand."""

    template = "workflows/place.html"

    def __init__(self, request: HttpRequest, workflow: Workflow, step: Step) -> None:
        super().__init__(request, workflow, revisions.part_of(workflow, WorkflowPart.Part.ORDER))
        self.step = step
        self.form = PlainForm(self.posted)
        self.steps = steps_of(workflow)
        self.holders = open_places(self.steps, step)

    @property
    def title(self) -> str:
        """Which step is moved."""
        return f"Move “{self.step.name}”"

    def readable(self, typed: Spot | None) -> dict[str, str]:
        """The place in words."""
        return {f"Place of “{self.step.name}”": place_text(typed.place) if typed else ""}

    def readable_stored(self) -> dict[str, str]:
        """Where it stands now."""
        here = tree.place_of(tree.build_tree(self.steps), self.step)
        return {f"Place of “{self.step.name}”": place_text(here)}

    def stored(self) -> Spot | None:
        """None is chosen at first."""
        return None

    def read(self, posted: QueryDict) -> Spot | None:
        """The chosen place, if there is such a one."""
        spots = (spot for holder in self.holders for spot in holder.spots)
        return next((each for each in spots if each.key == posted.get("place")), None)

    def is_draft(self, typed: Spot | None, posted: QueryDict) -> bool:
        """It is always saved."""
        return False

    def problems(self, typed: Spot | None) -> dict[str, str]:
        """A place must be chosen."""
        if typed is not None:
            return {}
        is_chosen = self.posted is not None and self.posted.get("place")
        return {"": "It stands there by now, or nothing can stand there. Choose a place." if is_chosen else _CHOOSE}

    def refuse(self, message: str) -> None:
        """Show why it cannot stand there."""
        self.errors[""] = message

    def shown(self, context: dict[str, Any]) -> HttpResponse:
        """The form; of a card that was dropped somewhere, the steps as they are, with the reason in a sentence."""
        if self.request.method != "POST" or self.request.headers.get("HX-Target") != "flow":
            return super().shown(context)
        if self.conflict is None:
            messages.warning(self.request, self.errors.get("", _CHOOSE))
        else:
            [(_, theirs, mine)] = self.conflict.rows or [("", "as shown", "the same")]
            error = revisions.SavedMeanwhileError(self.conflict.by, self.conflict.at)
            messages.warning(self.request, sentence(error, "moved steps", theirs=theirs, mine=mine))
        return back_to(self.step)

    def save(self, typed: Spot | None) -> HttpResponse:
        """Move the step, and show it there."""
        assert typed is not None
        ordering.place_step(self.step, typed.place)
        messages.success(self.request, f"{self.step.name} was moved.")
        return back_to(self.step)

    def context(self, typed: Spot | None) -> dict[str, Any]:
        """The places to choose from."""
        chosen = typed.key if typed else ""
        problem = self.errors.get("", "")
        return {"step": self.step, "holders": self.holders, "chosen": chosen, "problem": problem}


@require_POST
@allow(Can.BUILD)
def duplicate_step(request: HttpRequest, workflow_id: int, step_id: int) -> HttpResponse:
    """Insert a copy of the step, with everything inside it, right after it."""
    _, found = step_or_404(request, workflow_id, step_id)
    try:
        copy = ordering.duplicate_step(found)
    except editing.EditError as error:
        messages.error(request, error.message)
        return back_to(found)
    messages.success(request, f"{copy.name} was added.")
    return back_to(copy)


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def copy_step(request: HttpRequest, workflow_id: int, step_id: int) -> HttpResponse:
    """Ask for one of the team's workflows, then copy the step to its end and show it there."""
    workflow, found = step_or_404(request, workflow_id, step_id)
    targets = list(Workflow.objects.for_team(team_of(request)).only("name", "team").order_by("name"))
    problem = ""
    if request.method == "POST":
        target = next((each for each in targets if str(each.pk) == request.POST.get("workflow")), None)
        try:
            if target is None:
                raise editing.EditError("Choose a workflow.")
            copy = copying.copy_step(found, target)
        except editing.EditError as error:
            problem = error.message
        else:
            messages.success(
                request, f"{copy.name} is at the end of {target.name}. Check what it takes from other steps."
            )
            return back_to(copy)
    context = {"step": found, "targets": targets, "problem": problem}
    return editor_page(request, workflow, "workflows/copy_step.html", context, title=f"Copy “{found.name}”")


@require_POST
@allow(Can.BUILD)
def add_path(request: HttpRequest, workflow_id: int, step_id: int) -> HttpResponse:
    """One more path of a branch; its conditions come next."""
    workflow, found = step_or_404(request, workflow_id, step_id)
    if found.kind != Step.Kind.BRANCH:
        raise Http404("Only a branch has paths.")
    made = editing.add_path(found, by=signed_in(request))
    messages.success(request, f"{made.name} was added. Now say when it is taken.")
    return redirect("step", workflow.pk, made.pk)


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def delete_step(request: HttpRequest, workflow_id: int, step_id: int) -> HttpResponse:
    """Show what is deleted with the step and what uses it, ask, then delete it."""
    workflow, found = step_or_404(request, workflow_id, step_id)
    steps = steps_of(workflow)
    node = tree.find(tree.build_tree(steps), found)
    inside = [] if node is None else [each.step for each in tree.walk(node.children)]
    rows: list[Revised] = [found, *inside]
    conflict = confirmed(request, workflow, rows, mine="deleted", anyway="Delete it anyway")
    if request.method == "POST" and "_theirs" in request.POST:
        return back_to(found)
    if request.method == "POST" and conflict is None:
        deleting.delete_step(found, by=signed_in(request))
        messages.success(request, f"{found.name} is deleted.")
        return redirect("workflow", workflow.pk)
    gone = {found.pk, *(each.pk for each in inside)}
    left = [each for each in steps if each.pk not in gone]
    context = {
        "workflow": workflow,
        "step": found,
        "inside": inside,
        "revision": revisions.state_of(rows),
        "conflict": conflict,
        "users": ordering.uses(left, {found.key, *(each.key for each in inside)}),
    }
    return editor_page(request, workflow, "workflows/delete_step.html", context, title="Delete a step")


@require_POST
@allow(Can.BUILD)
def put_back(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Put the step that was deleted last where it was."""
    workflow = workflow_or_404(request, workflow_id)
    deleted = deleting.last_deleted(workflow)
    shown = request.POST.get("shown", "")
    if deleted is not None and shown and shown != deleted.deleted_at.isoformat():
        who, moment = person(deleted.deleted_by), when(deleted.deleted_at)
        messages.warning(
            request,
            f"{who} deleted “{deleted.name}” {moment}, after you had opened this page. Only that can be put back now.",
        )
        return redirect("workflow", workflow.pk)
    try:
        step = deleting.put_back(workflow)
    except editing.EditError as error:
        messages.error(request, error.message)
        return redirect("workflow", workflow.pk)
    messages.success(request, f"{step.name} is back.")
    return back_to(step)


def after_trigger(workflow: Workflow) -> HttpResponse:
    """Redirect from a saved trigger to what should happen then; to the workflow's page where that is known already."""
    return redirect("workflow" if workflow.steps.exists() else "new_step", workflow.pk)


def back_to(step: Step) -> HttpResponse:
    """Redirect to the step on the workflow's page."""
    return HttpResponseRedirect(reverse("workflow", args=[step.workflow_id]) + f"#step-{step.pk}")
