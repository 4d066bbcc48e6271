"""Which values each step of a workflow can refer to, and which references a mapping makes.

Each kind says what it adds, removes or opens to the steps inside it (`StepKind.after`).
"""

from __future__ import annotations

from collections.abc import Iterator

from workflows.definitions import kinds
from workflows.definitions.checks.reach import Reach
from workflows.definitions.step_rows import Placed
from workflows.language import parser
from workflows.language.nodes import Apply, Node, Reference


def references(source: str) -> Iterator[tuple[str, bool]]:
    """Each dotted path that the mapping reads, and whether a default replaces it if it is missing.

    Raises a MappingError if the mapping cannot be read.
    """
    if source:
        yield from _references(parser.parse(source), is_optional=False)


def _references(node: Node, *, is_optional: bool) -> Iterator[tuple[str, bool]]:
    if isinstance(node, Reference):
        yield node.path, is_optional
    elif isinstance(node, Apply) and node.function.name == "default":
        yield from _references(node.operand, is_optional=True)
        for _, argument in node.arguments:
            yield from _references(argument, is_optional=is_optional)
    else:
        for child in node.children():
            yield from _references(child, is_optional=is_optional)


def reaches(places: list[Placed], start: Reach | None = None) -> dict[int, Reach | None]:
    """What each step (by its row's id) can refer to; None if no run gets there."""
    found: dict[int, Reach | None] = {}
    _follow(places, start or Reach(), found)
    return found


def _follow(places: list[Placed], reach: Reach | None, found: dict[int, Reach | None]) -> Reach | None:
    """Note what can be used before each step; gives what can be used after them all, None if no run gets there."""
    for place in places:
        found[place.step.pk] = reach
        reach = _after(place, reach, found)
    return reach


def _after(place: Placed, reach: Reach | None, found: dict[int, Reach | None]) -> Reach | None:
    if reach is None:
        for child in place.children:
            found.update({below.step.pk: None for below, _ in child.all()})
        return None
    known = kinds.KINDS.get(place.step.kind)
    if known is None:
        return reach.with_step(place.step)
    return known.after(place, reach, lambda inside, opened: _follow(inside, opened, found))
