"""Trees of steps written down in a few words, and workflows made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from integrations.models import Connection
from tests.base import Cast
from workflows.definitions import validation
from workflows.models import Condition, Event, Mapping, Run, Step, StepRun, Workflow
from workflows.triggers import intake

_keys = count(1)


@dataclass
class Spec:
    """A step to be made: its kind, key, settings, mapping rows, comparisons and children."""

    kind: str
    key: str
    settings: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    condition: dict[str, Any] | None = None
    children: Sequence[Spec] = ()
    operation: str = ""
    on_error: str = "stop"


def write(key: str, name: str = "{{ trigger.title }}", *, on_error: str = "stop", error: Sequence[Spec] = ()) -> Spec:
    return Spec(
        "action", key, inputs={"name": name}, operation="scripted.write_thing", on_error=on_error, children=error
    )


def read(key: str, *, on_error: str = "stop") -> Spec:
    return Spec("action", key, inputs={"name": "x"}, operation="scripted.read_thing", on_error=on_error)


def over(left: str, number: object) -> dict[str, Any]:
    """A comparison: the value is at least so much."""
    return {"left": left, "type": "number", "operator": "at_least", "right": str(number)}


def keep_if(key: str, condition: dict[str, Any]) -> Spec:
    return Spec("filter", key, condition=condition)


def branch(key: str, *paths: Spec) -> Spec:
    return Spec("branch", key, children=paths)


def path(key: str, condition: dict[str, Any] | None, *steps: Spec) -> Spec:
    return Spec("path", key, condition=condition, children=steps)


def loop(key: str, items: str, *steps: Spec, on_error: str = "stop", **settings: Any) -> Spec:
    return Spec("loop", key, {"items": items, **settings}, children=steps, on_error=on_error)


def delay(key: str, **settings: Any) -> Spec:
    return Spec("delay", key, settings)


def named(key: str, *, on_error: str = "stop", **values: str) -> Spec:
    return Spec("format", key, inputs=values, on_error=on_error)


def lookup(key: str, table: str, value: str, *, on_error: str = "stop", **more: str) -> Spec:
    missing = "default" if "default" in more else "fail"
    return Spec("lookup", key, {"table": table, "missing": missing}, {"value": value, **more}, on_error=on_error)


def call(key: str, workflow: Workflow, *, waits: bool = True, on_error: str = "stop", **data: str) -> Spec:
    return Spec("call", key, {"workflow": workflow.pk, "waits": waits}, data, on_error=on_error)


def stop(key: str, how: str = "succeeded", message: str = "") -> Spec:
    return Spec("stop", key, {"as": how}, {"message": message} if message else {})


def plant(workflow: Workflow, specs: Sequence[Spec], connection: Connection, parent: Step | None = None) -> None:
    """Make the rows."""
    for position, spec in enumerate(specs, start=1):
        step = Step.objects.create(
            workflow=workflow,
            parent=parent,
            key=spec.key,
            name=spec.key.replace("_", " ").capitalize(),
            kind=spec.kind,
            position=position,
            settings=spec.settings,
            operation=spec.operation,
            connection=connection if spec.operation else None,
            on_error=spec.on_error,
        )
        for name, value in spec.inputs.items():
            Mapping.objects.create(step=step, input=name, value=value)
        if spec.condition is not None:
            Condition.objects.create(step=step, position=1, **spec.condition)
        plant(workflow, spec.children, connection, step)


MakeTree = Callable[..., Workflow]


def made(cast: Cast, connection: Connection, *specs: Spec, name: str = "") -> Workflow:
    """A workflow of these steps, not published."""
    workflow = Workflow.objects.create(
        team=cast.team,
        name=name or f"Tree {next(_keys)}",
        trigger_operation="scripted.new_thing",
        trigger_connection=connection,
        created_by=cast.builder,
    )
    plant(workflow, specs, connection)
    return workflow


def begin(workflow: Workflow, **data: Any) -> Run:
    """A run of the published version that is due now, for an item with this data beside the usual."""
    assert workflow.published is not None
    event = Event.objects.create(
        team_id=workflow.team_id,
        operation=workflow.trigger_operation,
        connection=workflow.trigger_connection,
        key=f"tree {next(_keys)}",
        data={"id": "1", "title": "Thing 1", "price": 10, **data},
    )
    run = intake.new_run(workflow, workflow.published, event)
    run.save()
    return run


def told(workflow: Workflow) -> list[tuple[str | None, str | None, str]]:
    return [(each.step, each.input, each.message) for each in validation.problems(workflow)]


def state_of(run: Run) -> str:
    return str(Run.objects.values_list("status", flat=True).get(pk=run.pk))


def step(run: Run, key: str, iteration: str = "") -> StepRun:
    """The row of a step; of a loop the loop's own and not that of a turn."""
    return StepRun.objects.exclude(kind="turn").get(run=run, step=key, iteration=iteration)


def turns(run: Run, key: str) -> list[tuple[str, str]]:
    """Iteration and state of each turn of a loop."""
    return list(StepRun.objects.filter(run=run, step=key, kind="turn").order_by("pk").values_list("iteration", "state"))


def ran(run: Run) -> list[str]:
    """What was done, in order, as key or key@iteration."""
    rows = StepRun.objects.filter(run=run).exclude(kind="turn").order_by("pk").values_list("step", "iteration")
    return [f"{key}@{iteration}" if iteration else key for key, iteration in rows]
