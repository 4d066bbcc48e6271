"""The operators of lists: what they contain, and what is true of any, all or none of their items."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from workflows.language.functions.number import read_number, within
from workflows.language.operators.comparison import Sides, operator
from workflows.language.values import MappingTypeError, MissingPathError, exact, is_empty, kind_of, shown, text_of


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
    operator("list", _key, _label, _match, right="item", summary=_how)
operator("list", "is_empty", "is empty", lambda s: not s.left, right=None, summary="There are no items.")
operator(
    "list", "is_not_empty", "is not empty", lambda s: bool(s.left), right=None, summary="There is at least one item."
)


def _item_is(sides: Sides, found: Any) -> bool:
    return _item_equals(replace(sides, right=sides.until), found)


def _item_has(sides: Sides, found: Any) -> bool:
    return _item_contains(replace(sides, right=sides.until), found)


def _item_compares(compare: Callable[[Decimal, Decimal], bool]) -> Callable[[Sides, Any], bool]:
    """By size; an empty item does not match."""
    return lambda sides, found: not is_empty(found) and compare(read_number(found), sides.until)


def _with_field(match: Callable[[Sides, Any], bool]) -> Callable[[Sides, Any], bool]:
    """Matches the value of the item's field, or the item itself if no field is named."""

    def matched(sides: Sides, item: Any) -> bool:
        try:
            found = within(item, sides.right) if sides.right else item
        except MissingPathError:
            found = None
        return match(sides, found)

    return matched


for _key, _words, _holds, _until in (
    ("equals", "is", _item_is, "item"),
    ("contains", "contains", _item_has, "text"),
    ("above", "is more than", _item_compares(lambda a, b: a > b), "number"),
    ("at_least", "is at least", _item_compares(lambda a, b: a >= b), "number"),
    ("below", "is less than", _item_compares(lambda a, b: a < b), "number"),
    ("at_most", "is at most", _item_compares(lambda a, b: a <= b), "number"),
):
    for _which, _has, _decide in (
        ("any", "has an item whose", _any_item),
        ("all", "has only items whose", _all_items),
        ("none", "has no item whose", _no_item),
    ):
        operator(
            "items", f"{_which}_{_key}", f"{_has} … {_words}", _decide(_with_field(_holds)), operands=2,
            right="field", until=_until, english=f"{{left}} {_has} {{right}} {_words} {{until}}",
            summary="First the name of the field, such as amount, then the value it is compared with.",
        )  # fmt: skip
