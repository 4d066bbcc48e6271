"""The typed operators of conditions: what each is called, needs, means, and how it is said in plain English."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from workflows.functions import read_number
from workflows.patterns import compiled
from workflows.values import (
    CALCULATION,
    MappingContext,
    MappingTypeError,
    equal,
    exact,
    is_empty,
    kind_of,
    shown,
    text_of,
    today,
)


class _Missing:
    """Stands for a value that is not in the data; only the existence operators meet it."""

    def __repr__(self) -> str:
        return "not there"


MISSING = _Missing()


@dataclass(frozen=True)
class Sides:
    """What an operator compares: both sides, read as the operator's kind, and how to compare."""

    left: Any
    right: Any = None
    until: Any = None
    case_sensitive: bool = False
    context: MappingContext = field(default_factory=MappingContext)

    def fold(self, value: str) -> str:
        return value if self.case_sensitive else value.casefold()


@dataclass(frozen=True)
class Operator:
    """One comparison. `operands` counts the values to its right; `english` has {left}, {right} and {until}."""

    key: str
    label: str
    operands: int
    english: str
    summary: str
    right_kind: str = ""  # how the right side is read, one of readers.READERS
    test: Callable[[Sides], bool] = field(default=lambda sides: False, repr=False)


OPERATORS: dict[str, dict[str, Operator]] = {
    "text": {}, "number": {}, "date": {}, "yes_no": {}, "list": {}, "existence": {},
}  # fmt: skip
TYPE_LABELS = {
    "text": "Text",
    "number": "Number",
    "date": "Date",
    "yes_no": "Yes or no",
    "list": "List",
    "existence": "Is it there",
}


def _operator(
    type_: str,
    key: str,
    label: str,
    test: Callable[[Sides], bool],
    *,
    right: str | None = "",
    english: str = "",
    summary: str,
    operands: int = 1,
) -> None:
    """`right` names how the right side is read (default: as the type itself); None says there is no right side."""
    count = 0 if right is None else operands
    said = english or ("{left} " + label + (" {right}" if count else ""))
    OPERATORS[type_][key] = Operator(key, label, count, said, summary, right or type_, test)


def _negated(test: Callable[[Sides], bool]) -> Callable[[Sides], bool]:
    return lambda sides: not test(sides)


def _text_equals(sides: Sides) -> bool:
    return sides.fold(sides.left) == sides.fold(sides.right)


def _contains(sides: Sides) -> bool:
    return sides.fold(sides.right) in sides.fold(sides.left)


def _starts(sides: Sides) -> bool:
    return sides.fold(sides.left).startswith(sides.fold(sides.right))


def _ends(sides: Sides) -> bool:
    return sides.fold(sides.left).endswith(sides.fold(sides.right))


def _is_one_of(sides: Sides) -> bool:
    return sides.fold(sides.left) in {sides.fold(text_of(choice)) for choice in sides.right}


def _matches(sides: Sides) -> bool:
    return compiled(sides.right, sides.case_sensitive).search(sides.left) is not None


_EMAIL = re.compile(r"[^@\s\"(),:;<>\[\]\\]{1,64}@[^@\s.]{1,63}(\.[^@\s.]{1,63})+")


def _is_email(sides: Sides) -> bool:
    return len(sides.left) <= 254 and _EMAIL.fullmatch(sides.left) is not None


_operator("text", "equals", "is", _text_equals, summary="The whole text is the same.")
_operator("text", "not_equals", "is not", _negated(_text_equals), summary="The text differs.")
_operator("text", "contains", "contains", _contains, summary="The text has this piece in it.")
_operator("text", "not_contains", "does not contain", _negated(_contains), summary="The text does not have this piece.")
_operator("text", "starts_with", "starts with", _starts, summary="The text begins like this.")
_operator("text", "not_starts_with", "does not start with", _negated(_starts), summary="The text begins otherwise.")
_operator("text", "ends_with", "ends with", _ends, summary="The text ends like this.")
_operator("text", "not_ends_with", "does not end with", _negated(_ends), summary="The text ends otherwise.")
_operator("text", "is_in", "is one of", _is_one_of, right="choices", summary="The text is one of several values.")
_operator(
    "text", "not_in", "is none of", _negated(_is_one_of), right="choices", summary="The text is none of several values."
)
_operator(
    "text", "matches", "matches the pattern", _matches, right="pattern",
    summary="A regular expression (RE2 syntax) is found somewhere in the text.",
)  # fmt: skip
_operator(
    "text", "not_matches", "does not match the pattern", _negated(_matches), right="pattern",
    summary="A regular expression (RE2 syntax) is found nowhere in the text.",
)  # fmt: skip
_operator(
    "text", "is_email", "is an e-mail address", _is_email, right=None, summary="The text looks like an e-mail address."
)


