"""Reading a plan: the tree of steps that publishing fixed, as the engine and all others traverse it.

Format 1 is a flat list of filters and actions. Format 2 is a tree: a branch has "paths", a path and a loop have
"steps", an action may have "error_steps". Both are read alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from integrations.framework.registry import derived_key
from workflows.definitions import kinds
from workflows.models import Run, Step, Undo, Workflow
from workflows.models.execution import UNDO

PlanStep = dict[str, Any]
_LISTS = ("paths", "steps", "error_steps")


def plan_of(run: Run) -> Mapping[str, Any]:
    """The plan that a run follows: its version's, or for an undo a step for each posting that it takes back. Where one
    cannot be taken back, the others are."""
    if not run.is_undo:
        plan: dict[str, Any] = run.version.plan
        return plan
    rows = Undo.objects.filter(run=run).select_related("posting").order_by("position")
    trigger: dict[str, Any] = {"operation": UNDO, "connection": None, "inputs": {}}
    return {"format": 1, "trigger": trigger, "steps": [_undoing(each) for each in rows]}


def is_undoing(operation: str) -> bool:
    """Whether the operation with this key takes back what another one wrote."""
    return operation.endswith(derived_key("", UNDO))


def _undoing(undo: Undo) -> PlanStep:
    posting = undo.posting
    return {
        "key": undo.step,
        "name": f"Take back {posting.number or posting.described or posting.noun}"[:120],
        "kind": Step.Kind.ACTION.value,
        "operation": derived_key(posting.operation, UNDO),
        "connection": posting.connection_id,
        "inputs": {"undo": str(undo.pk)},
        "on_error": Step.OnError.GO_ON.value,
        "max_attempts": 5,
    }


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
    """The step with that key, or None."""
    return next((step for step, _ in each_step(plan) if step["key"] == key), None)


def following(steps: Sequence[PlanStep], last: str = "ends as succeeded, with errors") -> dict[str, str]:
    """For each action with an error path, by key: what the run does after that path, as "goes on with
    “Note it”". `last` is what follows the last of the steps."""
    found: dict[str, str] = {}
    for index, step in enumerate(steps):
        after = f"goes on with “{steps[index + 1]['name']}”" if index + 1 < len(steps) else last
        for path in step.get("paths", ()):
            found |= following(path["steps"], after)
        if step["kind"] == Step.Kind.LOOP:
            found |= following(step["steps"], f"goes on with the next item of “{step['name']}”")
        if errors := step.get("error_steps"):
            found |= following(errors, after)
            ends = errors[-1]["kind"] == Step.Kind.STOP
            found[step["key"]] = f"ends at “{errors[-1]['name']}”" if ends else after
    return found


def connections(plan: Mapping[str, Any]) -> set[int]:
    """The connections that the plan uses, its trigger's included."""
    used = {plan["trigger"].get("connection"), *(step.get("connection") for step, _ in each_step(plan))}
    return {each for each in used if each is not None}


def called_workflow(step: Mapping[str, Any]) -> int | None:
    """The id of the workflow that the step calls; None if it calls none."""
    known = kinds.KINDS.get(step["kind"])
    found = step.get(known.workflow_setting) if known is not None and known.workflow_setting else None
    return found if isinstance(found, int) else None


def called_names(steps: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    """The names of the workflows that these steps call, by their ids."""
    called = {found for step in steps if (found := called_workflow(step)) is not None}
    return dict(Workflow.objects.filter(pk__in=called).values_list("pk", "name")) if called else {}


def keys_of_iteration(loop: Mapping[str, Any]) -> list[str]:
    """The keys of the steps that run in an iteration of this loop, without those of loops inside it."""
    return list(_same_iteration(loop.get("steps", ())))


def _same_iteration(steps: Sequence[PlanStep]) -> Iterator[str]:
    for step in steps:
        yield step["key"]
        if step["kind"] != Step.Kind.LOOP:
            yield from _same_iteration(children(step))


def loops_around(plan: Mapping[str, Any], key: str) -> list[str]:
    """The keys of the loops around a step, the outermost first."""
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
    """The keys of steps whose failure does not end the run: it continues after them, or after what they are part of."""
    return set(_passed_over(plan.get("steps", ()), is_tolerated=False))


def _passed_over(steps: Sequence[PlanStep], *, is_tolerated: bool) -> Iterator[str]:
    for step in steps:
        goes_on = is_tolerated or step.get("on_error", Step.OnError.STOP) != Step.OnError.STOP
        # A stop that ends the run as failed does so wherever it is.
        if goes_on and step["kind"] != Step.Kind.STOP:
            yield step["key"]
        # The steps of an error path are not covered by the policy that leads to them; those of a loop are.
        yield from _passed_over(step.get("error_steps", ()), is_tolerated=is_tolerated)
        yield from _passed_over(step.get("paths", ()), is_tolerated=is_tolerated)
        inside = goes_on or step.get("on_item_error") == "go_on" if step["kind"] == Step.Kind.LOOP else is_tolerated
        yield from _passed_over(step.get("steps", ()), is_tolerated=inside)
