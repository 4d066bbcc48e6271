"""The context of a preview: that of a run that nothing is stored of."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from django.utils import timezone

from workflows.engine.run_context import RunContext
from workflows.models import Event, Run, StepRun, Workflow, WorkflowVersion
from workflows.preview.limits import Limits, Walk
from workflows.preview.predictions.predicted import Predicted
from workflows.preview.rows import PreviewLease, PreviewRow
from workflows.triggers import intake

#: The number of a run that there is not: no row has it.
NO_RUN = 0


@dataclass
class PreviewContext(RunContext):
    """`fail_step` is the step that is taken as failed, by its key; "" if none is. `force` are the keys of the filters
    and stops to go on at, and of the paths to take, whatever a run would do.

    `is_forced` says that a run would not get here. A forced filter in a loop counts for its iteration and for what
    comes after the loop; a forced stop for all that follows, as it would have ended the whole run.
    """

    walk: Walk = field(default_factory=lambda: Walk(Limits()))
    predicted: Predicted = field(default_factory=lambda: Predicted({"run.id", "run.url"}))
    #: Those of the predicted paths that come from what a write gave in an earlier run.
    earlier: Predicted = field(default_factory=Predicted)
    fail_step: str = ""
    force: frozenset[str] = frozenset()
    is_forced: bool = False
    is_past_stop: bool = False

    @classmethod
    def of(
        cls,
        run: Run,
        walk: Walk,
        *,
        stand_ins: Mapping[str, Any],
        fail_step: str = "",
        force: Collection[str] = (),
        is_predicted: bool = False,
        is_earlier: bool = False,
        is_forced: bool = False,
    ) -> PreviewContext:
        """The context at the first step. With `is_predicted` the data of the trigger is, with `is_earlier` by what an
        earlier run gave; with `is_forced` a run would not get even there."""
        context = cast(PreviewContext, cls.begin(run, PreviewLease(walk=walk)))
        context.walk, context.stand_ins, context.fail_step = walk, stand_ins, fail_step
        context.force, context.is_forced = frozenset(force), is_forced
        # A preview never gives way to other runs, and its iterations count towards no run's.
        context.began, context.is_counted, context.purpose = math.inf, False, walk.limits.purpose
        if is_predicted:
            context.predicted.add("trigger")
        if is_earlier:
            context.earlier.add("trigger")
        return context

    @property
    def rows(self) -> list[PreviewRow]:
        """The steps so far, in the order in which they were reached."""
        return list(cast(PreviewLease, self.lease).rows.values())

    def row_of(self, step_run: StepRun) -> PreviewRow:
        """What is kept of this step."""
        return cast(PreviewLease, self.lease).row_of(step_run)

    def step_run(self, step: Mapping[str, Any]) -> StepRun:
        made = super().step_run(step)
        if made.connection_id not in self.connections:
            made.connection_id = None
        return made

    def go_on(self, step_run: StepRun, key: str) -> None:
        """Go on at this step, or on this path of it, although a run would not."""
        self.walk.force(key)
        self.is_forced = self.row_of(step_run).is_forced = True

    @contextmanager
    def loop_iteration(self, number: int, item: Any, count: int) -> Iterator[dict[str, Any]]:
        outer = self.is_forced
        try:
            with super().loop_iteration(number, item, count) as brought:
                yield brought
        finally:
            self.is_forced = outer or self.is_past_stop

    def taken(self, items: list[Any]) -> list[Any]:
        most = self.walk.limits.iterations
        if len(items) > most:
            self.walk.note(
                f"A loop has {len(items):,} items. The preview shows the first {most:,}; a run takes all of them."
            )
        return items[:most]

    @contextmanager
    def error(self, step_run: StepRun, message: str) -> Iterator[None]:
        outer = self.predicted
        if step_run.step == self.fail_step:
            # What the provider would say is not known.
            self.predicted = Predicted(outer.paths | {"error"})
        try:
            with super().error(step_run, message):
                yield
        finally:
            outer.paths |= self.predicted.paths - {"error"}
            self.predicted = outer


def new_run(workflow: Workflow, version: WorkflowVersion, data: Mapping[str, Any], *, depth: int = 0) -> Run:
    """A run that is never stored."""
    trigger = version.plan["trigger"]
    event = Event(
        team_id=workflow.team_id,
        operation=trigger["operation"],
        connection_id=trigger["connection"],
        key="preview",
        data=dict(data),
    )
    run = intake.new_run(workflow, version, event)
    run.pk, run.depth, run.created_at = NO_RUN, depth, timezone.now()
    return run