_LENGTHS: tuple[tuple[str, str, Callable[[int, int], bool]], ...] = (
    ("length_equals", "exactly", lambda a, b: a == b),
    ("length_above", "more than", lambda a, b: a > b),
    ("length_at_least", "at least", lambda a, b: a >= b),
    ("length_below", "fewer than", lambda a, b: a < b),
    ("length_at_most", "at most", lambda a, b: a <= b),
)


def _length_operator(type_: str, unit: str, key: str, words: str, compare: Callable[[int, int], bool]) -> None:
    _operator(
        type_, key, f"has {words} so many {unit}", lambda sides: compare(len(sides.left), sides.right), right="whole",
        english=f"{{left}} has {words} {{right}} {unit}", summary=f"Counts the {unit}.",
    )  # fmt: skip


for _key, _words, _compare in _LENGTHS:
    _length_operator("text", "characters", _key, _words, _compare)
    _length_operator("list", "items", _key, _words, _compare)


def _between(sides: Sides) -> bool:
    if sides.right > sides.until:
        raise MappingTypeError(f"The first bound, {text_of(sides.right)}, is above the second, {text_of(sides.until)}.")
    return bool(sides.right <= sides.left <= sides.until)


def _divisible(sides: Sides) -> bool:
    if not sides.right:
        raise MappingTypeError("Nothing can be divided by zero.")
    return CALCULATION.remainder(sides.left, sides.right) == 0


_operator("number", "equals", "is", lambda s: s.left == s.right, summary="The same number; 1 and 1.00 are.")
_operator("number", "not_equals", "is not", lambda s: s.left != s.right, summary="A different number.")
_operator("number", "greater_than", "is more than", lambda s: s.left > s.right, summary="Larger, not equal.")
_operator("number", "at_least", "is at least", lambda s: s.left >= s.right, summary="Larger or equal.")
_operator("number", "less_than", "is less than", lambda s: s.left < s.right, summary="Smaller, not equal.")
_operator("number", "at_most", "is at most", lambda s: s.left <= s.right, summary="Smaller or equal.")
_operator(
    "number", "between", "is between", _between, operands=2,
    english="{left} is between {right} and {until}", summary="Within two bounds, both included.",
)  # fmt: skip
_operator(
    "number", "not_between", "is not between", _negated(_between), operands=2,
    english="{left} is not between {right} and {until}", summary="Outside two bounds.",
)  # fmt: skip
_operator(
    "number",
    "divisible_by",
    "is divisible by",
    _divisible,
    summary="Divides without remainder; decimals too: 0.3 by 0.1.",
)


def _in_last_days(sides: Sides) -> bool:
    return timedelta(0) <= today(sides.context) - sides.left <= timedelta(days=sides.right)


def _in_next_days(sides: Sides) -> bool:
    return timedelta(0) <= sides.left - today(sides.context) <= timedelta(days=sides.right)


def _is_locked(sides: Sides) -> bool:
    return any(sides.left <= lock_date for lock_date in sides.context.lock_dates)


def _same_month(sides: Sides) -> bool:
    left, right = sides.left, sides.right
    return isinstance(left, date) and (left.year, left.month) == (right.year, right.month)


_operator("date", "before", "is before", lambda s: s.left < s.right, summary="An earlier day.")
_operator("date", "after", "is after", lambda s: s.left > s.right, summary="A later day.")
_operator("date", "on", "is on", lambda s: s.left == s.right, summary="The same day.")
_operator("date", "on_or_before", "is on or before", lambda s: s.left <= s.right, summary="The same day or earlier.")
_operator("date", "on_or_after", "is on or after", lambda s: s.left >= s.right, summary="The same day or later.")
_operator(
    "date", "between", "is between", _between, operands=2,
    english="{left} is between {right} and {until}", summary="Within two days, both included.",
)  # fmt: skip
_operator(
    "date", "in_last_days", "is in the last days", _in_last_days, right="whole",
    english="{left} is in the last {right} days", summary="Today or up to so many days ago.",
)  # fmt: skip
_operator(
    "date", "in_next_days", "is in the next days", _in_next_days, right="whole",
    english="{left} is in the next {right} days", summary="Today or up to so many days ahead.",
)  # fmt: skip
_operator(
    "date",
    "is_weekend",
    "is on a weekend",
    lambda s: s.left.weekday() >= 5,
    right=None,
    summary="A Saturday or Sunday.",
)
_operator(
    "date", "in_locked_period", "is in a locked period", _is_locked, right=None,
    summary="On or before a lock date of the organisation.",
)  # fmt: skip
_operator("date", "same_month", "is in the same month as", _same_month, summary="The same month of the same year.")


