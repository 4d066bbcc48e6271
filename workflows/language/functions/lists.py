"""Functions for lists, mainly for the lines of a document."""

from collections.abc import Callable
from typing import Any

from workflows.language.functions.number import read_number, within
from workflows.language.signatures import function
from workflows.language.values import (
    ITEMS_LIMIT,
    TEXT_LIMIT,
    MappingLimitError,
    MappingTypeError,
    MissingPathError,
    exact,
    is_empty,
    kind_of,
    plain,
    shown,
    text_of,
)


@function(kind="list", label="Count", example="{{ trigger.lines | count }}", result=2)
def count(value: list) -> int:
    """How many items a list has."""
    return len(value)


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


@function(kind="list", label="First items", example='{{ ["oak", "ash", "elm"] | take(2) }}', result=["oak", "ash"])
def take(value: list, length: int) -> list:
    """So many items from the beginning of a list; below 0, from its end."""
    return value[:length] if length >= 0 else value[length:]


@function(kind="list", label="Reverse", example='{{ ["oak", "ash"] | reverse }}', result=["ash", "oak"])
def reverse(value: list) -> list:
    """The items of a list from the last to the first."""
    return value[::-1]


@function(
    kind="list", label="One field of each", example='{{ trigger.lines | pluck("sku") }}', result=["OAK-1", "ASH-2"]
)
def pluck(value: list, field: str) -> list:
    """What stands in one field of each item, "account.code" for a field further in. Null where an item has none."""
    return [_field(item, field) for item in value]


@function(
    kind="list",
    label="Filter",
    example='{{ trigger.lines | filter("amount", "at least", 100) | pluck("sku") }}',
    result=["OAK-1"],
)
def filter_(value: list, field: str, test: str = "is not empty", wanted: Any = None) -> list:
    """The items whose field passes a test: is, is not, is one of, contains, more than, at least, less than, at most,
    is empty, is not empty. Without a field ("") the items themselves are tested.
    """
    if test not in _TESTS:
        raise MappingTypeError(f"There is no test {shown(test)}. There are: {', '.join(_TESTS)}.")
    passes = _TESTS[test](wanted)
    found = []
    for position, item in enumerate(value, start=1):
        try:
            if passes(_field(item, field)):
                found.append(item)
        except MappingTypeError as error:
            error.message = f"Item {position}: {error.message}"
            raise
    return found


@function(
    kind="list",
    label="Sort",
    example='{{ trigger.lines | sort("amount") | pluck("sku") }}',
    result=["ASH-2", "OAK-1"],
)
def sort(value: list, field: str = "", descending: bool = False) -> list:
    """Puts items in order, by themselves or by a field. Capitals do not matter; items without the field come last."""
    keyed = [(_field(item, field), item) for item in value]
    there = [pair for pair in keyed if not is_empty(pair[0])]
    kinds = {kind_of(key) for key, _ in there}
    if len(kinds) > 1 or kinds & {"list", "table"}:
        raise MappingTypeError("Texts, numbers and lists cannot be put in one order. Name a field that holds one kind.")
    order: Callable[[Any], Any] = exact if kinds == {"number"} else lambda key: (text_of(key).casefold(), text_of(key))
    ordered = sorted(there, key=lambda pair: order(pair[0]), reverse=descending)
    return [item for _, item in ordered] + [item for key, item in keyed if is_empty(key)]


@function(kind="list", label="Without repeats", example='{{ ["oak", "ash", "oak"] | unique }}', result=["oak", "ash"])
def unique(value: list, field: str = "") -> list:
    """The items of a list without those that came before, compared by themselves or by a field."""
    seen = set()
    found = []
    for item in plain(value):
        key = _identity(_field(item, field))
        if key not in seen:
            seen.add(key)
            found.append(item)
    return found


@function(
    kind="list",
    label="Group",
    example='{{ trigger.lines | group("account") | pluck("key") }}',
    result=["200", "205"],
)
def group(value: list, field: str) -> list:
    """Puts together the items with the same value in a field: a list of groups with `key`, `count` and `items`."""
    groups: dict[Any, dict[str, Any]] = {}
    for item in plain(value):
        key = _field(item, field)
        its = groups.setdefault(_identity(key), {"key": key, "count": 0, "items": []})
        its["items"].append(item)
        its["count"] += 1
    return list(groups.values())


