"""Functions for numbers. All of them calculate in Decimal."""

import re
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any

from workflows.marks import marks
from workflows.signatures import function
from workflows.values import (
    CALCULATION,
    DIVISION,
    MappingTypeError,
    MissingPathError,
    bounded,
    calculated,
    exact,
    field_of,
    kind_of,
    shown,
    text_of,
)

_DIGITS = re.compile(r"[+-]?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\.[0-9]+)?|[+-]?\.[0-9]+")
_LAKHS = re.compile(r"[+-]?[0-9]{1,2}(,[0-9]{2})*,[0-9]{3}(\.[0-9]+)?")  # 12,34,567.89
# The hyphen of "INV-7" is no minus.
_NUMBER_LIKE = re.compile(r"(?:(?<!\S)-)?(?<![0-9.,])[0-9](?:[0-9.,]|['’\xa0\u202f](?=[0-9]{3}))*")


def read_number(value: object, decimal: str = ".") -> Decimal:
    """A number from text such as "1,234.56". `decimal` is the decimal mark, "." or ",", or a language such as "de"."""
    if kind_of(value) == "number":
        return exact(value)
    style = marks(decimal)
    written = text_of(value).strip() if kind_of(value) in ("text", "nothing") else ""
    plain = _in_english(written, style.decimal, style.groups) if len(written) <= 100 else ""
    if not _DIGITS.fullmatch(plain) and not (decimal.lower() in ("en-in", "en_in") and _LAKHS.fullmatch(plain)):
        raise MappingTypeError(f"{shown(value)} is not a number.")
    return bounded(Decimal(plain.replace(",", "")))


def _in_english(written: str, decimal: str, groups: tuple[str, ...]) -> str:
    """The text with a point as its decimal mark and commas between thousands; "" where it mixes separators."""
    used = {group for group in groups if group in written}
    if len(used) > 1:
        return ""
    foreign = {".", ","} - {decimal, *groups}
    if any(mark in written for mark in foreign):
        return ""
    table = {ord(group): "," for group in groups} | {ord(decimal): "."}
    return written.replace("\u2212", "-").translate(table)


@function(kind="number", label="Read a number", example='{{ "1.234,56" | number(",") }}', result=Decimal("1234.56"))
def number(value: Any, decimal: str = ".") -> Decimal:
    """Reads a number from text. For 1.234,56 name the decimal mark, ",", or a language: "de", "fr", "de-CH".

    Anything beside the number is an error.
    """
    return read_number(value, decimal)


@function(
    kind="number",
    label="Find a number",
    example='{{ "Oak table £1,299.00" | extract_number }}',
    result=Decimal("1299.00"),
)
def extract_number(value: str, decimal: str = ".") -> Decimal:
    """Takes the first number out of a text. When there is none, that is an error unless a default is given."""
    match = _NUMBER_LIKE.search(value)
    if not match:
        raise MissingPathError(f"There is no number in {shown(value)}.")
    return read_number(match[0].rstrip(".,"), decimal)


@function(kind="number", label="Write a number", example='{{ 1234.5 | format_number(2, "de") }}', result="1.234,50")
def format_number(value: Decimal, places: int = 2, style: str = "en") -> str:
    """Writes a number with so many decimal places as a language does. It is rounded, halves away from zero."""
    mark = marks(style)
    rounded = round_(value, places)
    sign, whole = ("-" if rounded < 0 else ""), f"{abs(rounded):f}"
    whole, _, fraction = whole.partition(".")
    return f"{sign}{int(whole):,}".replace(",", mark.group) + (f"{mark.decimal}{fraction}" if fraction else "")


_MODES = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN, "up": ROUND_UP, "down": ROUND_DOWN}


@function(kind="number", label="Round", example="{{ 2.675 | round(2) }}", result=Decimal("2.68"))
def round_(value: Decimal, places: int = 0, mode: str = "half_up") -> Decimal:
    """Rounds to so many decimal places, halves away from zero. Other modes: half_even, up, down."""
    if mode not in _MODES:
        raise MappingTypeError(f"There is no rounding mode {shown(mode)}. There are: {', '.join(_MODES)}.")
    if not 0 <= places <= 20:
        raise MappingTypeError(f"The number of decimal places is 0 to 20, not {places}.")
    return value.quantize(Decimal(1).scaleb(-places), rounding=_MODES[mode], context=CALCULATION)


