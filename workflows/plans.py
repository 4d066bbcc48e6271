"""Reading a plan: the tree of steps that publishing froze, as the engine and everybody else walks it.

Format 1 is a flat list of filters and actions. Format 2 is a tree: a branch has "paths", a path and a loop have
"steps", an action may have "error_steps". Both are read alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workflows.models import Step

PlanStep = dict[str, Any]
_LISTS = ("paths", "steps", "error_steps")


def children(step: Mapping[str, Any]) -> list[PlanStep]:
    """The steps directly below a step: a branch's paths, a path's or loop's steps, an action's error path."""
    return [child for name in _LISTS for child in step.get(name, ())]


def each_step(plan: Mapping[str, Any] | Sequence[PlanStep]) -> Iterator[tuple[PlanStep, int]]:
    """Every step of a plan (or of a list of its steps) with its depth from 0, parents before their children."""
    steps = plan.get("steps", ()) if isinstance(plan, Mapping) else plan
    for step in steps:
        yield step, 0
        for child, depth in each_step(children(step)):
            yield child, depth + 1


def positions(plan: Mapping[str, Any]) -> dict[str, int]:
    """Each step's number in the plan, from 1, in the order of `each_step`."""
    return {step["key"]: number for number, (step, _) in enumerate(each_step(plan), start=1)}


def step_of(plan: Mapping[str, Any], key: str) -> PlanStep | None:
    """The step of that key, or None."""
    return next((step for step, _ in each_step(plan) if step["key"] == key), None)


def connections(plan: Mapping[str, Any]) -> set[int]:
    """The connections that the plan uses, its trigger's included."""
    used = {plan["trigger"].get("connection"), *(step.get("connection") for step, _ in each_step(plan))}
    return {each for each in used if each is not None}


def keys_of_turn(loop: Mapping[str, Any]) -> list[str]:
    """The keys of the steps that run in a turn of this loop itself, and not in turns of loops inside it."""
    return list(_same_turn(loop.get("steps", ())))


def _same_turn(steps: Sequence[PlanStep]) -> Iterator[str]:
    for step in steps:
        yield step["key"]
        if step["kind"] != Step.Kind.LOOP:
            yield from _same_turn(children(step))


def loops_around(plan: Mapping[str, Any], key: str) -> list[str]:
    """The keys of the loops that a step lies in, the outermost first."""
    return _loops_around(plan.get("steps", ()), key) or []


def _loops_around(steps: Sequence[PlanStep], key: str) -> list[str] | None:
    for step in steps:
        if step["key"] == key:
            return []
        found = _loops_around(children(step), key)
        if found is not None:
            return [step["key"], *found] if step["kind"] == Step.Kind.LOOP else found
    return None


def passed_over(plan: Mapping[str, Any]) -> set[str]:
    """The keys of steps whose failure does not end the run: it goes on after them, or after what they are part of."""
    return set(_passed_over(plan.get("steps", ()), is_tolerated=False))


def _passed_over(steps: Sequence[PlanStep], *, is_tolerated: bool) -> Iterator[str]:
    for step in steps:
        goes_on = is_tolerated or step.get("on_error", Step.OnError.STOP) != Step.OnError.STOP
        # A stop that ends the run as failed does so wherever it stands.
        if goes_on and step["kind"] != Step.Kind.STOP:
            yield step["key"]
        # The steps of an error path are not covered by the policy that leads to them; those of a loop are.
        yield from _passed_over(step.get("error_steps", ()), is_tolerated=is_tolerated)
        yield from _passed_over(step.get("paths", ()), is_tolerated=is_tolerated)
        inside = goes_on or step.get("on_item_error") == "go_on" if step["kind"] == Step.Kind.LOOP else is_tolerated
        yield from _passed_over(step.get("steps", ()), is_tolerated=inside)
