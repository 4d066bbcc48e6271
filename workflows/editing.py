"""How people's edits become rows: a workflow, its trigger, its filter, its steps and their mappings.

Each function is one change in one transaction. Nothing here runs or publishes; a version in use stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.models import Connection, Team
from workflows.models import Condition, Mapping, Run, Step, Workflow

#: A step's inputs as they are written: a source per input, or rows of sources per column for a table input.
Sources = dict[str, "str | list[dict[str, str]]"]

FILTER_KEY = "filter"


class EditError(Exception):
    """The change cannot be made; `message` is a sentence for the person who wanted it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class StepDraft:
    """What a step form says, checked by the form."""

    name: str
    operation: str
    connection: Connection | None
    sources: Sources
    on_error: str = Step.OnError.STOP
    max_attempts: int = 5


def create_workflow(team: Team, *, name: str, operation: str, connection: Connection | None, by: User) -> Workflow:
    """A new draft. Raises EditError where the team has one of that name."""
    try:
        with transaction.atomic():
            return Workflow.objects.create(
                team=team, name=name, trigger_operation=operation, trigger_connection=connection, created_by=by
            )
    except IntegrityError:
        raise EditError(f"There is already a workflow called {name}. Choose another name.") from None


def describe_workflow(workflow: Workflow, *, name: str, description: str) -> None:
    """Rename it and say what it is for. Raises EditError where the team has another one of that name."""
    workflow.name, workflow.description = name, description
    try:
        with transaction.atomic():
            workflow.save(update_fields=["name", "description", "changed_at"])
    except IntegrityError:
        raise EditError(f"There is already a workflow called {name}. Choose another name.") from None


def set_trigger(
    workflow: Workflow,
    *,
    operation: str,
    connection: Connection | None,
    inputs: MappingType[str, Any],
    interval_minutes: int,
) -> None:
    """What it listens to from its next version on."""
    workflow.trigger_operation = operation
    workflow.trigger_connection = connection
    workflow.trigger_inputs = dict(inputs)
    workflow.interval_minutes = interval_minutes
    workflow.save(
        update_fields=["trigger_operation", "trigger_connection", "trigger_inputs", "interval_minutes", "changed_at"]
    )


@transaction.atomic
def set_filter(workflow: Workflow, *, group: str, comparisons: list[dict[str, Any]]) -> None:
    """Replace the filter; without comparisons there is none afterwards."""
    steps = list(workflow.steps.all())
    step = next((each for each in steps if each.kind == Step.Kind.FILTER), None)
    if not comparisons:
        if step is not None:
            step.delete()
    else:
        if step is None:
            key = _free_key(FILTER_KEY, {each.key for each in steps})
            step = Step.objects.create(
                workflow=workflow, key=key, name="Filter", kind=Step.Kind.FILTER, position=0, operation=""
            )
        step.conditions.all().delete()
        root = Condition.objects.create(step=step, position=0, kind=group)
        Condition.objects.bulk_create(
            Condition(step=step, parent=root, position=position, kind=Condition.Kind.COMPARISON, **comparison)
            for position, comparison in enumerate(comparisons, 1)
        )
    _renumber(workflow)


@transaction.atomic
def undelete_workflow(workflow: Workflow) -> None:
    """Show it again, paused as it was. Raises EditError where another one has its name by now."""
    try:
        with transaction.atomic():
            Workflow.objects.filter(pk=workflow.pk).update(deleted_at=None, deleted_by=None)
    except IntegrityError:
        raise EditError(
            f"There is another workflow called {workflow.name} now. Rename that one first, then take this one back."
        ) from None
    workflow.refresh_from_db()


@transaction.atomic
def save_step(workflow: Workflow, step: Step | None, draft: StepDraft) -> Step:
    """Change a step, or add one at the end. Its key is given once and stays, because later steps refer to it."""
    if step is None:
        taken = set(workflow.steps.values_list("key", flat=True))
        key = _free_key(draft.operation.rpartition(".")[2], taken)
        step = Step(workflow=workflow, key=key, kind=Step.Kind.ACTION, position=len(taken) + 1)
    step.name, step.operation, step.connection = draft.name, draft.operation, draft.connection
    step.on_error, step.max_attempts = draft.on_error, draft.max_attempts
    step.save()
    step.mappings.all().delete()
    Mapping.objects.bulk_create(_rows(step, draft.sources))
    _renumber(workflow)
    return step


