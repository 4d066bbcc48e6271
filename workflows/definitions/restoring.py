"""Turns a plan back into rows: restoring a version into the draft, and filling a draft with an imported plan.

The opposite of `compiler`: the rows compile to the same plan, except for connections and workflows that no longer
exist; a person has to choose those.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from integrations.models import Connection
from workflows.definitions import editing, kinds, plans
from workflows.definitions.edits.edit_record import records_edit
from workflows.models import Step, Workflow, WorkflowVersion
from workflows.models.revision import saved_now


@transaction.atomic
@records_edit
def restore(workflow: Workflow, version: WorkflowVersion, *, by: User | None = None) -> None:
    """Replace the draft's content by the version's. This publishes nothing; the draft's previous content is lost."""
    rows_from_plan(workflow, version.plan)
    workflow.steps.update(saved_by=by, saved_at=saved_now())


@transaction.atomic
@records_edit
def rows_from_plan(workflow: Workflow, plan: dict[str, Any]) -> None:
    """Replace the workflow's trigger and steps by those of the plan."""
    mine = Connection.objects.filter(team_id=workflow.team_id, pk__in=plans.connections(plan)).in_bulk()
    trigger = plan["trigger"]
    workflow.trigger_operation = trigger["operation"]
    workflow.trigger_connection = mine.get(trigger["connection"] or 0)
    workflow.trigger_inputs = dict(trigger["inputs"])
    workflow.save(update_fields=["trigger_operation", "trigger_connection", "trigger_inputs", "changed_at"])
    workflow.steps.all().delete()
    _store(workflow, plan["steps"], None, mine)


def _store(
    workflow: Workflow, steps: Iterable[dict[str, Any]], parent: Step | None, mine: dict[int, Connection]
) -> None:
    for position, plan_step in enumerate(steps, start=1):
        kind = plan_step["kind"]
        step = Step.objects.create(
            workflow=workflow,
            key=plan_step["key"],
            name=plan_step["name"],
            kind=kind,
            parent=parent,
            position=position,
            operation=plan_step.get("operation", ""),
            connection=mine.get(plan_step.get("connection") or 0),
            settings={each.name: plan_step[each.name] for each in kinds.of(kind).settings if each.name in plan_step},
            on_error=plan_step.get("on_error", Step.OnError.STOP),
            max_attempts=plan_step.get("max_attempts", Step._meta.get_field("max_attempts").default),
        )
        editing.replace_mappings(step, plan_step.get("inputs") or plan_step.get("values") or {})
        if plan_step.get("conditions"):
            editing.store_conditions(step, _as_edited(plan_step["conditions"]))
        _store(workflow, plans.children(plan_step), step, mine)


def _as_edited(tree: dict[str, Any]) -> dict[str, Any]:
    """A plan's conditions with the rows' names."""
    if "group" in tree:
        return {"group": tree["group"], "items": [_as_edited(item) for item in tree["items"]]}
    return {
        "left": tree["left"],
        "type": tree["type"],
        "operator": tree["operator"],
        "right": tree.get("right") or "",
        "right_until": tree.get("right_until") or "",
        "is_case_sensitive": bool(tree.get("case_sensitive")),
    }
