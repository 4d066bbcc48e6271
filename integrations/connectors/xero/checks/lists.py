"""The lists of an organisation that checks compare with, each one call and kept for a quarter of an hour.

https://developer.xero.com/documentation/api/accounting/accounts
https://developer.xero.com/documentation/api/accounting/taxrates
https://developer.xero.com/documentation/api/accounting/currencies
https://developer.xero.com/documentation/api/accounting/items
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from integrations.connectors.xero.client import records
from integrations.connectors.xero.organisation import accounts_and_rates, read_organisation
from integrations.framework.checks import Facts
from integrations.framework.reference import Record, Reference
from integrations.transport.http import ApiClient

_ACCOUNT = (
    *("AccountID", "Code", "Name", "Status", "Type", "Class", "TaxType"),
    *("SystemAccount", "CurrencyCode", "EnablePaymentsToAccount"),
)
_RATE = ("TaxType", "Name", "Status", "EffectiveRate")
_ITEM = ("Code", "Name", "Description", "PurchaseDescription", "IsTrackedAsInventory", "InventoryAssetAccountCode")
#: Xero's flag on a tax rate for each class of accounts.
FLAGS = {
    "ASSET": "CanApplyToAssets",
    "EQUITY": "CanApplyToEquity",
    "EXPENSE": "CanApplyToExpenses",
    "LIABILITY": "CanApplyToLiabilities",
    "REVENUE": "CanApplyToRevenue",
}


def _kept(api: ApiClient, plural: str, names: tuple[str, ...]) -> Iterator[Record]:
    query = {"unitdp": "4"} if plural == "Items" else None
    for each in records(api.read(f"/{plural}", query).json(), plural):
        yield {name: each.get(name) for name in names if each.get(name) not in (None, "")}


def _organisation(api: ApiClient) -> Iterator[Record]:
    yield read_organisation(api)


ACCOUNTS = Reference("xero.accounts", "the accounts", lambda api: _kept(api, "Accounts", _ACCOUNT))
TAX_RATES = Reference("xero.tax_rates", "the tax rates", lambda api: _kept(api, "TaxRates", (*_RATE, *FLAGS.values())))
CURRENCIES = Reference("xero.currencies", "the currencies", lambda api: _kept(api, "Currencies", ("Code",)))
ITEMS = Reference(
    "xero.items", "the items", lambda api: _kept(api, "Items", (*_ITEM, "SalesDetails", "PurchaseDetails"))
)
ORGANISATION = Reference("xero.organisation", "the organisation", _organisation)


def account_with(facts: Facts, code: str) -> Record | None:
    """The account with this code, whatever its status."""
    return facts.find(ACCOUNTS, lambda each: each.get("Code") == code)


def rate_of(facts: Facts, tax_type: str) -> Record | None:
    """The tax rate with this type, whatever its status."""
    return facts.find(TAX_RATES, lambda each: each.get("TaxType") == tax_type)


def item_of(facts: Facts, code: str) -> Record | None:
    """The item with exactly this code."""
    return facts.find(ITEMS, lambda each: each.get("Code") == code)


def is_active(record: Mapping[str, Any]) -> bool:
    """Whether it can be used: Xero leaves the status out where it is the usual one."""
    return bool(record.get("Status", "ACTIVE") == "ACTIVE")


def shown(account: Record) -> str:
    """An account as people know it: "200 - Sales"."""
    return f"{account['Code']} - {account.get('Name')}" if account.get("Code") else str(account.get("Name"))


def details_now(facts: Facts) -> dict[str, Any]:
    """The organisation's details with its accounts and tax rates as they are now."""
    return {**facts.details, **accounts_and_rates(facts.listed(ACCOUNTS), facts.listed(TAX_RATES))}
