"""Path: the steps that run where its branch takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from workflows.definitions.checks.reach import Reach
from workflows.definitions.kinds.base import Describer, Form, Holds, PlanStep, StepKind
from workflows.definitions.step_rows import Placed, condition_tree


class PathKind(StepKind):
    """Allowed only in a branch; without conditions it is taken if no other path is."""

    key = "path"
    label = "Path"
    icon = "subdirectory_arrow_right"
    explanation = "Steps that run where its branch takes it."
    form = Form.CONDITIONS
    holds = Holds.STEPS
    inside_words = "in the path"
    takes_conditions = True
    is_numbered = False

    def may_stand_in(self, parent: StepKind | None) -> bool:
        return parent is not None and parent.holds is Holds.PATHS

    def after(self, place: Placed, reach: Reach, follow: Callable[[list[Placed], Reach], Reach | None]) -> Reach | None:
        return follow(place.children, reach)

    def compile(self, place: Placed, compiled: Callable[[list[Placed]], list[dict[str, Any]]]) -> dict[str, Any]:
        tree = condition_tree(place.step)
        return {
            "key": place.step.key,
            "name": place.step.name,
            "kind": self.key,
            "conditions": tree if tree["items"] else None,
            "steps": compiled(place.children),
        }

    def describe(self, step: PlanStep, describer: Describer) -> Iterator[str]:
        return self.describe_at(step, describer, is_first=True)

    def describe_at(self, step: PlanStep, describer: Describer, *, is_first: bool) -> Iterator[str]:
        """The path in words, as the first in its branch or a later one."""
        first, other = ("If", "Otherwise, if") if step["conditions"] else ("Always", "Otherwise")
        condition = f" {describer.condition(step['conditions'])}" if step["conditions"] else ""
        yield f"{first if is_first else other}{condition} ({step['name']}):"
        yield from describer.inside(step["steps"])
