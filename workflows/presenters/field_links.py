"""Links that open a step's field in the editor, so that whoever reads what is wrong is there with one click."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.urls import reverse

from integrations.framework.registry import operation_or_none
from integrations.schema.fields import Field, label_at, place_of
from workflows.definitions import kinds, validation
from workflows.models import Step, Workflow
from workflows.presenters.runs.fix_links import anchor

#: Kinds whose inner steps and paths are changed on the workflow's page.
_ON_THE_PAGE = (Step.Kind.ACTION, Step.Kind.BRANCH, Step.Kind.LOOP)


def field_link(workflow_id: int, step_id: int, path: str = "") -> str:
    """The address of a step's form, at the input of this path."""
    return reverse("step", args=[workflow_id, step_id]) + _hash(path)


def link_of(workflow: Workflow, problem: validation.Problem) -> tuple[str, str]:
    """Where to fix what keeps a workflow from being published: the address, and the text of the link."""
    if problem.step is None:
        return reverse("new_step", args=[workflow.pk]), "Add a step"
    if problem.step == validation.TRIGGER:
        return reverse("workflow_trigger", args=[workflow.pk]) + _hash(problem.input or ""), "Trigger"
    step = workflow.steps.filter(key=problem.step).first()
    if step is None:
        return reverse("workflow", args=[workflow.pk]), "Workflow"
    if problem.input is None and step.kind in _ON_THE_PAGE:
        return reverse("workflow", args=[workflow.pk]) + f"#step-{step.pk}", step.name
    return field_link(workflow.pk, step.pk, problem.input or ""), step.name


def _hash(path: str) -> str:
    if path == "connection":
        return "#id_connection"
    return f"#{anchor(path)}" if path else ""


@dataclass(frozen=True)
class ProblemLine:
    """What has to be corrected, as one sentence: `place` is the field as its form names it, with the link that opens it
    there, and `rest` goes on after it. Without a place, the whole sentence is `rest`, and there may be no link."""

    place: str
    link: str
    rest: str


def trigger_lines(workflow: Workflow, problems: Iterable[validation.Problem]) -> list[ProblemLine]:
    """What has to be corrected in the trigger."""
    operation = operation_or_none(workflow.trigger_operation)
    fields = operation.Inputs.fields() if operation is not None else ()
    page = reverse("workflow_trigger", args=[workflow.pk])
    return [
        _line(fields, each.input, each.message, page + _hash(each.input))
        if each.input
        else ProblemLine("Trigger", page, f": {each.message}")
        for each in problems
    ]


def step_lines(step: Step, problems: Iterable[validation.Problem]) -> list[ProblemLine]:
    """What has to be corrected in a step."""
    page, fields, names = field_link(step.workflow_id, step.pk), _fields(step), _named_rows(step)
    found = []
    for each in problems:
        if each.input in names:
            found.append(ProblemLine(each.input, page + _hash(names[each.input]), f": {each.message}"))
        elif each.input:
            found.append(_line(fields, each.input, each.message, page + _hash(each.input)))
        elif step.kind in _ON_THE_PAGE:
            found.append(ProblemLine("", "", each.message))
        else:
            found.append(ProblemLine(kinds.label_of(step.kind), page, f": {each.message}"))
    return found


def _line(fields: Sequence[Field], path: str, message: str, link: str) -> ProblemLine:
    place, label = place_of(fields, path), label_at(fields, path)
    is_named = bool(label) and message.startswith(f"{label} ")
    return ProblemLine(place, link, message.removeprefix(label) if is_named else f": {message}")


def _fields(step: Step) -> tuple[Field, ...]:
    operation = operation_or_none(step.operation)
    if operation is not None:
        return operation.Inputs.fields()
    known = kinds.KINDS.get(step.kind)
    return known.settings if known is not None else ()


def _named_rows(step: Step) -> dict[str, str]:
    """Where values that a person has named stand in the step's form: the path of the row's value, by name."""
    known = kinds.KINDS.get(step.kind)
    if known is None or known.named is None:
        return {}
    rows = sorted(step.mappings.all(), key=lambda row: row.pk)
    return {row.input: f"{known.named.name}.{number}.value" for number, row in enumerate(rows)}
