"""A plan back as rows: restoring a version into the draft, and filling a draft with an imported plan.

The opposite of `compiling`: what comes out compiles to the same plan, but for connections and workflows that are not
there any more; those are left to be chosen.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from integrations.models import Connection
from workflows import editing, kinds, plans
from workflows.models import Step, Workflow, WorkflowVersion


@transaction.atomic
def restore(workflow: Workflow, version: WorkflowVersion) -> None:
    """Make the draft say what the version says. Nothing is published by that; what the draft said before is lost."""
    rows_from_plan(workflow, version.plan)


@transaction.atomic
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
    for position, told in enumerate(steps, start=1):
        kind = told["kind"]
        step = Step.objects.create(
            workflow=workflow,
            key=told["key"],
            name=told["name"],
            kind=kind,
            parent=parent,
            position=position,
            operation=told.get("operation", ""),
            connection=mine.get(told.get("connection") or 0),
            settings={each.name: told[each.name] for each in kinds.of(kind).settings if each.name in told},
            on_error=told.get("on_error", Step.OnError.STOP),
            max_attempts=told.get("max_attempts", Step._meta.get_field("max_attempts").default),
        )
        editing.replace_mappings(step, told.get("inputs") or told.get("values") or {})
        if told.get("conditions"):
            editing.store_conditions(step, _as_edited(told["conditions"]))
        _store(workflow, plans.children(told), step, mine)


def _as_edited(tree: dict[str, Any]) -> dict[str, Any]:
    """A plan's conditions in the words of the rows."""
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
