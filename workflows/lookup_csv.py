"""Lookup tables as CSV: read with every bad row named by its line, written so that no spreadsheet runs what is in it.

Read are the separators , ; tab and | (the one that parts the heading into most columns), with or without a byte order
mark, in UTF-8, UTF-16 or, where it is neither, in Windows' western code page. A cell that a spreadsheet would take for
a formula is written behind an apostrophe, which is taken away again when it is read.
https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from workflows.lookup_editing import ROWS_LIMIT, columns_problem, row_problem, trimmed
from workflows.lookups import Content, fold

SIZE_LIMIT = 700_000  # bytes, and characters: it passes through a form, which takes 1 MiB
_SEPARATORS = (",", ";", "\t", "|")
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?[0-9][0-9.,' ]*%?")
_PROBLEMS_LIMIT = 20


@dataclass(frozen=True)
class Problem:
    """What is wrong with a row, and on which line of the file it begins."""

    line: int
    message: str


@dataclass(frozen=True)
class Parsed:
    """A file as it was read. Where there are problems, its rows are not to be used."""

    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    problems: tuple[Problem, ...]
    more_problems: int = 0
    note: str = ""


def decode(raw: bytes) -> tuple[str, str]:
    """The text of a file, and what to tell the person about how it was read."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", "replace"), ""
    try:
        return raw.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        note = (
            "The file is not in UTF-8; it was read as Windows text. Check letters with accents and the £ and € signs."
        )
        return raw.decode("cp1252", "replace"), note


def read(text: str, *, key_column: str = "") -> Parsed:
    """Rows by the names in the first line. `key_column` is the one that must be there; without, the first one is."""
    lines = _lines(text.removeprefix("\ufeff"))
    try:
        _, heading = next(lines, (1, []))
        names = [trimmed(name) for name in heading]
        while names and not names[-1]:
            names.pop()
        columns = tuple(_same_name(name, key_column) for name in names)
        if key_column and key_column not in columns:
            found = ", ".join(columns) or "nothing"
            return _refused(1, f"The first line has to name the column {key_column}. It names: {found}.")
        if problem := columns_problem(columns, key_column or (columns[0] if columns else "")):
            return _refused(1, f"The first line has to name the columns. {problem}")
        return _rows(lines, columns, key_column or columns[0])
    except csv.Error as error:
        return _refused(1, f"The file cannot be read as CSV: {error}.")


def _refused(line: int, message: str) -> Parsed:
    return Parsed((), (), (Problem(line, message),))


def _same_name(name: str, key_column: str) -> str:
    return key_column if fold(name) == fold(key_column) else name


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line on which it begins, cells) of every row that is not blank."""
    first = re.split("[\r\n]", text.lstrip("\r\n "), maxsplit=1)[0]
    separator = max(_SEPARATORS, key=lambda each: len(next(csv.reader([first], delimiter=each), [])))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    begin = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield begin, [_freed(cell) for cell in cells]
        begin = reader.line_num + 1


def _rows(lines: Iterator[tuple[int, list[str]]], columns: tuple[str, ...], key_column: str) -> Parsed:
    rows: list[dict[str, str]] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for line, cells in lines:
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
    return Parsed(columns, tuple(rows), shown, len(problems) - len(shown))


def merged(before: Content, parsed: Parsed) -> Content:
    """The table with the file's rows changed and added; rows and cells that the file does not have stay."""
    names = {fold(name): name for name in before.columns}
    ours = {name: names.get(fold(name), name) for name in parsed.columns}
    columns = (*before.columns, *(name for name in ours.values() if name not in before.columns))
    rows = {fold(row[before.key_column]): dict(row) for row in before.rows}
    for row in parsed.rows:
        told = {ours[name]: text for name, text in row.items()}
        rows.setdefault(fold(told[before.key_column]), {}).update(told)
    filled = tuple({name: row.get(name, "") for name in columns} for row in rows.values())
    return Content(columns, before.key_column, filled)


def replaced(before: Content, parsed: Parsed) -> Content:
    """The table as the file has it: rows and columns that are not in it are removed."""
    names = {fold(name): name for name in before.columns}
    ours = {name: names.get(fold(name), name) for name in parsed.columns}
    rows = tuple({ours[name]: text for name, text in row.items()} for row in parsed.rows)
    return Content(tuple(ours.values()), before.key_column, rows)


def write(content: Content) -> bytes:
    """The table as CSV in UTF-8 with a byte order mark, as spreadsheets open it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([neutral(name) for name in content.columns])
    writer.writerows([neutral(row[name]) for name in content.columns] for row in content.rows)
    return codecs.BOM_UTF8 + out.getvalue().encode("utf-8")


def neutral(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula. Numbers stay numbers."""
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def _freed(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell
