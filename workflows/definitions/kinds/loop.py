"""Loop: runs its steps once for each item of a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import TextChoices

from integrations.schema.fields import Choice
from integrations.schema.schema import Schema, field
from workflows.definitions.checks.reach import Reach
from workflows.definitions.kinds.base import Describer, Examples, Holds, InWords, PlanStep, Standing, StepKind
from workflows.definitions.kinds.limits import MOST_ITERATIONS, MOST_ITERATIONS_OF_A_RUN, USUAL_ITERATIONS
from workflows.definitions.step_rows import Placed
from workflows.language.references import INSIDE_LABELS, Piece, Token, TokenGroup, item_tokens
from workflows.models import Step, Workflow


class OnItemError(TextChoices):
    STOP = "stop", "Stop the loop"
    GO_ON = "go_on", "Go on with the next item"


class LoopKind(StepKind):
    """Its steps see the item as `item` and the iteration as `loop`; later steps find what they gave in its `items`."""

    key = "loop"
    label = "Loop"
    icon = "repeat"
    explanation = "Runs its steps once for each item of a list."
    purpose = "Do the same for each item of a list, such as each line of an order."
    words = ("for each", "repeat", "every", "rows", "lines", "items")
    holds = Holds.STEPS
    inside_words = "for each item of"
    can_fail = True
    mapped = frozenset({"items"})

    class Settings(Schema):
        items: str = field("List", help="Its steps run once for each item, one after the other.")
        limit: int = field(
            "Maximum items",
            default=USUAL_ITERATIONS,
            minimum=1,
            maximum=MOST_ITERATIONS,
            help=(
                "A longer list fails the step before anything is done, so that a mistake stays small. "
                f"At most {MOST_ITERATIONS:,}. All loops of a run together, with loops inside loops and those of the "
                f"workflows that it calls, make at most {MOST_ITERATIONS_OF_A_RUN:,} iterations."
            ),
        )
        on_item_error: OnItemError = field("If one item fails", default=OnItemError.STOP)

    def options(self, workflow: Workflow, lists: Sequence[Choice]) -> dict[str, Sequence[Choice]]:
        return {"items": lists}

    def lacks(self, options: Mapping[str, Sequence[Choice]]) -> str:
        if options["items"]:
            return ""
        return (
            "Nothing before this step brings a list. A text can be cut into one: pick it with “Use a value instead” "
            "and add the function Split."
        )

    def opens(self, step: Step) -> frozenset[str]:
        return frozenset({"item", "loop"})

    def after(self, place: Placed, reach: Reach, follow: Callable[[list[Placed], Reach], Reach | None]) -> Reach | None:
        step = place.step
        follow(place.children, replace(reach, roots=reach.roots | self.opens(step)))
        inside = {inner.step.key: step.key for child in place.children for inner, _ in child.all()}
        return replace(reach, inside={**reach.inside, **inside}).with_step(step)

    def place_problems(self, place: Placed) -> Iterator[tuple[Step, str]]:
        if not place.children:
            yield place.step, "The loop does nothing yet: add a step to it."

    def describe(self, step: PlanStep, describer: Describer) -> Iterator[str]:
        end = ". If one fails, go on with the next:" if step["on_item_error"] == OnItemError.GO_ON else ":"
        yield f"For each item of {describer.value(step['items'])}, at most {step['limit']:,}{end}"
        yield from describer.inside(step["steps"])

    def sentence(self, step: PlanStep, value: InWords, called: Mapping[int, str]) -> list[Piece]:
        on_error = "the next item follows" if step["on_item_error"] == OnItemError.GO_ON else "the loop stops"
        end = f", at most {step['limit']:,}. If one item fails, {on_error}."
        return [Piece("For each item of "), *value(step["items"]), Piece(end)]

    def example(self, place: Standing, data: Mapping[str, Any], examples: Examples) -> Any:
        given = {each.key: examples.of(each) for each in self._own_steps(place.children)}
        items = [{key: output for key, output in given.items() if output is not None}]
        return {"count": 1, "done": 1, "failed": 0, "skipped": 0, "items": items}

    def _own_steps(self, places: Iterable[Any]) -> Iterator[Step]:
        """The steps of one iteration, without those of loops inside it."""
        for place in places:
            yield place.step
            if place.step.kind != self.key:
                yield from self._own_steps(place.children)

    def inside_example(self, step: Step, data: Mapping[str, Any], examples: Examples) -> dict[str, Any]:
        found = examples.evaluate(str(step.settings.get("items") or ""), data)
        item = found[0] if isinstance(found, list) and found else None
        return {"item": item, "loop": {"index": 1, "count": 1}}

    def inside_tokens(self, step: Step, inside: Mapping[str, Any]) -> TokenGroup:
        count = str(inside.get("loop", {}).get("count", 1))
        loop = [Token(path, INSIDE_LABELS[path], said) for path, said in (("loop.index", "1"), ("loop.count", count))]
        tokens = (*item_tokens(inside.get("item")), *loop)
        return TokenGroup(f"item-{step.key}", f"Item of {step.name}", tokens)
