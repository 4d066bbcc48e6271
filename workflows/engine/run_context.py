"""The context of a run in progress: what its steps may use, where in the tree it is, and its lease."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.urls import reverse

from integrations.models import Connection
from integrations.transport.call_budget import Purpose
from workflows.definitions import plans
from workflows.definitions.mapping_context import context_of, zone_of
from workflows.engine.lease import Lease
from workflows.language.cost_limits import STEP_SECONDS
from workflows.language.mapping import MappingContext
from workflows.lookup_tables.lookup import Reader
from workflows.models import Run, StepRun
from workflows.runtime.clock import database_now


@dataclass
class RunContext:
    """`iteration` says in which iteration of a loop the run is: "" outside of loops, "3", "3.2" in a nested loop.

    `known` holds the stored step runs that execution may come past again, by step and iteration.
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
    #: The team's lookup tables, each in the version that was current when it was first used here.
    tables: Reader | None = None
    #: Handlers that perform steps instead of the engine's own, by kind: a preview's, which write nothing and wait for
    #: nothing. Empty in a run.
    stand_ins: Mapping[str, Any] = field(default_factory=dict)
    #: Whether its iterations and calls count towards what one run and those that it calls may make.
    is_counted: bool = True
    #: What its calls are for, which decides how much of the day's call budget they may use.
    purpose: Purpose = Purpose.RUN

    @classmethod
    def begin(cls, run: Run, lease: Lease) -> RunContext:
        """The context of a claimed run, at its first step."""
        version = run.version
        plan = plans.plan_of(run)
        ids = plans.connections(plan)
        found = Connection.objects.filter(team_id=run.team_id, pk__in=ids).select_related("grant") if ids else ()
        connections = {each.pk: each for each in found}
        # The date where the books are kept: for half of the day, Auckland and London have different dates.
        books = connections.get(run.connection_id or heard_from(run) or 0)
        started_on = run.created_at.astimezone(zone_of(books)).date()
        data = {
            "trigger": run.event.data,
            "steps": {},
            "run": {"id": run.pk, "url": run_url(run.pk), "date": started_on.isoformat()},
            "workflow": {"name": run.workflow.name, "version": version.number},
        }
        context = cls(run, lease, data, connections, plans.positions(plan))
        if run.claims > 1:
            context.load(context.positions)
        return context

    def load(self, steps: Iterable[str]) -> None:
        """Read what is stored of these steps in this iteration."""
        # Steps are named, so that the index leads to the few rows of this iteration and not past those of all.
        found = StepRun.objects.filter(run=self.run, step__in=list(steps), iteration=self.iteration)
        self.known |= {(each.step, each.iteration): self._at_hand(each) for each in found}

    def _at_hand(self, step_run: StepRun) -> StepRun:
        """The step run with its run and its connection, so that neither is read again."""
        step_run.run = self.run
        connection = self.connections.get(step_run.connection_id or 0)
        if connection is not None:
            step_run.connection = connection
        return step_run

    def step_run(self, step: Mapping[str, Any]) -> StepRun:
        """The step's row in this iteration: the stored one, or a new one that is not stored yet."""
        known = self.known.get((step["key"], self.iteration))
        if known is not None:
            return known
        made = StepRun(
            run=self.run,
            step=step["key"],
            iteration=self.iteration,
            position=self.positions[step["key"]],
            kind=step["kind"],
            name=step["name"],
            operation=step.get("operation", ""),
            connection_id=step.get("connection"),
        )
        return self._at_hand(made)

    @contextmanager
    def loop_iteration(self, number: int, item: Any, count: int) -> Iterator[dict[str, Any]]:
        """One iteration of a loop: it has its own `item` and `loop`, and the outputs of its steps are gone after it.

        Yields the outputs by step: those from before the loop and those of the iteration.
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

    def taken(self, items: list[Any]) -> list[Any]:
        """Those items of a loop's list that iterations are made for: all of them."""
        return items

    @contextmanager
    def error(self, step_run: StepRun, message: str) -> Iterator[None]:
        """An error path: `error` is the failure that led to it."""
        outer = self.data
        # The same dictionary of steps: outputs of the error path stay for the steps after it.
        self.data = {**outer, "error": {"step": step_run.name, "message": message}}
        try:
            yield
        finally:
            self.data = outer

    def home(self, step: Mapping[str, Any]) -> Connection | None:
        """The connection whose time zone and dates a step uses: its own, else the run's, else the trigger's."""
        run = self.run
        found = (
            self.connections.get(each or 0) for each in (step.get("connection"), run.connection_id, heard_from(run))
        )
        return next((each for each in found if each is not None), None)

    def mapping_context(self, connection: Connection | None) -> MappingContext:
        """Dates and zones as the organisation sees them, and how long the step's values may take from now on."""
        deadline = time.monotonic() + STEP_SECONDS
        return context_of(connection, now=database_now(), tables=self.lookup_tables(), deadline=deadline)

    def lookup_tables(self) -> Reader:
        """The team's lookup tables for one step, in the same versions for all steps of this run."""
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
