"""Compile a workflow's rows to an immutable version, or say why it cannot be."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max

from integrations import registry
from integrations.base import Action
from integrations.errors import InvalidInputError
from integrations.jsonfield import dumps
from integrations.models import Connection
from integrations.schema import Kind
from workflows import conditions, confirming, mapping
from workflows.describing import describe
from workflows.models import Condition, Step, Workflow, WorkflowVersion
from workflows.rows import EACH, cells, repeats

FORMAT = 1
TRIGGER = "trigger"


@dataclass(frozen=True)
class Problem:
    """Something that stops publishing: at which step (its key; "trigger"; None for the whole) and input."""

    step: str | None
    input: str | None
    message: str


class PublishError(Exception):
    """The workflow cannot be published as it is; `problems` says why, all at once."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(each.message for each in problems))
        self.problems = problems


def publish(workflow: Workflow, *, by: User | None, note: str = "") -> WorkflowVersion:
    """Make the rows as they are now the version that new events run. Raises PublishError.

    Runs under way go on with their own version. An active workflow keeps listening where its trigger is the same;
    with another trigger it starts with a baseline.
    """
    found = problems(workflow)
    if found:
        raise PublishError(found)
    plan = compile_plan(workflow)
    text = dumps(plan)
    with transaction.atomic():
        locked = Workflow.objects.select_for_update().get(pk=workflow.pk)
        last = locked.versions.aggregate(last=Max("number"))["last"] or 0
        version = WorkflowVersion.objects.create(
            workflow=locked,
            number=last + 1,
            plan=plan,
            plan_sha256=hashlib.sha256(text.encode()).hexdigest(),
            summary=describe(plan),
            note=note,
            published_by=by,
        )
        locked.published = version
        locked.save(update_fields=["published", "changed_at"])
        workflow.published = version
        if locked.status == Workflow.Status.ACTIVE:
            from workflows.polling import listen

            listen(locked)
    return version


def has_unpublished_changes(workflow: Workflow) -> bool:
    """Whether the rows say something else than the published version."""
    return workflow.published is None or dumps(workflow.published.plan) != dumps(compile_plan(workflow))


def compile_plan(workflow: Workflow) -> dict[str, Any]:
    """The plan as the rows stand, complete or not."""
    steps = [_compile_step(step) for step in _steps(workflow)]
    return {
        "format": FORMAT,
        "trigger": {
            "operation": workflow.trigger_operation,
            "connection": workflow.trigger_connection_id,
            "inputs": {name: value for name, value in workflow.trigger_inputs.items() if value not in (None, "")},
        },
        "steps": [step for step in steps if step["kind"] != Step.Kind.FILTER or step["conditions"]["items"]],
    }


def _steps(workflow: Workflow) -> Iterable[Step]:
    steps = workflow.steps.select_related("connection__grant").prefetch_related("mappings", "conditions")
    return steps.order_by("position", "pk")


def _compile_step(step: Step) -> dict[str, Any]:
    compiled: dict[str, Any] = {"key": step.key, "name": step.name, "kind": step.kind}
    if step.kind == Step.Kind.FILTER:
        return compiled | {"conditions": condition_tree(step)}
    return compiled | {
        "operation": step.operation,
        "connection": step.connection_id,
        "inputs": step_inputs(step),
        "on_error": step.on_error,
        "max_attempts": step.max_attempts,
    }


def condition_tree(step: Step) -> dict[str, Any]:
    """A filter step's rows as the tree of `conditions`. Without rows: an empty group of all."""
    rows = sorted(step.conditions.all(), key=lambda row: (row.position, row.pk))
    children: dict[int | None, list[Condition]] = {}
    for row in rows:
        children.setdefault(row.parent_id, []).append(row)

    def build(row: Condition) -> dict[str, Any]:
        if row.kind != Condition.Kind.COMPARISON:
            return {"group": row.kind, "items": [build(child) for child in children.get(row.pk, [])]}
        return {
            "left": row.left,
            "type": row.type,
            "operator": row.operator,
            "right": row.right or None,
            "right_until": row.right_until or None,
            "case_sensitive": row.is_case_sensitive,
        }

    roots = children.get(None, [])
    if len(roots) == 1 and roots[0].kind != Condition.Kind.COMPARISON:
        return build(roots[0])
    return {"group": "all", "items": [build(row) for row in roots]}


