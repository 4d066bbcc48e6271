"""The way a run took through the tree of its version: a card per step, and what lay inside each.

Only the rows of one level are read: those outside of loops, or those of one turn. Of a loop there are counts and a few
turns; each turn has a page of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet
from django.urls import reverse

from workflows import conditions, plans
from workflows.kinds import TURN
from workflows.models import Run, Step, StepRun
from workflows.views.common import ChoiceLabels, choice_labels, operation_or_none
from workflows.views.told import Comparison, StepCard, card_of, comparisons

TURNS_SHOWN = 12
_HEAVY = ("inputs", "output")


@dataclass
class Lane:
    """A path of a branch, as the run found it."""

    name: str
    is_taken: bool
    said: str
    looked_at: bool
    comparisons: list[Comparison] = field(default_factory=list)
    tracks: list[Track] = field(default_factory=list)


@dataclass
class Turn:
    """A turn of a loop in a list."""

    number: int
    address: str
    title: str
    state: str
    words: str
    said: str
    step_run: StepRun | None = None


@dataclass
class Turns:
    """How a loop stands: counts, and the turns that are shown first."""

    count: int
    done: int = 0
    failed: int = 0
    skipped: int = 0
    shown: list[Turn] = field(default_factory=list)
    address: str = ""
    under_way: Turn | None = None

    @property
    def ended(self) -> int:
        """How many turns have ended, however they did."""
        return self.done + self.failed + self.skipped


@dataclass
class Track:
    """A step of the run with what lies inside."""

    card: StepCard
    said: str = ""
    called: Run | None = None
    lanes: list[Lane] = field(default_factory=list)
    error_path: list[Track] | None = None
    turns: Turns | None = None


def rows_at(run: Run, steps: Iterable[Mapping[str, Any]], iteration: str) -> list[StepRun]:
    """The rows of these steps, and of those inside them, in one iteration. The lists of loops are left unread."""
    keys = {step["key"] for step, _ in plans.each_step(list(steps))}  # type: ignore[arg-type]
    rows = StepRun.objects.filter(run=run, step__in=keys, iteration=iteration).exclude(kind=TURN)
    rows = rows.select_related("connection__grant")
    loops = rows.filter(kind=Step.Kind.LOOP).defer(*_HEAVY)
    return [*rows.exclude(kind=Step.Kind.LOOP).order_by("position"), *loops.order_by("position")]


def tracks(run: Run, steps: list[plans.PlanStep], rows: list[StepRun], iteration: str = "") -> list[Track]:
    """The steps of a list with what happened in them, or that they were not reached."""
    return _Level(run, {row.step: row for row in rows}, iteration, choice_labels(row.connection for row in rows)).all(
        steps
    )


def numbers(plan: Mapping[str, Any]) -> dict[str, int]:
    """The steps' numbers as the editor shows them: filters and paths have none."""
    keys = [step["key"] for step, _ in plans.each_step(plan) if step["kind"] not in (Step.Kind.FILTER, Step.Kind.PATH)]
    return {key: number for number, key in enumerate(keys, start=1)}


def turn_rows(run: Run, step: str, within: str) -> QuerySet[StepRun]:
    """The rows of a loop's turns, inside the turn `within` of the loop around it."""
    rows = StepRun.objects.filter(run=run, step=step, kind=TURN)
    return rows.filter(iteration__startswith=f"{within}.") if within else rows


def turns_of(rows: Iterable[StepRun], run: Run) -> list[Turn]:
    """Rows of turns for a list."""
    return [_turn(run, row) for row in rows]