@function(kind="number", label="Add", example="{{ 19.90 | add(5) }}", result=Decimal("24.90"))
def add(value: Decimal, other: Decimal) -> Decimal:
    """Adds another number; the same as +."""
    return calculated(CALCULATION.add(value, other))


@function(kind="number", label="Subtract", example="{{ 19.90 | subtract(5) }}", result=Decimal("14.90"))
def subtract(value: Decimal, other: Decimal) -> Decimal:
    """Takes another number away; the same as -."""
    return calculated(CALCULATION.subtract(value, other))


@function(kind="number", label="Multiply", example="{{ 19.90 | multiply(3) }}", result=Decimal("59.70"))
def multiply(value: Decimal, factor: Decimal) -> Decimal:
    """Multiplies by another number; the same as *."""
    return calculated(CALCULATION.multiply(value, factor))


@function(kind="number", label="Divide", example="{{ 59.70 | divide(3) }}", result=Decimal("19.9"))
def divide(value: Decimal, divisor: Decimal) -> Decimal:
    """Divides by another number, to 28 digits; the same as /. Round the outcome where it is money."""
    if not divisor:
        raise MappingTypeError(f"{shown(value)} cannot be divided by zero.")
    return calculated(DIVISION.divide(value, divisor))


@function(kind="number", label="Without sign", example="{{ -12.50 | absolute }}", result=Decimal("12.50"))
def absolute(value: Decimal) -> Decimal:
    """The number without its minus."""
    return abs(value)


@function(kind="number", label="Percent of it", example="{{ 250 | percent(20) }}", result=Decimal("50"))
def percent(value: Decimal, rate: Decimal) -> Decimal:
    """So many percent of a number. Round the outcome where it is money."""
    return calculated(CALCULATION.divide(CALCULATION.multiply(value, rate), Decimal(100)))


@function(kind="number", label="Its share in percent", example="{{ 50 | share_of(250) }}", result=Decimal("20"))
def share_of(value: Decimal, whole: Decimal) -> Decimal:
    """How many percent of the whole a number is."""
    if not whole:
        raise MappingTypeError("There is no share of zero.")
    return calculated(DIVISION.divide(CALCULATION.multiply(value, Decimal(100)), whole))


@function(kind="number", label="Smallest", example="{{ [12.50, 9.90, 40] | min }}", result=Decimal("9.90"))
def min_(value: Any, other: Any = None) -> Decimal:
    """The smallest number of a list, or of a number and another: `total | min(100)`."""
    return min(_numbers(value, other))


@function(kind="number", label="Largest", example="{{ [12.50, 9.90, 40] | max }}", result=Decimal("40"))
def max_(value: Any, other: Any = None) -> Decimal:
    """The largest number of a list, or of a number and another: `total | max(0)`."""
    return max(_numbers(value, other))


@function(kind="number", label="Sum", example='{{ trigger.lines | sum("amount") }}', result=Decimal("199.90"))
def sum_(value: list, field: str = "") -> Decimal:
    """Adds up the numbers of a list, or those in a field of its items. Each item must have one; none make 0."""
    total = Decimal(0)
    for each in amounts(value, field):
        total = calculated(CALCULATION.add(total, each))
    return total


@function(kind="number", label="Average", example="{{ [10, 20, 60] | average }}", result=Decimal("30"))
def average(value: list, field: str = "") -> Decimal:
    """The average of a list's numbers, or of those in a field of its items. An empty list has none."""
    if not value:
        raise MissingPathError("The list is empty, so it has no average.")
    return divide(sum_(value, field), Decimal(len(value)))


def amounts(items: list[Any], field: str) -> list[Decimal]:
    """The items' numbers; text such as "1,234.56" counts as one. An item without is an error that names it."""
    found = []
    for position, item in enumerate(items, start=1):
        try:
            amount = within(item, field) if field else item
            found.append(read_number(amount))
        except (MappingTypeError, MissingPathError) as error:
            error.message = f"Item {position}: {error.message}"
            raise
    return found


def within(item: Any, field: str) -> Any:
    """What stands in an item's field; a path such as "account.code" leads further in."""
    found = item
    for key in field.split("."):
        found = field_of(found, key, "the item")
    return found


def _numbers(value: Any, other: Any) -> list[Decimal]:
    numbers = amounts(list(value), "") if kind_of(value) == "list" else [exact(value)]
    if other is not None:
        numbers.append(exact(other))
    if not numbers:
        raise MissingPathError("The list is empty, so it has no such number.")
    return numbers
