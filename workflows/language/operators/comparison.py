"""What a comparison is: its sides, an operator, and the register of all operators by type."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from workflows.language.values import MappingContext


class _Missing:
    """A value that is not in the data; only the existence operators receive it."""

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
    right_kind: str = ""  # how the right side is read, one of coercion.READERS
    until_kind: str = ""  # and the second value
    left_kind: str = ""  # and the left side
    test: Callable[[Sides], bool] = field(default=lambda sides: False, repr=False)


OPERATORS: dict[str, dict[str, Operator]] = {
    "text": {}, "number": {}, "date": {}, "yes_no": {}, "list": {}, "items": {}, "existence": {}, "lookup": {},
}  # fmt: skip
TYPE_LABELS = {
    "text": "Text",
    "number": "Number",
    "date": "Date",
    "yes_no": "Yes or no",
    "list": "List",
    "items": "Items of a list",
    "existence": "Is it there",
    "lookup": "Lookup table",
}


def operator(
    type_: str,
    key: str,
    label: str,
    test: Callable[[Sides], bool],
    *,
    right: str | None = "",
    english: str = "",
    summary: str,
    operands: int = 1,
    until: str = "",
    left: str = "",
) -> None:
    """`right` names how the right side is read (default: as the type itself); None means no right side.

    `until` and `left`: the same for the second value (default: as the first) and the left side (default: as the type).
    """
    count = 0 if right is None else operands
    sentence = english or ("{left} " + label + (" {right}" if count else ""))
    kinds = (right or type_, until or right or type_, left or type_)
    OPERATORS[type_][key] = Operator(key, label, count, sentence, summary, *kinds, test)


def negated(test: Callable[[Sides], bool]) -> Callable[[Sides], bool]:
    return lambda sides: not test(sides)
