"""Plain data and its conversions: the basis of mappings and conditions.

Data is what JSON can hold (text, number, yes/no, null, list, table of named fields) plus dates while an expression is
evaluated. Three promises hold everywhere in the mapping language:

- Numbers are Decimal or int. A float in the data is read by its shortest decimal spelling, and none ever comes out.
- Nothing but plain data is touched: a value of any other type is refused by its type, without reading it.
- Numbers, texts and lists have limits, so that no expression can take more than a moment or a few megabytes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from integrations.core import moments

TEXT_LIMIT = 100_000  # characters in one text
TOTAL_TEXT_LIMIT = 1_000_000  # characters in all texts of one result
ITEMS_LIMIT = 20_000  # values in one result
DATA_DEPTH_LIMIT = 30  # lists within lists
WHOLE_DIGITS = 30  # digits before the decimal point
DECIMALS = 40  # digits after it

_EXACT = Context(prec=WHOLE_DIGITS + DECIMALS, traps=[InvalidOperation, Overflow, Inexact])
CALCULATION = Context(
    prec=WHOLE_DIGITS + DECIMALS, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, Overflow, DivisionByZero]
)
#: Quotients: to 28 significant digits.
DIVISION = Context(prec=28, traps=[InvalidOperation, DivisionByZero])

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # what neither UTF-8 nor PostgreSQL can hold


class MappingError(Exception):
    """Something is wrong with a mapping or its data; `message` is a sentence for people."""

    def __init__(self, message: str, *, source: str | None = None, path: str | None = None) -> None:
        message = _UNSTORABLE.sub("�", message)
        super().__init__(message)
        self.message = message
        self.source = source
        self.path = path
        #: The label of the function that refused a value, which the message begins with.
        self.function = ""

    def __str__(self) -> str:
        return self.message


class MappingSyntaxError(MappingError):
    """The mapping cannot be read: it has to be rewritten, whatever the data."""


class MissingPathError(MappingError):
    """A referenced value is not in the data and no default is given."""


class MappingTypeError(MappingError):
    """A value is of a kind that cannot be used in this place."""


class MappingLimitError(MappingError):
    """A number, text, list or expression is larger than the language allows."""


class Tables(Protocol):
    """Lookup tables as expressions use them: from the table's name and a value to the row, the key's column first.

    None if there is no such row, a MappingError if there is no such table. `used` holds the version of each table
    that was used.
    """

    used: dict[str, int]

    def __call__(self, name: str, value: Any, /) -> dict[str, Any] | None: ...


@dataclass(frozen=True)
class MappingContext:
    """What an expression may know besides its data: the organisation's time zone, today, lock dates and settings.

    `currency` is a code such as GBP, empty if unknown; `year_end` the month and day on which its financial year ends;
    `tables` its lookup tables, None if unavailable; `deadline` the moment of the machine's steady clock
    (`time.monotonic`) by which every evaluation with it must be done, None if there is none.
    """

    timezone: str = "UTC"
    today: date | None = None
    lock_dates: tuple[date, ...] = ()
    currency: str = ""
    year_end: tuple[int, int] | None = None
    tables: Tables | None = field(default=None, compare=False)
    deadline: float | None = field(default=None, compare=False)


_KINDS: tuple[tuple[type, str], ...] = (
    (str, "text"),
    (bool, "yes_no"),
    (int, "number"),
    (Decimal, "number"),
    (float, "number"),
    (type(None), "nothing"),
    (dict, "table"),
    (list, "list"),
    (tuple, "list"),
    (datetime, "date"),
    (date, "date"),
)
_EXACT_KINDS = dict(_KINDS)

KIND_NAMES = {
    "text": "text",
    "yes_no": "yes or no",
    "number": "a number",
    "nothing": "empty",
    "table": "a group of fields",
    "list": "a list",
    "date": "a date",
}


def kind_of(value: Any) -> str:
    """One of text, number, yes_no, nothing, table, list, date.

    Asks for the type only: `isinstance` would read `__class__` from objects that are not plain data.
    """
    kind = _EXACT_KINDS.get(type(value))
    if kind is not None:
        return kind
    for base, name in _KINDS:
        if issubclass(type(value), base):
            return name
    raise MappingTypeError("The data holds something that is not plain data here, so it cannot be used in a mapping.")


def shown(value: Any) -> str:
    """A value as a message shows it: short, quoted when it is text."""
    kind = kind_of(value)
    if kind == "text":
        text = str.__str__(value)
        return f'"{text[:57]}…"' if len(text) > 60 else f'"{text}"'
    if kind == "list":
        return f"a list of {len(value)}"
    if kind in ("table", "nothing"):
        return KIND_NAMES[kind]
    if kind == "number":
        try:
            return text_of(value)
        except MappingError:
            return "a number out of range"
    return text_of(value)


def exact(value: Any) -> Decimal:
    """The number as a Decimal within the limits; text and yes/no are not numbers."""
    if kind_of(value) != "number":
        hint = " Add | number right behind it, in brackets: (… | number)." if kind_of(value) == "text" else ""
        raise MappingTypeError(f"A number is needed here, but {shown(value)} is not one.{hint}")
    if isinstance(value, float):
        return bounded(Decimal(float.__repr__(value)))
    if isinstance(value, int) and int.bit_length(value) > 4 * WHOLE_DIGITS:
        raise _too_large()
    return bounded(Decimal(value))


def bounded(number: Decimal) -> Decimal:
    """The same number without exponent or negative zero; refuses what is out of range."""
    if not number.is_finite():
        raise MappingTypeError("A number is needed here, but the value is not a finite number.")
    if not number.is_zero() and number.adjusted() >= WHOLE_DIGITS:
        raise _too_large()
    try:
        number = _EXACT.plus(number)
    except (Inexact, InvalidOperation, Overflow) as error:
        raise MappingLimitError(f"A number has more than {_EXACT.prec} digits. Round it first.") from error
    exponent = int(number.as_tuple().exponent)
    if number.is_zero() and not -DECIMALS <= exponent <= 0:
        return Decimal(0)
    if exponent < -DECIMALS:
        raise MappingLimitError(f"A number has more than {DECIMALS} digits after the decimal point. Round it first.")
    return number.quantize(Decimal(1), context=_EXACT) if exponent > 0 else number


def calculated(number: Decimal) -> Decimal:
    """The result of a calculation, within the limits; digits beyond the last decimal place are rounded off."""
    if number.is_finite() and int(number.as_tuple().exponent) < -DECIMALS:
        number = number.quantize(Decimal(1).scaleb(-DECIMALS), context=CALCULATION)
    return bounded(number)


def _too_large() -> MappingLimitError:
    return MappingLimitError(f"A number has more than {WHOLE_DIGITS} digits before the decimal point.")


def text_of(value: Any) -> str:
    """The value as part of a text: null as an empty text, numbers plainly, dates as YYYY-MM-DD."""
    kind = kind_of(value)
    if kind == "text":
        return within_text_limit(str.__str__(value))
    if kind == "nothing":
        return ""
    if kind == "yes_no":
        return "true" if value else "false"
    if kind == "number":
        return format(exact(value), "f")
    if isinstance(value, date):
        return value.isoformat()
    if kind == "list":
        raise MappingTypeError(
            'A list cannot stand in a text. Join it with | join(", "), or pick one item with | first or | last.'
        )
    raise MappingTypeError(f"A group of fields cannot stand in a text. Pick one of them: {keys_of(value)}.")


def is_storable(text: str) -> bool:
    return "\x00" not in text and (text.isascii() or _UNSTORABLE.search(text) is None)


def within_text_limit(text: str) -> str:
    if len(text) > TEXT_LIMIT:
        raise MappingLimitError(f"A text is longer than {TEXT_LIMIT:,} characters.")
    return text


def keys_of(table: Any) -> str:
    """The names of a table's fields for a message: at most 20, sorted."""
    names = sorted(str.__str__(key)[:40] for key in dict.keys(table) if isinstance(key, str))
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(names[:20]) + more if names else "nothing"


