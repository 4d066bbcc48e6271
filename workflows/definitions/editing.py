"""How people's edits become rows: a workflow, its trigger, its filter, its steps and their mappings.

Each function is one change in one transaction. Nothing here runs or publishes; a version in use does not change.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.audit import origin
from integrations.audit.actions import Audited
from integrations.audit.record import record
from integrations.models import Connection, Team
from workflows.definitions import ordering, samples
from workflows.definitions.edits.edit_record import records_edit
from workflows.definitions.ordering import EditError, delete_step, move_step
from workflows.definitions.tree import Place
from workflows.models import Condition, Mapping, Run, Step, Workflow
from workflows.models.revision import saved_now

__all__ = ["EditError", "Sources", "StepDraft", "delete_step", "move_step"]

#: A step's inputs as they are written: a source per input, or rows of sources per column for a table input.
Sources = dict[str, "str | list[dict[str, str]]"]

#: Conditions as they are written: {"group": …, "items": […]}, or the columns of a comparison.
Tree = dict[str, Any]

FILTER_KEY = "filter"
END = Place()


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
    """A new draft. Raises EditError if the team has one with that name."""
    try:
        with transaction.atomic():
            made = Workflow.objects.create(
                team=team, name=name, trigger_operation=operation, trigger_connection=connection, created_by=by
            )
            record(Audited.WORKFLOW_CREATED, team_id=team.pk, about=made, by=by)
            return made
    except IntegrityError:
        raise EditError(f"There is already a workflow called {name}. Choose another name.") from None


@records_edit
def describe_workflow(workflow: Workflow, *, name: str, description: str) -> None:
    """Rename it and say what it is for. Raises EditError if the team has another one with that name."""
    workflow.name, workflow.description = name, description
    try:
        with transaction.atomic():
            workflow.save(update_fields=["name", "description", "changed_at"])
    except IntegrityError:
        raise EditError(f"There is already a workflow called {name}. Choose another name.") from None


@records_edit
def set_trigger(
    workflow: Workflow,
    *,
    operation: str,
    connection: Connection | None,
    inputs: MappingType[str, Any],
    interval_minutes: int,
) -> None:
    """What it listens to as of its next version."""
    workflow.trigger_operation = operation
    workflow.trigger_connection = connection
    workflow.trigger_inputs = dict(inputs)
    workflow.interval_minutes = interval_minutes
    workflow.save(
        update_fields=["trigger_operation", "trigger_connection", "trigger_inputs", "interval_minutes", "changed_at"]
    )


@transaction.atomic
@records_edit
def set_filter(workflow: Workflow, *, group: str, comparisons: list[dict[str, Any]]) -> None:
    """Replace the filter that the workflow begins with; without comparisons it is removed."""
    first = workflow.steps.filter(parent=None).order_by("position", "pk").first()
    step = first if first is not None and first.kind == Step.Kind.FILTER else None
    if comparisons:
        place = Place(before=first)
        save_conditions(workflow, step, {"group": group, "items": comparisons}, name="Filter", place=place)
    elif step is not None:
        ordering.delete_step(step)


@transaction.atomic
@records_edit
def save_conditions(
    workflow: Workflow,
    step: Step | None,
    tree: Tree | None,
    *,
    name: str,
    place: Place = END,
    kind: str = FILTER_KEY,
    by: User | None = None,
) -> Step:
    """Change the conditions of a filter or path, or add one. A path without conditions takes what no other takes."""
    if step is None:
        step = _new(workflow, kind, place, name=name, wanted=kind, by=by)
    else:
        step.name = name
        step.save(update_fields=["name"])
    step.conditions.all().delete()
    if tree is not None and tree["items"]:
        store_conditions(step, tree)
    touch(workflow)
    return step


def store_conditions(step: Step, tree: Tree, parent: Condition | None = None, position: int = 0) -> None:
    """Store a tree of groups and comparisons as further rows of the step."""
    if "group" not in tree:
        kind = Condition.Kind.COMPARISON
        Condition.objects.create(step=step, parent=parent, position=position, kind=kind, **tree)
        return
    group = Condition.objects.create(step=step, parent=parent, position=position, kind=tree["group"])
    for number, item in enumerate(tree["items"], 1):
        store_conditions(step, item, group, number)


@transaction.atomic
@records_edit
def add_branch(
    workflow: Workflow, *, name: str, paths: int, has_otherwise: bool, place: Place = END, by: User | None = None
) -> Step:
    """A branch with paths that still need conditions, and one for everything else."""
    branch = _new(workflow, Step.Kind.BRANCH, place, name=name, wanted=Step.Kind.BRANCH, by=by)
    names = [f"Path {number}" for number in range(1, paths + 1)] + ["Otherwise"] * has_otherwise
    for each in names:
        _new(workflow, Step.Kind.PATH, Place(branch), name=each, wanted=Step.Kind.PATH, by=by)
    return branch


@transaction.atomic
@records_edit
def add_path(branch: Step, *, by: User | None = None) -> Step:
    """One more path, placed before a last one without conditions, which is for everything else."""
    siblings = list(branch.children.prefetch_related("conditions").order_by("position", "pk"))
    last = siblings[-1] if siblings and not siblings[-1].conditions.all() else None
    taken = {each.name for each in siblings}
    name = next(f"Path {n}" for n in range(len(siblings) + (last is None), 1000) if f"Path {n}" not in taken)
    return _new(branch.workflow, Step.Kind.PATH, Place(branch, last), name=name, wanted=Step.Kind.PATH, by=by)


@transaction.atomic
def undelete_workflow(workflow: Workflow) -> None:
    """Show it again, still paused. Raises EditError if another one has its name by now."""
    try:
        with transaction.atomic():
            Workflow.objects.filter(pk=workflow.pk).update(deleted_at=None, deleted_by=None)
    except IntegrityError:
        raise EditError(
            f"There is another workflow called {workflow.name} now. Rename that one first, then take this one back."
        ) from None
    workflow.refresh_from_db()
    record(Audited.WORKFLOW_RESTORED, team_id=workflow.team_id, about=workflow, by=origin.person())


@transaction.atomic
@records_edit
def save_step(
    workflow: Workflow, step: Step | None, draft: StepDraft, *, place: Place = END, by: User | None = None
) -> Step:
    """Change a step, or add one. Its key never changes, because later steps refer to it."""
    if step is None:
        wanted = draft.operation.rpartition(".")[2]
        step = _new(workflow, Step.Kind.ACTION, place, name=draft.name, wanted=wanted, by=by)
    step.name, step.operation, step.connection = draft.name, draft.operation, draft.connection
    step.on_error, step.max_attempts = draft.on_error, draft.max_attempts
    step.save()
    replace_mappings(step, draft.sources)
    touch(workflow)
    return step


@transaction.atomic
@records_edit
def save_kind(
    workflow: Workflow,
    step: Step | None,
    *,
    kind: str,
    name: str,
    settings: MappingType[str, Any],
    sources: Sources,
    on_error: str = Step.OnError.STOP,
    place: Place = END,
    by: User | None = None,
) -> Step:
    """Change a step that is not an action and has no conditions, or add one."""
    if step is None:
        step = _new(workflow, kind, place, name=name, wanted=kind, by=by)
    step.name, step.settings, step.on_error = name, dict(settings), on_error
    step.save(update_fields=["name", "settings", "on_error"])
    replace_mappings(step, sources)
    touch(workflow)
    return step


@records_edit
def rename_step(step: Step, name: str) -> Step:
    """Change its name; its key stays."""
    step.name = name
    step.save(update_fields=["name"])
    touch(step.workflow)
    return step


def _new(workflow: Workflow, kind: str, place: Place, *, name: str, wanted: str, by: User | None) -> Step:
    key = ordering.free_key(wanted, set(workflow.steps.values_list("key", flat=True)))
    step = Step(workflow=workflow, key=key, kind=kind, name=name, saved_by=by, saved_at=saved_now())
    ordering.stand(step, place)
    return step


def replace_mappings(step: Step, sources: Sources) -> None:
    """Replace the step's mapping rows by these sources."""
    step.mappings.all().delete()
    Mapping.objects.bulk_create(_rows(step, sources))


def touch(workflow: Workflow) -> None:
    """Note that the workflow has changed."""
    Workflow.objects.filter(pk=workflow.pk).update(changed_at=timezone.now())


@transaction.atomic
def delete_workflow(workflow: Workflow, *, by: User | None = None) -> None:
    """Hide it: its versions and runs are the record, and it can be restored.

    Raises EditError while the workflow is active or one of its runs has not ended.
    """
    locked = Workflow.objects.select_for_update().get(pk=workflow.pk)
    if locked.status == Workflow.Status.ACTIVE:
        raise EditError("The workflow is active. Pause it first, then delete it.")
    under_way = Run.objects.filter(workflow=locked, status__in=[*Run.OPEN, Run.Status.NEEDS_REVIEW]).count()
    if under_way:
        runs = "1 run is" if under_way == 1 else f"{under_way} runs are"
        raise EditError(f"{runs} still under way or waits for a person. Let it end or cancel it, then delete it.")
    samples.forget(locked)
    locked.deleted_at, locked.deleted_by = timezone.now(), by
    locked.save(update_fields=["deleted_at", "deleted_by"])
    record(Audited.WORKFLOW_DELETED, team_id=locked.team_id, about=locked, by=by)


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
