"""What stops a workflow from being published: per step, in sentences, all at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from integrations.core.errors import InvalidInputError
from integrations.framework import registry
from integrations.framework.base import Start
from integrations.schema.fields import prefix_at
from workflows.definitions import kinds
from workflows.definitions.checks.complaints import Complaint
from workflows.definitions.checks.operation_checks import connection_problems
from workflows.definitions.checks.reach import Reach
from workflows.definitions.kinds.base import Holds
from workflows.definitions.scope import reaches, references
from workflows.definitions.step_rows import Placed, condition_tree, step_tree
from workflows.language import conditions, mapping
from workflows.lookup_tables import lookup, usage
from workflows.models import Step, Workflow

TRIGGER = "trigger"


@dataclass(frozen=True)
class Problem:
    """Something that stops publishing: the step (its key; "trigger"; None for the whole) and the input or setting."""

    step: str | None
    input: str | None
    message: str
    #: The row of the input, as the form names it; "" if it is in none.
    place: str = ""


def problems(workflow: Workflow, tree: list[Placed] | None = None) -> list[Problem]:
    """Everything that stops publishing, for the editor to show beside its fields. `tree` is what `step_tree` gives."""
    found = list(_trigger_problems(workflow))
    tree = step_tree(workflow) if tree is None else tree
    places = [inner for place in tree for inner, _ in place.all()]
    if not any(kinds.KINDS[place.step.kind].does_something for place in places if place.step.kind in kinds.KINDS):
        found.append(Problem(None, None, "The workflow does nothing yet: add a step with an action."))
    check = _WorkflowCheck(workflow, reaches(tree))
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
    for each in connection_problems(workflow, workflow.trigger_connection, trigger.connector.key, trigger):
        yield Problem(TRIGGER, each.input, each.message)
    given = {name: value for name, value in workflow.trigger_inputs.items() if value not in (None, "")}
    try:
        trigger.Inputs.clean(given)
    except InvalidInputError as error:
        for path, message in error.problems.items():
            yield Problem(TRIGGER, path, message, prefix_at(trigger.Inputs.fields(), path, message))


@dataclass
class _WorkflowCheck:
    """The checks of one workflow's steps, each with what it may refer to."""

    workflow: Workflow
    reach: dict[int, Reach | None]

    def all(self, place: Placed, *, depth: int = 0, above: Step | None = None) -> Iterator[Problem]:
        """The problems of a step inside the step `above`, and of everything below it."""
        known = kinds.KINDS.get(place.step.kind)
        if known is None:
            yield Problem(place.step.key, None, f"There is no kind of step called {place.step.kind} here.")
        else:
            yield from _place_problems(place, depth, above)
            yield from self._step(place, known)
            if not known.checks_inside(place.step):
                return
        for child in place.children:
            yield from self.all(child, depth=depth + 1, above=place.step)

    def _step(self, place: Placed, known: kinds.StepKind) -> Iterator[Problem]:
        key = place.step.key
        reach = self.reach.get(place.step.pk)
        if reach is None:
            yield Problem(
                key, None, "No run reaches this place: it comes after a stop. Move it, or take the stop away."
            )
            return
        for each in known.problems(place, _StepCheck(self.workflow, reach)):
            yield Problem(key, each.input, each.message, each.place)


@dataclass
class _StepCheck:
    """What the kinds of step ask of the check, at one step."""

    workflow: Workflow
    reach: Reach

    def conditions(self, step: Step) -> Iterator[Complaint]:
        """What is wrong with the step's conditions."""
        tree = condition_tree(step)
        if not tree["items"]:
            return
        try:
            conditions.check(tree)
        except conditions.ConditionError as error:
            yield Complaint(None, str(error))
            return
        for row in step.conditions.all():
            is_named = row.type == "lookup" and "{{" not in row.right
            if is_named and (problem := lookup.complaint(self.workflow.team_id, row.right.strip())):
                yield Complaint(None, problem)
            for source in (row.left, row.right, row.right_until):
                # An existence test is meant for values that may be missing.
                yield from self.source(None, source, is_optional=row.type == "existence")

    def source(
        self, path: str | None, source: str, *, reads_item: bool = False, is_optional: bool = False
    ) -> Iterator[Complaint]:
        """What is wrong with one mapping at this step."""
        try:
            mapping.check(source)
            read = dict[str, bool]()
            for reference, has_default in references(source):
                read[reference] = read.get(reference, True) and has_default
        except mapping.MappingError as error:
            yield Complaint(path, error.message)
            return
        for problem in usage.complaints(self.workflow.team_id, source):
            yield Complaint(path, problem)
        for reference, has_default in read.items():
            root, _, rest = reference.partition(".")
            if root == "item" and reads_item:
                continue
            first = rest.split(".")[0].split("[")[0]
            if problem := self.reach.complaint(reference, is_optional=is_optional or has_default):
                yield Complaint(path, problem)
            elif root == "trigger" and first and not _trigger_has(self.workflow, first):
                yield Complaint(path, f"The trigger brings no value called {first}. Pick one from the list.")


def _place_problems(place: Placed, depth: int, above: Step | None) -> Iterator[Problem]:
    """Whether the step may be where it is, and hold what it holds."""
    step = place.step
    known = kinds.of(step.kind)
    if depth >= kinds.MOST_LEVELS:
        yield Problem(step.key, None, f"Steps may lie {kinds.MOST_LEVELS} deep; this one lies deeper.")
    holder = kinds.KINDS.get(above.kind) if above is not None else None
    is_path, is_in_branch = not known.may_stand_in(None), holder is not None and holder.holds is Holds.PATHS
    if is_path != is_in_branch:
        yield Problem(step.key, None, "Paths stand in a branch, and a branch holds nothing but paths.")
    if place.children and known.holds is Holds.NOTHING:
        yield Problem(step.key, None, f"{known.label} holds no steps; move them out of it.")
    for at, message in known.place_problems(place):
        yield Problem(at.key, None, message)


def _trigger_has(workflow: Workflow, name: str) -> bool:
    try:
        trigger = registry.trigger(workflow.trigger_operation)
    except registry.UnknownOperationError:
        return True
    is_open = isinstance(trigger, Start) and trigger.is_open
    return is_open or name in trigger.sample_of(workflow.trigger_inputs)