def step_inputs(step: Step) -> dict[str, Any]:
    """Mapping rows as {input: source} and, for tables, {input: [{column: source}]}. Empty values are left out."""
    inputs: dict[str, Any] = {}
    rows: dict[str, dict[int, dict[str, str]]] = {}
    for row in sorted(step.mappings.all(), key=lambda each: (each.input, each.row or 0, each.column)):
        if row.value == "":
            continue
        if row.row is None:
            inputs[row.input] = row.value
        else:
            rows.setdefault(row.input, {}).setdefault(row.row, {})[row.column] = row.value
    for name, by_row in rows.items():
        inputs[name] = [by_row[index] for index in sorted(by_row)]
    return inputs


# --- problems -------------------------------------------------------------------------------------------------------


def problems(workflow: Workflow) -> list[Problem]:
    """Everything that stops publishing, for the editor to show beside its fields."""
    found = list(_trigger_problems(workflow))
    steps = list(_steps(workflow))
    if not any(step.kind == Step.Kind.ACTION for step in steps):
        found.append(Problem(None, None, "The workflow does nothing yet: add a step with an action."))
    earlier: set[str] = set()
    for step in steps:
        check = _filter_problems if step.kind == Step.Kind.FILTER else _action_problems
        found.extend(check(workflow, step, earlier))
        earlier.add(step.key)
    return found


def _trigger_problems(workflow: Workflow) -> Iterable[Problem]:
    if not workflow.trigger_operation:
        yield Problem(TRIGGER, None, "Choose what starts the workflow.")
        return
    try:
        trigger = registry.trigger(workflow.trigger_operation)
    except registry.UnknownOperationError:
        yield Problem(TRIGGER, None, f"The trigger {workflow.trigger_operation} is not available here any more.")
        return
    yield from _connection_problems(TRIGGER, workflow, workflow.trigger_connection, trigger.connector.key, trigger)
    given = {name: value for name, value in workflow.trigger_inputs.items() if value not in (None, "")}
    try:
        trigger.Inputs.clean(given)
    except InvalidInputError as error:
        for path, message in error.problems.items():
            yield Problem(TRIGGER, path, message)


def _connection_problems(
    place: str, workflow: Workflow, connection: Connection | None, provider: str, operation: Any
) -> Iterable[Problem]:
    name = operation.connector.name
    if not operation.connector.needs_connection:
        if said := operation.connector.closed():
            yield Problem(place, None, said)
        return
    if connection is None or connection.team_id != workflow.team_id or connection.provider != provider:
        yield Problem(place, "connection", f"Choose the {name} {operation.connector.account_noun} to use.")
        return
    if connection.status == Connection.Status.DISCONNECTED:
        yield Problem(
            place, "connection", f"{connection.name} is disconnected. Connect it again or choose another one."
        )
        return
    missing = operation.missing_scopes(connection.grant.scopes)
    if connection.grant.scopes and missing:
        yield Problem(
            place,
            "connection",
            f"{connection.name} was connected without the permission {', '.join(missing)}. Reconnect it to grant that.",
        )


def _filter_problems(workflow: Workflow, step: Step, earlier: set[str]) -> Iterable[Problem]:
    tree = condition_tree(step)
    if not tree["items"]:
        return
    try:
        conditions.check(tree)
    except conditions.ConditionError as error:
        yield Problem(step.key, None, str(error))
        return
    for row in step.conditions.all():
        for source in (row.left, row.right, row.right_until):
            yield from _reference_problems(workflow, step.key, None, source, earlier)


