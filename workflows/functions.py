"""The functions a mapping can use after a pipe: `{{ trigger.title | upper }}`.

Adding one is a typed Python function under `@function`: its docstring is the summary, its annotations say how the
value and the arguments are read (str, Decimal, int, date, datetime, list, Any), `context` receives the organisation's
time zone and today. The picker, the documentation and the tests read the same declaration; each example is run by a
test. Functions are pure, return plain data and never more than the limits of `values` allow.
"""

import re
from calendar import monthrange
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from difflib import get_close_matches
from typing import Any
from urllib.parse import parse_qs, urlsplit

import simplejson

from workflows import dates
from workflows.signatures import FUNCTIONS, Function, Parameter, function
from workflows.values import (
    CALCULATION,
    ITEMS_LIMIT,
    TEXT_LIMIT,
    MappingContext,
    MappingLimitError,
    MappingSyntaxError,
    MappingTypeError,
    MissingPathError,
    bounded,
    day_of,
    exact,
    is_empty,
    kind_of,
    shown,
    text_of,
)

__all__ = ["FUNCTIONS", "Function", "Parameter", "find", "function", "read_number"]


def find(name: str) -> Function:
    """The function of this name, or a MappingSyntaxError that suggests near ones."""
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    near = get_close_matches(name[:40], FUNCTIONS, n=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(sorted(FUNCTIONS))}."
    raise MappingSyntaxError(f'There is no function called "{name[:40]}". {hint}')


@function(kind="any", label="Default", example="{{ trigger.note | default('None given') }}", result="None given")
def default(value: Any, fallback: Any) -> Any:
    """Uses another value when this one is missing, null or empty. Zero and no are values and stay."""
    return fallback if is_empty(value) else value


@function(kind="any", label="Length", example='{{ "Oak table" | length }}', result=9)
def length(value: Any) -> int:
    """Counts the characters of a text or the items of a list."""
    if kind_of(value) not in ("text", "list", "table"):
        raise MappingTypeError(f"A text or a list is needed here, but {shown(value)} is neither.")
    return len(value)


@function(kind="any", label="As JSON", example='{{ ["oak", 12.50] | json }}', result='["oak",12.50]')
def json(value: Any) -> str:
    """Writes a value as JSON, a text with its quotes, to be put into a body of JSON."""
    return simplejson.dumps(value, use_decimal=True, ensure_ascii=False, separators=(",", ":"), default=str)


@function(kind="text", label="As text", example='{{ 12.50 | text ~ " GBP" }}', result="12.50 GBP")
def text(value: str) -> str:
    """Turns a number, date or yes/no into text."""
    return value


@function(kind="text", label="Upper case", example='{{ "Oak table" | upper }}', result="OAK TABLE")
def upper(value: str) -> str:
    """Writes everything in capitals."""
    return value.upper()


@function(kind="text", label="Lower case", example='{{ "Oak Table" | lower }}', result="oak table")
def lower(value: str) -> str:
    """Writes everything in small letters."""
    return value.lower()


@function(kind="text", label="Title Case", example='{{ "it\'s an oak table" | title }}', result="It's An Oak Table")
def title(value: str) -> str:
    """Starts every word with a capital and writes the rest small."""
    return re.sub(r"\S+", lambda word: word[0][:1].upper() + word[0][1:].lower(), value)


@function(kind="text", label="Trim", example='{{ "  Oak table " | trim }}', result="Oak table")
def trim(value: str) -> str:
    """Removes spaces and line breaks at both ends."""
    return value.strip()


@function(kind="text", label="Replace", example='{{ "INV-001" | replace("INV", "PIN") }}', result="PIN-001")
def replace(value: str, old: str, new: str) -> str:
    """Replaces a piece of text wherever it occurs."""
    if not old:
        raise MappingTypeError("The text to be replaced is empty.")
    if len(value) + value.count(old) * (len(new) - len(old)) > TEXT_LIMIT:
        raise MappingLimitError(f"The text would be longer than {TEXT_LIMIT:,} characters.")
    return value.replace(old, new)