def is_empty(value: Any) -> bool:
    """Null, empty text, empty list or empty table. Zero and no are values."""
    return kind_of(value) in ("nothing", "text", "list", "table") and not value


def equal(left: Any, right: Any) -> bool:
    """Equal in kind and content; 1 and 1.0 are the same number, true is not 1. Both sides are plain results."""
    kinds = kind_of(left), kind_of(right)
    if kinds[0] != kinds[1]:
        return False
    if kinds[0] == "number":
        return exact(left) == exact(right)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(equal(*pair) for pair in zip(left, right, strict=True))
    if kinds[0] == "date":
        return text_of(left) == text_of(right)
    return left == right


def plain(value: Any, *, times: int = 1) -> Any:
    """A deep copy as JSON-able data: no floats, dates as text, storable characters only, within the limits of one
    result, or `times` as much for the list of a loop."""
    return _Copier(times).copy(value, 0)


class _Copier:
    def __init__(self, times: int) -> None:
        self.most_items, self.most_characters = times * ITEMS_LIMIT, times * TOTAL_TEXT_LIMIT
        self.items = 0
        self.characters = 0

    def copy(self, value: Any, depth: int) -> Any:
        self.items += 1
        if self.items > self.most_items:
            raise MappingLimitError(f"The result holds more than {self.most_items:,} values.")
        if depth > DATA_DEPTH_LIMIT:
            raise MappingLimitError(f"The result is nested more than {DATA_DEPTH_LIMIT} levels deep.")
        kind = kind_of(value)
        if kind == "text":
            return self.text(text_of(value))
        if kind == "number":
            number = exact(value)
            return int(number) if isinstance(value, int) else number
        if kind == "list":
            return [self.copy(item, depth + 1) for item in value]
        if kind == "table":
            return {self.key(key): self.copy(item, depth + 1) for key, item in dict.items(value)}
        return value if kind in ("nothing", "yes_no") else text_of(value)

    def key(self, key: Any) -> str:
        if kind_of(key) != "text":
            raise MappingTypeError("A group of fields has a field whose name is not text.")
        return self.text(text_of(key))

    def text(self, text: str) -> str:
        self.characters += len(text)
        if self.characters > self.most_characters:
            raise MappingLimitError(f"The result holds more than {self.most_characters:,} characters.")
        if not is_storable(text):
            raise MappingTypeError(f"The text {text[:40]!a} holds a character that cannot be stored.")
        return text


