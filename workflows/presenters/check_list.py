"""What the checks found at each step, with links to the fields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from integrations.framework import registry
from integrations.framework.base import Action
from integrations.framework.checks import NOT_CHECKED
from integrations.schema.fields import place_of
from workflows.definitions.samples.sample_checks import SampleFinding
from workflows.models import Step, Workflow
from workflows.presenters.field_links import field_link


@dataclass(frozen=True)
class CheckLine:
    """A finding. `place` is the field as the form names it, "" if it is about the whole step."""

    place: str
    link: str
    message: str
    advice: str
    is_stop: bool = False
    is_unknown: bool = False


@dataclass(frozen=True)
class CheckedStep:
    """A step and what was found there."""

    name: str
    link: str
    lines: list[CheckLine] = field(default_factory=list)


def check_list(workflow: Workflow, findings: Iterable[SampleFinding]) -> list[CheckedStep]:
    """The steps at which something was found, in their order."""
    found: dict[int, CheckedStep] = {}
    for each in findings:
        step = each.step
        shown = found.setdefault(step.pk, CheckedStep(step.name, field_link(workflow.pk, step.pk)))
        shown.lines.append(_line(workflow, each))
    return list(found.values())


def _line(workflow: Workflow, each: SampleFinding) -> CheckLine:
    finding = each.finding
    return CheckLine(
        place=_place(each.step, finding.input),
        link=field_link(workflow.pk, each.step.pk, finding.input),
        message=finding.message,
        advice=finding.advice,
        is_stop=each.is_certain,
        is_unknown=finding.code == NOT_CHECKED,
    )


def _place(step: Step, path: str) -> str:
    operation = registry.operation_or_none(step.operation)
    fields = operation.Inputs.fields() if isinstance(operation, Action) else ()
    return place_of(fields, path) if path else ""
