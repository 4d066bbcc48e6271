"""All about a kind of step, in one class: `StepKind`. Each kind is a subclass in its own module.

`Step.settings` is JSON that people's forms write, so it is read only here: `read` gives every setting, or its default
if the value is unusable; `setting_problems` says what is wrong with them. The engine's half of a kind is in
`engine/kinds/` under the same name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, ClassVar, Protocol

from integrations.schema.fields import Choice, Field, Kind
from integrations.schema.schema import Schema
from workflows.definitions.checks.complaints import Complaint
from workflows.definitions.checks.reach import Reach
from workflows.definitions.step_rows import Placed, step_inputs
from workflows.language.references import Piece, TokenGroup
from workflows.language.table_rows import EACH, repeats
from workflows.models import Step, Workflow

PlanStep = Mapping[str, Any]
Sources = dict[str, Any]
#: A source in parts as people read it; `missing` is shown if there is none.
InWords = Callable[..., list[Piece]]

GOES_ON = "If it fails, the next step runs all the same."


class Holds(StrEnum):
    """What a step may contain."""

    NOTHING = ""
    STEPS = "steps"
    PATHS = "paths"
    ERROR_PATH = "error path"


class Form(StrEnum):
    """Which page edits a step: one made from its settings, or that for conditions, a branch or an operation."""

    SETTINGS = "settings"
    CONDITIONS = "conditions"
    BRANCH = "branch"
    OPERATION = "operation"


class NoSettings(Schema):
    """A kind with nothing but mappings, conditions or children."""


@dataclass(frozen=True)
class NamedValues:
    """Values that people name: `name` is the form's table, `plan_key` is where a plan keeps them."""

    name: str
    label: str
    help: str
    plan_key: str
    is_needed: bool = False


class Check(Protocol):
    """What checking a workflow offers to its kinds of step."""

    workflow: Workflow

    def source(self, path: str | None, source: str, *, reads_item: bool = False) -> Iterator[Complaint]:
        """What is wrong with one mapping at this step."""

    def conditions(self, step: Step) -> Iterator[Complaint]:
        """What is wrong with the step's conditions."""


class Describer(Protocol):
    """What describing a plan offers to its kinds of step."""

    workflows: dict[int, str]

    def value(self, source: Any) -> str:
        """A mapping as people read it."""

    def values(self, values: Mapping[str, Any]) -> str:
        """Named values, each with what it is."""

    def inside(self, steps: Sequence[PlanStep]) -> Iterator[str]:
        """The sentences of the steps inside this one, indented."""

    def condition(self, tree: Mapping[str, Any]) -> str:
        """A condition as people read it."""

    def operation(self, step: PlanStep) -> str:
        """What an action does, where, and with which values."""


class Examples(Protocol):
    """What the editor offers to the kinds of step, to say what a step might give."""

    def evaluate(self, source: str, data: Mapping[str, Any]) -> Any:
        """What a source gives with this data; None if it cannot be worked out."""

    def first_row(self, table: str) -> dict[str, str | bool]:
        """What a look-up in the table gives, with its first row as the example."""

    def of(self, step: Step) -> Any:
        """What another step of the workflow might give; None if it gives nothing."""

    def given(self, step: Step) -> dict[str, Any]:
        """The sample of what an action step gives."""


class Standing(Protocol):
    """A step with the steps inside it, however it was read."""

    @property
    def step(self) -> Step:
        """Its row."""

    @property
    def children(self) -> Sequence[Any]:
        """The steps inside it, in order."""


