"""Actions on items.

https://developer.xero.com/documentation/api/accounting/items
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from integrations.connectors.xero.actions.reading_back import ITEMS, ReadsBack
from integrations.connectors.xero.answers import complete, given, only_record
from integrations.connectors.xero.checks.items import item_findings
from integrations.connectors.xero.client import records
from integrations.connectors.xero.fields import choices
from integrations.connectors.xero.fields.document_preview import shown_document
from integrations.connectors.xero.plain import plain, stamp
from integrations.connectors.xero.samples import items
from integrations.core.errors import RejectedError
from integrations.core.messages import Request, Response
from integrations.core.sameness import same, searchable
from integrations.framework.base import Action, Effect, Writing
from integrations.framework.checks import Facts, Finding
from integrations.framework.recovery import Proof
from integrations.schema.documents import Document, WrittenDocument
from integrations.schema.schema import Schema, field
from integrations.transport.http import ApiClient

#: The fields that can be set in an item's two details records.
_DETAILS = ("UnitPrice", "AccountCode", "COGSAccountCode", "TaxType")


class AddStockItem(ReadsBack, Action):
    """Create an item that is sold, bought or kept in stock, or update it.

    A new item is created with PUT, which refuses a code that is taken. An existing one is changed with POST by its id,
    with only the fields that are given; the details records are sent whole, with their present values. Sending either
    twice gives the same item, so there is no marker: a write is confirmed by comparing the item with the inputs. The
    quantity in stock follows from approved bills and invoices with the item; it cannot be set (see `stock.py`).
    """

    key = "add_stock_item"
    name = "Add stock item"
    words = ("product", "SKU", "inventory", "article", "price list", "goods")
    effect = Effect.UPDATES
    undo_words = "The item is deleted, as long as no document uses it."
    scopes = ("accounting.settings",)
    sample = items.ADDED_ITEM
    record_kind = ITEMS
    key_window = 300
    lookup_reliable = True

    class Inputs(Schema):
        code: str = field("Code", max_length=30, tidy=True, help="By it an item that is there already is recognised.")
        if_exists: choices.IfItemExists = field(
            "If an item with the code is there", default=choices.IfItemExists.UPDATE, help="Nothing is ever emptied."
        )
        name: str | None = field("Name", default=None, max_length=50, tidy=True)
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
            """A tracked item needs both its accounts and no purchase account."""
            problems: dict[str, str] = {}
            if self.inventory_account and not self.cost_of_goods_account:
                problems["cost_of_goods_account"] = "A tracked item needs an account for cost of goods sold too."
            if self.cost_of_goods_account and not self.inventory_account:
                problems["inventory_account"] = "A tracked item needs an inventory account too."
            if self.inventory_account and self.purchase_account:
                problems["purchase_account"] = "A tracked item has no purchase account. Leave it empty."
            return problems

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        """The existing item, under `item`; empty if there is none. Raises RejectedError if an existing one is not
        wanted."""
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
        return {**complete(item, items.ITEM), "outcome": "unchanged"}

    def proof(self, inputs: Inputs) -> Proof:
        return Proof.STATE

    def seen(self, inputs: Inputs, found: Any) -> dict[str, Any]:
        return stamp(found.get("item") or {}, "ItemID", *_wanted(inputs))

    def remember(self, found: Any) -> dict[str, Any]:
        """Whether the item was created or updated."""
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
        return complete(only_record(response, "Items", "ItemID"), items.ITEM)

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The item with the code, if it matches the inputs."""
        item = item_with(api, inputs.code)
        return [complete(item, items.ADDED_ITEM)] if item is not None and _is_as_wanted(item, inputs) else []

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["ItemID"])

    def undo(self, api: ApiClient, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> Request | None:
        """Delete the item that was created, which Xero refuses once a document uses it. Raises RejectedError for an
        item that existed before."""
        if output.get("outcome", "created") != "created":
            raise RejectedError(
                f"The item {output['Code']} was there before this step. What it said then is in its history in Xero; "
                "change it back there."
            )
        return Request("DELETE", f"/Items/{self.identify(output)}")

    def checks(self, facts: Facts, inputs: Inputs, found: Any) -> Iterable[Finding]:
        return item_findings(facts, inputs)

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        return shown_document("Item", inputs, organisation)

    def written_document(self, output: Mapping[str, Any]) -> WrittenDocument:
        return WrittenDocument(number=str(output.get("Code") or ""))

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"Item {output['Code']} {output.get('outcome') or 'created'}"


def item_with(api: ApiClient, code: str) -> dict[str, Any] | None:
    """The item with this code, prices to four places; None if there is none. Xero's list of items has no pages."""
    query, piece = {"unitdp": "4"}, searchable(code)
    if piece:
        # A plain piece contains nothing that could end the text in the filter.
        query["where"] = f'Code.ToLower().Contains("{piece}")'
    for item in records(api.read("/Items", query).json(), "Items"):
        if same(item.get("Code"), code):
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
    """Whether the item already matches the inputs."""
    wanted = _wanted(inputs)
    del wanted["Code"]
    details = [(item.get(name) or {}, wanted.pop(name, {})) for name in ("SalesDetails", "PurchaseDetails")]
    return all(there.get(name) == value for there, asked in [(item, wanted), *details] for name, value in asked.items())
