"""The page of all functions, made from their declarations: a test keeps docs/functions.md equal to it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import simplejson

from workflows.language.functions import by_group
from workflows.language.signatures import Function
from workflows.language.values import MappingContext

#: The data of the examples.
SAMPLE: dict[str, Any] = {
    "trigger": {
        "note": None,
        "contact": {"name": "Ann", "address": {"city": "Leeds"}},
        "lines": [
            {"sku": "OAK-1", "amount": Decimal("100.00"), "account": "200"},
            {"sku": "ASH-2", "amount": Decimal("99.90"), "account": "205"},
        ],
    }
}


@dataclass
class _Tables:
    used: dict[str, int] = field(default_factory=dict)

    def __call__(self, name: str, value: Any) -> dict[str, Any] | None:
        return {"Board": "Oak tables", "Account": "200"} if (name, value) == ("Boards", "Oak tables") else None


#: The organisation of the examples.
CONTEXT = MappingContext(
    timezone="Pacific/Auckland", today=date(2026, 11, 23), currency="GBP", year_end=(3, 31), tables=_Tables()
)


def page() -> str:
    """The whole page as Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "# Functions"
    yield ""
    yield (
        "What a mapping can do with a value. A function stands after a pipe, `{{ trigger.title | upper }}`, and "
        "several may follow each other. It works on the whole calculation before it: `{{ price * 1.2 | round(2) }}` "
        "rounds the product. Numbers are Decimal, never floating point."
    )
    yield ""
    yield (
        "This page is written by `manage.py functions` from the declarations in `workflows/language/functions`; each "
        "example is a test. In the examples the organisation keeps its books in GBP until 31 March, and these are the "
        "data:"
    )
    yield ""
    yield f"```json\n{_json(SAMPLE, indent=2)}\n```"
    for label, functions in by_group():
        yield f"\n## {label}"
        for each in functions:
            yield from _entry(each)
    yield ""


def _entry(each: Function) -> Iterator[str]:
    yield f"\n### {each.label}: `{each.call_text}`"
    yield ""
    yield each.summary
    yield ""
    yield f"`{each.example}` gives `{_json(each.result)}`"


def _json(value: Any, indent: int | None = None) -> str:
    return simplejson.dumps(value, use_decimal=True, ensure_ascii=False, indent=indent)
