"""What a condition says with the sample while its form is being filled in, and the type that a value suggests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from integrations.core import moments
from workflows.language import conditions, mapping
from workflows.language.conditions import OPERATORS, ConditionError
from workflows.language.cost_limits import Work
from workflows.language.values import MappingError, kind_of, shown
from workflows.presenters.editor.available_values import AvailableValues

#: A text that is an amount or a count; a long one, or one that begins with 0, is rather a code.
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d+)?")
_TYPES = {"number": "number", "yes_no": "yes_no", "list": "list", "date": "date"}


@dataclass(frozen=True)
class Trial:
    """Whether it is true with the sample, None if that cannot be said; and why, as a sentence."""

    passed: bool | None
    said: str


class Trials:
    """Tries comparisons with the sample, all within one limit of time."""

    def __init__(self, here: AvailableValues) -> None:
        self.data = here.data
        self.context = replace(here.context, deadline=Work.begin(here.context).deadline)

    def of(self, comparison: Mapping[str, Any]) -> Trial:
        """What one comparison says."""
        try:
            record = conditions.evaluate(dict(comparison), self.data, self.context).tree
        except ConditionError as error:
            return Trial(None, f"With this sample it cannot be compared: {error.message}")
        answer = "true" if record["passed"] else "false"
        return Trial(record["passed"], f"With this sample: {answer}, because {_both(comparison, record)}.")

    def type_of(self, source: str) -> str:
        """The type of comparison that fits what the source gives; "" if it gives nothing."""
        try:
            value = mapping.evaluate(source, self.data, self.context) if "{{" in source else None
        except MappingError:
            return ""
        if value is None or value == "":
            return ""
        return _type_of_text(value) if isinstance(value, str) else _TYPES.get(kind_of(value), "text")


def settled(kind: str, trials: Iterable[Trial]) -> Trial:
    """What a group says, from what stands in it: all, any or none of it must be true."""
    answers = [trial.passed for trial in trials]
    if not answers or None in answers:
        return Trial(None, "")
    passed = {"all": all(answers), "any": any(answers), "not": not any(answers)}[kind]
    count = sum(1 for answer in answers if answer)
    are = "is" if count == 1 else "are"
    said = f"With this sample: {'true' if passed else 'false'}, because {count} of {len(answers)} {are} true."
    return Trial(passed, said)


def _type_of_text(text: str) -> str:
    if _NUMBER.fullmatch(text):
        return "number"
    try:
        return "date" if not text.isdecimal() and moments.read(text) is not None else "text"
    except ValueError:
        return "text"


def _both(comparison: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    """As "the value is 600.00, compared with 500"."""
    type_ = str(comparison["type"])
    operands = OPERATORS[type_][str(comparison["operator"])].operands
    left = _said(record["left_value"], type_) if record["left_exists"] else "not there"
    rights = [_said(record[name], type_) for name in ("right_value", "right_until_value")[:operands]]
    return f"the value is {left}" + (f", compared with {' and '.join(rights)}" if rights else "")


def _said(value: Any, type_: str) -> str:
    """A recorded value; only what is compared as a text is quoted."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and type_ != "text":
        return value if len(value) <= 60 else f"{value[:57]}…"
    return shown(value)