_DAY_WORDS = {"yesterday": -1, "today": 0, "tomorrow": 1}


def zone_of(context: MappingContext) -> tzinfo:
    try:
        return ZoneInfo(context.timezone)
    except (KeyError, ValueError, OSError) as error:
        raise MappingTypeError(f"There is no time zone called {shown(context.timezone)}.") from error


def today(context: MappingContext) -> date:
    return context.today or datetime.now(zone_of(context)).date()


def moment_of(value: Any, context: MappingContext) -> date | datetime:
    """A date, or a date with time on the organisation's clock. A time without a zone is taken as it is."""
    if isinstance(value, datetime):
        return _local(value, context)
    if isinstance(value, date):
        return value
    if kind_of(value) not in ("text", "number"):
        raise MappingTypeError(f"A date is needed here, but {shown(value)} is not one.")
    word = str.__str__(value).strip().lower() if kind_of(value) == "text" and len(value) < 60 else ""
    if word in _DAY_WORDS:
        return today(context) + timedelta(days=_DAY_WORDS[word])
    try:
        found = moments.read(exact(value) if isinstance(value, float) else value)
    except ValueError as error:
        raise MappingTypeError(f"{shown(value)} is not a date that exists.") from error
    if found is not None:
        return _local(found, context) if isinstance(found, datetime) else found
    raise MappingTypeError(
        f"A date is needed here, but {shown(value)} is not one. "
        'Write YYYY-MM-DD, or name the format: | to_date("D/M/YYYY").'
    )


def day_of(value: Any, context: MappingContext) -> date:
    """The day, on the organisation's calendar if the value is a moment with a zone."""
    moment = moment_of(value, context)
    return moment.date() if isinstance(moment, datetime) else moment


def _local(value: datetime, context: MappingContext) -> datetime:
    if value.tzinfo is None:
        return value
    try:
        return value.astimezone(zone_of(context))
    except OverflowError as error:
        raise MappingTypeError("A date is outside the years 1 to 9999.") from error


def row_of(name: str, value: Any, context: MappingContext) -> dict[str, Any] | None:
    """The row of a lookup table, None if there is none; an error if no lookup tables are available."""
    if context.tables is None:
        raise MappingTypeError("Lookup tables cannot be asked here.")
    return context.tables(name, value)


def field_of(value: Any, key: str | int, path: str) -> Any:
    """The value at a dict key or a list index; `path` names where `value` was found."""
    kind = kind_of(value)
    full = f"{path}.{key}"
    if kind == "table":
        for name in (key, str(key)):
            if dict.__contains__(value, name):
                return _checked(dict.__getitem__(value, name))
        raise MissingPathError(f'There is no "{key}" in {path}. It has: {keys_of(value)}.', path=full)
    if kind == "list":
        count = len(value)
        index = int(key) if isinstance(key, int) or (key.isdecimal() and key.isascii() and len(key) < 7) else None
        if index is not None and -count <= index < count:
            return _checked(value[index])
        held = f"items 0 to {count - 1}" if count else "no items"
        raise MissingPathError(f'There is no "{key}" in {path}. It is a list with {held}.', path=full)
    what = "empty" if kind == "nothing" else KIND_NAMES[kind]
    raise MissingPathError(f'There is no "{key}" in {path}: it is {what}.', path=full)


def _checked(value: Any) -> Any:
    kind_of(value)
    return value


def root_of(data: Mapping[str, Any], name: str, roots: tuple[str, ...]) -> Any:
    """The data that an expression starts from: only the allowed names, whatever else the mapping holds."""
    if name in roots and name in data:
        return _checked(data[name])
    there = ", ".join(root for root in roots if root in data) or "nothing"
    raise MissingPathError(f'There is no "{name}". A reference starts with one of: {there}.', path=name)
