"""The accounts and tax rates of an item.

https://developer.xero.com/documentation/api/accounting/items
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from integrations.connectors.xero.checks.accounts import account_findings, tax_findings, typed_account
from integrations.connectors.xero.checks.documents import COSTS, REVENUE
from integrations.connectors.xero.checks.lines import ACCOUNT_CHECK, TAX_CHECK
from integrations.framework.checks import Facts, Finding


def item_findings(facts: Facts, inputs: Any) -> Iterator[Finding]:
    """What is wrong with an item that is added or changed."""
    sides = (("sales", REVENUE, "an item that is sold"), ("purchase", COSTS, "an item that is bought"))
    for side, usual, called in sides:
        name, code = f"{side}_account", getattr(inputs, f"{side}_account")
        if code:
            yield from facts.tried(ACCOUNT_CHECK, _account(facts, name, code, usual, called))
        tax_type = getattr(inputs, f"{side}_tax_type")
        if tax_type:
            yield from facts.tried(TAX_CHECK, _tax(facts, f"{side}_tax_type", tax_type, code or ""))
    kinds = (
        ("inventory_account", "INVENTORY", "an inventory account"),
        ("cost_of_goods_account", "DIRECTCOSTS", "an account of direct costs"),
    )
    for name, kind, called in kinds:
        if getattr(inputs, name):
            yield from facts.tried(ACCOUNT_CHECK, _typed(facts, name, getattr(inputs, name), kind, called))


def _account(facts: Facts, path: str, code: str, usual: frozenset[str], called: str) -> Any:
    return lambda: account_findings(facts, path, code, usual=usual, document=called)


def _tax(facts: Facts, path: str, tax_type: str, code: str) -> Any:
    return lambda: tax_findings(facts, path, tax_type, code)


def _typed(facts: Facts, path: str, code: str, kind: str, called: str) -> Any:
    return lambda: typed_account(facts, path, code, kind, called)
