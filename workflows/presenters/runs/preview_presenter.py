"""A preview for its page: the steps as on the page of a run, with what is predicted and what the checks found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from integrations.framework.base import Operation
from integrations.framework.registry import operation_or_none
from integrations.schema.fields import Field, place_of
from workflows.definitions import kinds, plans
from workflows.definitions.kinds import ITERATION
from workflows.models import Preview, PreviewStep, Run, Step, StepRun, WorkflowVersion
from workflows.presenters.labels import ChoiceLabels, choice_labels
from workflows.presenters.presentation import LabelledValue, labelled_values
from workflows.presenters.runs.fix_links import FixLinks
from workflows.presenters.runs.run_presenter import StepCard, card_of
from workflows.presenters.runs.run_tree import PathNode, numbers, path_nodes
from workflows.presenters.value_names import ValueNames
from workflows.preview.predictions.prediction import below

_ENDED = {"succeeded": "Done", "failed": "Failed", "skipped": "Ended by a filter"}


@dataclass
class FindingLine:
    """What a check says about a write: where, what, and what to do."""

    is_stop: bool
    place: str
    message: str
    advice: str
    url: str = ""


@dataclass
class PreviewIteration:
    """One iteration of a loop, with its steps."""

    number: int
    title: str
    state: str
    state_label: str
    detail: str
    nodes: list[PreviewNode]
    is_forced: bool = False


@dataclass
class PreviewNode:
    """A step with the steps inside it. `predicted` names the inputs that hold predicted values; `ends` says that a run
    would not go on here, and `goes_on` that the preview was forced to. Of what it would give, `earlier` was given by
    its operation in the run `earlier_run`, None if that is gone."""

    card: StepCard
    row: PreviewStep | None
    result: str = ""
    can_fail: bool = False
    ends: bool = False
    goes_on: bool = False
    predicted: list[str] = field(default_factory=list)
    output: list[LabelledValue] = field(default_factory=list)
    examples: list[LabelledValue] = field(default_factory=list)
    earlier: list[LabelledValue] = field(default_factory=list)
    earlier_run: int | None = None
    findings: list[FindingLine] = field(default_factory=list)
    paths: list[PathNode[PreviewNode]] = field(default_factory=list)
    error_path: list[PreviewNode] | None = None
    count: int = 0
    iterations: list[PreviewIteration] | None = None

    @property
    def is_predicted(self) -> bool:
        """Whether what the step does, and not only what it would get back, rests on predicted values."""
        is_write = self.row is not None and self.row.state == PreviewStep.State.WRITTEN
        return bool(self.predicted) or (self.row is not None and self.row.is_predicted and not is_write)

    @property
    def value_count(self) -> int:
        """How many values later steps can use."""
        return len(self.output) + len(self.earlier) + len(self.examples)


def preview_nodes(preview: Preview, rows: Sequence[PreviewStep], *, may_build: bool = False) -> list[PreviewNode]:
    """The steps of the preview's plan, each with what would happen in it, or as not reached. Those who may build are
    led to the editor where something is wrong."""
    labels = choice_labels(row.connection for row in rows)
    version = WorkflowVersion(workflow=preview.workflow, plan=preview.plan)
    fixes = FixLinks(Run(workflow=preview.workflow, version=version)) if may_build else None
    return _Tree(preview, rows, labels, fixes).all(preview.plan["steps"], "")


class _Tree:
    def __init__(
        self, preview: Preview, rows: Sequence[PreviewStep], labels: ChoiceLabels, fixes: FixLinks | None
    ) -> None:
        self.preview, self.labels, self.fixes = preview, labels, fixes
        self.rows = {(row.step, row.iteration): row for row in rows if row.kind != ITERATION}
        self.numbers, self.forced = numbers(preview.plan), frozenset(preview.forced or ())
        self.names = ValueNames(preview.plan)
        runs = {row.predicted.get("run") for row in rows} - {None}
        mine = Run.objects.filter(team=preview.team_id, pk__in=runs) if runs else Run.objects.none()
        self.runs = set(mine.values_list("pk", flat=True))
        self.ended = {(row.step, row.iteration): row for row in rows if row.kind == ITERATION}

    def all(self, steps: Iterable[Mapping[str, Any]], iteration: str) -> list[PreviewNode]:
        return [self.node(step, iteration) for step in steps]

    def node(self, step: Mapping[str, Any], iteration: str) -> PreviewNode:
        row = self.rows.get((step["key"], iteration))
        operation = operation_or_none(step.get("operation", ""))
        number = self.numbers.get(step["key"], 0)
        card = card_of(
            number, step, _as_step_run(row), operation, self.labels, self.preview.message, self.names, self.fixes
        )
        found = PreviewNode(card, row, can_fail=kinds.of(step["kind"]).can_fail)
        if step["kind"] == Step.Kind.BRANCH:
            found.paths = path_nodes(step, row, self.names, lambda inside: self.all(inside, iteration))
            for path in found.paths:
                path.is_forced = path.is_taken and path.key in self.forced
        if row is not None:
            _fill(found, step, row, operation, self.fixes)
            found.earlier_run = run if (run := row.predicted.get("run")) in self.runs else None
            found.ends = row.state == PreviewStep.State.FILTERED or step["kind"] == Step.Kind.STOP
            found.goes_on = found.ends and step["key"] in self.forced
            if step["kind"] == Step.Kind.LOOP:
                found.count = (row.outcome or {}).get("count", 0)
                found.iterations = self._iterations(step, iteration)
            if step.get("error_steps") and row.state == PreviewStep.State.FAILED:
                found.error_path = self.all(step["error_steps"], iteration)
        return found

    def _iterations(self, step: Mapping[str, Any], around: str) -> list[PreviewIteration]:
        prefix = f"{around}." if around else ""
        keys = {step["key"], *plans.keys_of_iteration(step)}
        reached = {
            int(rest)
            for key, iteration in [*self.rows, *self.ended]
            if key in keys and iteration.startswith(prefix) and (rest := iteration.removeprefix(prefix)).isdecimal()
        }
        return [self._iteration(step, number, f"{prefix}{number}") for number in sorted(reached)]

    def _iteration(self, step: Mapping[str, Any], number: int, iteration: str) -> PreviewIteration:
        row = self.ended.get((step["key"], iteration))
        outcome = (row.outcome if row else None) or {}
        state = row.state if row else PreviewStep.State.PENDING
        return PreviewIteration(
            number,
            str(outcome.get("title", "")),
            state,
            _ENDED.get(state, "Not finished"),
            (row.error if row else "") or str(outcome.get("explanation", "")),
            self.all(step["steps"], iteration),
            any(row.is_forced for (_, at), row in self.rows.items() if f"{at}.".startswith(f"{iteration}.")),
        )


def _fill(
    found: PreviewNode,
    step: Mapping[str, Any],
    row: PreviewStep,
    operation: Operation | None,
    fixes: FixLinks | None,
) -> None:
    fields = operation.Inputs.fields() if operation else ()
    found.predicted = [place_of(fields, path) for path in row.predicted.get("inputs", ())]
    found.findings = [_finding(each, row, fields, fixes) for each in row.findings]
    if step["kind"] == Step.Kind.LOOP:
        return
    apart = [frozenset(row.predicted.get(name, ())) for name in ("earlier", "examples")]
    output = row.output if isinstance(row.output, Mapping) else {}
    found.output, found.earlier, found.examples = (_values(part) for part in _parted(output, apart, ""))
    is_done = row.state in (PreviewStep.State.SUCCEEDED, PreviewStep.State.WRITTEN)
    found.result = kinds.of(step["kind"]).result(step, row.outcome or {}, output, is_done=is_done)


def _values(part: Any) -> list[LabelledValue]:
    return labelled_values(part) if part else []


def _parted(value: Any, apart: Sequence[frozenset[str]], path: str) -> list[Any]:
    """The value without the paths in the sets of `apart`, then what each of these has alone; None where nothing is
    left."""
    sides = range(len(apart) + 1)
    if not isinstance(value, Mapping | list) or not value:
        side = next((number for number, paths in enumerate(apart, 1) if path in paths), 0)
        return [value if each == side else None for each in sides]
    named = value.items() if isinstance(value, Mapping) else enumerate(value)
    parts = {name: _parted(each, apart, below(path, name)) for name, each in named}
    found = [{name: part[side] for name, part in parts.items() if part[side] is not None} for side in sides]
    if isinstance(value, list):
        found = [{name + 1: part for name, part in each.items()} for each in found]
    return [each or None for each in found]


def _finding(
    stored: Mapping[str, Any], row: PreviewStep, fields: tuple[Field, ...], fixes: FixLinks | None
) -> FindingLine:
    path = str(stored.get("input", ""))
    return FindingLine(
        stored.get("level") == "stops",
        place_of(fields, path) if path else "",
        str(stored.get("message", "")),
        str(stored.get("advice", "")),
        fixes.to_field(row.step, path) if fixes and path else "",
    )


def _as_step_run(row: PreviewStep | None) -> StepRun | None:
    """The row as the page of a run draws one; it is never stored."""
    if row is None:
        return None
    made = StepRun(**{name: getattr(row, name) for name in PreviewStep.SHARED}, state=row.state)
    if row.state == PreviewStep.State.WRITTEN:
        # The provider has written nothing that the document could be compared with.
        made.output = None
    if row.connection is not None:
        made.connection = row.connection
    return made


_TONES: dict[str, str] = {
    Preview.Status.DONE: "ok",
    Preview.Status.FILTERED: "warn",
    Preview.Status.UNFINISHED: "warn",
    PreviewStep.State.SUCCEEDED: "ok",
    PreviewStep.State.FAILED: "bad",
    PreviewStep.State.WRITTEN: "info",
}
_ICONS: dict[str, str] = {
    PreviewStep.State.SUCCEEDED: "check",
    PreviewStep.State.FAILED: "close",
    PreviewStep.State.FILTERED: "filter_alt",
    PreviewStep.State.WRITTEN: "edit_document",
    PreviewStep.State.PASSED: "fast_forward",
}


def tone(state: str) -> str:
    """The colour of a preview's status, or of the state of one of its steps."""
    return _TONES.get(state, "muted")


def icon(state: str) -> str:
    """The symbol of a step's state."""
    return _ICONS.get(state, "remove")


def sentence(preview: Preview) -> str:
    """What came of it, in a sentence under the title."""
    ended = _ended(preview)
    if not preview.forced:
        return ended
    return f"It was forced to go on at {_names(preview)}: a run with this item would not do all of this. {ended}"


def _names(preview: Preview) -> str:
    """The steps and paths at which it was forced to go on."""
    names = {step["key"]: step["name"] for step, _ in plans.each_step(preview.plan)}
    *others, last = (f"“{names.get(key, key)}”" for key in preview.forced or ())
    return f"{', '.join(others)} and {last}" if others else last


def _ended(preview: Preview) -> str:
    status = Preview.Status
    if preview.status == status.FILTERED:
        return f"A run with this item would end here: {preview.message}"
    if preview.status == status.FAILED:
        return "A step fails; a run would end there. What is before it would be done."
    if preview.status == status.UNFINISHED:
        return preview.message
    count = preview.writes
    wrote = f"{count:,} object{'' if count == 1 else 's'} would be written" if count else "Nothing would be written"
    return f"{wrote}; nothing was."
