"""Goods that an approved document takes out of stock: whether there are as many of them.

Only tracked items have a quantity. Xero refuses a document that would make it negative; stock may come in before a run
writes, so this only warns. A document that is not approved moves nothing.

https://developer.xero.com/documentation/api/accounting/items
https://developer.xero.com/documentation/guides/how-to-guides/inventory-adjustments
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from integrations.connectors.xero.checks.lists import item_of
from integrations.connectors.xero.checks.money import record_of
from integrations.framework.checks import Facts, Finding, warns

STOCK_CHECK = "whether there is enough of the tracked items on hand"
_APPROVED = {"AUTHORISED", "PAID"}


def stock_findings(
    facts: Facts, rows: Iterable[Any], *, takes: int, status: str, like: Mapping[str, Any]
) -> Iterator[Finding]:
    """What the document takes out beyond what is on hand, once per item. `takes` is 1 where a row takes its quantity
    out, -1 where it brings it in. `like` is the document that is changed: what it took already is not taken again."""
    if status not in _APPROVED:
        return
    before = list(_lines(like)) if like.get("Status") in _APPROVED else []
    wanted = _goods(facts, rows) or {code: (quantity, "status") for code, quantity in _sums(_lines(like)).items()}
    released = _sums(before)
    for code, (quantity, path) in wanted.items():
        taken = takes * (quantity - released.get(code, Decimal(0)))
        # The list says which items are tracked; how many there are changes with every sale.
        item = item_of(facts, code) if taken > 0 else None
        if item is None or not item.get("IsTrackedAsInventory"):
            continue
        on_hand = Decimal((record_of(facts, "Items", code) or {}).get("QuantityOnHand") or 0)
        if taken > on_hand:
            yield warns(
                "stock_short",
                path,
                f"This takes {_figure(taken)} of the tracked item {code}, and {_figure(on_hand)} "
                f"{'is' if on_hand == 1 else 'are'} on hand in {facts.name}.",
                "Receive stock first, or take less: Xero refuses to approve a document that takes more than there is.",
            )


def _goods(facts: Facts, rows: Iterable[Any]) -> dict[str, tuple[Decimal, str]]:
    """The quantity of each item in the rows, and the input of the first of these; without what is only predicted."""
    found: dict[str, tuple[Decimal, str]] = {}
    unknown = set()
    for index, row in enumerate(rows):
        if not row.item_code or facts.is_predicted(f"lines.{index}.item_code"):
            continue
        path = f"lines.{index}.quantity"
        if facts.is_predicted(path):
            unknown.add(row.item_code)
        quantity, first = found.get(row.item_code, (Decimal(0), path))
        found[row.item_code] = (quantity + row.quantity, first)
    return {code: goods for code, goods in found.items() if code not in unknown}


def _lines(document: Mapping[str, Any]) -> Iterator[tuple[str, Decimal]]:
    for line in document.get("LineItems") or ():
        if line.get("ItemCode") and isinstance(line.get("Quantity"), int | Decimal):
            yield str(line["ItemCode"]), Decimal(line["Quantity"])


def _sums(lines: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for code, quantity in lines:
        found[code] = found.get(code, Decimal(0)) + quantity
    return found


def _figure(quantity: Decimal) -> str:
    """A quantity without trailing zeros."""
    return f"{quantity.normalize():f}"
