"""The inputs of an operation as its mappings give them: evaluated, not yet cleaned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from integrations.core import moments
from integrations.schema.fields import Field, Kind
from workflows.language import mapping, table_rows
from workflows.language.values import MappingContext, MappingError, day_of


@dataclass
class Mapped:
    """`values` by input, with rows that are repeated written out; a sentence per input path that has no value."""

    values: dict[str, Any] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    #: By table: how many rows each written row became.
    repeats: dict[str, list[int]] = field(default_factory=dict)


def mapped(
    sources: Mapping[str, Any], fields: Iterable[Field], data: Mapping[str, Any], context: MappingContext
) -> Mapped:
    """What the sources give with this data. What cannot be evaluated is None and has a problem."""
    found = Mapped()
    declared = {f.name: f for f in fields}
    for name, source in sources.items():
        f = declared.get(name)
        if f is not None and f.kind is Kind.ROWS and isinstance(source, list):
            found.values[name] = _rows(f, source, data, context, found)
        else:
            found.values[name] = _value(source, f, data, context, name, found.problems)
    return found


def _rows(
    f: Field, rows: list[dict[str, str]], data: Mapping[str, Any], context: MappingContext, found: Mapped
) -> list[dict[str, Any]]:
    """The rows of a table input; one that is repeated becomes a row per item of its list."""
    columns = {column.name: column for column in f.columns}
    made: list[dict[str, Any]] = []
    for row in rows:
        before = len(made)
        for beside in _each(row, f.name, data, context, found.problems):
            path = f"{f.name}.{len(made)}"
            made.append(
                {
                    column: _value(source, columns.get(column), beside, context, f"{path}.{column}", found.problems)
                    for column, source in table_rows.cells(row)
                }
            )
        found.repeats.setdefault(f.name, []).append(len(made) - before)
    return made


def _each(
    row: Mapping[str, str], name: str, data: Mapping[str, Any], context: MappingContext, problems: dict[str, str]
) -> list[Mapping[str, Any]]:
    """The data with which a row is evaluated: once, or once per item."""
    if not table_rows.repeats(row):
        return [data]
    try:
        items = table_rows.items_of(mapping.evaluate(row[table_rows.EACH], data, context))
    except MappingError as error:
        problems[name] = error.message
        return []
    return [{**data, "item": item} for item in items]


def _value(
    source: str,
    f: Field | None,
    data: Mapping[str, Any],
    context: MappingContext,
    path: str,
    problems: dict[str, str],
) -> Any:
    try:
        value = mapping.evaluate(source, data, context)
        if f is not None and f.kind is Kind.DATE and _is_moment(value):
            # The date depends on the time zone: late on 31 October in UTC is 1 November in Auckland's books.
            value = day_of(value, context).isoformat()
    except MappingError as error:
        problems[path] = error.message
        return None
    return value


def _is_moment(value: Any) -> bool:
    try:
        return isinstance(moments.read(value), datetime)
    except ValueError:
        return False
