"""The rows of a step read as a plan and its checks need them: its place in the tree, its conditions, its mappings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from workflows.models import Condition, Step, Workflow


@dataclass
class Placed:
    """A step's row at its place in the tree."""

    step: Step
    children: list[Placed] = field(default_factory=list)

    def all(self, depth: int = 0) -> Iterator[tuple[Placed, int]]:
        """This place and everything below it, with how deep each is."""
        yield self, depth
        for child in self.children:
            yield from child.all(depth + 1)


def step_tree(workflow: Workflow) -> list[Placed]:
    """The workflow's rows as a tree, in order; all that compiling and checking need is fetched at once."""
    rows = workflow.steps.select_related("connection__grant").prefetch_related("mappings", "conditions")
    places = {step.pk: Placed(step) for step in rows.order_by("position", "pk")}
    roots: list[Placed] = []
    for place in places.values():
        parent = places.get(place.step.parent_id or 0)
        (parent.children if parent is not None else roots).append(place)
    return roots


def condition_tree(step: Step) -> dict[str, Any]:
    """A step's condition rows as the tree of `conditions`. Without rows: an empty group of all."""
    rows = sorted(step.conditions.all(), key=lambda row: (row.position, row.pk))
    children: dict[int | None, list[Condition]] = {}
    for row in rows:
        children.setdefault(row.parent_id, []).append(row)

    def build(row: Condition) -> dict[str, Any]:
        if row.kind != Condition.Kind.COMPARISON:
            return {"group": row.kind, "items": [build(child) for child in children.get(row.pk, [])]}
        return {
            "left": row.left,
            "type": row.type,
            "operator": row.operator,
            "right": row.right or None,
            "right_until": row.right_until or None,
            "case_sensitive": row.is_case_sensitive,
        }

    roots = children.get(None, [])
    if len(roots) == 1 and roots[0].kind != Condition.Kind.COMPARISON:
        return build(roots[0])
    return {"group": "all", "items": [build(row) for row in roots]}


def step_inputs(step: Step) -> dict[str, Any]:
    """Mapping rows as {input: source} and, for tables, {input: [{column: source}]}. Empty values are left out."""
    inputs: dict[str, Any] = {}
    rows: dict[str, dict[int, dict[str, str]]] = {}
    for row in sorted(step.mappings.all(), key=lambda each: (each.input, each.row or 0, each.column)):
        if row.value == "":
            continue
        if row.row is None:
            inputs[row.input] = row.value
        else:
            rows.setdefault(row.input, {}).setdefault(row.row, {})[row.column] = row.value
    for name, by_row in rows.items():
        inputs[name] = [by_row[index] for index in sorted(by_row)]
    return inputs
