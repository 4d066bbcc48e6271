"""Which values are predicted: they come from what a write would give, which nobody knows before it is written.

A value is predicted if the mapping that makes it reads one that is. So it is enough to know which paths of the data
are predicted, and which paths each mapping refers to; nothing is followed through functions. Price: a mapping that
refers to a predicted value and does not use it (`default` of a value that is there) counts as predicted too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from workflows.definitions import kinds
from workflows.language import mapping, table_rows
from workflows.language.values import MappingError

_OPERANDS = ("left", "right", "right_until")
PlanStep = Mapping[str, Any]


@dataclass
class Predicted:
    """The predicted paths of the data, as `mapping.references` writes them: "steps.invoice", "item"."""

    paths: set[str] = field(default_factory=set)

    def add(self, path: str) -> None:
        self.paths.add(path)

    def drop(self, path: str) -> None:
        """The value at the path is made anew."""
        self.paths = {each for each in self.paths if not _is_below(each, path)}

    def reads(self, source: str) -> bool:
        """Whether the mapping reads something predicted; one that cannot be read does not."""
        try:
            found = mapping.references(source)
        except MappingError:
            return False
        return any(_is_below(each, path) or _is_below(path, each) for each in found for path in self.paths)

    def with_item(self) -> Predicted:
        """The same where `item` is predicted."""
        return Predicted(self.paths | {"item"})

    def without_item(self) -> Predicted:
        """The same where `item` is not."""
        return Predicted(self.paths - {"item"})

    def inputs_of(self, step: PlanStep) -> list[str]:
        """The paths of the step's own mappings that read something predicted: "contact_id", "lines.unit_amount"."""
        return list(dict.fromkeys(self._found(step)))

    def _found(self, step: PlanStep) -> Iterator[str]:
        for name, source in kinds.of(step["kind"]).sources(step).items():
            if isinstance(source, str) and self.reads(source):
                yield name
        for name, given in {**step.get("inputs", {}), **step.get("values", {})}.items():
            yield from ([name] if self.reads(given) else []) if isinstance(given, str) else self._rows(name, given)
        for tree in (step.get("conditions"), *(path.get("conditions") for path in step.get("paths", ()))):
            if any(self.reads(source) for source in operands(tree)):
                yield "conditions"

    def _rows(self, name: str, rows: list[dict[str, str]]) -> Iterator[str]:
        for row in rows:
            within = self
            if table_rows.repeats(row):
                is_predicted = self.reads(row[table_rows.EACH])
                within = self.with_item() if is_predicted else self.without_item()
                if is_predicted:
                    yield name
            yield from (f"{name}.{column}" for column, source in table_rows.cells(row) if within.reads(source))


def operands(tree: Any) -> Iterator[str]:
    """The mappings that a condition compares."""
    if not isinstance(tree, Mapping):
        return
    for inner in tree.get("items") or ():
        yield from operands(inner)
    yield from (tree[name] for name in _OPERANDS if isinstance(tree.get(name), str))


def _is_below(path: str, other: str) -> bool:
    """Whether a path is another one or below it."""
    return path == other or path.startswith(f"{other}.")
