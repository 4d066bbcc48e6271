"""Lists of what is set up in the organisation: accounts, tax rates, tracking categories. One call each.

https://developer.xero.com/documentation/api/accounting/accounts
https://developer.xero.com/documentation/api/accounting/taxrates
https://developer.xero.com/documentation/api/accounting/trackingcategories
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.base import Action, Effect
from integrations.http import ApiClient
from integrations.schema import Schema, field
from integrations.xero import choices, samples
from integrations.xero.answers import complete
from integrations.xero.client import records
from integrations.xero.plain import plain


class ListAccounts(Action):
    """List the accounts of the chart of accounts."""

    key = "list_accounts"
    name = "List accounts"
    effect = Effect.READS
    scopes = ("accounting.settings",)
    sample = samples.ACCOUNTS

    class Inputs(Schema):
        account_class: choices.AccountClass = field("Accounts", default=choices.AccountClass.ANY)
        include_archived: bool = field("Archived accounts too", default=False)

    def run(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        found = [
            complete(plain(account), samples.ACCOUNT)
            for account in records(api.read("/Accounts").json(), "Accounts")
            if inputs.account_class.value in {"any", account.get("Class")}
            and (inputs.include_archived or account.get("Status") == "ACTIVE")
        ]
        return {"accounts": found, "count": len(found)}

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"{output['count']} accounts"


class ListTaxRates(Action):
    """List the tax rates."""

    key = "list_tax_rates"
    name = "List tax rates"
    effect = Effect.READS
    scopes = ("accounting.settings",)
    sample = samples.TAX_RATES

    class Inputs(Schema):
        include_deleted: bool = field("Deleted and archived rates too", default=False)

    def run(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        found = [
            complete(plain(rate), samples.TAX_RATE)
            for rate in records(api.read("/TaxRates").json(), "TaxRates")
            if inputs.include_deleted or rate.get("Status") == "ACTIVE"
        ]
        return {"tax_rates": found, "count": len(found)}

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"{output['count']} tax rates"


class ListTrackingCategories(Action):
    """List the tracking categories with their options."""

    key = "list_tracking_categories"
    name = "List tracking categories"
    effect = Effect.READS
    scopes = ("accounting.settings",)
    sample = samples.TRACKING_CATEGORIES

    class Inputs(Schema):
        include_archived: bool = field("Archived categories too", default=False)

    def run(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        query = {"includeArchived": "true"} if inputs.include_archived else {}
        body = api.read("/TrackingCategories", query).json()
        found = [
            complete(plain(category), samples.TRACKING_CATEGORY)
            for category in records(body, "TrackingCategories")
            if inputs.include_archived or category.get("Status") == "ACTIVE"
        ]
        return {"tracking_categories": found, "count": len(found)}

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"{output['count']} tracking categories"
