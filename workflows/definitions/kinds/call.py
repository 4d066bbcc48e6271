"""Call: starts another workflow with data from this one, and may wait for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from integrations.framework import registry
from integrations.framework.base import Door, Start
from integrations.schema.fields import Choice
from integrations.schema.schema import Schema, field
from workflows.definitions.checks import subworkflows
from workflows.definitions.kinds.base import (
    Complaint,
    Describer,
    Examples,
    InWords,
    NamedValues,
    PlanStep,
    Standing,
    StepKind,
    end_of,
)
from workflows.definitions.kinds.limits import MOST_ITERATIONS_OF_A_RUN
from workflows.language.references import Piece
from workflows.models import Step, Workflow


class CallKind(StepKind):
    """The called workflow runs in its published version, as a separate run."""

    key = "call"
    label = "Call another workflow"
    icon = "call_split"
    explanation = "Starts another workflow with data of this one."
    purpose = "Use what another workflow does, with data of this one."
    words = ("sub-workflow", "reuse", "share")
    can_fail = True
    does_something = True
    workflow_setting = "workflow"
    named = NamedValues(
        "data", "What it gets", "Each stands there as a value of its trigger, under this name.", plan_key="inputs"
    )

    class Settings(Schema):
        workflow: int = field(
            "Workflow",
            help=(
                "It runs in its published version, as a run of its own. Each call counts as an iteration, and so do "
                f"the iterations of its loops: {MOST_ITERATIONS_OF_A_RUN:,} together for a run and all that it calls."
            ),
        )
        waits: bool = field("Wait until it has ended", default=True)

    @property
    def deciding(self) -> frozenset[str]:
        return frozenset({"workflow"})

    def options(self, workflow: Workflow, lists: Sequence[Choice]) -> dict[str, Sequence[Choice]]:
        others = Workflow.objects.for_team(workflow.team).exclude(pk=workflow.pk).order_by("name")
        found = [
            (not _can_be_called(trigger), str(pk), name, published)
            for pk, name, trigger, published in others.values_list("pk", "name", "trigger_operation", "published")
        ]
        # Those that can be called come first; the sort keeps each part ordered by name.
        found.sort(key=lambda each: each[0])
        return {"workflow": [(pk, _offered(name, is_shut, published)) for is_shut, pk, name, published in found]}

    def lacks(self, options: Mapping[str, Sequence[Choice]]) -> str:
        if options["workflow"]:
            return ""
        return "There is no other workflow yet. Create one that starts “from another workflow” first, then come back."

    def suggested_values(self, workflow: Workflow, read: Mapping[str, Any]) -> list[str]:
        chosen = str(read.get("workflow", ""))
        if not chosen.isdecimal():
            return []
        called = Workflow.objects.for_team(workflow.team).filter(pk=int(chosen)).first()
        trigger = _start(called.trigger_operation) if called else None
        if called is None or trigger is None:
            return []
        return [each.name for each in trigger.fields(called.trigger_inputs)]

    def own_problems(
        self, step: Step, read: Mapping[str, Any], given: Mapping[str, Any], workflow: Workflow
    ) -> Iterator[Complaint]:
        if read["workflow"] is None:
            return
        called = Workflow.objects.filter(team_id=workflow.team_id, pk=read["workflow"]).first()
        if called is None:
            yield Complaint("workflow", "The workflow to call is not there any more. Choose another one.")
        elif called.pk == workflow.pk:
            yield Complaint("workflow", "A workflow cannot call itself. Choose another one.")
        elif called.published_id is None:
            yield Complaint("workflow", f"{called.name} is not published yet; publish it first.")
        else:
            yield from (Complaint(*found) for found in subworkflows.problems(called, given))

    def describe(self, step: PlanStep, describer: Describer) -> Iterator[str]:
        called = describer.workflows.get(step["workflow"] or 0, "a workflow that is not there any more")
        detail = f", with {describer.values(step['inputs'])}" if step["inputs"] else ""
        waits = ", and wait until it has ended" if step["waits"] else ""
        yield f"Call the workflow “{called}”{detail}{waits}.{end_of(step)}"

    def sentence(self, step: PlanStep, value: InWords, called: Mapping[int, str]) -> list[Piece]:
        then = "waits until it has ended" if step["waits"] else "goes on at once"
        name = called.get(step["workflow"] or 0, "a workflow still to be chosen")
        return [Piece(f"Starts {name} and {then}{', with:' if step['inputs'] else '.'}")]

    def example(self, place: Standing, data: Mapping[str, Any], examples: Examples) -> Any:
        return {"run": 1043, "status": "succeeded", "result": "Invoice INV-0042"}


def _start(operation: str) -> Start | None:
    try:
        found = registry.operation(operation)
    except registry.UnknownOperationError:
        return None
    return found if isinstance(found, Start) else None


def _can_be_called(operation: str) -> bool:
    found = _start(operation)
    return found is not None and Door.CALL in found.doors


def _offered(name: str, is_shut: bool, published: int | None) -> str:
    if is_shut:
        return f"{name} (has a trigger of its own, so it cannot be called)"
    return name if published else f"{name} (not published yet)"
