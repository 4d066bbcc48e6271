"""Data and short-hand for the tests of conditions."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from workflows.language.conditions import check, evaluate
from workflows.language.mapping import MappingContext, MappingError


@dataclass
class Tables:
    """One lookup table, Seasons, in version 3."""

    used: dict[str, int] = field(default_factory=dict)

    def __call__(self, name: str, value: Any) -> dict[str, Any] | None:
        if name != "Seasons":
            raise MappingError(f'There is no lookup table called "{name}".')
        self.used[name] = 3
        return {"Season": value} if str(value).lower() == "summer sale" else None


CONTEXT = MappingContext(
    timezone="Pacific/Auckland",
    today=date(2026, 11, 23),
    lock_dates=(date(2026, 3, 31), date(2026, 6, 30)),
    tables=Tables(),
)
DATA: dict[str, Any] = {
    "trigger": {
        "title": "Summer Sale",
        "description": None,
        "empty": "",
        "email": "ann@example.com",
        "price": Decimal("95.00"),
        "price_text": "1,095.50",
        "old_price": Decimal("95"),
        "float": 0.1,
        "day": "2026-11-21",
        "moment": "2026-11-22T12:30:00Z",
        "locked_day": "2026-06-30",
        "is_public": True,
        "is_public_text": "No",
        "tags": ["Oak", "table", 5, None],
        "numbers": [1, Decimal("2.50")],
        "none": [],
        "lines": [{"amount": 1}],
        "rows": [
            {"sku": "Oak-1", "amount": Decimal("100.00"), "unit": "piece", "account": {"code": "Sales"}},
            {"sku": "Ash-2", "amount": "99.90", "unit": "Piece", "account": {"code": "Other"}},
        ],
        "board": {"name": "Office styling"},
        "pattern": "^S.*e$",
    },
    "steps": {"invoice": {"Total": Decimal("120.00")}},
}


def comparison(
    type_: str, left: str, operator: str, right: Any = None, until: Any = None, **extra: Any
) -> dict[str, Any]:
    source = left if "{{" in left or left.startswith("'") else f"{{{{ trigger.{left} }}}}"
    return {"left": source, "type": type_, "operator": operator, "right": right, "right_until": until, **extra}


def passes(tree: dict[str, Any]) -> bool:
    check(tree)
    return evaluate(tree, DATA, CONTEXT).passed
