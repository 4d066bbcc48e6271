"""What the connection pages show about workflows: which use a connection, and where a new team starts."""

from __future__ import annotations

from collections.abc import Iterable

from django.urls import reverse

from integrations.connections.service import Note, Usage
from integrations.framework import registry
from integrations.models import Connection, Team
from workflows.definitions import plans
from workflows.models import TriggerState, Workflow
from workflows.triggers import pacing


def usages(connection: Connection) -> Iterable[Usage]:
    """Every workflow whose trigger, steps or published version use the connection."""
    workflows = (
        Workflow.objects.filter(team_id=connection.team_id).select_related("published").prefetch_related("steps")
    )
    for workflow in workflows:
        if connection.pk in _used_by(workflow):
            is_active = workflow.status == Workflow.Status.ACTIVE
            yield Usage(name=workflow.name, url=reverse("workflow", args=[workflow.pk]), is_active=is_active)


def notes(connection: Connection) -> Iterable[Note]:
    """How many of the connection's daily calls the triggers' checks use, and which triggers had to slow down."""
    looking = pacing.paces(connection)
    if not looking:
        return
    day = looking[0][1].day
    a_day = round(sum(24 * 60 / pace.minutes * max(1, state.calls_per_look) for state, pace in looking))
    what = "One trigger checks" if len(looking) == 1 else f"{len(looking)} triggers check"
    of_all = f" of the {day.limit:,} available" if day.limit else ""
    yield Note(f"{what} this connection, using about {a_day:,} call{'' if a_day == 1 else 's'} a day{of_all}.")
    for state, pace in looking:
        if pace.sentence:
            yield Note(f"{_name(state)}: {pace.sentence}", is_warning=True)


def _name(state: TriggerState) -> str:
    try:
        return registry.trigger(state.operation).name
    except registry.UnknownOperationError:
        return state.operation


def first_workflow_url(team: Team) -> str:
    """The page for a new workflow, while the team has none; else empty."""
    return "" if Workflow.objects.for_team(team).exists() else reverse("new_workflow")


def _used_by(workflow: Workflow) -> set[int | None]:
    used = {workflow.trigger_connection_id, *(step.connection_id for step in workflow.steps.all())}
    if workflow.published is not None:
        used |= plans.connections(workflow.published.plan)
    return used