class _Level:
    """The steps of one iteration."""

    def __init__(self, run: Run, rows: Mapping[str, StepRun], iteration: str, labels: ChoiceLabels) -> None:
        self.run, self.rows, self.iteration, self.labels = run, rows, iteration, labels
        self.numbers = numbers(run.version.plan)

    def all(self, steps: Iterable[Mapping[str, Any]]) -> list[Track]:
        return [self.track(step) for step in steps]

    def track(self, step: Mapping[str, Any]) -> Track:
        row = self.rows.get(step["key"])
        operation = operation_or_none(step.get("operation", ""))
        number = self.numbers.get(step["key"], 0)
        found = Track(card_of(number, step, row, operation, self.labels, self.run.error))
        kind = step["kind"]
        if kind == Step.Kind.BRANCH:
            found.lanes = self._lanes(step, row)
        elif kind == Step.Kind.LOOP and row is not None:
            found.turns = self._turns(step, row)
        elif kind == Step.Kind.CALL and row is not None:
            found.called = _called(row)
        elif step.get("error_steps") and row is not None and row.state == StepRun.State.FAILED:
            found.error_path = self.all(step["error_steps"])
        if row is not None:
            found.said = _said(step, row)
        return found

    def _lanes(self, step: Mapping[str, Any], row: StepRun | None) -> list[Lane]:
        lines = {line["key"]: line for line in ((row.outcome or {}).get("paths", []) if row else [])}
        taken = (row.output or {}).get("path") if row else None
        lanes = []
        for path in step["paths"]:
            line = lines.get(path["key"], {})
            condition = conditions.describe(path["conditions"]) if path["conditions"] else ""
            lane = Lane(path["name"], path["key"] == taken, condition, bool(line))
            lane.comparisons = list(comparisons(line.get("tree") or {}))
            if lane.is_taken:
                lane.tracks = self.all(path["steps"])
            lanes.append(lane)
        return lanes

    def _turns(self, step: Mapping[str, Any], row: StepRun) -> Turns:
        rows = turn_rows(self.run, step["key"], self.iteration)
        tally = dict(rows.values_list("state").annotate(times=Count("pk")).order_by())
        found = Turns(
            count=(row.outcome or {}).get("count", 0),
            done=tally.get(StepRun.State.SUCCEEDED, 0),
            failed=tally.get(StepRun.State.FAILED, 0),
            skipped=tally.get(StepRun.State.SKIPPED, 0),
            address=reverse("run_turns", args=[self.run.pk, step["key"]])
            + (f"?within={self.iteration}" if self.iteration else ""),
        )
        # What failed first: among a thousand turns that is what somebody comes to look for.
        failed = list(rows.filter(state=StepRun.State.FAILED).order_by("position")[:TURNS_SHOWN])
        rest = rows.exclude(state=StepRun.State.FAILED).order_by("position")[: TURNS_SHOWN - len(failed)]
        found.shown = turns_of(sorted([*failed, *rest], key=lambda each: each.position), self.run)
        if row.state == StepRun.State.PENDING and found.ended < found.count:
            found.under_way = self._under_way(step, rows, found)
        return found

    def _under_way(self, step: Mapping[str, Any], rows: QuerySet[StepRun], found: Turns) -> Turn:
        """The turn that the run is in: the first that is to be done again, or the one after the last."""
        again = rows.filter(state=StepRun.State.PENDING).order_by("position").first()
        if again is not None:
            return _turn(self.run, again)
        number = found.ended + 1
        iteration = f"{self.iteration}.{number}" if self.iteration else str(number)
        address = reverse("run_turn", args=[self.run.pk, step["key"], iteration])
        return Turn(number, address, "", "pending", "Under way", "")


def _turn(run: Run, row: StepRun) -> Turn:
    outcome = row.outcome or {}
    words = {"succeeded": "Done", "failed": "Failed", "skipped": "Ended by a filter", "pending": "To be done again"}
    return Turn(
        row.position,
        reverse("run_turn", args=[run.pk, row.step, row.iteration]),
        str(outcome.get("title", "")),
        row.state,
        words.get(row.state, row.get_state_display()),
        row.error or str(outcome.get("explanation", "")),
        row,
    )


def _called(row: StepRun) -> Run | None:
    pk = (row.outcome or {}).get("run")
    return Run.objects.filter(pk=pk).select_related("workflow").first() if pk else None


def _said(step: Mapping[str, Any], row: StepRun) -> str:
    """What the step came to, in a sentence, where its card does not show it already."""
    outcome, output = row.outcome or {}, ({} if step["kind"] == Step.Kind.LOOP else row.output or {})
    if step["kind"] == Step.Kind.DELAY and outcome.get("until"):
        return f"{'Waited' if row.state in StepRun.FINISHED else 'Waits'} until {_moment(output, outcome)}."
    if step["kind"] == Step.Kind.STOP:
        return str(outcome.get("explanation", ""))
    if step["kind"] == Step.Kind.LOOKUP and "found" in output:
        where = f"the lookup table “{step['table']}”"
        version = f", version {outcome['version']}" if outcome.get("version") else ""
        return f"Found in {where}{version}." if output["found"] else f"Not in {where}, so the default is used."
    if step["kind"] == Step.Kind.BRANCH and row.state == StepRun.State.SUCCEEDED and output.get("path") is None:
        return "No path fitted, so the run went past."
    return ""


def _moment(output: Mapping[str, Any], outcome: Mapping[str, Any]) -> str:
    until = datetime.fromisoformat(str(output.get("until") or outcome["until"]))
    return f"{until:%A}, {until.day} {until:%B %Y}, {until:%H:%M} ({outcome.get('zone', 'UTC')})"
