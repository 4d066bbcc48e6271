"""A workflow's step rows as a tree, and the places where a step can be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from workflows.definitions import kinds
from workflows.models import Step


@dataclass(eq=False)
class Node:
    """A step with the steps inside it, in order."""

    step: Step
    parent: Node | None
    children: list[Node] = field(default_factory=list)

    @property
    def ancestors(self) -> Iterator[Node]:
        """The steps around it, from the inside out."""
        above = self.parent
        while above is not None:
            yield above
            above = above.parent

    @property
    def nesting(self) -> int:
        """How many steps are around it."""
        return sum(1 for _ in self.ancestors)


@dataclass(frozen=True)
class Place:
    """Where to put a step: in which other step (None for the workflow itself), before which one or at the end."""

    parent: Step | None = None
    before: Step | None = None


def build_tree(steps: Iterable[Step]) -> list[Node]:
    """The tree's first level. A step whose parent is not among them is left out."""
    ordered = sorted(steps, key=lambda step: (step.position, step.pk))
    nodes = {step.pk: Node(step, None) for step in ordered}
    roots = []
    for step in ordered:
        if step.parent_id is None:
            roots.append(nodes[step.pk])
        elif step.parent_id in nodes:
            nodes[step.pk].parent = nodes[step.parent_id]
            nodes[step.parent_id].children.append(nodes[step.pk])
    return roots


def walk(nodes: Iterable[Node]) -> Iterator[Node]:
    """Every step in reading order: each before the steps inside it."""
    for node in nodes:
        yield node
        yield from walk(node.children)


def find(nodes: Iterable[Node], step: Step | None) -> Node | None:
    """The node of a step."""
    return next((each for each in walk(nodes) if step is not None and each.step.pk == step.pk), None)


def can_hold(parent: Step | None, kind: str) -> bool:
    """Whether a step of this kind may be there: paths in branches only, all others where steps run."""
    return kinds.of(kind).may_stand_in(kinds.KINDS.get(parent.kind, kinds.StepKind()) if parent is not None else None)


def place_of(nodes: list[Node], step: Step) -> Place:
    """Where a step is now."""
    node = find(nodes, step)
    siblings = node.parent.children if node and node.parent else nodes
    after = siblings[siblings.index(node) + 1 :] if node else []
    return Place(node.parent.step if node and node.parent else None, after[0].step if after else None)
