"""What a step may refer to: which steps have come before it on every way to its place, and which only on some.

A step in a path of a branch, or one that may fail and be passed over, has come before on some ways only: after that, a
reference to it needs a default. A step inside a loop ran once per turn: after the loop its outputs are in the loop's
own `items`. `item` and `loop` are there inside a loop, `error` in an error path.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from workflows import syntax
from workflows.compiling import Placed
from workflows.expressions import Apply, Node, Reference
from workflows.models import Step

Kind, OnError = Step.Kind, Step.OnError
ALWAYS = frozenset({"trigger", "steps", "run", "workflow"})
_ELSEWHERE = {
    "item": "is only there inside a loop",
    "loop": "is only there inside a loop",
    "error": "is only there in an error path",
}


@dataclass(frozen=True)
class Reach:
    """What can be referred to at a place: `certain` steps, those of `sometimes` (key: why), those `inside` a loop
    (key: the loop's key), and the roots."""

    certain: frozenset[str] = frozenset()
    sometimes: Mapping[str, str] = field(default_factory=dict)
    inside: Mapping[str, str] = field(default_factory=dict)
    roots: frozenset[str] = ALWAYS

    def complaint(self, reference: str, *, is_optional: bool) -> str:
        """What is wrong with a reference in this place; "" where nothing is."""
        root, _, rest = reference.partition(".")
        first = rest.split(".")[0].split("[")[0]
        if root not in self.roots:
            why = _ELSEWHERE.get(root)
            return f"{root} {why}." if why else f"There is no value called {reference}. Pick one from the list."
        if root != "steps" or first in self.certain:
            return ""
        if first in self.sometimes:
            if is_optional:
                return ""
            return (
                f"{reference} is not always there: {self.sometimes[first]}. "
                'Say what to use then, as in {{ … | default("…") }}.'
            )
        if first in self.inside:
            loop = self.inside[first]
            return f"{reference} is inside a loop. After it, all turns' values are in steps.{loop}.items."
        return f"{reference} refers to a step that does not come before this one."


def references(source: str) -> Iterator[tuple[str, bool]]:
    """Each dotted path that the mapping reads, and whether a default stands in where it is missing.

    Raises a MappingError where the mapping cannot be read.
    """
    if source:
        yield from _references(syntax.parse(source), is_optional=False)


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
    """What each step (by its row's id) can refer to; None where no way leads to it."""
    found: dict[int, Reach | None] = {}
    _follow(places, start or Reach(), found)
    return found


def _follow(places: list[Placed], reach: Reach | None, found: dict[int, Reach | None]) -> Reach | None:
    """Note what holds before each step; gives what holds after them all, None where the run never gets there."""
    for place in places:
        found[place.step.pk] = reach
        reach = _after(place, reach, found)
    return reach


def _after(place: Placed, reach: Reach | None, found: dict[int, Reach | None]) -> Reach | None:
    step = place.step
    if reach is None:
        for child in place.children:
            found.update({below.step.pk: None for below, _ in child.all()})
        return None
    if step.kind == Kind.STOP:
        return None
    if step.kind == Kind.BRANCH:
        return _after_branch(place, reach, found)
    if step.kind == Kind.PATH:
        return _follow(place.children, reach, found)
    if step.kind == Kind.LOOP:
        _follow(place.children, replace(reach, roots=reach.roots | {"item", "loop"}), found)
        below = {inner.step.key: step.key for child in place.children for inner, _ in child.all()}
        reach = replace(reach, inside={**reach.inside, **below})
    is_certain = step.on_error == OnError.STOP
    if step.on_error == OnError.ERROR_PATH and step.kind == Kind.ACTION:
        after_error = _follow(place.children, replace(reach, roots=reach.roots | {"error"}), found)
        is_certain = after_error is None
        there = {inner.step.key: f"it only runs where “{step.name}” fails" for inner in _below(place)}
        reach = replace(reach, sometimes={**reach.sometimes, **there})
    if is_certain:
        return replace(reach, certain=reach.certain | {step.key})
    why = f"the run goes on where “{step.name}” fails"
    return replace(reach, sometimes={**reach.sometimes, step.key: why})


def _after_branch(place: Placed, reach: Reach, found: dict[int, Reach | None]) -> Reach | None:
    ends = []
    has_else = False
    sometimes: dict[str, str] = {}
    inside: dict[str, str] = {}
    for path in place.children:
        found[path.step.pk] = reach
        end = _follow(path.children, reach, found)
        has_else = has_else or not list(path.step.conditions.all())
        sometimes |= {each.step.key: f"it only runs in the path “{path.step.name}”" for each in _below(path)}
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


def _below(place: Placed) -> Iterator[Placed]:
    for child in place.children:
        for inner, _ in child.all():
            yield inner
