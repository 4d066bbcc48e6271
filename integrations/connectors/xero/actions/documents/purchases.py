"""Creating purchase orders and bills.

https://developer.xero.com/documentation/api/accounting/purchaseorders
https://developer.xero.com/documentation/api/accounting/invoices
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from integrations.connectors.xero.actions.documents.creating import (
    MARKER_ROOM,
    CreateDocument,
    day_of,
    is_marked,
    iso,
    leads_to,
    marked,
    rate_problems,
)
from integrations.connectors.xero.actions.reading_back import INVOICES, PURCHASE_ORDERS
from integrations.connectors.xero.answers import given
from integrations.connectors.xero.checks.documents import COSTS, DocumentRules
from integrations.connectors.xero.client import XeroClient
from integrations.connectors.xero.fields import choices
from integrations.connectors.xero.fields.documents import currency_field, currency_rate_field
from integrations.connectors.xero.fields.lines import PurchaseRow, line_payload, line_problems
from integrations.connectors.xero.fields.lock_keys import looked_for
from integrations.connectors.xero.links import bill_link, purchase_order_link
from integrations.connectors.xero.samples import records as samples
from integrations.core.errors import RejectedError
from integrations.core.messages import Request
from integrations.core.sameness import same, searchable
from integrations.framework.base import Writing
from integrations.schema.schema import Schema, field
from integrations.transport.http import ApiClient


class CreatePurchaseOrder(CreateDocument):
    """Create a purchase order.

    It posts nothing to the ledger and moves no stock. It has no URL field, so the marker is in `Reference`, after the
    workflow's own if it gives one. The contact must exist.
    """

    key = "create_purchase_order"
    name = "Create purchase order"
    words: ClassVar[tuple[str, ...]] = ("PO", "order", "supplier", "vendor", "buy", "purchasing")
    sample = samples.PURCHASE_ORDER
    record_kind = PURCHASE_ORDERS
    plural, id_name, number_name = "PurchaseOrders", "PurchaseOrderID", "PurchaseOrderNumber"
    noun = "Purchase order"
    day_input, is_posted = "order_date", False
    # People edit the reference, which holds the marker.
    lookup_reliable = False
    rules = DocumentRules(
        called="a purchase order",
        usual=COSTS,
        is_purchase=True,
        takes_negative=True,
        number="order_number",
        plural="PurchaseOrders",
        number_name="PurchaseOrderNumber",
    )

    class Inputs(Schema):
        contact_id: str = field(
            "Supplier",
            choices=choices.contacts,
            help="Pick one, take that of an earlier step, or have it found or created first.",
        )
        lines: list[PurchaseRow] = field("Line items", row_label="Line")
        line_amount_types: choices.LineAmountTypes = field(
            "Prices are", default=choices.LineAmountTypes.EXCLUSIVE, help="Whether the unit prices hold the tax."
        )
        order_date: date | None = field(
            "Order date", default=None, help="Left empty: the day on which it is written, where the organisation is."
        )
        delivery_date: date | None = field("Delivery date", default=None)
        expected_arrival_date: date | None = field("Expected arrival", default=None)
        status: choices.DocumentStatus = field("Status", default=choices.DocumentStatus.DRAFT)
        order_number: str | None = field(
            "Order number",
            default=None,
            max_length=255,
            tidy=True,
            help="Left empty, Xero numbers it. Yours must be new.",
        )
        reference: str | None = field(
            "Reference",
            default=None,
            max_length=255 - MARKER_ROOM,
            help="A code that leads back to the run is put behind it.",
        )
        delivery_address: str | None = field("Delivery address", default=None, max_length=500, long=True)
        attention_to: str | None = field("Attention to", default=None, max_length=250)
        telephone: str | None = field("Telephone", default=None, max_length=50)
        delivery_instructions: str | None = field("Delivery instructions", default=None, max_length=500, long=True)
        currency: str | None = currency_field()
        currency_rate: Decimal | None = currency_rate_field()
        branding_theme_id: str | None = field("Branding theme", choices=choices.branding_themes, default=None)

        def check(self) -> Mapping[str, str]:
            """What Xero would refuse, by input, before anything is sent."""
            is_draft = self.status is choices.DocumentStatus.DRAFT
            problems = line_problems(self.lines, is_draft=is_draft, document="a purchase order")
            return problems | rate_problems(self)

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        record = given(
            {
                "Contact": {"ContactID": inputs.contact_id},
                "Date": day_of(inputs.order_date, writing.found),
                "DeliveryDate": iso(inputs.delivery_date),
                "ExpectedArrivalDate": iso(inputs.expected_arrival_date),
                "LineAmountTypes": inputs.line_amount_types.value,
                "LineItems": [line_payload(line) for line in inputs.lines],
                "PurchaseOrderNumber": inputs.order_number,
                "Reference": marked(inputs.reference, writing.marker),
                "DeliveryAddress": inputs.delivery_address,
                "AttentionTo": inputs.attention_to,
                "Telephone": inputs.telephone,
                "DeliveryInstructions": inputs.delivery_instructions,
                "CurrencyCode": inputs.currency,
                "CurrencyRate": inputs.currency_rate,
                "BrandingThemeID": inputs.branding_theme_id,
                "Status": inputs.status.value,
            }
        )
        return Request.of_json(
            "PUT", "/PurchaseOrders", {"PurchaseOrders": [record]}, query={"summarizeErrors": "true"}
        )

    def own_number(self, inputs: Inputs) -> str | None:
        return inputs.order_number

    def carries(self, document: Mapping[str, Any], inputs: Inputs, marker: str) -> bool:
        return is_marked(document.get("Reference"), marker)

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return purchase_order_link(str(output["PurchaseOrderID"]), organisation)


class CreateBill(CreateDocument):
    """Create a bill from a supplier.

    A bill's number is the supplier's and may occur twice in Xero, so the books are searched for it first. The marker is
    in `Url`; a bill has no reference.
    """

    key = "create_bill"
    name = "Create bill"
    words = ("supplier invoice", "purchase invoice", "vendor", "payable", "expense", "cost", "receipt", "AP")
    sample = samples.BILL
    record_kind = INVOICES
    plural, id_name, number_name, noun = "Invoices", "InvoiceID", "InvoiceNumber", "Bill"
    bill_number = "bill_number"
    posted_on = "bill_date"
    day_input = "bill_date"
    lookup_query = {"createdByMyApp": "true", "unitdp": "4", "where": 'Type=="ACCPAY"'}
    rules = DocumentRules(called="a bill", usual=COSTS, is_purchase=True, takes_stock=-1)

    class Inputs(Schema):
        contact_id: str = field(
            "Supplier",
            choices=choices.contacts,
            help="Pick one, take that of an earlier step, or have it found or created first.",
        )
        lines: list[PurchaseRow] = field("Line items", row_label="Line")
        line_amount_types: choices.LineAmountTypes = field(
            "Prices are", default=choices.LineAmountTypes.EXCLUSIVE, help="Whether the unit prices hold the tax."
        )
        bill_number: str | None = field(
            "Bill number", default=None, max_length=255, tidy=True, help="The number that the supplier gave the bill."
        )
        if_duplicate: choices.IfDuplicate = field(
            "If the supplier's bill number is in Xero already", default=choices.IfDuplicate.STOP
        )
        bill_date: date | None = field(
            "Bill date", default=None, help="Left empty: the day on which it is written, where the organisation is."
        )
        due_date: date | None = field("Due date", default=None, help="Needed unless the bill stays a draft.")
        status: choices.InvoiceStatus = field("Status", default=choices.InvoiceStatus.DRAFT)
        planned_payment_date: date | None = field("Planned payment date", default=None)
        currency: str | None = currency_field()
        currency_rate: Decimal | None = currency_rate_field()

        def check(self) -> Mapping[str, str]:
            """What Xero would refuse, by input, before anything is sent."""
            is_draft = self.status is choices.InvoiceStatus.DRAFT
            problems = line_problems(self.lines, is_draft=is_draft, document="a bill")
            if not is_draft and self.due_date is None:
                problems["due_date"] = "Due date is needed for a bill that does not stay a draft."
            return problems | rate_problems(self)

    def lock_key(self, inputs: Inputs) -> str:
        """Before a bill is written, its supplier's number is searched for."""
        if inputs.bill_number is None:
            return ""
        return looked_for("Bills", "number", inputs.contact_id or "", inputs.bill_number)

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, str]:
        """As for every document. Also raises RejectedError for a bill that exists already."""
        assert isinstance(api, XeroClient)
        found = super().prepare(api, inputs)
        if inputs.bill_number is not None and inputs.if_duplicate is choices.IfDuplicate.STOP:
            refuse_duplicate(api, inputs.contact_id, inputs.bill_number)
        return found

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        record = given(
            {
                "Type": "ACCPAY",
                # Only the id: any other field would change the contact.
                "Contact": {"ContactID": inputs.contact_id},
                "Date": day_of(inputs.bill_date, writing.found),
                "DueDate": iso(inputs.due_date),
                "PlannedPaymentDate": iso(inputs.planned_payment_date),
                "LineAmountTypes": inputs.line_amount_types.value,
                "LineItems": [line_payload(line) for line in inputs.lines],
                "InvoiceNumber": inputs.bill_number,
                "Url": writing.back_link,
                "CurrencyCode": inputs.currency,
                "CurrencyRate": inputs.currency_rate,
                "Status": inputs.status.value,
            }
        )
        return Request.of_json(
            "PUT", "/Invoices", {"Invoices": [record]}, query={"unitdp": "4", "summarizeErrors": "true"}
        )

    def carries(self, document: Mapping[str, Any], inputs: Inputs, marker: str) -> bool:
        return leads_to(document.get("Url"), marker)

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return bill_link(str(output["InvoiceID"]), organisation)


def refuse_duplicate(api: XeroClient, contact_id: str, number: str) -> None:
    """Raises RejectedError if the books have a bill of this contact with this number."""
    query = {"ContactIDs": contact_id, "searchTerm": searchable(number) or number, "summaryOnly": "true"}
    for page in api.pages("/Invoices", "Invoices", query):
        for bill in page:
            is_alive = bill.get("Status") not in {"DELETED", "VOIDED"}
            is_same = same(bill.get("InvoiceNumber"), number)
            if is_alive and is_same and bill.get("Type") == "ACCPAY":
                name = (bill.get("Contact") or {}).get("Name")
                raise RejectedError(
                    f'A bill with the number "{number}" from {name} is in Xero already, so nothing was written. '
                    "Delete that one there, or let the step write all the same."
                )