@function(kind="text", label="Shorten", example='{{ "A long oak table" | truncate(7) }}', result="A long…")
def truncate(value: str, length: int, ending: str = "…") -> str:
    """Cuts a text to at most so many characters, the ending included; shorter texts stay as they are."""
    if length < 0:
        raise MappingTypeError(f"The length is {length}, but cannot be below 0.")
    if len(value) <= length:
        return value
    return (value[: max(length - len(ending), 0)].rstrip() + ending)[:length]


@function(kind="text", label="Split", example='{{ "oak, table" | split(", ") }}', result=["oak", "table"])
def split(value: str, separator: str = ",") -> list[str]:
    """Cuts a text into a list wherever the separator stands."""
    if not separator:
        raise MappingTypeError("The separator is empty.")
    if value.count(separator) >= ITEMS_LIMIT:
        raise MappingLimitError(f"The list would have more than {ITEMS_LIMIT:,} items.")
    return value.split(separator)


@function(
    kind="text",
    label="Part of a link",
    example='{{ "https://shop.example/oak?size=l" | url_part("host") }}',
    result="shop.example",
)
def url_part(value: str, part: str, name: str = "") -> str:
    """One part of a web address: scheme, host, path, last (of the path) or query (with the name of a field)."""
    try:
        url = urlsplit(value.strip())
        parts = {
            "scheme": url.scheme,
            "host": url.hostname or "",
            "path": url.path,
            "last": url.path.rstrip("/").rpartition("/")[2],
            "query": (parse_qs(url.query, max_num_fields=100).get(name) or [""])[0] if name else url.query,
        }
    except ValueError as error:
        raise MappingTypeError(f"{shown(value)} is not a web address.") from error
    if part not in parts:
        raise MappingTypeError(f"There is no part {shown(part)}. There are: {', '.join(parts)}.")
    return parts[part]


_DIGITS = re.compile(r"[+-]?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\.[0-9]+)?|[+-]?\.[0-9]+")
_NUMBER_LIKE = re.compile(r"(?:(?<!\S)-)?(?<![0-9.,])[0-9][0-9.,]*")  # the hyphen of "INV-7" is no minus


def read_number(value: object, decimal: str = ".") -> Decimal:
    """A number from text such as "1,234.56"; `decimal` says which of . and , is the decimal mark."""
    if kind_of(value) == "number":
        return exact(value)
    if decimal not in (".", ","):
        raise MappingTypeError(f'The decimal mark is "." or ",", not {shown(decimal)}.')
    written = text_of(value).strip() if kind_of(value) in ("text", "nothing") else ""
    swapped = written if decimal == "." else written.translate({ord("."): ",", ord(","): "."})
    if len(written) > 100 or not _DIGITS.fullmatch(swapped):
        raise MappingTypeError(f"{shown(value)} is not a number.")
    return bounded(Decimal(swapped.replace(",", "")))


@function(kind="number", label="Read a number", example='{{ "1,234.56" | number }}', result=Decimal("1234.56"))
def number(value: Any, decimal: str = ".") -> Decimal:
    """Reads a number from text. For 1.234,56 write number(","). Anything beside the number is an error."""
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


_MODES = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN, "up": ROUND_UP, "down": ROUND_DOWN}


@function(kind="number", label="Round", example="{{ 2.675 | round(2) }}", result=Decimal("2.68"))
def round_(value: Decimal, places: int = 0, mode: str = "half_up") -> Decimal:
    """Rounds to so many decimal places, halves away from zero. Other modes: half_even, up, down."""
    if mode not in _MODES:
        raise MappingTypeError(f"There is no rounding mode {shown(mode)}. There are: {', '.join(_MODES)}.")
    if not 0 <= places <= 20:
        raise MappingTypeError(f"The number of decimal places is 0 to 20, not {places}.")
    return value.quantize(Decimal(1).scaleb(-places), rounding=_MODES[mode], context=CALCULATION)


@function(kind="date", label="Read a date", example='{{ "23/11/2026" | to_date("D/M/YYYY") }}', result="2026-11-23")
def to_date(value: Any, format: str = "", *, context: MappingContext) -> date:
    """Reads a date: a moment becomes the organisation's day, text is read as YYYY-MM-DD or by the format."""
    if format and kind_of(value) == "text":
        return dates.read(text_of(value), format)
    return day_of(value, context)


