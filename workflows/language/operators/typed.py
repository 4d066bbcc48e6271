"""The typed operators of conditions: each one's name, values, meaning and wording in plain English."""

import re
from collections.abc import Callable
from datetime import date, timedelta

from workflows.language.operators import lists
from workflows.language.operators.comparison import MISSING, OPERATORS, TYPE_LABELS, Operator, Sides, negated, operator
from workflows.language.regex import compiled
from workflows.language.values import CALCULATION, MappingTypeError, equal, is_empty, row_of, text_of, today

__all__ = ["MISSING", "OPERATORS", "TYPE_LABELS", "Operator", "Sides", "lists"]


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


operator("text", "equals", "is", _text_equals, summary="The whole text is the same.")
operator("text", "not_equals", "is not", negated(_text_equals), summary="The text differs.")
operator("text", "contains", "contains", _contains, summary="The text has this piece in it.")
operator("text", "not_contains", "does not contain", negated(_contains), summary="The text does not have this piece.")
operator("text", "starts_with", "starts with", _starts, summary="The text begins like this.")
operator("text", "not_starts_with", "does not start with", negated(_starts), summary="The text begins otherwise.")
operator("text", "ends_with", "ends with", _ends, summary="The text ends like this.")
operator("text", "not_ends_with", "does not end with", negated(_ends), summary="The text ends otherwise.")
operator("text", "is_in", "is one of", _is_one_of, right="choices", summary="The text is one of several values.")
operator(
    "text", "not_in", "is none of", negated(_is_one_of), right="choices", summary="The text is none of several values."
)
operator(
    "text", "matches", "matches the pattern", _matches, right="pattern",
    summary="A regular expression (RE2 syntax) is found somewhere in the text.",
)  # fmt: skip
operator(
    "text", "not_matches", "does not match the pattern", negated(_matches), right="pattern",
    summary="A regular expression (RE2 syntax) is found nowhere in the text.",
)  # fmt: skip
operator(
    "text", "is_email", "is an e-mail address", _is_email, right=None, summary="The text looks like an e-mail address."
)
operator(
    "text", "is_not_email", "is not an e-mail address", negated(_is_email), right=None,
    summary="The text does not look like an e-mail address.",
)  # fmt: skip


_LENGTHS: tuple[tuple[str, str, Callable[[int, int], bool]], ...] = (
    ("length_equals", "exactly", lambda a, b: a == b),
    ("length_not_equals", "anything but", lambda a, b: a != b),
    ("length_above", "more than", lambda a, b: a > b),
    ("length_at_least", "at least", lambda a, b: a >= b),
    ("length_below", "fewer than", lambda a, b: a < b),
    ("length_at_most", "at most", lambda a, b: a <= b),
)


