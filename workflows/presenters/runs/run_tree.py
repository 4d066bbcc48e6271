"""The steps of a run as a tree: a card per step, with the steps inside it.

Only the rows of one level are read: those outside of loops, or those of one iteration. A loop shows counts and a few
iterations; each iteration has its own page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.db.models import Count, QuerySet
from django.urls import reverse

from integrations.framework.registry import operation_or_none
from workflows.books import of_runs
from workflows.definitions import kinds, plans
from workflows.definitions.kinds import ITERATION
from workflows.language import conditions
from workflows.models import PreviewStep, Run, Step, StepRun
from workflows.presenters.labels import ChoiceLabels, choice_labels
from workflows.presenters.posting_tables import PostingRow, amount_text
from workflows.presenters.runs.fix_links import FixLinks
from workflows.presenters.runs.run_presenter import Comparison, StepCard, card_of, comparisons
from workflows.presenters.value_names import ValueNames

ITERATIONS_SHOWN = 12
_HEAVY = ("inputs", "output")


Node = TypeVar("Node")


@dataclass
class PathNode(Generic[Node]):
    """A path of a branch, as a run or a preview found it; `nodes` are its steps, if it is taken. With `is_forced` it is
    taken although a run would not."""

    key: str
    name: str
    is_taken: bool
    condition: str
    was_evaluated: bool
    comparisons: list[Comparison] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    is_forced: bool = False


@dataclass
class Iteration:
    """One iteration of a loop, as a line of a list."""

    number: int
    address: str
    title: str
    state: str
    state_label: str
    detail: str
    step_run: StepRun | None = None
    #: What it has written, not counting loops inside it.
    documents: list[PostingRow] = field(default_factory=list)


@dataclass
class Iterations:
    """How far a loop has come: counts, and the iterations shown first."""

    count: int
    done: int = 0
    failed: int = 0
    skipped: int = 0
    shown: list[Iteration] = field(default_factory=list)
    address: str = ""
    under_way: Iteration | None = None

    @property
    def ended(self) -> int:
        """How many iterations have ended, in whatever state."""
        return self.done + self.failed + self.skipped


@dataclass
class StepNode:
    """A step of the run with the steps inside it."""

    card: StepCard
    result: str = ""
    called: Run | None = None
    paths: list[PathNode[StepNode]] = field(default_factory=list)
    error_path: list[StepNode] | None = None
    #: What the run does after the error path.
    after_error_path: str = ""
    iterations: Iterations | None = None


def rows_at(run: Run, steps: Iterable[Mapping[str, Any]], iteration: str) -> list[StepRun]:
    """The rows of these steps, and of those inside them, in one iteration. A loop's list of items is not loaded."""
    keys = {step["key"] for step, _ in plans.each_step(list(steps))}  # type: ignore[arg-type]
    rows = StepRun.objects.filter(run=run, step__in=keys, iteration=iteration).exclude(kind=ITERATION)
    rows = rows.select_related("connection__grant")
    loops = rows.filter(kind=Step.Kind.LOOP).defer(*_HEAVY)
    return [*rows.exclude(kind=Step.Kind.LOOP).order_by("position"), *loops.order_by("position")]


def step_nodes(
    run: Run,
    steps: list[plans.PlanStep],
    rows: list[StepRun],
    iteration: str = "",
    *,
    fixes: FixLinks | None = None,
) -> list[StepNode]:
    """The steps of a list, each with what happened in it, or as not reached. `fixes` leads from failures to the
    editor."""
    labels = choice_labels(row.connection for row in rows)
    return _Level(run, {row.step: row for row in rows}, iteration, labels, fixes).all(steps)


def path_nodes(
    step: Mapping[str, Any],
    row: StepRun | PreviewStep | None,
    names: ValueNames,
    inside: Callable[[Iterable[Mapping[str, Any]]], list[Node]],
) -> list[PathNode[Node]]:
    """The paths of a branch, given its row; `names` are those of its plan's values, `inside` makes the nodes of the
    path that is taken."""

    def said(source: str) -> str:
        return names.said(source, step["key"])

    lines = {line["key"]: line for line in ((row.outcome or {}).get("paths", []) if row else [])}
    taken = (row.output or {}).get("path") if row else None
    paths = []
    for path in step["paths"]:
        line = lines.get(path["key"], {})
        condition = conditions.describe(path["conditions"], said) if path["conditions"] else ""
        node: PathNode[Node] = PathNode(path["key"], path["name"], path["key"] == taken, condition, bool(line))
        node.comparisons = list(comparisons(line.get("tree") or {}, names, step["key"]))
        node.nodes = inside(path["steps"]) if node.is_taken else []
        paths.append(node)
    return paths


def numbers(plan: Mapping[str, Any]) -> dict[str, int]:
    """The steps' numbers as the editor shows them: filters and paths have none."""
    keys = [step["key"] for step, _ in plans.each_step(plan) if kinds.of(step["kind"]).is_numbered]
    return {key: number for number, key in enumerate(keys, start=1)}


