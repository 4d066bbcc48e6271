"""A workflow's step rows as the tree that they are, and the places where a step can stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from workflows.models import Step

_HOLDS_STEPS = (Step.Kind.PATH, Step.Kind.LOOP, Step.Kind.ACTION)


@dataclass(eq=False)
class Node:
    """A step with what stands in it, in order."""

    step: Step
    parent: Node | None
    children: list[Node] = field(default_factory=list)

    @property
    def ancestors(self) -> Iterator[Node]:
        """What it stands in, from the inside out."""
        above = self.parent
        while above is not None:
            yield above
            above = above.parent

    @property
    def nesting(self) -> int:
        """How many steps it stands in."""
        return sum(1 for _ in self.ancestors)


@dataclass(frozen=True)
class Place:
    """Where a step is to stand: in which other step (None for the workflow itself), before which one or at the end."""

    parent: Step | None = None
    before: Step | None = None


def outline(steps: Iterable[Step]) -> list[Node]:
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
    """Every step in the order in which they are read: each before what stands in it."""
    for node in nodes:
        yield node
        yield from walk(node.children)


def find(nodes: Iterable[Node], step: Step | None) -> Node | None:
    """The node of a step."""
    return next((each for each in walk(nodes) if step is not None and each.step.pk == step.pk), None)


def can_hold(parent: Step | None, kind: str) -> bool:
    """Whether a step of this kind may stand there: paths in branches only, all others where steps run."""
    if kind == Step.Kind.PATH:
        return parent is not None and parent.kind == Step.Kind.BRANCH
    return parent is None or parent.kind in _HOLDS_STEPS


def place_of(nodes: list[Node], step: Step) -> Place:
    """Where a step stands now."""
    node = find(nodes, step)
    siblings = node.parent.children if node and node.parent else nodes
    after = siblings[siblings.index(node) + 1 :] if node else []
    return Place(node.parent.step if node and node.parent else None, after[0].step if after else None)
