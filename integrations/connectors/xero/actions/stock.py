"""Receiving stock of tracked items.

A tracked item's quantity and value cannot be set: they change with approved documents whose lines name the item. So
stock is received by an approved bill or, if nothing was bought (a count, an opening balance), by a bill whose second
line takes the whole amount off again to another account: its total is zero, and Xero shows it as paid.

https://developer.xero.com/documentation/api/accounting/items
https://developer.xero.com/documentation/guides/how-to-guides/inventory-adjustments
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from integrations.connectors.xero.actions.documents.creating import CreateDocument, day_of, iso, leads_to, rate_problems
from integrations.connectors.xero.actions.documents.purchases import refuse_duplicate
from integrations.connectors.xero.actions.items import item_with
from integrations.connectors.xero.actions.reading_back import INVOICES
from integrations.connectors.xero.answers import complete, given, only_record
from integrations.connectors.xero.checks.accounts import account_findings, tax_findings
from integrations.connectors.xero.checks.contacts import contact_findings
from integrations.connectors.xero.checks.currencies import currency_findings
from integrations.connectors.xero.checks.documents import COSTS, period_findings
from integrations.connectors.xero.checks.lines import ACCOUNT_CHECK, TAX_CHECK
from integrations.connectors.xero.client import XeroClient
from integrations.connectors.xero.fields import choices, document_preview
from integrations.connectors.xero.fields.documents import currency_field, currency_rate_field
from integrations.connectors.xero.fields.lines import PurchaseRow, line_payload
from integrations.connectors.xero.fields.lock_keys import looked_for
from integrations.connectors.xero.links import bill_link
from integrations.connectors.xero.plain import money
from integrations.connectors.xero.samples import items
from integrations.core.errors import RejectedError
from integrations.core.messages import Request, Response
from integrations.framework.base import Writing
from integrations.framework.checks import Facts, Finding
from integrations.schema.documents import Document
from integrations.schema.schema import Schema, field
from integrations.transport.http import ApiClient

#: The contact of an adjustment if none is given; Xero creates it when it is first used.
ADJUSTMENTS = "Inventory Adjustments"
_COUNTERPART = "Inventory adjustment"
_ONLY_BILL = "Only a bill has this. Leave it empty for an adjustment."


class ReceiveStock(CreateDocument):
    """Receive stock of a tracked item, by a bill or by an adjustment.

    The document is approved at once, since drafts move no stock. The marker is in `Url`; an adjustment also has it as
    its number. Afterwards the item is read again: quantity on hand and total cost.
    """

    key = "receive_stock"
    name = "Receive stock"
    words = ("inventory", "goods received", "delivery", "SKU", "product", "purchase", "bill")
    sample = items.RECEIVED_STOCK
    record_kind = INVOICES
    scopes = ("accounting.invoices", "accounting.settings")
    plural, id_name, number_name, noun = "Invoices", "InvoiceID", "InvoiceNumber", "Bill"
    day_input = "received_on"
    bill_number = "bill_number"
    posted_on = "received_on"
    lookup_query = {"createdByMyApp": "true", "unitdp": "4", "where": 'Type=="ACCPAY"'}

    class Inputs(Schema):
        received_by: choices.ReceivedBy = field("Received by", default=choices.ReceivedBy.BILL)
        item_code: str = field(
            "Item", choices=choices.tracked_items, max_length=30, help="Only tracked items have a quantity."
        )
        quantity: Decimal = field("Quantity", minimum=Decimal("0.0001"), decimal_places=4)
        unit_cost: Decimal = field("Unit cost", minimum=0, decimal_places=4, help="What one of them costs or is worth.")
        contact_id: str | None = field(
            "Supplier",
            choices=choices.contacts,
            default=None,
            max_length=36,
            help=f"Needed for a bill. Left empty, an adjustment stands under the contact {ADJUSTMENTS}.",
        )
        due_date: date | None = field("Due date", default=None, help="Needed for a bill.")
        adjustment_account: str | None = field(
            "Adjustment account",
            choices=choices.adjustment_accounts,
            default=None,
            max_length=10,
            help="Of an adjustment: where its value is booked against the inventory account.",
        )
        bill_number: str | None = field(
            "Bill number", default=None, max_length=255, tidy=True, help="The number that the supplier gave the bill."
        )
        if_duplicate: choices.IfDuplicate = field(
            "If the supplier's bill number is in Xero already", default=choices.IfDuplicate.STOP
        )
        received_on: date | None = field(
            "Date", default=None, help="Left empty: the day on which it is written, where the organisation is."
        )
        prices: choices.LineAmountTypes = field(
            "Unit cost is", default=choices.LineAmountTypes.EXCLUSIVE, help="Of a bill. An adjustment has no tax."
        )
        tax_type: str | None = field(
            "Tax rate",
            choices=choices.purchase_tax_types,
            default=None,
            max_length=50,
            help="Of a bill. Left empty, Xero takes the item's.",
        )
        description: str | None = field(
            "Description", default=None, max_length=4000, long=True, help="Left empty, the item's."
        )
        currency: str | None = currency_field()
        currency_rate: Decimal | None = currency_rate_field()

        def check(self) -> Mapping[str, str]:
            """What a bill and an adjustment each need, and what an adjustment cannot have."""
            problems = rate_problems(self)
            if self.is_bill:
                needed = {"contact_id": "Supplier", "due_date": "Due date"}
                if self.adjustment_account is not None:
                    problems["adjustment_account"] = "Only an adjustment has this. Leave it empty for a bill."
            else:
                needed = {"adjustment_account": "Adjustment account"}
                for name in ("bill_number", "due_date", "tax_type", "currency"):
                    if getattr(self, name) is not None:
                        problems[name] = _ONLY_BILL
            what = "a bill" if self.is_bill else "an adjustment"
            missing = {name: label for name, label in needed.items() if getattr(self, name) is None}
            return problems | {name: f"{label} is needed for {what}." for name, label in missing.items()}

        @property
        def is_bill(self) -> bool:
            """Whether something was bought."""
            return self.received_by is choices.ReceivedBy.BILL

        @property
        def line_amount_types(self) -> choices.LineAmountTypes:
            """Whether the document's prices include tax."""
            return self.prices if self.is_bill else choices.LineAmountTypes.NO_TAX

        @property
        def lines(self) -> list[PurchaseRow]:
            """The document's rows, as far as the inputs give them; an adjustment also has the row that takes the amount
            off."""
            goods = PurchaseRow(
                item_code=self.item_code,
                description=self.description,
                quantity=self.quantity,
                unit_amount=self.unit_cost,
                tax_type=self.tax_type,
            )
            counterpart = PurchaseRow(
                description=_COUNTERPART,
                quantity=self.quantity,
                unit_amount=-self.unit_cost,
                account_code=self.adjustment_account,
            )
            return [goods] if self.is_bill else [goods, counterpart]

    def lock_key(self, inputs: Inputs) -> str:
        """Before a bill is written, its supplier's number is searched for."""
        if inputs.bill_number is None:
            return ""
        return looked_for("Bills", "number", inputs.contact_id or "", inputs.bill_number)

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        """The day, and the item's fields that the document needs. Raises RejectedError if the item is not tracked, the
        day is locked or the bill exists already."""
        assert isinstance(api, XeroClient)
        found: dict[str, Any] = super().prepare(api, inputs)
        item = item_with(api, inputs.item_code)
        if item is None:
            raise RejectedError(f"Xero has no item with the code {inputs.item_code} in {api.connection.name}.")
        if not item.get("IsTrackedAsInventory"):
            raise RejectedError(
                f"The item {item['Code']} is not tracked, so Xero counts no stock of it. Nothing was sent. Give it an "
                "inventory account and an account for cost of goods sold in Xero, or take another item."
            )
        if inputs.bill_number is not None and inputs.contact_id and inputs.if_duplicate is choices.IfDuplicate.STOP:
            refuse_duplicate(api, inputs.contact_id, inputs.bill_number)
        return {
            **found,
            "account": item["InventoryAssetAccountCode"],
            "description": item.get("PurchaseDescription") or item.get("Description") or item.get("Name"),
            "item_code": item["Code"],
            "quantity_before": item.get("QuantityOnHand"),
            "quantity_received": inputs.quantity,
        }

    def remember(self, found: Any) -> dict[str, Any]:
        return {name: found[name] for name in ("item_code", "quantity_received", "quantity_before")}

    def checks(self, facts: Facts, inputs: Inputs, found: Any) -> Iterable[Finding]:
        """Its rows are made here, so their accounts and tax rate are looked at by the inputs that they come from."""
        yield from period_findings(facts, "received_on", inputs.received_on, "the document")
        yield from contact_findings(facts, "contact_id", inputs.contact_id)
        yield from currency_findings(facts, "currency", inputs.currency)
        code, tax_type = inputs.adjustment_account, inputs.tax_type
        if code:
            yield from facts.tried(
                ACCOUNT_CHECK,
                lambda: account_findings(facts, "adjustment_account", code, usual=COSTS, document="an adjustment"),
            )
        if tax_type and inputs.line_amount_types is not choices.LineAmountTypes.NO_TAX:
            account = (found or {}).get("account") or ""
            yield from facts.tried(TAX_CHECK, lambda: tax_findings(facts, "tax_type", tax_type, account))

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        day = day_of(inputs.received_on, writing.found)
        goods, *others = (line_payload(line) for line in inputs.lines)
        goods = {**given({"Description": writing.found["description"]}), **goods}
        goods |= {"ItemCode": writing.found["item_code"], "AccountCode": writing.found["account"]}
        record = given(
            {
                "Type": "ACCPAY",
                # Only the id: any other field would change the contact. A name alone finds or creates it.
                "Contact": {"ContactID": inputs.contact_id} if inputs.contact_id else {"Name": ADJUSTMENTS},
                "Date": day,
                "DueDate": iso(inputs.due_date) or day,
                "LineAmountTypes": inputs.line_amount_types.value,
                "LineItems": [goods, *others],
                "InvoiceNumber": inputs.bill_number if inputs.is_bill else writing.marker,
                "Url": writing.back_link or None,
                "CurrencyCode": inputs.currency,
                "CurrencyRate": inputs.currency_rate,
                "Status": "AUTHORISED",
            }
        )
        return Request.of_json(
            "PUT", "/Invoices", {"Invoices": [record]}, query={"unitdp": "4", "summarizeErrors": "true"}
        )

    def output(self, response: Response) -> dict[str, Any]:
        return complete(only_record(response, self.plural, self.id_name), self.sample)

    def read_back(self, api: ApiClient, inputs: Inputs, output: dict[str, Any]) -> dict[str, Any]:
        """Adds the quantity on hand now and its total cost (in the organisation's currency)."""
        item = item_with(api, inputs.item_code)
        if item is None:
            raise RejectedError(f"Xero has no item with the code {inputs.item_code} any more.")
        return {**output, "quantity_on_hand": item.get("QuantityOnHand"), "total_cost": item.get("TotalCostPool")}

    def carries(self, document: Mapping[str, Any], inputs: Inputs, marker: str) -> bool:
        return leads_to(document.get("Url"), marker)

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return bill_link(str(output["InvoiceID"]), organisation)

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        told = document_preview.document_of(
            "Bill for stock" if inputs.is_bill else "Adjustment of stock", inputs, organisation, day=self.day_input
        )
        in_lines = ("item_code", "quantity", "unit_cost", "tax_type", "description", "adjustment_account", "prices")
        labels = {f.label for f in inputs.fields() if f.name in in_lines}
        return replace(
            told,
            whom=told.whom or ADJUSTMENTS,
            whom_label="Supplier",
            status="Approved",
            facts=tuple((label, text) for label, text in told.facts if label not in labels),
        )

    def describe(self, output: Mapping[str, Any]) -> str:
        amount = f"{money(output.get('Total'))} {output.get('CurrencyCode') or ''}".rstrip()
        number = output.get("InvoiceNumber") or "without a number"
        by = f"bill {number}, {amount}" if output.get("Total") else f"adjustment {number}"
        on_hand = output.get("quantity_on_hand")
        now = f"; {_number(on_hand)} on hand" if on_hand is not None else ""
        return f"{_number(output.get('quantity_received'))} {output.get('item_code')} received by {by}{now}"


def _number(value: Any) -> str:
    """A quantity without trailing zeros."""
    return f"{Decimal(str(value)).normalize():f}" if isinstance(value, int | Decimal) else "Some"
