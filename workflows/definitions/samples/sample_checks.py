"""The steps of a workflow tried with the samples at hand, before it is published: do the values fit, and would the
provider take what they make?

What is wrong whatever the data (a list in a text field, a constant account that the organisation does not have) keeps
the workflow from being published. What may be due to the sample only warns. Nothing is written, and with `may_ask`
False nothing is called: a check then uses what was read lately, or says that it could not be made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django.utils import timezone

from integrations.core.errors import InvalidInputError
from integrations.framework import checks, registry
from integrations.framework.base import Action, Effect
from integrations.framework.checks import Facts, Finding, Level, stops, warns
from integrations.schema.cleaning import say
from integrations.schema.fields import Field, Kind, prefix_at
from integrations.transport.call_budget import Purpose
from workflows.definitions import tree
from workflows.definitions.checks.operation_checks import value_problems
from workflows.definitions.mapping_context import context_of
from workflows.definitions.samples import Origin
from workflows.definitions.samples.worked_examples import WorkedExamples
from workflows.definitions.step_rows import step_inputs
from workflows.definitions.validation import Problem
from workflows.language import mapped_inputs, mapping, table_rows
from workflows.language.mapped_inputs import Mapped
from workflows.language.values import MappingError
from workflows.lookup_tables.lookup import Reader
from workflows.models import Step, Workflow

#: Kinds of inputs that hold one value.
_SINGLE = frozenset(Kind) - {Kind.LIST, Kind.ROWS, Kind.DATA}


@dataclass(frozen=True)
class SampleFinding:
    """What was found at a step. `place` names the row and column that the input is in, as the form does. It is certain
    if it is wrong whatever the data."""

    step: Step
    finding: Finding
    place: str = ""
    is_certain: bool = False


def sample_findings(workflow: Workflow, *, may_ask: bool) -> list[SampleFinding]:
    """What is found at every action step, in the order of the steps."""
    rows = workflow.steps.select_related("connection__grant").prefetch_related("mappings", "conditions")
    nodes = tree.build_tree(list(rows.order_by("position", "pk")))
    found = _Samples(workflow, WorkedExamples(workflow, nodes), may_ask=may_ask)
    return [each for node in tree.walk(nodes) for each in found.of(node.step)]


def refusals(findings: Iterable[SampleFinding]) -> list[Problem]:
    """Those of the findings that keep the workflow from being published."""
    return [
        Problem(each.step.key, each.finding.input or None, f"{each.finding.message} {each.finding.advice}", each.place)
        for each in findings
        if each.is_certain
    ]


@dataclass
class _Samples:
    """The samples of one workflow, and what was read for it."""

    workflow: Workflow
    examples: WorkedExamples
    may_ask: bool
    facts: dict[int, Facts] = field(default_factory=dict)
    #: The steps so far whose output is invented, or calculated from something invented.
    invented: set[str] = field(default_factory=set)

    def of(self, step: Step) -> Iterator[SampleFinding]:
        origin = self.examples.origin(step)
        action = registry.operation_or_none(step.operation) if step.operation else None
        if isinstance(action, Action) and step.pk in self.examples.before:
            # Many rows that come from one of the form are wrong in the same way.
            yield from dict.fromkeys(_TriedStep(self, step, action).findings())
        if origin is Origin.INVENTED or (origin is None and self.has_invented):
            self.invented.add(step.key)

    @property
    def has_invented(self) -> bool:
        return bool(self.invented) or self.examples.sample.origin is Origin.INVENTED

    def is_invented(self, reference: str) -> bool:
        """Whether a reference leads to something that no provider has."""
        root, _, rest = reference.partition(".")
        if root == "trigger":
            return self.examples.sample.origin is Origin.INVENTED
        if root == "steps":
            return rest.partition(".")[0].partition("[")[0] in self.invented
        return root != "workflow" and self.has_invented

    def facts_for(self, step: Step, action: Action) -> Facts:
        connection = step.connection
        key = connection.pk if connection is not None else 0
        if key not in self.facts:
            api = action.connector.client_class(connection, purpose=Purpose.PERSON)
            self.facts[key] = Facts(api, may_ask=self.may_ask)
        return self.facts[key]


@dataclass
class _TriedStep:
    """One action step with its samples."""

    samples: _Samples
    step: Step
    action: Action

    @cached_property
    def sources(self) -> dict[str, Any]:
        return step_inputs(self.step)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        return self.action.Inputs.fields()

    @cached_property
    def mapped(self) -> Mapped:
        workflow = self.samples.workflow
        context = context_of(
            self.step.connection or workflow.trigger_connection, now=timezone.now(), tables=Reader(workflow.team_id)
        )
        return mapped_inputs.mapped(self.sources, self.fields, self.samples.examples.before[self.step.pk], context)

    def findings(self) -> Iterator[SampleFinding]:
        """Values that are lists where one value goes; else what does not fit; else what the checks find."""
        lists = list(self._lists())
        yield from (self._shown(each, is_certain=self._is_settled(each.input)) for each in lists)
        if lists:
            return
        wrong, cleaned = self._cleaned()
        yield from (self._shown(each) for each in wrong)
        can_check = self.step.connection is not None or not self.action.connector.needs_connection
        if cleaned is None or not can_check or self.action.effect is Effect.READS:
            return
        facts = self.samples.facts_for(self.step, self.action).for_inputs(self._predicted())
        for each in checks.findings_of(self.action, facts, cleaned):
            # The connection's permissions are looked at where the rest of the workflow is.
            if each.code != "scope_missing":
                yield self._shown(each, is_certain=each.level is Level.STOPS and self._is_constant(each.input))

    def _shown(self, finding: Finding, *, is_certain: bool = False) -> SampleFinding:
        """The finding at the form's own row, which may stand for many."""
        name, *rest = finding.input.split(".")
        row = self._row(name, int(rest[0])) if rest and rest[0].isdecimal() else None
        in_form = replace(finding, input=".".join([name, str(row), *rest[1:]])) if row is not None else finding
        place = prefix_at(self.fields, in_form.input, finding.message) if finding.input else ""
        return SampleFinding(self.step, in_form, place, is_certain)

    def _lists(self) -> Iterator[Finding]:
        for path, f, value in self._values():
            if f.kind in _SINGLE and isinstance(value, list | Mapping):
                what = f"a list of {len(value):,}" if isinstance(value, list) else say(value)
                yield stops(
                    "list_in_text",
                    path,
                    f"{f.label} takes one value; this gives {what}.",
                    "Pick one value of it, or join the list to a text.",
                )

    def _values(self) -> Iterator[tuple[str, Field, Any]]:
        """Path, declaration and value of every input and every cell."""
        for f in self.fields:
            value = self.mapped.values.get(f.name)
            yield f.name, f, value
            if f.kind is Kind.ROWS and isinstance(value, list):
                for index, row in enumerate(value):
                    cells = row if isinstance(row, Mapping) else {}
                    yield from ((f"{f.name}.{index}.{c.name}", c, cells.get(c.name)) for c in f.columns)

    def _cleaned(self) -> tuple[list[Finding], Any]:
        """What cannot be calculated from the samples, or does not fit its input, beside what validation reports; and
        the cleaned inputs, None if they do not fit."""
        problems, cleaned = dict(self.mapped.problems), None
        if not problems:
            try:
                cleaned = self.action.Inputs.clean(self.mapped.values)
            except InvalidInputError as error:
                problems = error.problems
        known = value_problems(self.action, self.sources, {}) if problems else {}
        found = [
            warns("does_not_fit", path, said, "Look at the sample, or change the value.")
            for path, said in problems.items()
            if path not in known
        ]
        return found, cleaned

    def _predicted(self) -> list[str]:
        """The inputs whose values come from something invented: a provider knows nothing of it."""
        return [path for path, _, source in self._written() if any(map(self.samples.is_invented, _references(source)))]

    def _written(self) -> Iterator[tuple[str, int | None, str]]:
        """Path (of a cell without its row), row and source of everything that a person wrote."""
        for name, value in self.sources.items():
            if isinstance(value, str):
                yield name, None, value
                continue
            for index, row in enumerate(value):
                if table_rows.repeats(row):
                    yield name, index, row[table_rows.EACH]
                yield from ((f"{name}.{column}", index, source) for column, source in table_rows.cells(row))

    def _is_constant(self, path: str) -> bool:
        """Whether everything written at or below a path is constant, and something is."""
        name, _, rest = path.partition(".")
        index, _, column = rest.partition(".")
        row = self._row(name, int(index)) if index.isdecimal() else None
        wanted = f"{name}.{column}" if column else name
        found = [
            source
            for at, written_row, source in self._written()
            if (at == wanted or at.startswith(f"{wanted}.")) and (row is None or written_row == row)
        ]
        return bool(found) and not any(map(_references, found))

    def _is_settled(self, path: str) -> bool:
        """Whether the kind of value at a path is the same in every run: a start that takes anything says nothing."""
        trigger = registry.operation_or_none(self.samples.workflow.trigger_operation)
        if not getattr(trigger, "is_open", False):
            return True
        found = [source for at, _, source in self._written() if at.partition(".")[0] == path.partition(".")[0]]
        roots = {each.partition(".")[0] for source in found for each in _references(source)}
        return not roots & {"trigger", "item"}

    def _row(self, name: str, index: int) -> int | None:
        """Which row that a person wrote made this one."""
        for written, count in enumerate(self.mapped.repeats.get(name, ())):
            if index < count:
                return written
            index -= count
        return None


def _references(source: str) -> list[str]:
    try:
        return list(mapping.references(source))
    except MappingError:
        return ["?"]