def _action_problems(workflow: Workflow, step: Step, earlier: set[str]) -> Iterable[Problem]:
    try:
        action = registry.action(step.operation)
    except registry.UnknownOperationError:
        yield Problem(step.key, None, f"The action {step.operation} is not available here any more.")
        return
    yield from _connection_problems(step.key, workflow, step.connection, action.connector.key, action)
    sources = step_inputs(step)
    found: dict[str, str] = {}
    for path, source, reads_item in _flat(sources):
        for problem in _reference_problems(workflow, step.key, path, source, earlier, reads_item=reads_item):
            found.setdefault(path, problem.message)
    found = {
        **confirming.problems(action, sources, step.connection),
        **_value_problems(action, sources, found),
        **found,
    }
    found = {**_lacking(action, sources, step.connection), **found}
    for path, message in found.items():
        yield Problem(step.key, path, message)


def _lacking(action: Action, sources: dict[str, Any], connection: Connection | None) -> dict[str, str]:
    """Per input whose value needs a permission that was not granted with the connection."""
    granted = connection.grant.scopes if connection else []
    if not granted:
        return {}
    always = action.missing_scopes(granted)
    found = {}
    for name in action.scopes_of_values.keys() & sources.keys():
        missing = [each for each in action.missing_scopes(granted, {name: sources[name]}) if each not in always]
        if missing:
            found[name] = (
                f"{connection} was connected without the permission {', '.join(missing)}, which this needs. "
                "Reconnect it to grant that."
            )
    return found


def _flat(sources: dict[str, Any]) -> Iterable[tuple[str, str, bool]]:
    """Path, source, and whether it may read the item of its own row."""
    for name, value in sources.items():
        if isinstance(value, str):
            yield name, value, False
            continue
        for index, row in enumerate(value):
            for column, source in row.items():
                yield f"{name}.{index}.{column}", source, repeats(row) and column != EACH


def _value_problems(action: Action, sources: dict[str, Any], known: dict[str, str]) -> dict[str, str]:
    """Clean what is constant; what is mapped from data is only known when a run has it."""
    dynamic: set[str] = set()
    values: dict[str, Any] = {}
    fields = {f.name: f for f in action.Inputs.fields()}
    for name, value in sources.items():
        rows = value if isinstance(value, list) else None
        if rows is not None:
            values[name] = [
                {column: _stand_in(f"{name}.{i}.{column}", source, dynamic, known) for column, source in cells(row)}
                for i, row in enumerate(rows)
            ]
        elif name in fields and fields[name].kind is Kind.ROWS:
            dynamic.add(name)
            values[name] = [{}]
        else:
            values[name] = _stand_in(name, value, dynamic, known)
    try:
        action.Inputs.clean(values)
    except InvalidInputError as error:
        return {
            path: message
            for path, message in error.problems.items()
            if not any(path == each or path.startswith(f"{each}.") for each in dynamic)
        }
    return {}


_STAND_IN = "a value from the run"


def _stand_in(path: str, source: str, dynamic: set[str], known: dict[str, str]) -> Any:
    if path in known or mapping.references(source):
        dynamic.add(path)
        return _STAND_IN
    try:
        return mapping.evaluate(source, {})
    except mapping.MappingError:
        dynamic.add(path)
        return _STAND_IN


def _reference_problems(
    workflow: Workflow, place: str, path: str | None, source: str, earlier: set[str], *, reads_item: bool = False
) -> Iterable[Problem]:
    try:
        mapping.check(source)
        references = mapping.references(source)
    except mapping.MappingError as error:
        yield Problem(place, path, error.message)
        return
    for reference in references:
        root, _, rest = reference.partition(".")
        first = rest.split(".")[0].split("[")[0]
        if root == "steps" and first not in earlier:
            yield Problem(place, path, f"{reference} refers to a step that does not come before this one.")
        elif root == "trigger" and first and not _trigger_has(workflow, first):
            yield Problem(place, path, f"The trigger brings no value called {first}. Pick one from the list.")
        elif root == "item" and reads_item:
            continue
        elif root not in ("trigger", "steps", "run", "workflow"):
            yield Problem(place, path, f"There is no value called {reference}. Pick one from the list.")


def _trigger_has(workflow: Workflow, name: str) -> bool:
    try:
        return name in registry.trigger(workflow.trigger_operation).sample
    except registry.UnknownOperationError:
        return True
