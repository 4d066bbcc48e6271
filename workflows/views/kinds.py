"""The forms of steps without an operation: branch, loop, delay, format, lookup, call, stop."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect

from integrations.base import Door, Start
from integrations.fields import Choice
from pinxero.pages import page
from workflows import editing, inputs, kind_forms, kinds, publishing
from workflows.forms import BranchForm, KindStepForm
from workflows.functions import FUNCTIONS
from workflows.models import LookupTable, Step, Workflow
from workflows.outline import Place
from workflows.sight import Sight, operation_or_none, sight
from workflows.views.common import loader, seen_at, steps_of
from workflows.views.places import back_to

Kind = Step.Kind


def edit(request: HttpRequest, workflow: Workflow, step: Step | None, kind: str, place: Place) -> HttpResponse:
    """Show and save such a step; a branch has a form of its own."""
    if kind == Kind.BRANCH:
        return _branch(request, workflow, step, place)
    steps = steps_of(workflow)
    here = sight(workflow, steps, seen_at(step, place))
    options = options_of(workflow, kind, here)
    posted = request.POST if request.method == "POST" else None
    known = kinds.of(kind)
    form = KindStepForm(posted, initial=_initial(step, known.label), can_fail=known.can_fail)
    errors: dict[str, str] = {}
    if posted is not None:
        asked = kind_forms.form_of(kind, _chosen(kind, posted), options)
        sources = inputs.read(asked, posted)
        if not _is_draft(workflow, asked, sources, posted):
            errors = inputs.problems(asked, sources, takes_tokens=True, fixed=asked.fixed)
            errors = {**kind_forms.problems(kind, sources), **errors}
            if form.is_valid() and not errors:
                saved = _save(workflow, step, kind, form, sources, place)
                if saved is not None:
                    messages.success(request, f"{saved.name} is saved.")
                    return back_to(saved)
    else:
        sources = kind_forms.stored(step) if step else kind_forms.defaults(kind, how=request.GET.get("how", ""))
        asked = kind_forms.form_of(kind, sources, options)
        if step is not None:
            errors = {p.input: p.message for p in publishing.problems(workflow) if p.step == step.key and p.input}
            errors = _in_table(kind, sources, errors)
    controls = inputs.controls(
        asked, sources, errors, load=loader(None), takes_tokens=True, post=posted, fixed=asked.fixed, lists=here.lists
    )
    _refine(controls, kind, here)
    shown = {control.path for control in controls}
    context = {
        "workflow": workflow,
        "step": step,
        "kind": known,
        "controls": controls,
        "stray_errors": [
            *form.non_field_errors(),
            *(said for path, said in errors.items() if path.split(".")[0] not in shown),
        ],
        "form": form,
        "asks_anew": any(control.reloads for control in controls),
        "groups": here.groups,
        "functions": list(FUNCTIONS.values()),
        "has_errors": bool(errors or (posted is not None and form.is_bound and form.errors)),
        "was_posted": posted is not None,
        "lacks": _lacks(kind, options),
    }
    return page(request, "workflows/kind.html", context, title=step.name if step else known.label)


def options_of(workflow: Workflow, kind: str, here: Sight) -> dict[str, Sequence[Choice]]:
    """What the settings of a kind are chosen from."""
    if kind == Kind.LOOP:
        return {"items": here.lists}
    if kind == Kind.LOOKUP:
        tables = LookupTable.objects.for_team(workflow.team).filter(is_archived=False).order_by("name")
        return {"table": [(name, name) for name in tables.values_list("name", flat=True)]}
    if kind == Kind.CALL:
        others = Workflow.objects.for_team(workflow.team).exclude(pk=workflow.pk).order_by("name")
        found = [
            (not _can_be_called(trigger), str(pk), name, published)
            for pk, name, trigger, published in others.values_list("pk", "name", "trigger_operation", "published")
        ]
        # Those that can be called come first; the sort leaves each part in the order of names.
        found.sort(key=lambda each: each[0])
        return {"workflow": [(pk, _called_said(name, is_shut, published)) for is_shut, pk, name, published in found]}
    return {}


def _can_be_called(trigger: str) -> bool:
    found = operation_or_none(trigger)
    return isinstance(found, Start) and Door.CALL in found.doors


def _called_said(name: str, is_shut: bool, published: int | None) -> str:
    if is_shut:
        return f"{name} (has a trigger of its own, so it cannot be called)"
    return name if published else f"{name} (not published yet)"


def _branch(request: HttpRequest, workflow: Workflow, step: Step | None, place: Place) -> HttpResponse:
    posted = request.POST if request.method == "POST" else None
    form = BranchForm(posted, initial={"name": step.name if step else "Branch"}, is_new=step is None)
    if posted is not None and form.is_valid():
        try:
            if step is not None:
                saved = editing.rename_step(step, form.cleaned_data["name"])
                messages.success(request, f"{saved.name} is saved.")
                return back_to(saved)
            saved = editing.add_branch(workflow, **form.cleaned_data, place=place)
        except editing.EditError as error:
            form.add_error(None, error.message)
        else:
            first = saved.children.order_by("position")[0]
            messages.success(request, f"{saved.name} is there. Say now when its first path is taken.")
            return redirect("step", workflow.pk, first.pk)
    context = {"workflow": workflow, "step": step, "kind": kinds.of(Kind.BRANCH), "form": form}
    return page(request, "workflows/branch.html", context, title=step.name if step else "Branch")


def _save(
    workflow: Workflow,
    step: Step | None,
    kind: str,
    form: KindStepForm,
    sources: editing.Sources,
    place: Place,
) -> Step | None:
    settings, rows = kind_forms.split(kind, sources)
    try:
        return editing.save_kind(
            workflow,
            step,
            kind=kind,
            name=form.cleaned_data["name"],
            settings=settings,
            sources=rows,
            on_error=form.cleaned_data.get("on_error", Step.OnError.STOP),
            place=place,
        )
    except editing.EditError as error:
        form.add_error(None, error.message)
        return None


def _chosen(kind: str, posted: QueryDict) -> editing.Sources:
    """The settings that decide what else is asked for."""
    return {each.name: posted.get(inputs.PREFIX + each.name, "") for each in kinds.of(kind).settings}


def _is_draft(workflow: Workflow, asked: kind_forms.KindForm, sources: editing.Sources, posted: QueryDict) -> bool:
    """Whether the post only asks for the form again."""
    if inputs.change_rows(asked, sources, posted):
        return True
    if "_reload" in posted and asked.kind.key == Kind.CALL:
        _ask_for_values(workflow, sources)
    return "_reload" in posted


def _ask_for_values(workflow: Workflow, sources: editing.Sources) -> None:
    """A row for each value that the chosen workflow asks for, where nobody has begun to write rows."""
    table = kind_forms.NAMED[Kind.CALL][0]
    rows = sources.get(table)
    chosen = str(sources.get("workflow", ""))
    if not chosen.isdecimal() or (isinstance(rows, list) and any(any(row.values()) for row in rows)):
        return
    called = Workflow.objects.for_team(workflow.team).filter(pk=int(chosen)).first()
    trigger = operation_or_none(called.trigger_operation) if called else None
    if called is not None and isinstance(trigger, Start):
        sources[table] = [
            {kind_forms.NAME_COLUMN: each.name, kind_forms.VALUE_COLUMN: ""}
            for each in trigger.fields(called.trigger_inputs)
        ]


def _refine(controls: list[inputs.Control], kind: str, here: Sight) -> None:
    """What the general form does not know: what is asked for anew on a change, and what values are worth now."""
    for control in controls:
        control.reloads = control.path in ("how", "missing") or (kind == Kind.CALL and control.path == "workflow")
        if control.path == "at":
            control.widget = "time"
        elif control.path == "limit":
            control.widget = "whole"
        for cell in (row.cells[-1] for row in control.rows):
            cell.lines = 1
            if kind == Kind.FORMAT and "{{" in cell.value and not cell.errors:
                cell.gives = here.worked_out(cell.value)


def _in_table(kind: str, sources: editing.Sources, errors: dict[str, str]) -> dict[str, str]:
    """Problems of named values, at the rows where these stand."""
    if kind not in kind_forms.NAMED:
        return errors
    table = kind_forms.NAMED[Kind(kind)][0]
    rows = sources.get(table)
    places = {
        row[kind_forms.NAME_COLUMN]: f"{table}.{index}.{kind_forms.VALUE_COLUMN}"
        for index, row in enumerate(rows if isinstance(rows, list) else [])
    }
    return {places.get(path, path): said for path, said in errors.items()}


def _initial(step: Step | None, label: str) -> dict[str, object]:
    return {"name": label} if step is None else {"name": step.name, "on_error": step.on_error}


def _lacks(kind: str, options: dict[str, Sequence[Choice]]) -> str:
    """What there is none of, so that the form cannot be filled in."""
    if kind == Kind.LOOKUP and not options["table"]:
        return "There are no lookup tables yet. Add one under Lookup tables first, then come back."
    if kind == Kind.CALL and not options["workflow"]:
        return "There is no other workflow yet. Create one that starts “from another workflow” first, then come back."
    if kind == Kind.LOOP and not options["items"]:
        return (
            "Nothing before this step brings a list. A text can be cut into one: pick it with “Use a value instead” "
            "and add the function Split."
        )
    return ""
