"""A workflow's rows as a plan: the tree of steps with their settings, mappings and conditions, complete or not.

A flat list of filters and actions has format 1, whose bytes must never change; anything else has format 2 (`plans`).
"""

from __future__ import annotations

from typing import Any

from workflows.definitions import kinds
from workflows.definitions.step_rows import Placed, step_tree
from workflows.models import Workflow

FLAT, TREE = 1, 2


def compile_plan(workflow: Workflow) -> dict[str, Any]:
    """The plan of the current rows, complete or not."""
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
    return kinds.of(place.step.kind).is_flat(place.step)


def compiled_steps(places: list[Placed]) -> list[dict[str, Any]]:
    """Steps of a plan, one for each place and what is below it. Filters without comparisons are left out."""
    steps = [kinds.of(place.step.kind).compile(place, compiled_steps) for place in places]
    return [step for step in steps if kinds.of(step["kind"]).is_kept(step)]
