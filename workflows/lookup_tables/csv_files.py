"""Lookup tables as CSV: read with every bad row reported by its line, written so that no spreadsheet runs a cell.

`files/spreadsheets.py` parses the files. A cell that a spreadsheet would take for a formula is written after an
apostrophe, which is removed again when it is read.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace

from integrations.core.csv_cells import freed
from integrations.core.workbooks import csv_parts
from workflows.files import spreadsheets
from workflows.lookup_tables.editing import ROWS_LIMIT, columns_problem, row_problem, trimmed
from workflows.lookup_tables.lookup import Content, fold

SIZE_LIMIT = 700_000  # bytes, and characters: it passes through a form, which takes 1 MiB
_PROBLEMS_LIMIT = 20


@dataclass(frozen=True)
class Problem:
    """What is wrong with a row, and on which line of the file it begins."""

    line: int
    message: str


@dataclass(frozen=True)
class Parsed:
    """A file as it was read. If there are problems, its rows must not be used."""

    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    problems: tuple[Problem, ...]
    more_problems: int = 0
    note: str = ""


def read_file(raw: bytes) -> Parsed:
    """As `read`, from a file's bytes; a file of another kind is refused by naming its kind."""
    if problem := spreadsheets.other_kind(raw):
        return _refused(1, problem)
    text, note = spreadsheets.decode(raw)
    parsed = read(text)
    return replace(parsed, note=f"{note} {parsed.note}".strip())


def read(text: str, *, key_column: str = "") -> Parsed:
    """Rows by the names in the first line. `key_column` must be among them; if not given, it is the first."""
    try:
        sheet = spreadsheets.read(text, most_rows=ROWS_LIMIT)
        heading = [freed(cell) for cell in sheet.heading.cells] if sheet.heading else []
        names = [trimmed(name) for name in heading]
        while names and not names[-1]:
            names.pop()
        columns = tuple(_same_name(name, key_column) for name in names)
        if key_column and key_column not in columns:
            found = ", ".join(columns) or "nothing"
            return _refused(1, f"The first line has to name the column {key_column}. It names: {found}.")
        if problem := columns_problem(columns, key_column or (columns[0] if columns else "")):
            return _refused(1, f"The first line has to name the columns. {problem}")
        return _rows(sheet, columns, key_column or columns[0])
    except csv.Error as error:
        return _refused(1, f"The file cannot be read as CSV: {error}.")


def _refused(line: int, message: str) -> Parsed:
    return Parsed((), (), (Problem(line, message),))


def _same_name(name: str, key_column: str) -> str:
    return key_column if fold(name) == fold(key_column) else name


def _rows(sheet: spreadsheets.Sheet, columns: tuple[str, ...], key_column: str) -> Parsed:
    rows: list[dict[str, str]] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for each in sheet.rows:
        line, cells = each.number, [freed(cell) for cell in each.cells]
        row = {name: trimmed(cell) for name, cell in zip(columns, cells, strict=False)}
        row = {name: row.get(name, "") for name in columns}
        key = fold(row[key_column])
        too_many = len([cell for cell in cells[len(columns) :] if cell.strip()])
        if too_many:
            problems.append(Problem(line, f"There are {len(cells)} cells, but {len(columns)} columns."))
        elif problem := row_problem(row, key_column):
            problems.append(Problem(line, problem))
        elif key in seen:
            problems.append(Problem(line, f"{key_column} {row[key_column]} stands on line {seen[key]} already."))
        elif len(rows) >= ROWS_LIMIT:
            problems.append(Problem(line, f"A lookup table has at most {ROWS_LIMIT:,} rows."))
            break
        else:
            seen[key] = line
            rows.append(row)
    shown = tuple(problems[:_PROBLEMS_LIMIT])
    return Parsed(columns, tuple(rows), shown, len(problems) - len(shown), spreadsheets.lines_above_in_words(sheet))


def merged(before: Content, parsed: Parsed) -> Content:
    """The table with the file's rows changed and added; rows and cells that are not in the file stay."""
    names = {fold(name): name for name in before.columns}
    ours = {name: names.get(fold(name), name) for name in parsed.columns}
    columns = (*before.columns, *(name for name in ours.values() if name not in before.columns))
    rows = {fold(row[before.key_column]): dict(row) for row in before.rows}
    for row in parsed.rows:
        cells = {ours[name]: text for name, text in row.items()}
        rows.setdefault(fold(cells[before.key_column]), {}).update(cells)
    filled = tuple({name: row.get(name, "") for name in columns} for row in rows.values())
    return Content(columns, before.key_column, filled)


def replaced(before: Content, parsed: Parsed) -> Content:
    """The table as in the file: rows and columns that are not in it are removed."""
    names = {fold(name): name for name in before.columns}
    ours = {name: names.get(fold(name), name) for name in parsed.columns}
    rows = tuple({ours[name]: text for name, text in row.items()} for row in parsed.rows)
    return Content(tuple(ours.values()), before.key_column, rows)


def write(content: Content) -> bytes:
    """The table as CSV in UTF-8 with a byte order mark, as spreadsheets expect it."""
    rows = ([row[name] for name in content.columns] for row in content.rows)
    return b"".join(csv_parts([content.columns, *rows]))
