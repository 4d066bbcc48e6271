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
from integrations.http import ApiClient, Request, Response
from integrations.schema import Schema, field
from integrations.xero import choices, samples
from integrations.xero.answers import complete, given, only_record
from integrations.xero.client import records
from integrations.xero.documents import look_from
from integrations.xero.papers import paper
from integrations.xero.plain import plain


class AddStockItem(Action):
    """Add an item that is sold, bought or kept in stock.

    PUT refuses a code that is taken, and the code tells whether the item was written. How many are in stock follows
    from approved bills and invoices with the item; it cannot be set.
    """

    key = "add_stock_item"
    name = "Add stock item"
    effect = Effect.CREATES
    scopes = ("accounting.settings",)
    sample = samples.ITEM
    key_window = 300
    lookup_reliable = True

    class Inputs(Schema):
        code: str = field("Code", max_length=30, help="Must be new; Xero refuses a second item with it.")
        name: str | None = field("Name", default=None, max_length=50)
        description: str | None = field("Sales description", default=None, max_length=4000, long=True)
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

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        sale = given(
            {
                "UnitPrice": inputs.sales_price,
                "AccountCode": inputs.sales_account,
                "TaxType": inputs.sales_tax_type,
            }
        )
        purchase = given(
            {
                "UnitPrice": inputs.purchase_price,
                "AccountCode": inputs.purchase_account,
                "COGSAccountCode": inputs.cost_of_goods_account,
                "TaxType": inputs.purchase_tax_type,
            }
        )
        item = given(
            {
                "Code": inputs.code,
                "Name": inputs.name,
                "Description": inputs.description,
                "PurchaseDescription": inputs.purchase_description,
                "SalesDetails": sale or None,
                "PurchaseDetails": purchase or None,
                "InventoryAssetAccountCode": inputs.inventory_account,
            }
        )
        return Request.of_json("PUT", "/Items", {"Items": [item]}, query={"unitdp": "4", "summarizeErrors": "true"})

    def output(self, response: Response) -> dict[str, Any]:
        return complete(only_record(response, "Items", "ItemID"), samples.ITEM)

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The item with the code, if it changed since the write; one that did not is an older one."""
        body = api.read("/Items", {"unitdp": "4"}, {"If-Modified-Since": look_from(since)}).json()
        return [
            complete(plain(item), samples.ITEM)
            for item in records(body, "Items")
            if str(item.get("Code") or "").casefold() == inputs.code.strip().casefold()
        ]

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["ItemID"])

    def undo(self, api: ApiClient, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> Request | None:
        """Delete the item, which Xero refuses once it stands on a document."""
        return Request("DELETE", f"/Items/{self.identify(output)}")

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        return paper("Item", inputs, organisation)

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"Item {output['Code']}"
