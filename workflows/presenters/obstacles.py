"""What keeps active workflows from working: unusable connections of their trigger or a step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from integrations.models import Connection, Team
from workflows.definitions import plans
from workflows.models import Workflow


@dataclass(frozen=True)
class Blocked:
    """A connection that a workflow needs and cannot use; `is_triggers` if its trigger checks there for new items."""

    connection: Connection
    is_triggers: bool

    @property
    def sentence(self) -> str:
        """What this means for the workflow."""
        is_gone = self.connection.status == Connection.Status.DISCONNECTED
        what = "is disconnected" if is_gone else "needs reconnecting"
        then = "nothing new is noticed" if self.is_triggers else "its runs wait"
        return f"{self.connection.name} {what}: {then}"


def blocked(team: Team, workflows: Iterable[Workflow]) -> dict[int, list[Blocked]]:
    """For each of these workflows that is active and needs one: its unusable connections, the trigger's first."""
    dead = {each.pk: each for each in Connection.objects.for_team(team).exclude(status=Connection.Status.CONNECTED)}
    active = [each.pk for each in workflows if each.status == Workflow.Status.ACTIVE] if dead else []
    found: dict[int, list[Blocked]] = {}
    # Plans are large, so they are only read if some connection is unusable.
    rows = Workflow.objects.filter(pk__in=active).values_list("pk", "published__plan")
    for pk, plan in rows.iterator():
        hit = plans.connections(plan) & dead.keys() if plan else set()
        heard = plan["trigger"].get("connection") if plan else None
        if hit:
            ordered = sorted(hit, key=lambda each: (each != heard, dead[each].name))
            found[pk] = [Blocked(dead[each], each == heard) for each in ordered]
    return found
