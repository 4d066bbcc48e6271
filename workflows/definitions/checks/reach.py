"""What a step may refer to: which steps always run before it, and which only in some runs.

A step in a path of a branch, or one whose failure does not end the run, gives its output only in some runs: a later
reference to it needs a default. A step inside a loop runs once per iteration: after the loop its outputs are in the
loop's `items`. `item` and `loop` exist inside a loop, `error` in an error path.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from workflows.definitions.step_rows import Placed
from workflows.models import Step

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
        """What is wrong with a reference in this place; "" if nothing is."""
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
            return f"{reference} is inside a loop. After it, the values of all iterations are in steps.{loop}.items."
        return f"{reference} refers to a step that does not come before this one."

    def with_step(self, step: Step, *, is_certain: bool | None = None) -> Reach:
        """What can be used, with the step's output added: it is certain unless the run continues after its failure."""
        if is_certain if is_certain is not None else step.on_error == Step.OnError.STOP:
            return replace(self, certain=self.certain | {step.key})
        why = f"the run goes on where “{step.name}” fails"
        return replace(self, sometimes={**self.sometimes, step.key: why})


def below(place: Placed) -> Iterator[Placed]:
    """Everything inside a step, however deep."""
    for child in place.children:
        for inner, _ in child.all():
            yield inner
