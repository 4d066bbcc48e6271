"""What stops a workflow from being published: per step, in sentences, all at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from integrations import registry
from integrations.base import Action, Start
from integrations.errors import InvalidInputError
from integrations.models import Connection
from integrations.schema import Kind as FieldKind
from workflows import conditions, confirming, kinds, lookup_usage, lookups, mapping
from workflows.compiling import Kind, Placed, condition_tree, step_inputs, step_tree
from workflows.models import Step, Workflow
from workflows.reach import Reach, reaches, references
from workflows.rows import EACH, cells, repeats

TRIGGER = "trigger"


@dataclass(frozen=True)
class Problem:
    """Something that stops publishing: at which step (its key; "trigger"; None for the whole) and input or setting."""

    step: str | None
    input: str | None
    message: str


def problems(workflow: Workflow) -> list[Problem]:
    """Everything that stops publishing, for the editor to show beside its fields."""
    found = list(_trigger_problems(workflow))
    tree = step_tree(workflow)
    places = [inner for place in tree for inner, _ in place.all()]
    if not any(place.step.kind in (Kind.ACTION, Kind.CALL) for place in places):
        found.append(Problem(None, None, "The workflow does nothing yet: add a step with an action."))
    check = _Check(workflow, reaches(tree))
    for place in tree:
        found.extend(check.all(place))
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


@dataclass
class _Check:
    """The checks of one workflow's steps, each with what it may refer to."""

    workflow: Workflow
    reach: dict[int, Reach | None]

    def all(self, place: Placed, *, depth: int = 0, above: str = "") -> Iterator[Problem]:
        """The problems of a step, in a step of the kind `above`, and of everything below it."""
        if place.step.kind in kinds.KINDS:
            yield from _place_problems(place, depth, above)
            yield from self._step(place)
        else:
            yield Problem(place.step.key, None, f"There is no kind of step called {place.step.kind} here.")
        if place.step.kind == Kind.ACTION and place.step.on_error != Step.OnError.ERROR_PATH:
            return  # an error path that is switched off may say what it likes
        for child in place.children:
            yield from self.all(child, depth=depth + 1, above=place.step.kind)

    def _step(self, place: Placed) -> Iterator[Problem]:
        step = place.step
        reach = self.reach.get(step.pk)
        if reach is None:
            yield Problem(step.key, None, "No run gets here: it comes after a stop. Move it, or take the stop away.")
            return
        if step.kind == Kind.ACTION:
            yield from self._action(place, reach)
            return
        if kinds.of(step.kind).takes_conditions:
            yield from self._conditions(step, reach)
        for name, message in kinds.settings_problems(step.kind, step.settings).items():
            yield Problem(step.key, name, message)
        settings = kinds.read_settings(step.kind, step.settings)
        for name, source in kinds.sources(step.kind, settings).items():
            yield from self._source(step.key, name, source, reach)
        yield from self._inputs(step, reach)
        if step.kind == Kind.LOOKUP:
            yield from self._lookup(step, settings)
        elif step.kind == Kind.CALL:
            yield from self._call(step, settings)

    def _conditions(self, step: Step, reach: Reach) -> Iterator[Problem]:
        tree = condition_tree(step)
        if not tree["items"]:
            return
        try:
            conditions.check(tree)
        except conditions.ConditionError as error:
            yield Problem(step.key, None, str(error))
            return
        for row in step.conditions.all():
            is_named = row.type == "lookup" and "{{" not in row.right
            if is_named and (said := lookups.complaint(self.workflow.team_id, row.right.strip())):
                yield Problem(step.key, None, said)
            for source in (row.left, row.right, row.right_until):
                # Asking whether a value is there is what one does with a value that may not be.
                yield from self._source(step.key, None, source, reach, is_optional=row.type == "existence")

    def _inputs(self, step: Step, reach: Reach) -> Iterator[Problem]:
        given = step_inputs(step)
        for path, source, reads_item in _flat(given):
            yield from self._source(step.key, path, source, reach, reads_item=reads_item)
        if step.kind == Kind.FORMAT and not given:
            yield Problem(step.key, None, "It names no values yet: add one.")
        for name, label, is_needed in kinds.of(step.kind).inputs or ():
            if is_needed and name not in given:
                yield Problem(step.key, name, f"{label} is needed, but nothing was given.")

    def _lookup(self, step: Step, settings: dict[str, Any]) -> Iterator[Problem]:
        if settings["missing"] == "default" and "default" not in step_inputs(step):
            yield Problem(step.key, "default", "Default is needed, but nothing was given.")
        name = settings["table"]
        if name and (said := lookups.complaint(self.workflow.team_id, name)):
            yield Problem(step.key, "table", said)

    def _call(self, step: Step, settings: dict[str, Any]) -> Iterator[Problem]:
        if settings["workflow"] is None:
            return
        called = Workflow.objects.filter(team_id=self.workflow.team_id, pk=settings["workflow"]).first()
        if called is None:
            yield Problem(step.key, "workflow", "The workflow to call is not there any more. Choose another one.")
        elif called.pk == self.workflow.pk:
            yield Problem(step.key, "workflow", "A workflow cannot call itself. Choose another one.")
        elif called.published_id is None:
            yield Problem(step.key, "workflow", f"{called.name} is not published yet; publish it first.")
        else:
            # Imported here: starting reaches everything that a start may lead to, publishing included.
            from workflows import calling

            yield from (Problem(step.key, *found) for found in calling.problems(called, step_inputs(step)))

    def _action(self, place: Placed, reach: Reach) -> Iterator[Problem]:
        step = place.step
        try:
            action = registry.action(step.operation)
        except registry.UnknownOperationError:
            yield Problem(step.key, None, f"The action {step.operation} is not available here any more.")
            return
        yield from _connection_problems(step.key, self.workflow, step.connection, action.connector.key, action)
        sources = step_inputs(step)
        found: dict[str, str] = {}
        for path, source, reads_item in _flat(sources):
            for problem in self._source(step.key, path, source, reach, reads_item=reads_item):
                found.setdefault(path, problem.message)
        found = {
            **confirming.problems(action, sources, step.connection),
            **_value_problems(action, sources, found),
            **found,
        }
        found = {**_lacking(action, sources, step.connection), **found}
        for path, message in found.items():
            yield Problem(step.key, path, message)

    def _source(
        self,
        place: str,
        path: str | None,
        source: str,
        reach: Reach,
        *,
        reads_item: bool = False,
        is_optional: bool = False,
    ) -> Iterator[Problem]:
        try:
            mapping.check(source)
            read = dict[str, bool]()
            for reference, has_default in references(source):
                read[reference] = read.get(reference, True) and has_default
        except mapping.MappingError as error:
            yield Problem(place, path, error.message)
            return
        for said in lookup_usage.complaints(self.workflow.team_id, source):
            yield Problem(place, path, said)
        for reference, has_default in read.items():
            root, _, rest = reference.partition(".")
            if root == "item" and reads_item:
                continue
            first = rest.split(".")[0].split("[")[0]
            if said := reach.complaint(reference, is_optional=is_optional or has_default):
                yield Problem(place, path, said)
            elif root == "trigger" and first and not _trigger_has(self.workflow, first):
                yield Problem(place, path, f"The trigger brings no value called {first}. Pick one from the list.")


