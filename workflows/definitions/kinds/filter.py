"""Filter: continues only if its conditions are met."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from workflows.definitions.kinds.base import Describer, Form, PlanStep, StepKind
from workflows.definitions.step_rows import Placed, condition_tree
from workflows.models import Step


class FilterKind(StepKind):
    """Ends the run, or the iteration of a loop, if its conditions are not met."""

    key = "filter"
    label = "Filter"
    icon = "filter_alt"
    explanation = "Goes on only if the conditions are met."
    purpose = "Go on only if something is true. Otherwise the run ends here."
    words = ("condition", "only if", "limit", "threshold", "stop")
    form = Form.CONDITIONS
    takes_conditions = True
    is_numbered = False

    def is_flat(self, step: Step) -> bool:
        return step.on_error != Step.OnError.ERROR_PATH

    def is_kept(self, step: PlanStep) -> bool:
        return bool(step["conditions"]["items"])

    def compile(self, place: Placed, compiled: Callable[[list[Placed]], list[dict[str, Any]]]) -> dict[str, Any]:
        step = place.step
        return {"key": step.key, "name": step.name, "kind": step.kind, "conditions": condition_tree(step)}

    def describe(self, step: PlanStep, describer: Describer) -> Iterator[str]:
        yield f"Go on only if {describer.condition(step['conditions'])}."