_operator("yes_no", "is_true", "is yes", lambda s: s.left is True, right=None, summary="Yes or true.")
_operator("yes_no", "is_false", "is no", lambda s: s.left is False, right=None, summary="No or false.")


def _item_equals(sides: Sides, item: Any) -> bool:
    """Like with like: a number item is compared as a number, everything else as text."""
    _refuse_structures(item)
    if kind_of(item) == "number":
        try:
            return exact(item) == read_number(sides.right)
        except MappingTypeError:
            return False
    if is_empty(item) or is_empty(sides.right):
        return is_empty(item) and is_empty(sides.right)
    return sides.fold(text_of(item)) == sides.fold(text_of(sides.right))


def _item_contains(sides: Sides, item: Any) -> bool:
    _refuse_structures(item)
    return sides.fold(text_of(sides.right)) in sides.fold(text_of(item))


def _refuse_structures(item: Any) -> None:
    if kind_of(item) in ("list", "table"):
        raise MappingTypeError(f"The list holds {shown(item)}, which cannot be compared with a single value.")


def _any_item(match: Callable[[Sides, Any], bool]) -> Callable[[Sides], bool]:
    return lambda sides: any([match(sides, item) for item in sides.left])


def _all_items(match: Callable[[Sides, Any], bool]) -> Callable[[Sides], bool]:
    return lambda sides: all([match(sides, item) for item in sides.left]) and bool(sides.left)


def _no_item(match: Callable[[Sides, Any], bool]) -> Callable[[Sides], bool]:
    return lambda sides: not any([match(sides, item) for item in sides.left])


for _key, _label, _match, _how in (
    ("contains", "contains", _any_item(_item_equals), "One of the items is this value."),
    ("not_contains", "does not contain", _no_item(_item_equals), "None of the items is this value."),
    ("any_equals", "has an item that is", _any_item(_item_equals), "At least one item is this value."),
    ("all_equal", "has only items that are", _all_items(_item_equals), "Every item is this value, and there is one."),
    ("none_equals", "has no item that is", _no_item(_item_equals), "No item is this value."),
    ("any_contains", "has an item containing", _any_item(_item_contains), "At least one item has this piece in it."),
    ("all_contain", "has only items containing", _all_items(_item_contains), "Every item has it, and there is one."),
    ("none_contains", "has no item containing", _no_item(_item_contains), "No item has this piece in it."),
):
    _operator("list", _key, _label, _match, right="item", summary=_how)
_operator("list", "is_empty", "is empty", lambda s: not s.left, right=None, summary="There are no items.")
_operator(
    "list", "is_not_empty", "is not empty", lambda s: bool(s.left), right=None, summary="There is at least one item."
)


def _is_absent_or_empty(sides: Sides) -> bool:
    return sides.left is MISSING or is_empty(sides.left)


def _was_changed(sides: Sides) -> bool:
    if sides.left is MISSING or sides.right is MISSING:
        return sides.left is not sides.right
    return not equal(sides.left, sides.right)


for _key, _label, _match, _how in (
    ("exists", "exists", lambda s: s.left is not MISSING, "The data has it, even if it is empty."),
    ("not_exists", "does not exist", lambda s: s.left is MISSING, "The data does not have it."),
    ("is_empty", "is empty", _is_absent_or_empty, "Not there, null, an empty text or an empty list."),
    ("is_not_empty", "is not empty", _negated(_is_absent_or_empty), "There and neither null nor empty."),
    ("is_null", "is null", lambda s: s.left is None, "The data has it and says: no value."),
):
    _operator("existence", _key, _label, _match, right=None, summary=_how)
_operator(
    "existence",
    "was_changed",
    "was changed from",
    _was_changed,
    summary="Differs from the old value, appeared or went away.",
)
