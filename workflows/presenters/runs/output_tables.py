"""The result of a read as tables: a report with its sections and columns, or lists of records.

A report is an output with `columns` (texts) and `rows` (each with path, label, is_total and amounts, where `path` holds
the headings above it, the outermost first); every other list of records in an output is a list. The provider does
not matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from workflows.language.references import words
from workflows.language.values import MappingError, text_of

_MAX_ROWS, _MAX_COLUMNS, _MAX_TEXT = 200, 7, 120
_NAMES = ("Name", "name", "title", "label")


@dataclass(frozen=True)
class TableColumn:
    """A column's heading, and whether it holds numbers."""

    label: str
    is_number: bool = False


@dataclass(frozen=True)
class Cell:
    """The content of one cell."""

    text: str
    is_number: bool = False


@dataclass(frozen=True)
class TableLine:
    """One row: a heading if there are no cells, else a cell for each column. `depth` is 0 for an outermost heading."""

    cells: tuple[Cell, ...] = ()
    heading: str = ""
    depth: int = 0
    is_total: bool = False


@dataclass(frozen=True)
class OutputTable:
    """A table ready for the page; `left_out` is the number of rows not shown."""

    title: str
    columns: tuple[TableColumn, ...]
    lines: tuple[TableLine, ...]
    left_out: int = 0
    is_report: bool = False


def tables(output: Any) -> list[OutputTable]:
    """The tables in a step's output; an empty list if it has no records."""
    if not isinstance(output, Mapping):
        return []
    if _is_report(output):
        return [_report(output)]
    found = [_records(str(name), value) for name, value in output.items() if _is_list_of_records(value)]
    return [table for table in found if table.columns]


def amount(value: Any) -> str:
    """A number with all its digits and thousands separators; empty for no number."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        return ""
    if isinstance(value, Decimal) and (not value.is_finite() or abs(value.adjusted()) > 30):
        return str(value)
    return f"{value:,f}".replace("-", "\u2212") if isinstance(value, Decimal) else f"{value:,}".replace("-", "\u2212")


# --- reports --------------------------------------------------------------------------------------------------------


def _is_report(output: Mapping[str, Any]) -> bool:
    columns, rows = output.get("columns"), output.get("rows")
    return (
        isinstance(columns, list)
        and all(isinstance(each, str) for each in columns)
        and _is_list_of_records(rows)
        and all(isinstance(row.get("amounts"), list) for row in rows or [])
    )


def _report(output: Mapping[str, Any]) -> OutputTable:
    rows: list[Mapping[str, Any]] = output["rows"]
    # A row may have more cells than there are headings; every figure is shown.
    width = max([len(output["columns"]), *(len(row["amounts"]) for row in rows)])
    labels = [*output["columns"], *[""] * width][:width]
    columns = (TableColumn(""), *(TableColumn(_short(label), is_number=True) for label in labels))
    lines = tuple(_report_lines(rows[:_MAX_ROWS], width))
    title = " · ".join(_short(output.get(name)) for name in ("name", "period") if output.get(name))
    return OutputTable(title or "Report", columns, lines, max(0, len(rows) - _MAX_ROWS), is_report=True)


def _report_lines(rows: Sequence[Mapping[str, Any]], width: int) -> Iterator[TableLine]:
    above: list[str] = []
    for row in rows:
        path = _path(row)
        is_same = [one == other for one, other in zip(path, above, strict=False)]
        kept = is_same.index(False) if False in is_same else len(is_same)
        for depth in range(kept, len(path)):
            yield TableLine(heading=path[depth], depth=depth)
        above = path
        figures = (Cell(amount(value), is_number=True) for value in [*row["amounts"], *[None] * width][:width])
        yield TableLine((Cell(_short(row.get("label"))), *figures), is_total=row.get("is_total") is True)


def _path(row: Mapping[str, Any]) -> list[str]:
    """The headings above a row; for an old row stored without a path, its section."""
    path = row.get("path")
    return [_short(each) for each in (path if isinstance(path, list) else [row.get("section")]) if each]


# --- lists ----------------------------------------------------------------------------------------------------------


def _is_list_of_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, Mapping) for each in value)


def _records(name: str, records: Sequence[Mapping[str, Any]]) -> OutputTable:
    shown = records[:_MAX_ROWS]
    names = [
        each for each in dict.fromkeys(key for record in shown for key in record) if _is_worth_showing(each, shown)
    ]
    names = names[:_MAX_COLUMNS]
    numbers = {each for each in names if all(_is_number(record.get(each)) for record in shown)}
    columns = tuple(TableColumn(_capital(words(each)), each in numbers) for each in names)
    lines = tuple(
        TableLine(tuple(Cell(_cell(record.get(each)), each in numbers) for each in names)) for record in shown
    )
    title = f"{_capital(words(name))} ({len(records):,})"
    return OutputTable(title, columns, lines, len(records) - len(shown))


def _is_worth_showing(name: str, records: Sequence[Mapping[str, Any]]) -> bool:
    """Ids are for later steps, and a column without any value is of no use."""
    is_id = name.lower() == "id" or name.endswith(("ID", "Id", "_id"))
    return not is_id and any(_cell(record.get(name)) for record in records)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, Decimal | int) and not isinstance(value, bool))


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return next((_short(value[each]) for each in _NAMES if value.get(each)), "")
    if isinstance(value, list):
        return _short(", ".join(each for each in map(_cell, value[:20]) if each))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return amount(value) or _short(value)


def _short(value: Any) -> str:
    if value is None:
        return ""
    try:
        text = text_of(value)
    except MappingError:
        text = str(value)
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