class StepKind:
    """All about one kind of step. Keys are stored in people's rows and never change; labels may.

    `explanation` is shown above the form, `purpose` in the list of what can be added ("" keeps it out of that list).
    """

    key: ClassVar[str]
    label: ClassVar[str]
    icon: ClassVar[str] = ""
    explanation: ClassVar[str]
    purpose: ClassVar[str] = ""
    #: Further words by which people look for it in that list.
    words: ClassVar[tuple[str, ...]] = ()
    form: ClassVar[Form] = Form.SETTINGS
    holds: ClassVar[Holds] = Holds.NOTHING
    #: What the place inside it is called, before its name.
    inside_words: ClassVar[str] = "in"
    Settings: ClassVar[type[Schema]] = NoSettings
    #: Settings stored under a name that Python does not allow for a field.
    stored_as: ClassVar[Mapping[str, str]] = {}
    #: The settings that are mappings, and those that count only if another has a certain value.
    mapped: ClassVar[frozenset[str]] = frozenset()
    only_if: ClassVar[Mapping[str, tuple[str, str]]] = {}
    #: The mapping rows that it knows by name.
    inputs: ClassVar[tuple[Field, ...]] = ()
    named: ClassVar[NamedValues | None] = None
    #: The setting that holds another workflow's id, if there is one.
    workflow_setting: ClassVar[str] = ""
    #: Settings whose control is not the usual one for their type.
    widgets: ClassVar[Mapping[str, str]] = {}
    takes_conditions: ClassVar[bool] = False
    can_fail: ClassVar[bool] = False
    #: Whether the editor counts it among the steps.
    is_numbered: ClassVar[bool] = True
    #: Whether a workflow with only such steps does something.
    does_something: ClassVar[bool] = False

    # --- settings ---------------------------------------------------------------------------------------------------

    @cached_property
    def settings(self) -> tuple[Field, ...]:
        """The declared settings, by the names under which they are stored."""
        return tuple(replace(each, name=self.stored_as.get(each.name, each.name)) for each in self.Settings.fields())

    def read(self, stored: Mapping[str, Any] | None) -> dict[str, Any]:
        """Every setting that counts at present, by name; its default if the value is unusable."""
        stored = stored if isinstance(stored, Mapping) else {}
        found: dict[str, Any] = {}
        for each in self.settings:
            when = self.only_if.get(each.name)
            if when is None or found.get(when[0]) == when[1]:
                found[each.name] = self._read(each, stored.get(each.name))
        return found

    def _read(self, f: Field, value: Any) -> Any:
        if f.kind is Kind.YES_NO:
            return value if isinstance(value, bool) else f.default
        if f.kind is Kind.CHOICE:
            return value if value in [key for key, _ in f.fixed_choices] else f.default
        if f.kind is Kind.INTEGER:
            return value if isinstance(value, int) and not isinstance(value, bool) else f.default
        default = "" if f.default is None else f.default
        return default if value is None else str(value).strip() or default

    def setting_problems(self, stored: Mapping[str, Any] | None) -> dict[str, str]:
        """{setting: sentence} for each that stops publishing. Mappings are not checked here."""
        found: dict[str, str] = {}
        read = self.read(stored)
        for f in self.settings:
            if f.name not in read:
                continue
            value = read[f.name]
            if value in (None, ""):
                if f.is_required:
                    found[f.name] = f"{f.label} is needed, but nothing was given."
            elif f.maximum is not None and f.minimum is not None and not f.minimum <= value <= f.maximum:
                found[f.name] = f"{f.label} takes {f.minimum} to {f.maximum:,}; this is {value:,}."
            elif problem := self.setting_problem(f, value):
                found[f.name] = problem
        return found

    def setting_problem(self, f: Field, value: Any) -> str:
        """What is wrong with the value of one setting beyond its type; "" if nothing is."""
        return ""

    def sources(self, read: Mapping[str, Any]) -> dict[str, str]:
        """Those settings given by `read` that are mappings, without empty ones."""
        return {f.name: read[f.name] for f in self.settings if f.name in self.mapped and read.get(f.name)}

    def options(self, workflow: Workflow, lists: Sequence[Choice]) -> dict[str, Sequence[Choice]]:
        """What each setting is chosen from, by name. `lists` are those that can be looped over at this place."""
        return {}

    def lacks(self, options: Mapping[str, Sequence[Choice]]) -> str:
        """What is lacking, so that the form cannot be filled in; "" if it can be."""
        return ""

    def suggested_values(self, workflow: Workflow, read: Mapping[str, Any]) -> list[str]:
        """Names of values to start with, given what is chosen so far."""
        return []

    def asks_for(self, f: Field, chosen: Mapping[str, Any]) -> bool:
        """Whether the form asks for this mapping row, given the settings that are chosen so far."""
        return True

    @property
    def deciding(self) -> frozenset[str]:
        """The settings that decide what else is asked for."""
        return frozenset(name for name, _ in self.only_if.values())

    # --- where it may be, and what it opens -------------------------------------------------------------------------

    def may_stand_in(self, parent: StepKind | None) -> bool:
        """Whether a step of this kind may be there; None is the workflow itself."""
        return parent is None or parent.holds in (Holds.STEPS, Holds.ERROR_PATH)

    def opens(self, step: Step) -> frozenset[str]:
        """The names that only the steps inside this one can use, besides those that every step can."""
        return frozenset()

    def after(self, place: Placed, reach: Reach, follow: Callable[[list[Placed], Reach], Reach | None]) -> Reach | None:
        """What can be used after the step, given what can be used before it; None if no run gets there.

        `follow` does the same for a list of steps inside.
        """
        return reach.with_step(place.step)

    # --- from rows to a plan ----------------------------------------------------------------------------------------

    def is_flat(self, step: Step) -> bool:
        """Whether a plan with this step can be of format 1."""
        return False

    def is_kept(self, step: PlanStep) -> bool:
        """Whether publishing keeps the step; one that tests and does nothing may be left out."""
        return True

    def compile(self, place: Placed, compiled: Callable[[list[Placed]], list[dict[str, Any]]]) -> dict[str, Any]:
        """The step as a plan holds it. `compiled` does the same for the steps inside."""
        step = place.step
        made = {"key": step.key, "name": step.name, "kind": step.kind, **self.read(step.settings)}
        if step.on_error == Step.OnError.GO_ON and self.can_fail:
            made["on_error"] = step.on_error
        if self.holds is Holds.STEPS:
            made["steps"] = compiled(place.children)
        if self.named is not None:
            made[self.named.plan_key] = step_inputs(step)
        elif self.inputs:
            made["inputs"] = step_inputs(step)
        return made

    # --- checks -----------------------------------------------------------------------------------------------------

    def checks_inside(self, step: Step) -> bool:
        """Whether the steps inside it are checked too."""
        return True

    def place_problems(self, place: Placed) -> Iterator[tuple[Step, str]]:
        """What is wrong with the steps inside it: at which step, and a sentence."""
        return iter(())

    def problems(self, place: Placed, check: Check) -> Iterator[Complaint]:
        """What is wrong with the step itself."""
        step = place.step
        if self.takes_conditions:
            yield from check.conditions(step)
        for name, message in self.setting_problems(step.settings).items():
            yield Complaint(name, message)
        read = self.read(step.settings)
        for name, source in self.sources(read).items():
            yield from check.source(name, source)
        given = step_inputs(step)
        for path, source, reads_item in flat(given):
            yield from check.source(path, source, reads_item=reads_item)
        if self.named is not None and self.named.is_needed and not given:
            yield Complaint(None, "It names no values yet: add one.")
        for f in self.inputs:
            if f.is_required and f.name not in given:
                yield Complaint(f.name, f"{f.label} is needed, but nothing was given.")
        yield from self.own_problems(step, read, given, check.workflow)

    def own_problems(
        self, step: Step, read: Mapping[str, Any], given: Mapping[str, Any], workflow: Workflow
    ) -> Iterator[Complaint]:
        """Problems that only this kind can detect, given its settings and its mapping rows."""
        return iter(())

    # --- in words ---------------------------------------------------------------------------------------------------

    def describe(self, step: PlanStep, describer: Describer) -> Iterator[str]:
        """The step in plain English, for a reader of the workflow: a line, and one for each step inside."""
        raise NotImplementedError

    def sentence(self, step: PlanStep, value: InWords, called: Mapping[int, str]) -> list[Piece]:
        """What the step does, for its card in the editor."""
        return []

    def facts(self, step: PlanStep) -> Mapping[str, Any]:
        """Named mappings that its card lists below the sentence."""
        return step[self.named.plan_key] if self.named is not None else {}

    def result(self, step: PlanStep, outcome: Mapping[str, Any], output: Mapping[str, Any], *, is_done: bool) -> str:
        """The result of the step in a run, as a sentence; "" if its card shows it already."""
        return ""

    # --- examples ---------------------------------------------------------------------------------------------------

    def example(self, place: Standing, data: Mapping[str, Any], examples: Examples) -> Any:
        """What the step might give, worked out from what precedes it; None if it gives nothing."""
        return None

    def inside_example(self, step: Step, data: Mapping[str, Any], examples: Examples) -> dict[str, Any]:
        """Examples for the names that it opens to the steps inside."""
        return {}

    def inside_tokens(self, step: Step, inside: Mapping[str, Any]) -> TokenGroup:
        """The same, to be picked."""
        return TokenGroup(step.key, step.name, ())


def flat(sources: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Path and source of each mapping, and whether it may read the item of its own row."""
    for name, value in sources.items():
        if isinstance(value, str):
            yield name, value, False
            continue
        for index, row in enumerate(value):
            for column, source in row.items():
                yield f"{name}.{index}.{column}", source, repeats(row) and column != EACH


def end_of(step: PlanStep) -> str:
    """What follows if the step fails, as the end of its sentence."""
    if step.get("on_error") == Step.OnError.GO_ON:
        return " If it fails, go on."
    return " If it fails:" if step.get("on_error") == Step.OnError.ERROR_PATH else ""


def text_input(name: str, label: str, *, is_required: bool, help: str = "", long: bool = False) -> Field:
    """A mapping row that a kind knows by name."""
    return Field(name, label, Kind.LONG_TEXT if long else Kind.TEXT, is_required=is_required, help=help)


_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def is_time_of_day(text: str) -> bool:
    """Whether this is a time such as 09:00."""
    return _TIME.fullmatch(text) is not None
