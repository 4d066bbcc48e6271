"""The rows of a document: items, and what is left empty that nothing fills; accounts and tax rates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from integrations.connectors.xero.checks.accounts import account_findings, tax_findings
from integrations.connectors.xero.checks.lists import item_of
from integrations.framework.checks import Facts, Finding, stops
from integrations.framework.reference import Record

ACCOUNT_CHECK = "whether the accounts exist, are active and fit"
TAX_CHECK = "whether the tax rates are active and fit the accounts"
ITEM_CHECK = "whether the items exist and fill what is left empty"


@dataclass(frozen=True, kw_only=True)
class RowRules:
    """What applies to all rows of a document: what it is called ("a bill"), the usual classes of accounts, whether it
    is a purchase, whether nothing may be missing, whether it has tax."""

    document: str
    usual: frozenset[str]
    is_purchase: bool
    is_final: bool
    has_tax: bool


def row_findings(facts: Facts, index: int, row: Any, rules: RowRules) -> Iterator[Finding]:
    """What is wrong with one row."""
    yield from _Row(facts, rules, row, lambda name: f"lines.{index}.{name}").all()


@dataclass(frozen=True)
class _Row:
    facts: Facts
    rules: RowRules
    row: Any
    path: Callable[[str], str]

    def all(self) -> Iterator[Finding]:
        row, facts = self.row, self.facts
        if row.item_code and not facts.is_predicted(self.path("item_code")):
            yield from facts.tried(ITEM_CHECK, self._item)
        if row.account_code and not facts.is_predicted(self.path("account_code")):
            yield from facts.tried(ACCOUNT_CHECK, self._account)
        is_predicted = any(facts.is_predicted(self.path(name)) for name in ("tax_type", "account_code", "item_code"))
        if row.tax_type and self.rules.has_tax and not is_predicted:
            yield from facts.tried(TAX_CHECK, self._tax)

    def _item(self) -> Iterator[Finding]:
        code = self.row.item_code
        item = item_of(self.facts, code)
        if item is None:
            yield stops(
                "item_missing",
                self.path("item_code"),
                f'There is no item with the code "{code}" in {self.facts.name}.',
                "Choose an item of this organisation.",
            )
            return
        filled = self._details(item)
        wanted = {"description": ("description", filled.get("Description"))}
        if self.rules.is_final:
            wanted |= {
                "unit_amount": ("unit price", filled.get("UnitPrice")),
                "account_code": ("account", filled.get("AccountCode")),
            }
        for name, (label, value) in wanted.items():
            if getattr(self.row, name) in (None, "") and value in (None, ""):
                yield stops(
                    "item_incomplete",
                    self.path(name),
                    f"The item {code} has no {label} for {self.rules.document}, and the row gives none.",
                    f"Give the row its {label}, or complete the item in Xero.",
                )

    def _account(self) -> Iterator[Finding]:
        rules, code = self.rules, self.row.account_code
        return account_findings(
            self.facts,
            self.path("account_code"),
            code,
            usual=rules.usual,
            document=rules.document,
            for_stock=self._inventory_account(),
        )

    def _tax(self) -> Iterator[Finding]:
        account = self.row.account_code or ""
        if not account and self.row.item_code and (item := item_of(self.facts, self.row.item_code)):
            account = str(self._details(item).get("AccountCode") or "")
        return tax_findings(self.facts, self.path("tax_type"), self.row.tax_type, account)

    def _details(self, item: Record) -> dict[str, Any]:
        """What the item fills in on such a document."""
        side = item.get("PurchaseDetails" if self.rules.is_purchase else "SalesDetails") or {}
        description = item.get("PurchaseDescription") if self.rules.is_purchase else None
        filled = {"Description": description or item.get("Description"), **side}
        if self.rules.is_purchase and item.get("IsTrackedAsInventory"):
            filled["AccountCode"] = item.get("InventoryAssetAccountCode")
        return filled

    def _inventory_account(self) -> str | None:
        """The account that purchases of the row's item must go to; None if it is not tracked."""
        item = item_of(self.facts, self.row.item_code) if self.row.item_code and self.rules.is_purchase else None
        is_tracked = item is not None and item.get("IsTrackedAsInventory")
        return str(item.get("InventoryAssetAccountCode") or "") if item is not None and is_tracked else None
