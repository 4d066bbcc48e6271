"""The sample that a workflow is built with: read, chosen, edited by hand; and the output of a reading step, fetched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from integrations.core.body_limits import WITH_FILE, takes
from integrations.framework.base import Door, Start
from integrations.framework.registry import operation_or_none
from integrations.teams.access import Can, allow
from workflows.definitions import samples
from workflows.definitions.changes import revisions
from workflows.definitions.tree import Place
from workflows.engine import fetching
from workflows.forms import sample_form
from workflows.models import SampleItem, Workflow, WorkflowPart
from workflows.presenters.editor.available_values import available_values
from workflows.presenters.editor.conflicts import Conflict, differing, sentence
from workflows.presenters.editor.sample_card import sample_card
from workflows.triggers import csv_start, sample_reading
from workflows.views.common import place_of, signed_in, steps_of, workflow_or_404
from workflows.views.editor.form_page import seen_number
from workflows.views.editor.panel import editor_page
from workflows.views.editor.step_order import step_or_404

#: The elements that show the sample: the list to choose from, and the line on the trigger's card.
PLACES = {"px-sample", "trigger-sample"}


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def workflow_samples(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Show the sample and the items to choose from; a POST reads the newest ones first."""
    workflow = workflow_or_404(request, workflow_id)
    if request.method == "POST":
        sample_reading.read_newest(workflow)
        return redirect("workflow_samples", workflow.pk)
    return _page(request, workflow)


@require_POST
@allow(Can.BUILD)
def choose_sample(request: HttpRequest, workflow_id: int, item_id: int) -> HttpResponse:
    """Build with this item from now on."""
    workflow = workflow_or_404(request, workflow_id)
    item = get_object_or_404(SampleItem.objects.filter(workflow=workflow), pk=item_id)
    _change(request, workflow, lambda: samples.choose(workflow, item), mine=item.title)
    return redirect("workflow_samples", workflow.pk)


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def edit_sample(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Edit the values of the sample; what is saved is used instead of a real item, and marked."""
    workflow = workflow_or_404(request, workflow_id)
    if "_theirs" in request.POST:
        return redirect("edit_sample", workflow.pk)
    part = revisions.part_of(workflow, WorkflowPart.Part.SAMPLE)
    theirs = samples.sample_of(workflow).data
    shape, problem, conflict = sample_form.shape_of(theirs), "", None
    seen, fields = part.revision, sample_form.fields_of(theirs)
    edited = _edited(workflow, request.POST.get("shape", ""), theirs)
    if request.method == "POST" and edited is None:
        problem = "The sample has changed meanwhile. Here it is again: edit it once more."
    elif request.method == "POST" and edited is not None:
        shape, seen = sample_form.shape_of(edited), seen_number(request, part)
        data, fields = sample_form.read(edited, request.POST.dict())
        if any(each.error for each in fields):
            problem = "Not saved yet. Correct what is marked below."
        else:
            try:
                with revisions.saving(part, seen=seen, by=signed_in(request)):
                    samples.keep_typed(workflow, data)
            except revisions.SavedMeanwhileError as error:
                rows = differing(sample_form.readable(theirs), sample_form.readable(data))
                conflict = Conflict(error.by, error.at, part.revision, rows)
            else:
                messages.success(request, "The sample is saved. The workflow is built with it.")
                return redirect("workflow_samples", workflow.pk)
    context = {
        "fields": fields,
        "shape": shape,
        "problem": problem,
        "card": sample_card(workflow),
        "revision": seen,
        "was_posted": request.method == "POST",
        "conflict": conflict,
    }
    return editor_page(request, workflow, "workflows/sample_form.html", context, title="Edit the sample")


def _edited(workflow: Workflow, shape: str, current: dict[str, Any]) -> dict[str, Any] | None:
    """The sample that a form of this shape was made from: the one of now, or another one there is; None if none is."""
    known = [current, *(item.data for item in samples.items_of(workflow)), samples.invented(workflow).data]
    return next((data for data in known if sample_form.shape_of(data) == shape), None)


def _change(request: HttpRequest, workflow: Workflow, change: Callable[[], None], *, mine: str) -> None:
    """Change the sample, unless somebody has since the page was shown: then a message says who, and what is there."""
    part = revisions.part_of(workflow, WorkflowPart.Part.SAMPLE)
    try:
        with revisions.saving(part, seen=seen_number(request, part), by=signed_in(request)):
            change()
    except revisions.SavedMeanwhileError as error:
        theirs = samples.sample_of(workflow).title
        messages.warning(request, sentence(error, "changed the sample", theirs=theirs, mine=mine))


@require_POST
@allow(Can.BUILD)
def drop_sample(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Forget what was typed, and use real items again."""
    workflow = workflow_or_404(request, workflow_id)
    _change(request, workflow, lambda: samples.drop_typed(workflow), mine="without what was edited by hand")
    return redirect("workflow_samples", workflow.pk)


@require_POST
@allow(Can.BUILD)
def fetch_step(request: HttpRequest, workflow_id: int, step_id: int) -> HttpResponse:
    """Do a reading step's read with the samples of what comes before it, and keep what it gives."""
    workflow, step = step_or_404(request, workflow_id, step_id)
    here = available_values(workflow, steps_of(workflow), place_of(step, Place(step.parent)))
    try:
        fetching.fetch(step, here.data, here.context)
    except fetching.NotFetchedError as error:
        messages.error(request, error.message)
    return redirect("step", workflow.pk, step.pk)


@takes(WITH_FILE)
@require_POST
@allow(Can.BUILD)
def take_columns(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Declare the values that the trigger asks for by the columns of a file; its first rows become samples."""
    workflow = workflow_or_404(request, workflow_id)
    trigger = operation_or_none(request.POST.get("trigger", "") or workflow.trigger_operation)
    given = request.FILES.get("file")
    try:
        if not isinstance(trigger, Start) or Door.FILE not in trigger.doors:
            raise csv_start.UnreadableFileError("This trigger does not start from a file. Choose another one.")
        if given is None or (given.size or 0) > csv_start.LONGEST_FILE:
            raise csv_start.UnreadableFileError("Choose a CSV file of at most 5 MB.")
        with revisions.saving(workflow, seen=seen_number(request, workflow), by=signed_in(request)):
            kept = csv_start.take_columns(workflow, trigger, content=given.read())
    except csv_start.UnreadableFileError as error:
        messages.error(request, error.message)
        return redirect("workflow_trigger", workflow.pk)
    except revisions.SavedMeanwhileError as error:
        mine = f"the columns of {given.name}" if given else "the columns of a file"
        messages.warning(request, sentence(error, "saved the trigger", theirs="what is below", mine=mine))
        return redirect("workflow_trigger", workflow.pk)
    if not kept:
        messages.warning(request, "The file shows not how its numbers or days are written, so no row became a sample.")
    messages.success(request, "The columns are taken over. Correct their names and kinds in the trigger.")
    return redirect("workflow_trigger", workflow.pk)


def _page(request: HttpRequest, workflow: Workflow) -> HttpResponse:
    card = sample_card(workflow)
    if card is None:
        return redirect("workflow_trigger", workflow.pk)
    is_part = request.headers.get("HX-Target") in PLACES
    shown = {"trigger_sample": {"origin": card.sample.origin, "sample": card.sample.title}} if is_part else {}
    context = {"card": card, "is_part": is_part, **shown}
    return editor_page(request, workflow, "workflows/samples.html", context, title=f"Sample of {card.trigger.name}")
