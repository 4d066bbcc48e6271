"""How the two sides of a comparison are read: a value of any kind becomes one of the wanted kind, or a clear error."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from workflows.language.functions import read_number
from workflows.language.regex import compiled
from workflows.language.values import (
    MappingContext,
    MappingTypeError,
    day_of,
    kind_of,
    moment_of,
    shown,
    text_of,
    zone_of,
)


def _read_text(value: Any, context: MappingContext) -> str:
    return text_of(value)


def _read_number(value: Any, context: MappingContext) -> Decimal:
    return read_number(value)


def _read_fixed_number(value: Any, context: MappingContext) -> Decimal:
    """A number typed into the condition: 1,000 is a thousand there, as conditions in words show numbers."""
    return read_number(value, ".")


def _read_whole(value: Any, context: MappingContext) -> int:
    number = read_number(value)
    if number != number.to_integral_value() or not 0 <= number <= 100_000:
        raise MappingTypeError(f"A whole number from 0 to 100,000 is needed, not {shown(value)}.")
    return int(number)


_WORDS = {"yes": True, "true": True, "no": False, "false": False}


def _read_yes_no(value: Any, context: MappingContext) -> bool:
    if kind_of(value) == "yes_no":
        return bool(value)
    word = value.strip().lower() if isinstance(value, str) else ""
    if word not in _WORDS:
        raise MappingTypeError(f"{shown(value)} is neither yes nor no.")
    return _WORDS[word]


def _read_list(value: Any, context: MappingContext) -> list[Any]:
    if kind_of(value) == "nothing":
        return []
    if kind_of(value) != "list":
        raise MappingTypeError(f"A list is needed, but {shown(value)} is not one.")
    return list(value)


def choices_in(text: str) -> list[str]:
    parts = [part.strip() for part in text.split("\n" if "\n" in text else ",")]
    return [part for part in parts if part]


def _read_choices(value: Any, context: MappingContext) -> list[Any]:
    """A list as it is, or the lines of a text, or its parts between commas."""
    if kind_of(value) == "list":
        return list(value)
    choices = choices_in(text_of(value))
    if not choices:
        raise MappingTypeError("The list of values is empty. Write them with commas between, or one on each line.")
    return choices


def _read_pattern(value: Any, context: MappingContext) -> str:
    pattern = text_of(value)
    compiled(pattern, True)
    return pattern


def _read_item(value: Any, context: MappingContext) -> Any:
    if kind_of(value) in ("list", "table"):
        raise MappingTypeError(f"A single value is needed, but {shown(value)} is not one.")
    return value


def _read_moment(value: Any, context: MappingContext) -> datetime:
    """A moment on the organisation's clock; a day means its midnight, and no zone means the organisation's."""
    moment = moment_of(value, context)
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone_of(context))


def _read_table(value: Any, context: MappingContext) -> str:
    name = text_of(value).strip()
    if not name:
        raise MappingTypeError("Name the lookup table.")
    return name


READERS: dict[str, Callable[[Any, MappingContext], Any]] = {
    "text": _read_text,
    "number": _read_number,
    "fixed_number": _read_fixed_number,
    "whole": _read_whole,
    "date": day_of,
    "yes_no": _read_yes_no,
    "list": _read_list,
    "choices": _read_choices,
    "pattern": _read_pattern,
    "item": _read_item,
    "items": _read_list,
    "field": _read_text,
    "moment": _read_moment,
    "lookup": _read_item,
    "table": _read_table,
    "existence": lambda value, context: value,
}
