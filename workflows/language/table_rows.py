"""Rows of a table input: fixed ones, and one for each item of a list.

A row is {column: source}. One with the column EACH is repeated for every item of the list named there, and its other
sources read their row's item as `item`. Fixed and repeated rows may be mixed in any order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workflows.language.values import MappingLimitError, MappingTypeError, shown

#: No column of an operation has this name: an input's name is a Python name.
EACH = "~each"
ROWS_LIMIT = 1000


def repeats(row: Mapping[str, str]) -> bool:
    """Whether the row is repeated for each item of a list."""
    return EACH in row


def cells(row: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The row's columns and their sources, without the list it is repeated over."""
    return ((column, source) for column, source in row.items() if column != EACH)


def items_of(value: Any) -> list[Any]:
    """The items to repeat a row for: none for null or "". Raises a MappingError if it is not a list, or too long."""
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        raise MappingTypeError(f"One row per item needs a list, but {shown(value)} is none.")
    if len(value) > ROWS_LIMIT:
        raise MappingLimitError(f"The list has {len(value):,} items; a table takes at most {ROWS_LIMIT:,} rows.")
    return value