@transaction.atomic
def move_step(step: Step, *, up: bool) -> bool:
    """Swap an action with its neighbour. False where there is none in that direction."""
    actions = [each for each in step.workflow.steps.all() if each.kind == Step.Kind.ACTION]
    place = next(index for index, each in enumerate(actions) if each.pk == step.pk)
    other = place - 1 if up else place + 1
    if not 0 <= other < len(actions):
        return False
    actions[place], actions[other] = actions[other], actions[place]
    _renumber(step.workflow, actions)
    return True


@transaction.atomic
def delete_step(step: Step) -> None:
    """Remove a step with its mappings."""
    workflow = step.workflow
    step.delete()
    _renumber(workflow)


@transaction.atomic
def delete_workflow(workflow: Workflow, *, by: User | None = None) -> None:
    """Remove a draft that was never published; hide any other, because its versions and runs are the record.

    Raises EditError while the workflow is active or one of its runs is under way.
    """
    locked = Workflow.objects.select_for_update().get(pk=workflow.pk)
    if not locked.versions.exists():
        locked.delete()
        return
    if locked.status == Workflow.Status.ACTIVE:
        raise EditError("The workflow is active. Pause it first, then delete it.")
    under_way = Run.objects.filter(workflow=locked, status__in=[*Run.OPEN, Run.Status.NEEDS_REVIEW]).count()
    if under_way:
        runs = "1 run is" if under_way == 1 else f"{under_way} runs are"
        raise EditError(f"{runs} still under way or waits for a person. Let it end or cancel it, then delete it.")
    locked.deleted_at, locked.deleted_by = timezone.now(), by
    locked.save(update_fields=["deleted_at", "deleted_by"])


def sources_of(mappings: list[Mapping]) -> Sources:
    """Stored mapping rows as a step form and a plan see them."""
    found: Sources = {}
    for mapping in sorted(mappings, key=lambda each: (each.input, each.row or 0)):
        if mapping.row is None:
            found[mapping.input] = mapping.value
            continue
        rows = found.setdefault(mapping.input, [])
        if isinstance(rows, list):
            rows.extend({} for _ in range(mapping.row + 1 - len(rows)))
            if mapping.column:
                rows[mapping.row][mapping.column] = mapping.value
    return found


def _rows(step: Step, sources: Sources) -> list[Mapping]:
    made = []
    for name, value in sources.items():
        if isinstance(value, str):
            if value.strip():
                made.append(Mapping(step=step, input=name, value=value))
            continue
        filled = [row for row in value if any(source.strip() for source in row.values())]
        for number, row in enumerate(filled):
            made.extend(
                Mapping(step=step, input=name, row=number, column=column, value=source)
                for column, source in row.items()
                if source.strip()
            )
    return made


def _renumber(workflow: Workflow, actions: list[Step] | None = None) -> None:
    steps = list(workflow.steps.all())
    filters = [each for each in steps if each.kind == Step.Kind.FILTER]
    ordered = filters + (actions or [each for each in steps if each.kind == Step.Kind.ACTION])
    for position, step in enumerate(ordered, 1):
        if step.position != position:
            Step.objects.filter(pk=step.pk).update(position=position)
    Workflow.objects.filter(pk=workflow.pk).update(changed_at=timezone.now())


def _free_key(wanted: str, taken: set[str]) -> str:
    # Keys stand in mappings as names, so they have to be names there.
    base = re.sub(r"[^a-z0-9_]", "_", wanted.lower())[:40] or "step"
    base = base if base[0].isalpha() else f"step_{base}"
    number, key = 2, base
    while key in taken:
        key, number = f"{base}_{number}", number + 1
    return key