def iteration_rows(run: Run, step: str, within: str) -> QuerySet[StepRun]:
    """The rows of a loop's iterations, inside the iteration `within` of the loop around it."""
    rows = StepRun.objects.filter(run=run, step=step, kind=ITERATION)
    return rows.filter(iteration__startswith=f"{within}.") if within else rows


def iterations_of(rows: Iterable[StepRun], run: Run) -> list[Iteration]:
    """The rows as lines of a list, each with what was written in it."""
    listed = list(rows)
    written = of_runs.by_iteration(run, [row.iteration for row in listed])
    found = []
    for row in listed:
        line = _iteration(run, row)
        line.documents = [
            PostingRow(each, line.address, amount_text(each.amount)) for each in written.get(row.iteration, [])
        ]
        found.append(line)
    return found


class _Level:
    """The steps of one iteration."""

    def __init__(
        self, run: Run, rows: Mapping[str, StepRun], iteration: str, labels: ChoiceLabels, fixes: FixLinks | None
    ) -> None:
        self.run, self.rows, self.iteration, self.labels, self.fixes = run, rows, iteration, labels, fixes
        plan = plans.plan_of(run)
        self.numbers, self.names = numbers(plan), ValueNames(plan)
        self.following = plans.following(plan["steps"])

    def all(self, steps: Iterable[Mapping[str, Any]]) -> list[StepNode]:
        return [self.node(step) for step in steps]

    def node(self, step: Mapping[str, Any]) -> StepNode:
        row = self.rows.get(step["key"])
        operation = operation_or_none(step.get("operation", ""))
        number = self.numbers.get(step["key"], 0)
        found = StepNode(card_of(number, step, row, operation, self.labels, self.run.error, self.names, self.fixes))
        kind = step["kind"]
        if kind == Step.Kind.BRANCH:
            found.paths = path_nodes(step, row, self.names, self.all)
        elif kind == Step.Kind.LOOP and row is not None:
            found.iterations = self._iterations(step, row)
        elif row is not None and kinds.of(kind).workflow_setting:
            found.called = _called(row)
        elif step.get("error_steps") and row is not None and row.state == StepRun.State.FAILED:
            found.error_path = self.all(step["error_steps"])
            found.after_error_path = self.following.get(step["key"], "")
        if row is not None:
            found.result = _result(step, row)
        return found

    def _iterations(self, step: Mapping[str, Any], row: StepRun) -> Iterations:
        rows = iteration_rows(self.run, step["key"], self.iteration)
        tally = dict(rows.values_list("state").annotate(times=Count("pk")).order_by())
        found = Iterations(
            count=(row.outcome or {}).get("count", 0),
            done=tally.get(StepRun.State.SUCCEEDED, 0),
            failed=tally.get(StepRun.State.FAILED, 0),
            skipped=tally.get(StepRun.State.SKIPPED, 0),
            address=reverse("run_turns", args=[self.run.pk, step["key"]])
            + (f"?within={self.iteration}" if self.iteration else ""),
        )
        # Failures first: among a thousand iterations people search for them.
        failed = list(rows.filter(state=StepRun.State.FAILED).order_by("position")[:ITERATIONS_SHOWN])
        rest = rows.exclude(state=StepRun.State.FAILED).order_by("position")[: ITERATIONS_SHOWN - len(failed)]
        found.shown = iterations_of(sorted([*failed, *rest], key=lambda each: each.position), self.run)
        if row.state == StepRun.State.PENDING and found.ended < found.count:
            found.under_way = self._under_way(step, rows, found)
        return found

    def _under_way(self, step: Mapping[str, Any], rows: QuerySet[StepRun], found: Iterations) -> Iteration:
        """The iteration that the run is in: the first that is to be done again, or the one after the last."""
        again = rows.filter(state=StepRun.State.PENDING).order_by("position").first()
        if again is not None:
            return _iteration(self.run, again)
        number = found.ended + 1
        iteration = f"{self.iteration}.{number}" if self.iteration else str(number)
        address = reverse("run_turn", args=[self.run.pk, step["key"], iteration])
        return Iteration(number, address, "", "pending", "Under way", "")


def _iteration(run: Run, row: StepRun) -> Iteration:
    outcome = row.outcome or {}
    labels = {"succeeded": "Done", "failed": "Failed", "skipped": "Ended by a filter", "pending": "To be done again"}
    return Iteration(
        row.position,
        reverse("run_turn", args=[run.pk, row.step, row.iteration]),
        str(outcome.get("title", "")),
        row.state,
        labels.get(row.state, row.get_state_display()),
        row.error or str(outcome.get("explanation", "")),
        row,
    )


def _called(row: StepRun) -> Run | None:
    pk = (row.outcome or {}).get("run")
    return Run.objects.filter(pk=pk).select_related("workflow").first() if pk else None


def _result(step: Mapping[str, Any], row: StepRun) -> str:
    """The result of the step in a sentence, where its card does not show it already."""
    output = {} if step["kind"] == Step.Kind.LOOP else row.output or {}
    return kinds.of(step["kind"]).result(step, row.outcome or {}, output, is_done=row.state in StepRun.FINISHED)