@function(
    kind="date", label="Write a date", example='{{ "2026-11-23" | format_date("D MMM YYYY") }}', result="23 Nov 2026"
)
def format_date(value: datetime, format: str = "YYYY-MM-DD") -> str:
    """Writes a date by a format of YYYY YY MMMM MMM MM M DD D dddd ddd Q, and HH H hh h mm ss A for times."""
    return dates.write(value, format)


@function(kind="date", label="Add days", example='{{ "2026-11-23" | add_days(30) }}', result="2026-12-23")
def add_days(value: date, days: int) -> date:
    """Moves a date by so many days; a number below 0 goes back."""
    return value + timedelta(days=days)


@function(
    kind="date", label="Add working days", example='{{ "2026-11-27" | add_working_days(1) }}', result="2026-11-30"
)
def add_working_days(value: date, days: int) -> date:
    """Moves a date by so many days, counting Monday to Friday only."""
    step = 1 if days > 0 else -1
    while days and value.weekday() >= 5:  # a weekend counts as the working day it follows, or precedes when going back
        value -= timedelta(days=step)
    weeks, rest = divmod(abs(days), 5)
    value += timedelta(days=step * 7 * weeks)
    for _ in range(rest):
        value += timedelta(days=step)
        while value.weekday() >= 5:
            value += timedelta(days=step)
    return value


@function(kind="date", label="Add months", example='{{ "2026-01-31" | add_months(1) }}', result="2026-02-28")
def add_months(value: date, months: int) -> date:
    """Moves a date by so many months; where the day does not exist, it is the last of the month."""
    return _shifted(value, months)


@function(kind="date", label="Add years", example='{{ "2028-02-29" | add_years(1) }}', result="2029-02-28")
def add_years(value: date, years: int) -> date:
    """Moves a date by so many years; 29 February becomes the 28th where it does not exist."""
    return _shifted(value, years * 12)


@function(kind="date", label="First of the month", example='{{ "2026-11-23" | start_of_month }}', result="2026-11-01")
def start_of_month(value: date) -> date:
    """The first day of the month."""
    return value.replace(day=1)


@function(kind="date", label="Last of the month", example='{{ "2026-11-23" | end_of_month }}', result="2026-11-30")
def end_of_month(value: date) -> date:
    """The last day of the month."""
    return value.replace(day=monthrange(value.year, value.month)[1])


@function(kind="date", label="Days until", example='{{ "2026-11-23" | days_between("2026-12-25") }}', result=32)
def days_between(value: date, end: date) -> int:
    """How many days from this date to another; below 0 when the other is earlier."""
    return (end - value).days


def _shifted(value: date, months: int) -> date:
    count = value.year * 12 + value.month - 1 + months
    if not 12 <= count < 120_000:
        raise OverflowError
    year, month = divmod(count, 12)
    return value.replace(year=year, month=month + 1, day=min(value.day, monthrange(year, month + 1)[1]))


@function(kind="list", label="Join", example='{{ ["oak", "table"] | join(", ") }}', result="oak, table")
def join(value: list, separator: str = ", ") -> str:
    """Writes the items of a list into one text with a separator between them."""
    if len(value) * len(separator) > TEXT_LIMIT:
        raise MappingLimitError(f"The text would be longer than {TEXT_LIMIT:,} characters.")
    written, size = [], 0
    for item in value:
        written.append(text_of(item))
        size += len(written[-1])
        if size > TEXT_LIMIT:
            raise MappingLimitError(f"The text would be longer than {TEXT_LIMIT:,} characters.")
    return separator.join(written)


@function(kind="list", label="First item", example='{{ ["oak", "table"] | first }}', result="oak")
def first(value: list) -> Any:
    """The first item of a list. An empty list is an error unless a default is given."""
    return _item(value, 0)


@function(kind="list", label="Last item", example='{{ ["oak", "table"] | last }}', result="table")
def last(value: list) -> Any:
    """The last item of a list. An empty list is an error unless a default is given."""
    return _item(value, -1)


def _item(items: list[Any], index: int) -> Any:
    if not items:
        raise MissingPathError("The list is empty, so it has no such item.")
    return items[index]
