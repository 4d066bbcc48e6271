"""Actions on items.

https://developer.xero.com/documentation/api/accounting/items
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from integrations.base import Action, Effect, Writing
from integrations.documents import Document
from integrations.errors import RejectedError
from integrations.http import ApiClient, Request, Response
from integrations.schema import Schema, field
from integrations.xero import choices, item_samples
from integrations.xero.answers import complete, given, only_record
from integrations.xero.client import records
from integrations.xero.papers import paper
from integrations.xero.plain import plain

#: What Xero's filter language has no way to take as plain text.
_UNSAFE = frozenset('"\\')
#: What of an item's two records of details can be set.
_DETAILS = ("UnitPrice", "AccountCode", "COGSAccountCode", "TaxType")


class AddStockItem(Action):
    """Create an item that is sold, bought or kept in stock, or update it.

    A new item is made with PUT, which refuses a code that is taken. One that is there is changed with POST by its id,
    naming only what is given; the records of details are sent whole, with what they held. Sending either twice gives
    the same item, so there is no marker: an item is found again by whether it is as it should be. How many are in stock
    follows from approved bills and invoices with the item; it cannot be set (see `stock_actions`).
    """

    key = "add_stock_item"
    name = "Add stock item"
    effect = Effect.UPDATES
    scopes = ("accounting.settings",)
    sample = item_samples.ADDED_ITEM
    key_window = 300
    lookup_reliable = True

    class Inputs(Schema):
        code: str = field("Code", max_length=30, help="By it an item that is there already is recognised.")
        if_exists: choices.IfItemExists = field(
            "If an item with the code is there", default=choices.IfItemExists.UPDATE, help="Nothing is ever emptied."
        )
        name: str | None = field("Name", default=None, max_length=50)
        description: str | None = field("Sales description", default=None, max_length=4000, long=True)
        is_sold: bool | None = field(
            "Is sold", default=None, help="Left empty, a new item is, and another stays as it is."
        )
        is_purchased: bool | None = field(
            "Is purchased", default=None, help="Left empty, a new item is, and another stays as it is."
        )
        sales_price: Decimal | None = field("Sales price", default=None, minimum=0, decimal_places=4)
        sales_account: str | None = field("Sales account", choices=choices.sales_accounts, default=None, max_length=10)
        sales_tax_type: str | None = field(
            "Sales tax rate", choices=choices.sales_tax_types, default=None, max_length=50
        )
        purchase_description: str | None = field("Purchase description", default=None, max_length=4000, long=True)
        purchase_price: Decimal | None = field("Purchase price", default=None, minimum=0, decimal_places=4)
        purchase_account: str | None = field(
            "Purchase account",
            choices=choices.purchase_accounts,
            default=None,
            max_length=10,
            help="For an item that is not tracked.",
        )
        purchase_tax_type: str | None = field(
            "Purchase tax rate", choices=choices.purchase_tax_types, default=None, max_length=50
        )
        inventory_account: str | None = field(
            "Inventory account",
            choices=choices.inventory_accounts,
            default=None,
            max_length=10,
            help="With the account for cost of goods sold it makes a tracked item, whose stock Xero counts.",
        )
        cost_of_goods_account: str | None = field(
            "Cost of goods sold account", choices=choices.cost_accounts, default=None, max_length=10
        )

        def check(self) -> Mapping[str, str]:
            """A tracked item has both its accounts and no purchase account."""
            problems: dict[str, str] = {}
            if self.inventory_account and not self.cost_of_goods_account:
                problems["cost_of_goods_account"] = "A tracked item needs an account for cost of goods sold too."
            if self.cost_of_goods_account and not self.inventory_account:
                problems["inventory_account"] = "A tracked item needs an inventory account too."
            if self.inventory_account and self.purchase_account:
                problems["purchase_account"] = "A tracked item has no purchase account. Leave it empty."
            return problems

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        """The item that is there already, under `item`; nothing where there is none. Raises RejectedError for one that
        is not wanted."""
        item = item_with(api, inputs.code)
        if item is not None and inputs.if_exists is choices.IfItemExists.STOP:
            raise RejectedError(
                f"An item with the code {item['Code']} is in {api.connection.name} already: "
                f"{item.get('Name') or 'it has no name'}. Nothing was sent."
            )
        return {} if item is None else {"item": item}

    def settled(self, inputs: Inputs, found: Any) -> dict[str, Any] | None:
        item = found.get("item")
        if item is None or not (inputs.if_exists is choices.IfItemExists.KEEP or _is_as_wanted(item, inputs)):
            return None
        return {**complete(item, item_samples.ITEM), "outcome": "unchanged"}

    def remember(self, found: Any) -> dict[str, Any]:
        """Which of the two it was."""
        return {"outcome": "updated" if found else "created"}

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        there = (writing.found or {}).get("item")
        if there is None:
            query = {"unitdp": "4", "summarizeErrors": "true"}
            return Request.of_json("PUT", "/Items", {"Items": [_wanted(inputs)]}, query=query)
        item = {**_wanted(inputs), "ItemID": there["ItemID"], "Code": there["Code"]}
        for name in ("SalesDetails", "PurchaseDetails"):
            if name in item:
                kept = given({each: (there.get(name) or {}).get(each) for each in _DETAILS})
                item[name] = {**kept, **item[name]}
        return Request.of_json("POST", f"/Items/{there['ItemID']}", {"Items": [item]}, query={"unitdp": "4"})

    def output(self, response: Response) -> dict[str, Any]:
        return complete(only_record(response, "Items", "ItemID"), item_samples.ITEM)

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The item with the code, if it is as the inputs want it."""
        item = item_with(api, inputs.code)
        return [complete(item, item_samples.ADDED_ITEM)] if item is not None and _is_as_wanted(item, inputs) else []

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["ItemID"])

    def undo(self, api: ApiClient, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> Request | None:
        """Delete the item that was created, which Xero refuses once it stands on a document. Raises RejectedError for
        one that was there before."""
        if output.get("outcome", "created") != "created":
            raise RejectedError(
                f"The item {output['Code']} was there before this step. What it said then is in its history in Xero; "
                "change it back there."
            )
        return Request("DELETE", f"/Items/{self.identify(output)}")

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        return paper("Item", inputs, organisation)

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"Item {output['Code']} {output.get('outcome') or 'created'}"


def item_with(api: ApiClient, code: str) -> dict[str, Any] | None:
    """The item with this code, prices to four places; None where there is none. Xero's list of items has no pages."""
    wanted, query = code.strip(), {"unitdp": "4"}
    if not set(wanted) & _UNSAFE:
        query["where"] = f'Code=="{wanted}"'
    for item in records(api.read("/Items", query).json(), "Items"):
        if str(item.get("Code") or "").strip().casefold() == wanted.casefold():
            tidied: dict[str, Any] = plain(item)
            return tidied
    return None


def _wanted(inputs: AddStockItem.Inputs) -> dict[str, Any]:
    """What is given, as Xero takes it."""
    sale = given(
        {"UnitPrice": inputs.sales_price, "AccountCode": inputs.sales_account, "TaxType": inputs.sales_tax_type}
    )
    purchase = given(
        {
            "UnitPrice": inputs.purchase_price,
            "AccountCode": inputs.purchase_account,
            "COGSAccountCode": inputs.cost_of_goods_account,
            "TaxType": inputs.purchase_tax_type,
        }
    )
    return given(
        {
            "Code": inputs.code,
            "Name": inputs.name,
            "Description": inputs.description,
            "PurchaseDescription": inputs.purchase_description,
            "IsSold": inputs.is_sold,
            "IsPurchased": inputs.is_purchased,
            "SalesDetails": sale or None,
            "PurchaseDetails": purchase or None,
            "InventoryAssetAccountCode": inputs.inventory_account,
        }
    )


def _is_as_wanted(item: Mapping[str, Any], inputs: AddStockItem.Inputs) -> bool:
    """Whether an update would change nothing."""
    wanted = _wanted(inputs)
    del wanted["Code"]
    details = [(item.get(name) or {}, wanted.pop(name, {})) for name in ("SalesDetails", "PurchaseDetails")]
    return all(there.get(name) == value for there, asked in [(item, wanted), *details] for name, value in asked.items())
