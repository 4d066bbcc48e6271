"""Lists of what is set up in the organisation: accounts, tax rates, tracking categories.

Xero returns each list whole, in one call, without pages. Records beyond what a step asks for are left out, and the
output says so; the list is sorted first, so that it is predictable which.

https://developer.xero.com/documentation/api/accounting/accounts
https://developer.xero.com/documentation/api/accounting/taxrates
https://developer.xero.com/documentation/api/accounting/trackingcategories
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from integrations.connectors.xero.answers import complete
from integrations.connectors.xero.client import records
from integrations.connectors.xero.fields import choices
from integrations.connectors.xero.plain import plain
from integrations.connectors.xero.samples import records as samples
from integrations.framework.base import Action, Effect
from integrations.schema.schema import Schema, field
from integrations.transport.http import ApiClient

#: How many records a step returns by default, and at most.
_USUAL, _MOST = 1000, 5000


class ListAccounts(Action):
    """List the accounts of the chart of accounts."""

    key = "list_accounts"
    name = "List accounts"
    words = ("chart of accounts", "ledger", "GL", "bank", "nominal", "COA")
    effect = Effect.READS
    scopes = ("accounting.settings",)
    sample = samples.ACCOUNTS

    class Inputs(Schema):
        account_class: choices.AccountClass = field("Accounts", default=choices.AccountClass.ANY)
        include_archived: bool = field("Archived accounts too", default=False)
        most: int = field("At most", default=_USUAL, minimum=1, maximum=_MOST)

    def run(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        found = (
            account
            for account in records(api.read("/Accounts").json(), "Accounts")
            if inputs.account_class.value in {"any", account.get("Class")}
            and (inputs.include_archived or account.get("Status") == "ACTIVE")
        )
        return _listed("accounts", found, samples.ACCOUNT, by=("Code", "Name"), most=inputs.most)

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"{output['count']} accounts"


class ListTaxRates(Action):
    """List the tax rates."""

    key = "list_tax_rates"
    name = "List tax rates"
    words = ("VAT", "GST", "sales tax")
    effect = Effect.READS
    scopes = ("accounting.settings",)
    sample = samples.TAX_RATES

    class Inputs(Schema):
        include_deleted: bool = field("Deleted and archived rates too", default=False)
        most: int = field("At most", default=_USUAL, minimum=1, maximum=_MOST)

    def run(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        rates = records(api.read("/TaxRates").json(), "TaxRates")
        found = (rate for rate in rates if inputs.include_deleted or rate.get("Status") == "ACTIVE")
        return _listed("tax rates", found, samples.TAX_RATE, by=("Name",), most=inputs.most)

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"{output['count']} tax rates"


class ListTrackingCategories(Action):
    """List the tracking categories with their options."""

    key = "list_tracking_categories"
    name = "List tracking categories"
    words = ("cost centre", "cost center", "department", "class", "project", "dimension")
    effect = Effect.READS
    scopes = ("accounting.settings",)
    sample = samples.TRACKING_CATEGORIES

    class Inputs(Schema):
        include_archived: bool = field("Archived categories too", default=False)
        most: int = field("At most", default=_USUAL, minimum=1, maximum=_MOST)

    def run(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        query = {"includeArchived": "true"} if inputs.include_archived else {}
        categories = records(api.read("/TrackingCategories", query).json(), "TrackingCategories")
        found = (each for each in categories if inputs.include_archived or each.get("Status") == "ACTIVE")
        return _listed("tracking categories", found, samples.TRACKING_CATEGORY, by=("Name",), most=inputs.most)

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"{output['count']} tracking categories"


def _listed(
    noun: str, found: Iterable[dict[str, Any]], sample: Mapping[str, Any], *, by: tuple[str, ...], most: int
) -> dict[str, Any]:
    """The output: the first `most` records sorted by these fields, and whether there are more."""
    ordered = sorted(found, key=lambda record: [str(record.get(name) or "").casefold() for name in by])
    is_cut = len(ordered) > most
    warning = f"There are {len(ordered)} {noun}. Only the first {most} by {by[0].lower()} are given." if is_cut else ""
    listed = [complete(plain(record), sample) for record in ordered[:most]]
    return {noun.replace(" ", "_"): listed, "count": len(listed), "is_cut": is_cut, "warning": warning}
