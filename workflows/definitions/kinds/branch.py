"""Branch: takes the first of its paths whose conditions are met."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from workflows.definitions.checks.reach import Reach, below
from workflows.definitions.kinds.base import Describer, Examples, Form, Holds, InWords, PlanStep, Standing, StepKind
from workflows.definitions.kinds.path import PathKind
from workflows.definitions.step_rows import Placed, condition_tree
from workflows.language.references import Piece
from workflows.models import Step

_PATH = PathKind()


class BranchKind(StepKind):
    """Holds paths and nothing else."""

    key = "branch"
    label = "Branch"
    icon = "alt_route"
    explanation = "Takes the first of its paths whose conditions are met."
    purpose = "Do one thing in one case, another thing in another: if, else."
    words = ("if", "else", "condition", "router", "approve", "path")
    form = Form.BRANCH
    holds = Holds.PATHS
    inside_words = "as a path of"

    def after(self, place: Placed, reach: Reach, follow: Callable[[list[Placed], Reach], Reach | None]) -> Reach | None:
        ends = []
        has_else = False
        sometimes: dict[str, str] = {}
        inside: dict[str, str] = {}
        for path in place.children:
            end = follow([path], reach)
            has_else = has_else or not list(path.step.conditions.all())
            sometimes |= {each.step.key: f"it only runs in the path “{path.step.name}”" for each in below(path)}
            if end is not None:
                ends.append(end)
                inside |= end.inside
        if not has_else:
            ends.append(reach)
        if not ends:
            return None
        certain = frozenset.intersection(*(end.certain for end in ends)) | {place.step.key}
        return replace(
            reach,
            certain=certain,
            sometimes={**reach.sometimes, **{key: why for key, why in sometimes.items() if key not in inside}},
            inside={**reach.inside, **inside},
        )

    def compile(self, place: Placed, compiled: Callable[[list[Placed]], list[dict[str, Any]]]) -> dict[str, Any]:
        step = place.step
        paths = [child for child in place.children if child.step.kind == _PATH.key]
        return {"key": step.key, "name": step.name, "kind": step.kind, "paths": compiled(paths)}

    def place_problems(self, place: Placed) -> Iterator[tuple[Step, str]]:
        paths = [child.step for child in place.children if child.step.kind == _PATH.key]
        if not paths:
            yield place.step, "The branch has no paths yet: add one."
        for path in paths[:-1]:
            if not condition_tree(path)["items"]:
                yield path, "Only the last path may be without conditions: it is taken where no other is."

    def describe(self, step: PlanStep, describer: Describer) -> Iterator[str]:
        yield f"{step['name']}:"
        for number, path in enumerate(step["paths"]):
            for line in _PATH.describe_at(path, describer, is_first=number == 0):
                yield f"  {line}"

    def sentence(self, step: PlanStep, value: InWords, called: Mapping[int, str]) -> list[Piece]:
        return [Piece("The first path whose conditions are met is taken.")]

    def result(self, step: PlanStep, outcome: Mapping[str, Any], output: Mapping[str, Any], *, is_done: bool) -> str:
        return "No path fitted, so the run went past." if is_done and output.get("path", "") is None else ""

    def example(self, place: Standing, data: Mapping[str, Any], examples: Examples) -> Any:
        return {"path": place.children[0].step.key if place.children else None}
