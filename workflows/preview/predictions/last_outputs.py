"""What the writes of a workflow gave last, in runs: the closest there is to what they would give now.

Only the team's own newest runs count, as for the samples of the editor, and only an output of the same operation with
the same connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Max

from integrations.framework import registry
from integrations.framework.base import Action, Effect
from workflows.definitions import plans
from workflows.definitions.samples.cutting import cut
from workflows.models import Run, StepRun

#: How many of the team's newest runs are searched.
_RUNS = 200
#: An operation, and the id of the connection that it works with, if any.
Place = tuple[str, int | None]


@dataclass(frozen=True)
class LastOutput:
    """What an operation gave, and the id of the run in which it did."""

    output: dict[str, Any]
    run: int


@dataclass
class LastOutputs:
    """What the team's writes gave last: one query for all the writes of a plan, made when the first of them is
    reached."""

    known: dict[Place, LastOutput | None] = field(default_factory=dict)

    def of(self, team_id: int, plan: Mapping[str, Any], step: Mapping[str, Any]) -> LastOutput | None:
        """What the operation of this step gave last; None if it gave nothing, or long ago."""
        place = _place(step)
        if place not in self.known:
            wanted = {*_writes(plan), place} - self.known.keys()
            self.known |= {**dict.fromkeys(wanted), **_last(team_id, wanted)}
        return self.known[place]


def _place(step: Mapping[str, Any]) -> Place:
    return step["operation"], step.get("connection")


def _writes(plan: Mapping[str, Any]) -> Iterator[Place]:
    for step, _ in plans.each_step(plan):
        action = registry.operation_or_none(step.get("operation", ""))
        if isinstance(action, Action) and action.effect is not Effect.READS:
            yield _place(step)


def _last(team_id: int, wanted: set[Place]) -> dict[Place, LastOutput]:
    runs = Run.objects.filter(team=team_id).order_by("-pk").values("pk")[:_RUNS]
    given = StepRun.objects.filter(
        run__in=runs,
        operation__in={operation for operation, _ in wanted},
        state=StepRun.State.SUCCEEDED,
        output__isnull=False,
    )
    newest = given.order_by().values("operation", "connection").annotate(last=Max("pk")).values("last")
    rows = StepRun.objects.filter(pk__in=newest).only("operation", "connection", "run", "output")
    found = {
        (row.operation, row.connection_id): LastOutput(cut(row.output)[0], row.run_id)
        for row in rows
        if isinstance(row.output, dict) and row.output
    }
    return {place: last for place, last in found.items() if place in wanted}
