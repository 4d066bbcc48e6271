"""The organisation or account that a new step most likely works with."""

from __future__ import annotations

from collections.abc import Sequence

from integrations.models import Connection
from workflows.definitions import tree
from workflows.definitions.tree import Node, Place
from workflows.models import Step, Workflow


def nearest_connection(workflow: Workflow, steps: Sequence[Step], place: Place, provider: str) -> Connection | None:
    """The provider's connection that the nearest step before the place uses, else the trigger, else any step."""
    earlier, later = _around(tree.build_tree(steps), place)
    used = [step.connection for step in reversed(earlier)]
    used += [workflow.trigger_connection, *(step.connection for step in later)]
    return next((each for each in used if each is not None and each.provider == provider), None)


def _around(nodes: list[Node], place: Place) -> tuple[list[Step], list[Step]]:
    """The steps before the place and those after it, in reading order."""
    walked = list(tree.walk(nodes))
    if place.before is not None:
        at = next((n for n, node in enumerate(walked) if node.step.pk == place.before.pk), len(walked))
    elif place.parent is not None:
        inside = [n for n, node in enumerate(walked) if _is_in(node, place.parent)]
        at = inside[-1] + 1 if inside else len(walked)
    else:
        at = len(walked)
    return [node.step for node in walked[:at]], [node.step for node in walked[at:]]


def _is_in(node: Node, parent: Step) -> bool:
    return any(each.step.pk == parent.pk for each in (node, *node.ancestors))
