"""Looking up: from a value to the row of a lookup table, with the version of the table used.

Keys are compared regardless of case, of spaces around them and of the number of spaces between words; a number is
looked up as it is written in a text.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from django.db.models import Q, QuerySet

from workflows.language.values import MappingError, text_of
from workflows.models import LookupRow, LookupTable, LookupVersion

KEY_LIMIT = 400  # characters of a folded key


class NoTableError(MappingError):
    """There is no lookup table with this name; somebody has to correct the workflow or add the table."""


@dataclass(frozen=True)
class Found:
    """The row that was found: every column with its text (may be empty), and the version it is from."""

    table: str
    version: int
    key_column: str
    row: dict[str, str]

    @property
    def value(self) -> str:
        """The first column besides the key: what a table of two columns is for. The key itself if it is alone."""
        return next((text for name, text in self.row.items() if name != self.key_column), self.row[self.key_column])


@dataclass(frozen=True)
class Content:
    """What a version contains: its columns in order, the one that rows are found by, and the rows."""

    columns: tuple[str, ...] = ()
    key_column: str = ""
    rows: tuple[dict[str, str], ...] = ()


def fold(key: str) -> str:
    """The key in the form in which keys are compared."""
    return " ".join(unicodedata.normalize("NFKC", key).casefold().split())


def look_up(team_id: int, name: str, value: Any) -> Found | None:
    """The row whose key is this value, in the current version; None if there is none, or if the value is empty.

    Raises NoTableError if the team has no such table, and MappingError if the value is a list or a group.
    """
    table, version = _in_force(team_id, name)
    row = _row(table, version.number, value)
    return None if row is None else _found(table, version, row)


def complaint(team_id: int, name: str, column: str = "") -> str:
    """Why nothing can be looked up there: no such table, archived, no such column. Empty if it can."""
    try:
        table, version = _in_force(team_id, name)
    except NoTableError as error:
        return error.message
    if column and column not in version.columns:
        return f'The lookup table "{table}" has no column "{column}". It has: {", ".join(version.columns)}.'
    return ""


def _in_force(team_id: int, name: str) -> tuple[LookupTable, LookupVersion]:
    mine = LookupTable.objects.filter(team_id=team_id)
    table = mine.filter(name=name).first()
    if table is None:
        near = get_close_matches(name[:120], list(mine.filter(is_archived=False).values_list("name", flat=True)[:200]))
        hint = f" Did you mean {near[0]}?" if near else " Add it under Lookup tables, or choose another."
        raise NoTableError(f'There is no lookup table called "{name[:120]}".{hint}')
    if table.is_archived:
        raise NoTableError(f'The lookup table "{name}" was put away. Bring it back under Lookup tables.')
    version = LookupVersion.objects.filter(table=table, number=table.version).first()
    if version is None:
        raise NoTableError(f'The lookup table "{name}" has no columns yet.')
    return table, version


def _row(table: LookupTable, number: int, value: Any) -> LookupRow | None:
    key = fold(text_of(value))
    if not key or len(key) > KEY_LIMIT or "\x00" in key:
        return None
    found: LookupRow | None = standing(table, number).filter(key=key).first()
    return found


def _found(table: LookupTable, version: LookupVersion, row: LookupRow) -> Found:
    return Found(table.name, version.number, version.key_column, spread(version.columns, row.cells))


def standing(table: LookupTable, number: int) -> QuerySet[Any]:
    """The rows of a version, in order."""
    ended = Q(gone_in__isnull=True) | Q(gone_in__gt=number)
    return LookupRow.objects.filter(ended, table=table, added_in__lte=number).order_by("position", "pk")


def spread(columns: list[str] | tuple[str, ...], cells: dict[str, str]) -> dict[str, str]:
    """A stored row with its empty cells added."""
    return {name: cells.get(name, "") for name in columns}


def content(table: LookupTable, number: int | None = None) -> Content:
    """The whole of a version, by default the current one; empty before the first."""
    number = table.version if number is None else number
    version = LookupVersion.objects.filter(table=table, number=number).first()
    if version is None:
        return Content()
    rows = tuple(spread(version.columns, row.cells) for row in standing(table, number))
    return Content(tuple(version.columns), version.key_column, rows)


@dataclass
class Reader:
    """A team's lookup tables for the `lookup` function and the lookup conditions of one run.

    Each table is read in the version that was current at its first use, so that a run is consistent;
    `used` gives that version for each table that this reader has used.
    """

    team_id: int
    used: dict[str, int] = field(default_factory=dict)
    _tables: dict[str, tuple[LookupTable, LookupVersion]] = field(default_factory=dict)

    def fresh(self) -> Reader:
        """A reader of the same versions with nothing used yet, for the next step of the run."""
        return Reader(self.team_id, _tables=self._tables)

    def find(self, name: str, value: Any) -> Found | None:
        """As `look_up`, in this reader's version of the table."""
        if name not in self._tables:
            self._tables[name] = _in_force(self.team_id, name)
        table, version = self._tables[name]
        self.used[name] = version.number
        row = _row(table, version.number, value)
        return None if row is None else _found(table, version, row)

    def __call__(self, name: str, value: Any) -> dict[str, str] | None:
        """The row with all its columns, the key first; None if there is none. Raises NoTableError."""
        found = self.find(name, value)
        if found is None:
            return None
        return {found.key_column: found.row[found.key_column], **found.row}
