"""A run under way: what its steps may use, where in the tree it stands, and the right to write it down."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.urls import reverse

from integrations.models import Connection
from workflows import plans
from workflows.engine.lease import Lease, database_now
from workflows.lookups import Reader
from workflows.mapping import MappingContext
from workflows.models import Run, StepRun
from workflows.organisation import context_of, zone_of


@dataclass
class Walk:
    """`iteration` says in which turn of which loop the walk is: "" outside, "3", "3.2" in a loop within a loop.

    `known` holds the stored step runs of the places that the walk may come past again, by step and iteration.
    """

    run: Run
    lease: Lease
    data: dict[str, Any]
    connections: Mapping[int, Connection]
    positions: Mapping[str, int]
    iteration: str = ""
    known: dict[tuple[str, str], StepRun] = field(default_factory=dict)
    has_failures: bool = False
    result: str = ""
    began: float = field(default_factory=time.monotonic)
    #: The team's lookup tables, each in the version in which this walk met it first.
    tables: Reader | None = None

    @classmethod
    def begin(cls, run: Run, lease: Lease) -> Walk:
        """The walk of a claimed run, from its first step."""
        version = run.version
        plan = version.plan
        ids = plans.connections(plan)
        found = Connection.objects.filter(team_id=run.team_id, pk__in=ids).select_related("grant") if ids else ()
        connections = {each.pk: each for each in found}
        # The day where the books are kept: in Auckland it is another one than in London for half of the day.
        books = connections.get(run.connection_id or heard_from(run) or 0)
        started_on = run.created_at.astimezone(zone_of(books)).date()
        data = {
            "trigger": run.event.data,
            "steps": {},
            "run": {"id": run.pk, "url": run_url(run.pk), "date": started_on.isoformat()},
            "workflow": {"name": run.workflow.name, "version": version.number},
        }
        walk = cls(run, lease, data, connections, plans.positions(plan))
        if run.claims > 1:
            walk.load(walk.positions)
        return walk

    def load(self, steps: Iterable[str]) -> None:
        """Read what is stored of these steps in this iteration."""
        # Named, so that the index leads to the few rows of this turn and not past those of all turns.
        found = StepRun.objects.filter(run=self.run, step__in=list(steps), iteration=self.iteration)
        self.known |= {(each.step, each.iteration): each for each in found}

    def step_run(self, step: Mapping[str, Any]) -> StepRun:
        """The step's row in this iteration: the stored one, or a new one that is not stored yet."""
        known = self.known.get((step["key"], self.iteration))
        return known or StepRun(
            run=self.run,
            step=step["key"],
            iteration=self.iteration,
            position=self.positions[step["key"]],
            kind=step["kind"],
            name=step["name"],
            operation=step.get("operation", ""),
            connection_id=step.get("connection"),
        )

    @contextmanager
    def turn(self, number: int, item: Any, count: int) -> Iterator[dict[str, Any]]:
        """One turn of a loop: `item` and `loop` are its own, and what its steps bring is gone after it.

        Gives the outputs by step, those from before the loop and the turn's.
        """
        outer, iteration = self.data, self.iteration
        brought = dict(outer["steps"])
        self.data = {**outer, "steps": brought, "item": item, "loop": {"index": number, "count": count}}
        self.iteration = f"{iteration}.{number}" if iteration else str(number)
        try:
            yield brought
        finally:
            for key in [key for key in self.known if key[1] == self.iteration]:
                del self.known[key]
            self.data, self.iteration = outer, iteration

    @contextmanager
    def error(self, step_run: StepRun, message: str) -> Iterator[None]:
        """An error path: `error` is what led to it."""
        outer = self.data
        # The same table of steps: what the error path brings stays for the steps after it.
        self.data = {**outer, "error": {"step": step_run.name, "message": message}}
        try:
            yield
        finally:
            self.data = outer

    def home(self, step: Mapping[str, Any]) -> Connection | None:
        """Whose dates hold for a step: its connection's; without one, those of the run's or the trigger's."""
        run = self.run
        found = (
            self.connections.get(each or 0) for each in (step.get("connection"), run.connection_id, heard_from(run))
        )
        return next((each for each in found if each is not None), None)

    def context(self, connection: Connection | None) -> MappingContext:
        """Dates and zones as the organisation sees them."""
        return context_of(connection, now=database_now(), tables=self.lookup_tables())

    def lookup_tables(self) -> Reader:
        """The team's lookup tables for one step, in the same versions for all steps of this walk."""
        if self.tables is None:
            self.tables = Reader(self.run.team_id)
        return self.tables.fresh()


def heard_from(run: Run) -> int | None:
    """The connection of the trigger."""
    heard: int | None = run.version.plan["trigger"].get("connection")
    return heard


def run_url(run_id: int) -> str:
    """The address of a run's page, for people and for what is written into the provider's documents."""
    return f"{settings.BASE_URL}{reverse('run', args=[run_id])}"
