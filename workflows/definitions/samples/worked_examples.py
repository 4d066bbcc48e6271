"""Example data for a workflow: the samples of its trigger and action steps, and what other steps make of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from workflows.definitions import kinds, samples, tree
from workflows.definitions.mapping_context import context_of
from workflows.definitions.tree import Node
from workflows.language import mapping
from workflows.language.values import MappingContext, MappingError
from workflows.lookup_tables.lookup import Reader, spread, standing
from workflows.models import LookupTable, LookupVersion, Step, Workflow

RUN = {"date": "2026-11-30", "id": 1042, "url": "https://…/runs/1042/"}


class WorkedExamples:
    """An example output for each step of a workflow, calculated in order from the examples before it."""

    def __init__(self, workflow: Workflow, nodes: list[Node]) -> None:
        self.workflow = workflow
        self.context = _context(workflow, nodes)
        self.sample = samples.sample_of(workflow)
        self.trigger = self.sample.data
        self._given = samples.step_samples(workflow, [node.step for node in tree.walk(nodes) if node.step.operation])
        self.outputs: dict[int, Any] = {}
        #: By step: the names that only the steps inside it can use.
        self.inside: dict[int, dict[str, Any]] = {}
        #: By step: all that it can use.
        self.before: dict[int, dict[str, Any]] = {}
        self._rows: dict[str, dict[str, str | bool]] = {}
        named = {"name": workflow.name, "version": 3}
        self._follow(nodes, {"trigger": self.trigger, "steps": {}, "run": RUN, "workflow": named})

    def evaluate(self, source: str, data: Mapping[str, Any]) -> Any:
        """The source's value with this data; None if it cannot be calculated."""
        try:
            return mapping.evaluate(source, data, self.context) if source else None
        except MappingError:
            return None

    def of(self, step: Step) -> Any:
        """An example output of a step; None if it has none."""
        return self.outputs.get(step.pk)

    def given(self, step: Step) -> dict[str, Any]:
        """The sample of what an action step gives; empty if its operation is not available."""
        found = self._given.get(step.pk)
        return dict(found.output) if found is not None else {}

    def origin(self, step: Step) -> samples.Origin | None:
        """Where the sample of an action step comes from; None for a step that is calculated from others."""
        found = self._given.get(step.pk)
        return found.origin if found is not None else None

    def _follow(self, nodes: Iterable[Node], data: dict[str, Any]) -> None:
        for node in nodes:
            step = node.step
            known = kinds.KINDS.get(step.kind)
            self.before[step.pk] = {**data, "steps": dict(data["steps"])}
            inside = data
            if known is not None and known.opens(step):
                self.inside[step.pk] = known.inside_example(step, data, self)
                inside = {**data, **self.inside[step.pk]}
            self._follow(node.children, inside)
            output = known.example(node, data, self) if known is not None else None
            if output is not None:
                self.outputs[step.pk] = data["steps"][step.key] = output

    def first_row(self, name: str) -> dict[str, str | bool]:
        """An example result of a lookup in a table: its first row."""
        if name not in self._rows:
            table = LookupTable.objects.filter(team_id=self.workflow.team_id, name=name).first() if name else None
            version = table and LookupVersion.objects.filter(table=table, number=table.version).first()
            row = standing(table, version.number).first() if table and version else None
            cells = spread(version.columns, row.cells if row else {}) if version else {}
            beside = [text for column, text in cells.items() if version and column != version.key_column]
            self._rows[name] = {"value": next(iter(beside or cells.values()), ""), "found": True, **cells}
        return self._rows[name]


def _context(workflow: Workflow, nodes: list[Node]) -> MappingContext:
    """The context of the first organisation that a step works with, else of the trigger's connection."""
    found = (node.step.connection for node in tree.walk(nodes) if node.step.connection is not None)
    books = next((each for each in found if each.details.get("currency")), workflow.trigger_connection)
    return context_of(books, now=timezone.now(), tables=Reader(workflow.team_id))
