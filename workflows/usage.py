"""What the connections pages are told of workflows: what works with a connection, and where a team begins."""

from __future__ import annotations

from collections.abc import Iterable

from django.urls import reverse

from integrations.connections import Usage
from integrations.models import Connection, Team
from workflows.models import Workflow


def usages(connection: Connection) -> Iterable[Usage]:
    """Every workflow whose trigger, steps or published version use the connection."""
    workflows = (
        Workflow.objects.filter(team_id=connection.team_id).select_related("published").prefetch_related("steps")
    )
    for workflow in workflows:
        if connection.pk in _used_by(workflow):
            is_active = workflow.status == Workflow.Status.ACTIVE
            yield Usage(name=workflow.name, url=reverse("workflow", args=[workflow.pk]), is_active=is_active)


def beginning(team: Team) -> str:
    """The page of a new workflow while the team has none."""
    return "" if Workflow.objects.for_team(team).exists() else reverse("new_workflow")


def _used_by(workflow: Workflow) -> set[int | None]:
    used = {workflow.trigger_connection_id, *(step.connection_id for step in workflow.steps.all())}
    if workflow.published is not None:
        plan = workflow.published.plan
        used |= {plan["trigger"]["connection"], *(step.get("connection") for step in plan["steps"])}
    return used
