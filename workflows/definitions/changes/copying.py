"""Copies of what people have built: a workflow as a new draft, a step with all inside it in another workflow.

Connections stay, because both are of one team. Nothing of a copy runs until somebody publishes it and switches it on.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from integrations.audit.actions import Audited
from integrations.audit.record import record
from workflows.definitions import ordering, tree
from workflows.definitions.edits.edit_record import edited
from workflows.definitions.ordering import EditError
from workflows.definitions.tree import Place
from workflows.models import Safeguards, Step, Workflow

_LONGEST_NAME = 120


@transaction.atomic
def copy_workflow(workflow: Workflow, *, by: User) -> Workflow:
    """A draft called "Copy of ...": with trigger, steps and safeguards; without runs, versions, samples and address."""
    made = Workflow.objects.create(
        team=workflow.team,
        name=_free_name(workflow),
        description=workflow.description,
        trigger_operation=workflow.trigger_operation,
        trigger_connection=workflow.trigger_connection,
        trigger_inputs=workflow.trigger_inputs,
        interval_minutes=workflow.interval_minutes,
        created_by=by,
    )
    nodes = _nodes(workflow)
    ordering.copy_all(nodes, made, {each.step.key: each.step.key for each in tree.walk(nodes)})
    _copy_safeguards(workflow, made)
    source = {"Copied from": workflow.name}
    record(Audited.WORKFLOW_CREATED, team_id=made.team_id, about=made, by=by, after=source)
    return made


@transaction.atomic
def copy_step(step: Step, target: Workflow) -> Step:
    """The step with everything inside it at the end of a workflow of its team.

    What it takes from steps that do not exist there is not found any more, and shown as a problem of the copy; a step
    there that only happens to have the same key is not taken for it. Raises EditError if it cannot be there.
    """
    if not tree.can_hold(None, step.kind):
        raise EditError(f"{step.name} belongs to its branch. Copy the whole branch, or the steps in the path.")
    node = tree.find(_nodes(step.workflow), step)
    assert node is not None
    there = {each.key: each for each in target.steps.all()}
    keys = ordering.free_keys([node], there)
    with edited(target):
        copy = ordering.copy_all([node], target, {**_strangers(node, there, target), **keys})[step.pk]
        ordering.stand(copy, Place())
    return copy


def _strangers(node: tree.Node, there: dict[str, Step], target: Workflow) -> dict[str, str]:
    """Keys that no step there has, for the steps around the copied one whose keys other steps have there."""
    if target.pk == node.step.workflow_id:
        return {}
    inside = {each.step.key for each in tree.walk([node])}
    around = [each for each in node.step.workflow.steps.all() if each.key not in inside]
    taken = {*there, *inside, *(each.key for each in around)}
    return {
        each.key: ordering.free_key(f"{each.key[:30]}_not_copied", taken)
        for each in around
        if each.key in there and not _does_the_same(each, there[each.key])
    }


def _does_the_same(one: Step, other: Step) -> bool:
    return (one.kind, one.operation) == (other.kind, other.operation)


def _nodes(workflow: Workflow) -> list[tree.Node]:
    return tree.build_tree(workflow.steps.select_related("connection").prefetch_related("mappings", "conditions"))


def _free_name(workflow: Workflow) -> str:
    wanted = f"Copy of {workflow.name}"[:_LONGEST_NAME]
    taken = set(Workflow.objects.for_team(workflow.team).values_list("name", flat=True))
    number, name = 2, wanted
    while name in taken:
        name, number = f"{wanted[: _LONGEST_NAME - 7]} ({number})", number + 1
    return name


def _copy_safeguards(workflow: Workflow, made: Workflow) -> None:
    stored = Safeguards.objects.filter(workflow=workflow).first()
    if stored is None:
        return
    people = list(stored.people.all())
    stored.pk, stored.workflow, stored.counts_from, stored.expected_checked = None, made, None, None
    stored._state.adding = True
    stored.save()
    stored.people.set(people)
