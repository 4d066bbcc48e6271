"""What a form's line items come to with the sample, computed as the operation itself computes its document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone

from integrations.framework.base import Action, Effect
from integrations.models import Connection
from integrations.schema.documents import Document, DocumentLine
from integrations.schema.fields import Field, Kind, sentences
from workflows.definitions.editing import Sources
from workflows.definitions.mapping_context import context_of
from workflows.language.mapped_inputs import Mapped, mapped
from workflows.lookup_tables.lookup import Reader
from workflows.presenters.runs.documents import money, total_parts

#: Given for a required input that is not filled in yet; totals do not depend on it.
_STAND_INS: Mapping[Kind, Any] = {
    Kind.NUMBER: Decimal(1),
    Kind.INTEGER: 1,
    Kind.DATE: date(2026, 1, 1),
    Kind.YES_NO: False,
    Kind.LIST: ["-"],
}


@dataclass(frozen=True)
class SampleTotals:
    """Totals under the table `path`, each with its label; the amount of each written row; why something is unknown."""

    path: str
    currency: str = ""
    sums: list[tuple[str, str]] = field(default_factory=list)
    amounts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def table_with_totals(action: Action) -> Field | None:
    """The table of line items: the first of a write, if it holds numbers."""
    table = next((f for f in action.Inputs.fields() if f.kind is Kind.ROWS), None)
    has_numbers = table is not None and any(column.kind is Kind.NUMBER for column in table.columns)
    return table if has_numbers and action.effect is not Effect.READS else None


def sample_totals(
    action: Action, sources: Sources, connection: Connection | None, data: Mapping[str, Any]
) -> SampleTotals | None:
    """What these sources come to with `data`; None if the action has no line items, or no row is filled in."""
    table = table_with_totals(action)
    if table is None or connection is None:
        return None
    written, places = _filled(table, sources.get(table.name))
    if not written:
        return None
    given = {name: source for name, source in sources.items() if isinstance(source, str) and source.strip()}
    context = context_of(connection, now=timezone.now(), tables=Reader(connection.team_id))
    found = mapped({**given, table.name: written}, action.Inputs.fields(), data, context)
    document, problems = _document(action, table, found, connection)
    if document is None and not problems:
        return None
    return _totals(action, table, document, problems, _Rows(places, found.repeats.get(table.name, [])))


def _filled(table: Field, rows: object) -> tuple[list[dict[str, str]], list[int]]:
    """The rows that say more than they did at first, without their empty cells, and where they stand in the form."""
    if not isinstance(rows, list):
        return [], []
    at_first = {column.name: str(column.default) for column in table.columns}
    said = [{column: source for column, source in row.items() if source.strip()} for row in rows]
    places = [n for n, row in enumerate(said) if any(source != at_first.get(name) for name, source in row.items())]
    return [said[place] for place in places], places


def _document(
    action: Action, table: Field, found: Mapped, connection: Connection
) -> tuple[Document | None, dict[str, str]]:
    """The document of the rows, whatever else is not filled in yet; or what is wrong with the rows."""
    wrong = {path: said for path, said in found.problems.items() if path.split(".")[0] == table.name}
    if wrong:
        return None, wrong
    values = {name: value for name, value in found.values.items() if name not in found.problems}
    _, problems = action.Inputs.clean_loosely(values)
    others = {path.split(".")[0] for path in problems} - {table.name}
    stand_ins = {f.name: _stand_in(f) for f in action.Inputs.fields() if f.name in others and f.is_required}
    inputs, problems = action.Inputs.clean_loosely(
        {**{name: value for name, value in values.items() if name not in others}, **stand_ins}
    )
    if inputs is None:
        return None, {path: said for path, said in problems.items() if path.split(".")[0] == table.name}
    return action.document(inputs, {"name": connection.name, **connection.details}), {}


def _stand_in(f: Field) -> Any:
    return f.fixed_choices[0][0] if f.fixed_choices else _STAND_INS.get(f.kind, "-")


@dataclass(frozen=True)
class _Rows:
    """Where the rows that are filled in stand in the form, and how many lines each becomes."""

    places: list[int]
    repeats: list[int]

    def paths(self, problems: Mapping[str, str]) -> dict[str, str]:
        """The problems of lines by the rows of the form that they come from."""
        origins = [place for place, count in zip(self.places, self.repeats, strict=True) for _ in range(count)]
        named: dict[str, str] = {}
        for path, said in problems.items():
            table, _, rest = path.partition(".")
            index, _, column = rest.partition(".")
            place = [str(origins[int(index)])] if index.isdecimal() and int(index) < len(origins) else []
            named.setdefault(".".join([table, *place, *([column] if column else [])]), said)
        return named

    def amounts(self, lines: tuple[DocumentLine, ...]) -> Iterator[str]:
        """What each row of the form comes to; empty where it is unknown."""
        if len(lines) != sum(self.repeats):
            return
        left = iter(lines)
        by_place = {
            place: _sum([next(left).amount for _ in range(count)])
            for place, count in zip(self.places, self.repeats, strict=True)
        }
        yield from (by_place.get(place, "") for place in range(max(self.places) + 1))


def _sum(amounts: list[Decimal | None]) -> str:
    known = [amount for amount in amounts if amount is not None]
    return money(sum(known, Decimal(0))) if amounts and len(known) == len(amounts) else ""


def _totals(
    action: Action, table: Field, document: Document | None, problems: dict[str, str], rows: _Rows
) -> SampleTotals | None:
    if document is None:
        return SampleTotals(table.name, notes=[sentences(action.Inputs.fields(), rows.paths(problems))])
    if not document.lines:
        return None
    return SampleTotals(
        table.name,
        document.currency,
        total_parts(document.totals) if document.totals else [],
        list(rows.amounts(document.lines)),
        list(document.notes),
    )
