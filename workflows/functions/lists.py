"""Functions for lists, most of all for the lines of a document."""

from collections.abc import Callable
from typing import Any

from workflows.functions.number import read_number, within
from workflows.signatures import function
from workflows.values import (
    ITEMS_LIMIT,
    TEXT_LIMIT,
    MappingLimitError,
    MappingTypeError,
    MissingPathError,
    equal,
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
    found = []
    for position, item in enumerate(value, start=1):
        try:
            if _TESTS[test](_field(item, field), wanted):
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
    for item in value:
        key = _identity(plain(_field(item, field)))
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
    for item in value:
        key = _field(item, field)
        its = groups.setdefault(_identity(plain(key)), {"key": key, "count": 0, "items": []})
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
    """The same for values that are equal, usable as the key of a set."""
    kind = kind_of(value)
    if kind == "number":
        return kind, exact(value)
    if kind == "list":
        return kind, tuple(_identity(each) for each in value)
    if kind == "table":
        return kind, frozenset((key, _identity(each)) for key, each in value.items())
    return kind, value


def _is(found: Any, wanted: Any) -> bool:
    """Like with like: a number is compared as a number, texts without regard to capitals, null is an empty text."""
    if is_empty(found) or is_empty(wanted):
        return is_empty(found) and is_empty(wanted)
    kinds = {kind_of(found), kind_of(wanted)}
    if kinds == {"text"}:
        return text_of(found).casefold() == text_of(wanted).casefold()
    if kinds == {"text", "number"}:
        try:
            return read_number(found) == read_number(wanted)
        except MappingTypeError:
            return False
    return equal(plain(found), plain(wanted))


def _compared(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Numbers by size, a null never. Text that is a number counts as one."""
    return lambda found, wanted: not is_empty(found) and test(read_number(found), read_number(wanted))


def _choices(wanted: Any) -> list[Any]:
    if kind_of(wanted) == "list":
        return list(wanted)
    return [part.strip() for part in text_of(wanted).split(",")]


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "is": _is,
    "is not": lambda found, wanted: not _is(found, wanted),
    "is one of": lambda found, wanted: any(_is(found, each) for each in _choices(wanted)),
    "contains": lambda found, wanted: text_of(wanted).casefold() in text_of(found).casefold(),
    "more than": _compared(lambda a, b: a > b),
    "at least": _compared(lambda a, b: a >= b),
    "less than": _compared(lambda a, b: a < b),
    "at most": _compared(lambda a, b: a <= b),
    "is empty": lambda found, wanted: is_empty(found),
    "is not empty": lambda found, wanted: not is_empty(found),
}
