"""Functions for numbers. All of them calculate in Decimal."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any

from integrations.core import numbers
from workflows.language.number_formats import number_format
from workflows.language.signatures import function
from workflows.language.values import (
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


def read_number(value: object, decimal: str = "") -> Decimal:
    """The number a text is. `decimal` is its decimal mark, "." or ",", or a language such as "de"; "" if not given."""
    if kind_of(value) == "number":
        return exact(value)
    if kind_of(value) not in ("text", "nothing"):
        raise MappingTypeError(f"{shown(value)} is not a number.")
    style = _style(decimal)
    try:
        return bounded(numbers.read(text_of(value), style))
    except numbers.AmbiguousNumberError as error:
        raise MappingTypeError(f'{error.message} Name its decimal mark: | number(".") or | number(",").') from error
    except numbers.NumberError as error:
        raise MappingTypeError(f"{shown(value)} is not a number.") from error


def _style(decimal: str) -> numbers.Style:
    if decimal in ("", ".", ","):
        return numbers.style_of(decimal)
    mark = number_format(decimal)
    return numbers.Style(mark.decimal, mark.groups, takes_lakhs=decimal.lower() in ("en-in", "en_in"))


@function(kind="number", label="Read a number", example='{{ "1.234,56" | number(",") }}', result=Decimal("1234.56"))
def number(value: Any, decimal: str = "") -> Decimal:
    """Reads a number from text, with or without a currency. For 1,234 name the decimal mark, ".", or a language: "de".

    Below zero is what has a minus before or behind, or stands in parentheses. Without a named mark, what can be read
    in two ways is an error; so is anything else beside the number.
    """
    return read_number(value, decimal)


@function(
    kind="number",
    label="Find a number",
    example='{{ "Oak table £1,299.00" | extract_number }}',
    result=Decimal("1299.00"),
)
def extract_number(value: str, decimal: str = "") -> Decimal:
    """Takes the first number with its sign out of a text. Without one, that is an error unless a default is given.

    A number that can be read in two ways, such as £2,500, is an error too: name the decimal mark, "." or ",".
    """
    try:
        found = numbers.find(value, _style(decimal))
    except numbers.AmbiguousNumberError as error:
        hint = "" if decimal else ' Name its decimal mark: | extract_number(".") or | extract_number(",").'
        raise MappingTypeError(f"{error.message}{hint}") from error
    except numbers.NumberError as error:
        raise MappingTypeError(error.message) from error
    if found is None:
        raise MissingPathError(f"There is no number in {shown(value)}.")
    return bounded(found)


@function(kind="number", label="Write a number", example='{{ 1234.5 | format_number(2, "de") }}', result="1.234,50")
def format_number(value: Decimal, places: int = 2, style: str = "en") -> str:
    """Writes a number with so many decimal places as a language does. It is rounded, halves away from zero."""
    mark = number_format(style)
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
    """The items' numbers; text such as "1,234.56" counts as one. An item without a number is an error that names it."""
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
    """The value of an item's field; a path such as "account.code" goes deeper."""
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