def _place_problems(place: Placed, depth: int, above: str) -> Iterator[Problem]:
    """Whether the step may stand where it stands, and hold what it holds."""
    step = place.step
    if depth >= kinds.MOST_LEVELS:
        yield Problem(step.key, None, f"Steps may lie {kinds.MOST_LEVELS} deep; this one lies deeper.")
    if (step.kind == Kind.PATH) != (above == Kind.BRANCH):
        yield Problem(step.key, None, "Paths stand in a branch, and a branch holds nothing but paths.")
    if place.children and not kinds.of(step.kind).holds:
        yield Problem(step.key, None, f"{kinds.label_of(step.kind)} holds no steps; move them out of it.")
    if step.kind == Kind.LOOP and not place.children:
        yield Problem(step.key, None, "The loop does nothing yet: add a step to it.")
    if step.kind == Kind.ACTION and step.on_error == Step.OnError.ERROR_PATH and not place.children:
        yield Problem(step.key, None, "The error path is empty: add a step to it, or choose what else to do.")
    if step.kind == Kind.BRANCH:
        yield from _paths(place)


def _paths(place: Placed) -> Iterator[Problem]:
    paths = [child.step for child in place.children if child.step.kind == Kind.PATH]
    if not paths:
        yield Problem(place.step.key, None, "The branch has no paths yet: add one.")
    for path in paths[:-1]:
        if not condition_tree(path)["items"]:
            yield Problem(
                path.key, None, "Only the last path may be without conditions: it is taken where no other is."
            )


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
        elif name in fields and fields[name].kind is FieldKind.ROWS:
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


def _trigger_has(workflow: Workflow, name: str) -> bool:
    try:
        trigger = registry.trigger(workflow.trigger_operation)
    except registry.UnknownOperationError:
        return True
    is_open = isinstance(trigger, Start) and trigger.is_open
    return is_open or name in trigger.sample_of(workflow.trigger_inputs)
