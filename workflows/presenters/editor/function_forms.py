"""Functions as small forms: what each argument is called, and what can be chosen for it.

The signatures say which arguments there are, how they are read and what stands for them if they are left out.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from workflows.language.functions import FUNCTIONS, Function, Parameter

#: What finance needs first, in this order; the others are found by searching.
USUAL = (
    "extract_number", "round", "format_number", "format_date", "add_days", "add_working_days", "end_of_month",
    "upper", "replace", "default", "allocate", "lookup", "tax_amount", "join", "truncate",
)  # fmt: skip
#: Without a result these are an error, unless a default follows.
_CAN_MISS = frozenset(
    ("extract_number", "extract", "extract_email", "first", "last", "lookup", "get", "average", "min", "max")
)
_LABELS = {
    "amount": "Field with the amount",
    "basis": "The amount is",
    "column": "Column",
    "currency": "Currency",
    "days": "Days",
    "decimal": "Decimal mark",
    "descending": "Largest first",
    "divisor": "Divide by",
    "end": "Until",
    "ending": "Ending",
    "factor": "Times",
    "fallback": "Use instead",
    "field": "Field",
    "fields": "Fields",
    "filling": "Fill with",
    "format": "Format",
    "holidays": "Holidays",
    "kind": "Kind",
    "length": "Length",
    "mode": "Halves",
    "months": "Months",
    "more": "What to add",
    "name": "Name",
    "new": "With",
    "old": "Replace",
    "other": "Other number",
    "over": "Over",
    "part": "Part",
    "path": "Path",
    "pattern": "Pattern",
    "places": "Decimal places",
    "rate": "Rate",
    "rate_date": "Date of the rate",
    "separator": "Between them",
    "start": "From character",
    "style": "Language",
    "table": "Table",
    "terms": "Payment terms",
    "test": "Test",
    "values": "Values",
    "wanted": "Compared with",
    "weights": "Weights",
    "whole": "The whole",
    "year_end": "Last day of the year (MM-DD)",
    "years": "Years",
    "zone": "Time zone",
}
_Choices = tuple[tuple[Any, str], ...]
_BASIS: _Choices = (("exclusive", "without tax"), ("inclusive", "with tax"))
_DECIMAL: _Choices = (("", "as it stands"), (".", "a point: 1,234.50"), (",", "a comma: 1.234,50"))
_STYLE: _Choices = (
    ("en", "English: 1,234.50"),
    ("de", "German: 1.234,50"),
    ("fr", "French: 1 234,50"),
    ("de-CH", "Swiss: 1’234.50"),
)
_TESTS = (
    "is", "is not", "is one of", "contains", "more than", "at least", "less than", "at most", "is empty",
    "is not empty",
)  # fmt: skip
CHOICES: dict[tuple[str, str], _Choices] = {
    ("extract_number", "decimal"): _DECIMAL,
    ("number", "decimal"): _DECIMAL,
    ("round", "mode"): (
        ("half_up", "away from zero"),
        ("half_even", "to the even digit"),
        ("up", "always up"),
        ("down", "always down"),
    ),
    ("format_number", "style"): _STYLE,
    ("format_money", "style"): _STYLE,
    ("tax_amount", "basis"): _BASIS,
    ("tax_per_line", "basis"): _BASIS,
    ("hash", "kind"): tuple((kind, kind.upper()) for kind in ("sha256", "sha512", "sha1", "md5")),
    ("url_part", "part"): (
        ("host", "the host"),
        ("path", "the path"),
        ("last", "the last part of the path"),
        ("query", "the query"),
        ("scheme", "the scheme"),
    ),
    ("due_date", "kind"): (
        ("DAYSAFTERBILLDATE", "days after the date"),
        ("DAYSAFTERBILLMONTH", "days after the end of its month"),
        ("OFCURRENTMONTH", "day of its month"),
        ("OFFOLLOWINGMONTH", "day of the month after"),
    ),
    ("filter", "test"): tuple((test, test) for test in _TESTS),
}
_TYPES: dict[Any, str] = {
    str: "text",
    Decimal: "number",
    int: "whole",
    int | None: "whole",
    bool: "yes_no",
    date: "date",
    datetime: "date",
    list: "list",
}


@cache
def function_forms() -> list[dict[str, Any]]:
    """Every function as JSON, those that finance needs first at the beginning."""
    usual = [FUNCTIONS[name] for name in USUAL]
    rest = sorted((each for each in FUNCTIONS.values() if each not in usual), key=lambda each: each.label)
    return [_form(each) for each in [*usual, *rest]]


def _form(function: Function) -> dict[str, Any]:
    return {
        "name": function.name,
        "label": function.label,
        "summary": function.summary.split("\n\n")[0].replace("\n", " "),
        "example": function.example,
        "takes": _TYPES.get(function.input_type, "any"),
        "usual": function.name in USUAL,
        "canMiss": function.name in _CAN_MISS,
        "parameters": [_parameter(function, each) for each in function.parameters],
    }


def _parameter(function: Function, parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "label": argument_label(parameter),
        "type": _TYPES.get(parameter.type, "any"),
        "required": parameter.is_required,
        "default": "" if parameter.is_required else literal(parameter.default),
        "choices": [[literal(value), label] for value, label in CHOICES.get((function.name, parameter.name), ())],
    }


def argument_label(parameter: Parameter) -> str:
    """What the form calls the argument."""
    return _LABELS.get(parameter.name) or parameter.name.replace("_", " ").capitalize()


def literal(value: Any) -> str:
    """A constant as the language writes it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