@function(
    kind="list",
    label="Lists to rows",
    example='{{ [["Oak", "Ash"], [120, 80], "200"] | zip("description, amount, account") }}',
    result=[
        {"description": "Oak", "amount": 120, "account": "200"},
        {"description": "Ash", "amount": 80, "account": "200"},
    ],
)
def zip_(value: list, fields: Any) -> list:
    """Makes rows of lists that belong together, as for line items: the first items make the first row, and so on.

    Name the fields in the same order. What is no list stands in every row. Lists of different lengths are an error.
    """
    names = [name.strip() for name in text_of(fields).split(",")] if kind_of(fields) == "text" else list(fields or [])
    if any(kind_of(name) != "text" or not name for name in names) or len(set(names)) != len(names):
        raise MappingTypeError("Every field needs a name of its own.")
    if len(names) != len(value):
        raise MappingTypeError(f"There are {len(value)} lists, but {len(names)} names of fields.")
    lengths = {len(each) for each in value if kind_of(each) == "list"}
    if not lengths:
        raise MappingTypeError("At least one of the values has to be a list.")
    if len(lengths) > 1:
        counts = ", ".join(str(length) for length in sorted(lengths))
        raise MappingTypeError(f"The lists differ in length ({counts}), so their items do not belong together.")
    rows = lengths.pop()
    if rows * len(names) > ITEMS_LIMIT:
        raise MappingLimitError(f"The rows would hold more than {ITEMS_LIMIT:,} values.")
    return [
        {name: each[row] if kind_of(each) == "list" else each for name, each in zip(names, value, strict=True)}
        for row in range(rows)
    ]


@function(
    kind="list", label="Flatten", example='{{ [["oak", "ash"], ["elm"]] | flatten }}', result=["oak", "ash", "elm"]
)
def flatten(value: list) -> list:
    """Puts the items of the lists within a list into one list; what is no list stays as it is."""
    found: list[Any] = []
    for each in value:
        found.extend(each if kind_of(each) == "list" else [each])
        if len(found) > ITEMS_LIMIT:
            raise MappingLimitError(f"The list would have more than {ITEMS_LIMIT:,} items.")
    return found


@function(
    kind="list", label="Put together", example='{{ ["oak"] | append(["ash", "elm"]) }}', result=["oak", "ash", "elm"]
)
def append(value: list, more: Any) -> list:
    """Puts another list, or a single value, at the end of a list."""
    return flatten([value, more if kind_of(more) == "list" else [more]])


def _item(items: list[Any], index: int) -> Any:
    if not items:
        raise MissingPathError("The list is empty, so it has no such item.")
    return items[index]


def _field(item: Any, field: str) -> Any:
    if not field:
        return item
    try:
        return within(item, field)
    except MissingPathError:
        return None


def _identity(value: Any) -> Any:
    """Equal for equal values, and hashable."""
    kind = kind_of(value)
    if kind == "number":
        return kind, exact(value)
    if kind == "list":
        return kind, tuple(_identity(each) for each in value)
    if kind == "table":
        return kind, frozenset((key, _identity(each)) for key, each in value.items())
    return kind, value


_Test = Callable[[Any], bool]


def _is(wanted: Any) -> _Test:
    return _is_one_of([wanted])


def _is_one_of(wanted: Any) -> _Test:
    """Like with like: a number is compared as a number, texts regardless of case, null is an empty text.

    The wanted values are prepared once, so that a long list of them costs no more per item than a short one.
    """
    values = list(wanted) if kind_of(wanted) == "list" else [part.strip() for part in text_of(wanted).split(",")]
    takes_nothing = any(is_empty(each) for each in values)
    ready = {_comparable(each) for each in values if not is_empty(each)}
    numbers = {number for each in values if (number := _as_number(each)) is not None}
    written = {number for each in values if kind_of(each) == "number" and (number := _as_number(each)) is not None}

    def test(found: Any) -> bool:
        if is_empty(found):
            return takes_nothing
        if _comparable(found) in ready:
            return True
        number = _as_number(found)
        return number is not None and number in (numbers if kind_of(found) == "number" else written)

    return test


def _comparable(value: Any) -> Any:
    kind = kind_of(value)
    if kind in ("list", "table"):
        raise MappingTypeError(f"{shown(value)} cannot be compared with a single value. Name a field within it.")
    if kind == "number":
        return kind, exact(value)
    return kind, text_of(value).casefold()


def _as_number(value: Any) -> Any:
    """The number, also read from text; None if it is not a number."""
    if kind_of(value) not in ("number", "text"):
        return None
    try:
        return read_number(value)
    except MappingTypeError:
        return None


def _contains(wanted: Any) -> _Test:
    piece = text_of(wanted).casefold()
    return lambda found: piece in text_of(found).casefold()


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[Any], _Test]:
    """Compares numbers by size; an empty value never matches. Text that is a number counts as one."""

    def ready(wanted: Any) -> _Test:
        limit = read_number(wanted)
        return lambda found: not is_empty(found) and compare(read_number(found), limit)

    return ready


def _not(test: _Test) -> _Test:
    return lambda found: not test(found)


_TESTS: dict[str, Callable[[Any], _Test]] = {
    "is": _is,
    "is not": lambda wanted: _not(_is(wanted)),
    "is one of": _is_one_of,
    "contains": _contains,
    "more than": _compared(lambda a, b: a > b),
    "at least": _compared(lambda a, b: a >= b),
    "less than": _compared(lambda a, b: a < b),
    "at most": _compared(lambda a, b: a <= b),
    "is empty": lambda wanted: is_empty,
    "is not empty": lambda wanted: _not(is_empty),
}
