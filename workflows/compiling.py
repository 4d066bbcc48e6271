"""A workflow's rows as a plan: the tree of steps with their settings, mappings and conditions, complete or not.

A plan of filters and actions alone, one after the other, is of format 1 and stays byte for byte what it always was;
anything else is of format 2 (`plans`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from workflows import kinds
from workflows.models import Condition, Step, Workflow

FLAT, TREE = 1, 2
Kind = Step.Kind


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
    """The workflow's rows as a tree, in order, with what compiling and checking read of them fetched at once."""
    rows = workflow.steps.select_related("connection__grant").prefetch_related("mappings", "conditions")
    places = {step.pk: Placed(step) for step in rows.order_by("position", "pk")}
    roots: list[Placed] = []
    for place in places.values():
        parent = places.get(place.step.parent_id or 0)
        (parent.children if parent is not None else roots).append(place)
    return roots


def compile_plan(workflow: Workflow) -> dict[str, Any]:
    """The plan as the rows stand, complete or not."""
    places = step_tree(workflow)
    return {
        "format": FLAT if all(_is_flat(place) for place in places) else TREE,
        "trigger": {
            "operation": workflow.trigger_operation,
            "connection": workflow.trigger_connection_id,
            "inputs": {name: value for name, value in workflow.trigger_inputs.items() if value not in (None, "")},
        },
        "steps": compiled_steps(places),
    }


def _is_flat(place: Placed) -> bool:
    return place.step.kind in (Kind.FILTER, Kind.ACTION) and place.step.on_error != Step.OnError.ERROR_PATH


def compiled_steps(places: list[Placed]) -> list[dict[str, Any]]:
    """Steps of a plan, one for each place and what is below it. Filters that ask nothing are left out."""
    steps = [_compile_step(place) for place in places]
    return [step for step in steps if step["kind"] != Kind.FILTER or step["conditions"]["items"]]


def _compile_step(place: Placed) -> dict[str, Any]:
    step = place.step
    made: dict[str, Any] = {"key": step.key, "name": step.name, "kind": step.kind}
    if step.kind == Kind.ACTION:
        return made | _action(place)
    if step.kind == Kind.FILTER:
        return made | {"conditions": condition_tree(step)}
    if step.kind == Kind.BRANCH:
        return made | {"paths": [_path(child) for child in place.children if child.step.kind == Kind.PATH]}
    if step.kind == Kind.PATH:
        return _path(place)
    made |= kinds.read_settings(step.kind, step.settings)
    if step.on_error == Step.OnError.GO_ON and kinds.of(step.kind).can_fail:
        made["on_error"] = step.on_error
    if step.kind == Kind.LOOP:
        return made | {"steps": compiled_steps(place.children)}
    if step.kind == Kind.FORMAT:
        return made | {"values": step_inputs(step)}
    return made if step.kind == Kind.DELAY else made | {"inputs": step_inputs(step)}


def _action(place: Placed) -> dict[str, Any]:
    step = place.step
    made: dict[str, Any] = {
        "operation": step.operation,
        "connection": step.connection_id,
        "inputs": step_inputs(step),
        "on_error": step.on_error,
        "max_attempts": step.max_attempts,
    }
    if step.on_error == Step.OnError.ERROR_PATH:
        made["error_steps"] = compiled_steps(place.children)
    return made


def _path(place: Placed) -> dict[str, Any]:
    tree = condition_tree(place.step)
    return {
        "key": place.step.key,
        "name": place.step.name,
        "kind": Kind.PATH,
        "conditions": tree if tree["items"] else None,
        "steps": compiled_steps(place.children),
    }


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
