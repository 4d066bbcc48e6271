"""What the columns of a file hold, guessed from their values, to declare values of a workflow by them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from integrations.schema.fields import Kind
from workflows.files import column_reading
from workflows.language.functions.number import read_number
from workflows.language.values import MappingError

#: How many rows are looked at.
_ROWS = 1000
_LONG_TEXT = 200
_YES_NO = frozenset({"yes", "no", "true", "false"})
#: Codes that only look like numbers: a leading zero, or more digits than an amount has.
_CODE = re.compile(r"0\d.*|\+.*|\d{12,}")


@dataclass(frozen=True)
class Column:
    """A column's name, what it holds, whether each row has it, and its first value."""

    label: str
    kind: Kind
    is_required: bool
    example: str


def columns_of(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Column]:
    """The columns of a file in their order. Names without a letter or digit become their place."""
    looked_at = list(islice(rows, _ROWS))
    return [_column(_label(name, place), looked_at, place) for place, name in enumerate(names)]


def kind_of(values: Sequence[str]) -> Kind:
    """What fits every one of these texts; text where nothing else does."""
    if not values:
        return Kind.TEXT
    if all(value.lower() in _YES_NO for value in values):
        return Kind.YES_NO
    if any(_fit(values, form, _day) for form in column_reading.DATES):
        return Kind.DATE
    marks = [mark for _, mark in column_reading.NUMBERS]
    if not any(map(_CODE.fullmatch, values)) and any(_fit(values, mark, read_number) for mark in marks):
        return Kind.NUMBER
    return Kind.LONG_TEXT if any(len(value) > _LONG_TEXT or "\n" in value for value in values) else Kind.TEXT


def _column(label: str, rows: Sequence[Sequence[str]], place: int) -> Column:
    cells = [column_reading.cell(row, place) for row in rows]
    values = [text for text in cells if text]
    return Column(label, kind_of(values), bool(values) and len(values) == len(cells), values[0] if values else "")


def _label(name: str, place: int) -> str:
    return name if re.search(r"[A-Za-z0-9]", name) else f"Column {place + 1}"


def _day(text: str, form: str) -> date:
    return column_reading.day(text, form, "UTC")


def _fit(values: Sequence[str], way: str, read: Callable[[str, str], object]) -> bool:
    try:
        for value in values:
            read(value, way)
    except MappingError:
        return False
    return True
