"""Lists of what is set up in the organisation: accounts, tax rates, tracking categories.

Xero gives each of them whole, in one call; it has no pages of them. What is more than a step asks for is left out, in
an order of our own so that it is known what, and the output says so.

https://developer.xero.com/documentation/api/accounting/accounts
https://developer.xero.com/documentation/api/accounting/taxrates
https://developer.xero.com/documentation/api/accounting/trackingcategories
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from integrations.base import Action, Effect
from integrations.http import ApiClient
from integrations.schema import Schema, field
from integrations.xero import choices, samples
from integrations.xero.answers import complete
from integrations.xero.client import records
from integrations.xero.plain import plain

#: What a step gives unless told otherwise, and the most that it may be told.
_USUAL, _MOST = 1000, 5000


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
    """The output: the first `most` in the order of these fields, and whether that is all of them."""
    ordered = sorted(found, key=lambda record: [str(record.get(name) or "").casefold() for name in by])
    is_cut = len(ordered) > most
    warning = f"There are {len(ordered)} {noun}. Only the first {most} by {by[0].lower()} are given." if is_cut else ""
    listed = [complete(plain(record), sample) for record in ordered[:most]]
    return {noun.replace(" ", "_"): listed, "count": len(listed), "is_cut": is_cut, "warning": warning}
