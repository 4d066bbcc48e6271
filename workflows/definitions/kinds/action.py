"""Action: does something at a provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from integrations.framework import registry
from integrations.schema.fields import prefix_at
from workflows.definitions.checks import confirmation
from workflows.definitions.checks.complaints import Complaint
from workflows.definitions.checks.operation_checks import connection_problems, lacking_permissions, value_problems
from workflows.definitions.checks.reach import Reach, below
from workflows.definitions.kinds.base import Check, Describer, Examples, Form, Holds, PlanStep, Standing, StepKind, flat
from workflows.definitions.step_rows import Placed, step_inputs
from workflows.language.references import INSIDE_LABELS, Token, TokenGroup
from workflows.models import Step

EXAMPLE_ERROR = "The provider refused it: the contact is archived."


class ActionKind(StepKind):
    """Its operation declares what it asks for. It may hold the steps of an error path."""

    key = "action"
    label = "Action"
    explanation = "Does something at a provider."
    form = Form.OPERATION
    holds = Holds.ERROR_PATH
    inside_words = "on the error path of"
    can_fail = True
    does_something = True

    def opens(self, step: Step) -> frozenset[str]:
        return frozenset({"error"})

    def after(self, place: Placed, reach: Reach, follow: Callable[[list[Placed], Reach], Reach | None]) -> Reach | None:
        step = place.step
        if not _has_error_path(step):
            return reach.with_step(step)
        after_error = follow(place.children, replace(reach, roots=reach.roots | self.opens(step)))
        there = {inner.step.key: f"it only runs where “{step.name}” fails" for inner in below(place)}
        reach = replace(reach, sometimes={**reach.sometimes, **there})
        return reach.with_step(step, is_certain=after_error is None)

    def is_flat(self, step: Step) -> bool:
        return not _has_error_path(step)

    def compile(self, place: Placed, compiled: Callable[[list[Placed]], list[dict[str, Any]]]) -> dict[str, Any]:
        step = place.step
        made: dict[str, Any] = {
            "key": step.key,
            "name": step.name,
            "kind": step.kind,
            "operation": step.operation,
            "connection": step.connection_id,
            "inputs": step_inputs(step),
            "on_error": step.on_error,
            "max_attempts": step.max_attempts,
        }
        if _has_error_path(step):
            made["error_steps"] = compiled(place.children)
        return made

    def checks_inside(self, step: Step) -> bool:
        # An error path that is switched off may contain anything.
        return _has_error_path(step)

    def place_problems(self, place: Placed) -> Iterator[tuple[Step, str]]:
        if _has_error_path(place.step) and not place.children:
            yield place.step, "The error path is empty: add a step to it, or choose what else to do."

    def problems(self, place: Placed, check: Check) -> Iterator[Complaint]:
        step = place.step
        try:
            action = registry.action(step.operation)
        except registry.UnknownOperationError:
            yield Complaint(None, f"The action {step.operation} is not available here any more.")
            return
        yield from connection_problems(check.workflow, step.connection, action.connector.key, action)
        sources = step_inputs(step)
        found: dict[str, str] = {}
        for path, source, reads_item in flat(sources):
            for problem in check.source(path, source, reads_item=reads_item):
                found.setdefault(path, problem.message)
        found = {
            **lacking_permissions(action, sources, step.connection),
            **confirmation.problems(action, sources, step.connection),
            **value_problems(action, sources, found),
            **found,
        }
        fields = action.Inputs.fields()
        yield from (Complaint(path, message, prefix_at(fields, path, message)) for path, message in found.items())

    def describe(self, step: PlanStep, describer: Describer) -> Iterator[str]:
        yield describer.operation(step)
        if "error_steps" in step:
            yield from describer.inside(step["error_steps"])

    def example(self, place: Standing, data: Mapping[str, Any], examples: Examples) -> Any:
        return examples.given(place.step)

    def inside_example(self, step: Step, data: Mapping[str, Any], examples: Examples) -> dict[str, Any]:
        return {"error": {"step": step.name, "message": EXAMPLE_ERROR}}

    def inside_tokens(self, step: Step, inside: Mapping[str, Any]) -> TokenGroup:
        error = {f"error.{name}": inside["error"][name] for name in ("step", "message")}
        tokens = tuple(Token(path, INSIDE_LABELS[path], said) for path, said in error.items())
        return TokenGroup("error", f"The failure of {step.name}", tokens)


def _has_error_path(step: Step) -> bool:
    return step.on_error == Step.OnError.ERROR_PATH