def _length_operator(type_: str, unit: str, key: str, words: str, compare: Callable[[int, int], bool]) -> None:
    operator(
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


operator("number", "equals", "is", lambda s: s.left == s.right, summary="The same number; 1 and 1.00 are.")
operator("number", "not_equals", "is not", lambda s: s.left != s.right, summary="A different number.")
operator("number", "greater_than", "is more than", lambda s: s.left > s.right, summary="Larger, not equal.")
operator("number", "at_least", "is at least", lambda s: s.left >= s.right, summary="Larger or equal.")
operator("number", "less_than", "is less than", lambda s: s.left < s.right, summary="Smaller, not equal.")
operator("number", "at_most", "is at most", lambda s: s.left <= s.right, summary="Smaller or equal.")
operator(
    "number", "between", "is between", _between, operands=2,
    english="{left} is between {right} and {until}", summary="Within two bounds, both included.",
)  # fmt: skip
operator(
    "number", "not_between", "is not between", negated(_between), operands=2,
    english="{left} is not between {right} and {until}", summary="Outside two bounds.",
)  # fmt: skip
operator(
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


operator("date", "before", "is before", lambda s: s.left < s.right, summary="An earlier day.")
operator("date", "after", "is after", lambda s: s.left > s.right, summary="A later day.")
operator("date", "on", "is on", lambda s: s.left == s.right, summary="The same day.")
operator("date", "not_on", "is not on", lambda s: s.left != s.right, summary="Another day.")
operator("date", "on_or_before", "is on or before", lambda s: s.left <= s.right, summary="The same day or earlier.")
operator("date", "on_or_after", "is on or after", lambda s: s.left >= s.right, summary="The same day or later.")
operator(
    "date", "between", "is between", _between, operands=2,
    english="{left} is between {right} and {until}", summary="Within two days, both included.",
)  # fmt: skip
operator(
    "date", "not_between", "is not between", negated(_between), operands=2,
    english="{left} is not between {right} and {until}", summary="Outside two days.",
)  # fmt: skip
operator(
    "date", "earlier", "is (with the time) earlier than", lambda s: s.left < s.right, left="moment", right="moment",
    english="{left} is earlier than {right}", summary="An earlier moment; a day counts from its midnight.",
)  # fmt: skip
operator(
    "date", "later", "is (with the time) later than", lambda s: s.left > s.right, left="moment", right="moment",
    english="{left} is later than {right}", summary="A later moment; a day counts from its midnight.",
)  # fmt: skip
operator(
    "date", "in_last_days", "is in the last days", _in_last_days, right="whole",
    english="{left} is in the last {right} days", summary="Today or up to so many days ago.",
)  # fmt: skip
operator(
    "date", "in_next_days", "is in the next days", _in_next_days, right="whole",
    english="{left} is in the next {right} days", summary="Today or up to so many days ahead.",
)  # fmt: skip
operator(
    "date",
    "is_weekend",
    "is on a weekend",
    lambda s: s.left.weekday() >= 5,
    right=None,
    summary="A Saturday or Sunday.",
)
operator(
    "date", "is_working_day", "is on a working day", lambda s: s.left.weekday() < 5, right=None,
    summary="A Monday to Friday.",
)  # fmt: skip
operator(
    "date", "not_in_locked_period", "is not in a locked period", negated(_is_locked), right=None,
    summary="After every lock date of the organisation.",
)  # fmt: skip
operator(
    "date", "in_locked_period", "is in a locked period", _is_locked, right=None,
    summary="On or before a lock date of the organisation.",
)  # fmt: skip
operator("date", "same_month", "is in the same month as", _same_month, summary="The same month of the same year.")
operator(
    "date", "not_same_month", "is not in the same month as", negated(_same_month),
    summary="Another month, or the same of another year.",
)  # fmt: skip


operator("yes_no", "is_true", "is yes", lambda s: s.left is True, right=None, summary="Yes or true.")
operator("yes_no", "is_false", "is no", lambda s: s.left is False, right=None, summary="No or false.")


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
    ("is_not_empty", "is not empty", negated(_is_absent_or_empty), "There and neither null nor empty."),
    ("is_null", "is null", lambda s: s.left is None, "The data has it and says: no value."),
):
    operator("existence", _key, _label, _match, right=None, summary=_how)
operator(
    "existence",
    "was_changed",
    "was changed from",
    _was_changed,
    summary="Differs from the old value, appeared or went away.",
)
operator(
    "existence", "was_not_changed", "was not changed from", negated(_was_changed),
    summary="The same as the old value, or not there now as before.",
)  # fmt: skip


def _in_table(sides: Sides) -> bool:
    return row_of(sides.right, sides.left, sides.context) is not None


operator(
    "lookup", "in_table", "is in the lookup table", _in_table, right="table",
    summary="A row of the table is found by this value, such as a contact on a watch-list.",
)  # fmt: skip
operator(
    "lookup", "not_in_table", "is not in the lookup table", negated(_in_table), right="table",
    summary="No row of the table is found by this value.",
)  # fmt: skip
