"""A list or a report of an earlier step as a table: its columns and cells, as text and as HTML.

A list of lists is taken as it is, its first row as the heading: so reports give themselves. A list of groups gets a
column for each of their plain values, a group of values becomes two columns. Text from a provider stays text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.html import escape

from integrations.core.email_headers import one_line
from integrations.core.workbooks import Cell

#: What is shown in the mail itself; a file holds more.
MOST_ROWS, MOST_COLUMNS = 200, 12
_WIDEST_LINE = 100
#: Columns are made narrower, in these steps, until a line of text fits.
_WIDTHS = (40, 30, 20, 14)
_WORDS = re.compile(r"[_\s]+|(?<=[a-z0-9])(?=[A-Z])")
_IDENTITY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NAMES = ("Name", "name", "title", "label")


@dataclass(frozen=True)
class Table:
    """Rows of cells; `head` names the columns and is empty if nothing does."""

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def width(self) -> int:
        """How many columns it has."""
        return max((len(row) for row in (self.head, *self.rows)), default=0)

    def is_number(self, column: int) -> bool:
        """Whether the column holds numbers and nothing else."""
        cells = [row[column] for row in self.rows if column < len(row) and row[column] not in (None, "")]
        return bool(cells) and not any(isinstance(cell, str) for cell in cells)

    def in_words(self) -> str:
        """Its size, as "12 rows, 3 columns"."""
        return f"{_count(len(self.rows), 'row')}, {_count(self.width, 'column')}"


def of(value: Any) -> Table:
    """The table that a list or a group of values is."""
    if isinstance(value, Mapping):
        return Table((), tuple((_words(str(key)), _cell(each)) for key, each in value.items() if _is_plain(each)))
    rows = list(value)
    if rows and all(isinstance(row, list) for row in rows):
        return Table(tuple(_text(_cell(each)) for each in rows[0]), tuple(tuple(map(_cell, row)) for row in rows[1:]))
    if rows and all(isinstance(row, Mapping) for row in rows):
        return _of_groups(rows)
    return Table((), tuple((_cell(row),) for row in rows))


def _of_groups(rows: Sequence[Mapping[str, Any]]) -> Table:
    names = dict.fromkeys(name for row in rows for name, each in row.items() if _is_plain(each))
    kept = [name for name in names if not all(_is_identity(row.get(name)) for row in rows)] or list(names)
    return Table(
        tuple(_words(name) for name in kept), tuple(tuple(_cell(row.get(name)) for name in kept) for row in rows)
    )


def _is_plain(value: Any) -> bool:
    return not isinstance(value, list | Mapping) or _name_of(value) is not None


def _is_identity(value: Any) -> bool:
    return value in (None, "") or (isinstance(value, str) and bool(_IDENTITY.fullmatch(value)))


def _name_of(value: Any) -> str | None:
    """What a group of values is called, such as the name of a contact."""
    found = (value.get(name) for name in _NAMES) if isinstance(value, Mapping) else ()
    return next((name for name in found if isinstance(name, str)), None)


def _cell(value: Any) -> Cell:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, int | Decimal):
        return value
    if isinstance(value, list | Mapping):
        return one_line(_name_of(value) or "")
    return one_line(str(value))


def _words(name: str) -> str:
    """The key of a value as a heading: `AmountDue` as "Amount due"."""
    parts = [part if part.isupper() else part.lower() for part in _WORDS.split(one_line(name)) if part]
    shown = " ".join(parts)
    return shown[:1].upper() + shown[1:]


def _text(cell: Cell) -> str:
    """A cell as people read it; an amount with its thousands separated, a count as it is."""
    if cell is None:
        return ""
    return f"{cell:,f}" if isinstance(cell, Decimal) else str(cell)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


# --- in a mail ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Shown:
    """As much of a table as is shown in a mail."""

    head: list[str]
    rows: list[list[str]]
    numbers: list[bool]
    left_out: str


def _shown(table: Table) -> _Shown:
    width = min(table.width, MOST_COLUMNS)
    rows = [[_text(cell) for cell in row[:width]] + [""] * (width - len(row)) for row in table.rows[:MOST_ROWS]]
    head = [*table.head[:width], *[""] * (width - len(table.head))] if any(table.head) else []
    return _Shown(head, rows, [table.is_number(column) for column in range(width)], _left_out(table))


def _left_out(table: Table) -> str:
    """A sentence about what is left out of the mail; empty if nothing is."""
    rows, columns = len(table.rows) - MOST_ROWS, table.width - MOST_COLUMNS
    parts = [_count(number, noun) for number, noun in ((rows, "more row"), (columns, "more column")) if number > 0]
    is_one = sum(max(0, number) for number in (rows, columns)) == 1
    return (
        f"{' and '.join(parts)} {'is' if is_one else 'are'} not shown here; attach the table to send all."
        if parts
        else ""
    )


def as_text(table: Table) -> str:
    """The table in columns of a fixed width, numbers to the right; a longer cell is cut, and ends in "…"."""
    shown = _shown(table)
    if not shown.rows:
        return "There are no rows."
    lines = [*([shown.head] if shown.head else []), *shown.rows]
    widths = _fitting([max(map(_wide, column)) for column in zip(*lines, strict=True)])
    made = [_line(line, widths, shown.numbers) for line in lines]
    if shown.head:
        made.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([*made, *(["", shown.left_out] if shown.left_out else [])])


def _fitting(widths: list[int]) -> list[int]:
    for widest in _WIDTHS:
        found = [max(1, min(width, widest)) for width in widths]
        if sum(found) + 2 * len(found) <= _WIDEST_LINE:
            break
    return found


def _line(cells: Iterable[str], widths: Sequence[int], numbers: Sequence[bool]) -> str:
    parts = [_padded(*each) for each in zip(cells, widths, numbers, strict=True)]
    return "  ".join(parts).rstrip()


def _padded(cell: str, width: int, is_number: bool) -> str:
    # A number that is cut would be another number.
    cut = cell if is_number or _wide(cell) <= width else _cut(cell, width)
    space = " " * (width - _wide(cut))
    return space + cut if is_number else cut + space


def _cut(cell: str, width: int) -> str:
    while cell and _wide(cell) > width - 1:
        cell = cell[:-1]
    return f"{cell}…"


def _wide(text: str) -> int:
    """How many columns of a screen it takes: Chinese and Japanese letters take two, accents of their own none."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else not unicodedata.combining(each) for each in text)


def as_html(table: Table) -> str:
    """The table as HTML with its own looks, because mail programs know no style sheets."""
    shown = _shown(table)
    if not shown.rows:
        return "<p>There are no rows.</p>"
    head = f"<thead>{_row(shown.head, shown.numbers, 'th')}</thead>" if shown.head else ""
    body = "".join(_row(row, shown.numbers, "th" if _is_heading(row) else "td") for row in shown.rows)
    more = f"<p>{escape(shown.left_out)}</p>" if shown.left_out else ""
    return f'<table style="border-collapse:collapse">{head}<tbody>{body}</tbody></table>{more}'


def _is_heading(row: Sequence[str]) -> bool:
    return len(row) > 1 and bool(row[0]) and not any(row[1:])


def _row(cells: Iterable[str], numbers: Sequence[bool], tag: str) -> str:
    return f"<tr>{''.join(_td(cell, is_number, tag) for cell, is_number in zip(cells, numbers, strict=True))}</tr>\n"


def _td(cell: str, is_number: bool, tag: str) -> str:
    side = "right;white-space:nowrap" if is_number else "left"
    return f'<{tag} style="padding:3px 10px;border-bottom:1px solid #ddd;text-align:{side}">{escape(cell)}</{tag}>'
