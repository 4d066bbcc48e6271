"""Deleting a step, and putting it back.

The rows are removed and kept as Django's serializer writes them, so that they come back with their ids: links to the
step lead there again, and what referred to it finds it. Only the last deletion of a workflow is kept, for a while.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.core import serializers
from django.db import transaction
from django.utils import timezone

from integrations.models import Connection
from workflows.definitions import ordering, tree
from workflows.definitions.edits.edit_record import records_edit
from workflows.definitions.ordering import EditError
from workflows.definitions.tree import Place
from workflows.models import DeletedStep, Step, Workflow

KEPT = timedelta(hours=1)


@transaction.atomic
def delete_step(step: Step, *, by: User | None) -> None:
    """Remove a step with its mappings and everything inside it, so that `put_back` can undo it."""
    workflow = step.workflow
    nodes = tree.build_tree(workflow.steps.prefetch_related("mappings", "conditions"))
    node = tree.find(nodes, step)
    assert node is not None
    following = tree.place_of(nodes, step).before
    DeletedStep.objects.update_or_create(
        workflow=workflow,
        defaults={
            "name": step.name,
            "rows": _written([each.step for each in tree.walk([node])]),
            "before_id": following.pk if following else None,
            "deleted_by": by,
            "deleted_at": timezone.now(),
        },
    )
    ordering.delete_step(step)


@dataclass(frozen=True)
class KeptStep:
    """A deleted step as it was, not stored, and the place where it could stand again."""

    step: Step
    place: Place


def kept_step(workflow: Workflow, step_id: int) -> KeptStep | None:
    """The step with this id, if it went with the last deletion and is not there again."""
    deleted = last_deleted(workflow)
    if deleted is None or workflow.steps.filter(pk=step_id).exists():
        return None
    rows = (each.object for each in serializers.deserialize("json", deleted.rows))
    step = next((row for row in rows if isinstance(row, Step) and row.pk == step_id), None)
    if step is None:
        return None
    parent = workflow.steps.select_related("parent").filter(pk=step.parent_id or 0).first()
    if parent is None and step.parent_id is not None:
        return KeptStep(step, Place())
    return KeptStep(step, Place(parent, _following(step, deleted.before_id)))


def last_deleted(workflow: Workflow) -> DeletedStep | None:
    """The step that can still be put back."""
    found: DeletedStep | None = DeletedStep.objects.filter(
        workflow=workflow, deleted_at__gt=timezone.now() - KEPT
    ).first()
    return found


@transaction.atomic
@records_edit
def put_back(workflow: Workflow) -> Step:
    """Put the step that was deleted last where it was. Raises EditError if that is not possible any more."""
    deleted = last_deleted(workflow)
    if deleted is None:
        raise EditError("There is nothing to put back any more.")
    rows = [each.object for each in serializers.deserialize("json", deleted.rows)]
    steps = [row for row in rows if isinstance(row, Step)]
    _check(workflow, steps, deleted.name)
    known = set(Connection.objects.filter(team=workflow.team_id).values_list("pk", flat=True))
    for row in rows:
        if isinstance(row, Step) and row.connection_id not in known:
            row.connection_id = None
        row.save()
    deleted.delete()
    step = Step.objects.select_related("workflow", "parent").get(pk=steps[0].pk)
    ordering.stand(step, Place(step.parent, _following(step, deleted.before_id)))
    return step


def _written(steps: list[Step]) -> str:
    mappings = [row for step in steps for row in step.mappings.all()]
    conditions = [row for step in steps for row in sorted(step.conditions.all(), key=lambda each: each.pk)]
    return str(serializers.serialize("json", [*steps, *mappings, *conditions]))


def _check(workflow: Workflow, steps: list[Step], name: str) -> None:
    if Step.objects.filter(workflow=workflow, key__in=[each.key for each in steps]).exists():
        raise EditError(f"{name} cannot be put back: a step added since is called in its place. Delete that one first.")
    parent = steps[0].parent_id
    if parent is not None and not Step.objects.filter(workflow=workflow, pk=parent).exists():
        raise EditError(f"{name} cannot be put back: the step it was in is not there any more.")


def _following(step: Step, pk: int | None) -> Step | None:
    return Step.objects.filter(workflow=step.workflow_id, parent=step.parent_id, pk=pk).first() if pk else None
