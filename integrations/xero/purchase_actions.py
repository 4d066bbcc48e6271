"""Creating purchase orders and bills.

https://developer.xero.com/documentation/api/accounting/purchaseorders
https://developer.xero.com/documentation/api/accounting/invoices
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from integrations.base import Writing
from integrations.errors import RejectedError
from integrations.http import ApiClient, Request
from integrations.schema import Schema, field
from integrations.xero import choices, samples
from integrations.xero.answers import given
from integrations.xero.client import XeroClient
from integrations.xero.document_fields import currency_field, currency_rate_field
from integrations.xero.documents import (
    MARKER_ROOM,
    CreateDocument,
    day_of,
    is_marked,
    iso,
    leads_to,
    marked,
    rate_problems,
)
from integrations.xero.lines import PurchaseRow, line_payload, line_problems
from integrations.xero.links import bill_link, purchase_order_link
from integrations.xero.turn_keys import looked_for


class CreatePurchaseOrder(CreateDocument):
    """Create a purchase order.

    It posts nothing to the ledger and moves no stock. It keeps no address, so the marker stands in `Reference`, behind
    the workflow's own where it gives one. The contact must exist.
    """

    key = "create_purchase_order"
    name = "Create purchase order"
    sample = samples.PURCHASE_ORDER
    plural, id_name, number_name = "PurchaseOrders", "PurchaseOrderID", "PurchaseOrderNumber"
    noun = "Purchase order"
    day_input, is_posted = "order_date", False

    class Inputs(Schema):
        contact_id: str = field(
            "Supplier",
            choices=choices.contacts,
            help="Pick one, or take the ContactID that an earlier step found or created.",
        )
        lines: list[PurchaseRow] = field("Line items")
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
            "Order number", default=None, max_length=255, help="Left empty, Xero numbers it. Yours must be new."
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
            """What Xero would refuse, said per input before anything is sent."""
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

    def carries(self, document: Mapping[str, Any], inputs: Inputs, marker: str) -> bool:
        return is_marked(document.get("Reference"), marker)

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return purchase_order_link(str(output["PurchaseOrderID"]), organisation)


class CreateBill(CreateDocument):
    """Create a bill from a supplier.

    A bill's number is the supplier's and may stand in Xero twice, so the books are searched for it first. The marker
    stands in `Url`; a bill keeps no reference.
    """

    key = "create_bill"
    name = "Create bill"
    sample = samples.BILL
    plural, id_name, number_name, noun = "Invoices", "InvoiceID", "InvoiceNumber", "Bill"
    day_input = "bill_date"
    lookup_query = {"createdByMyApp": "true", "unitdp": "4", "where": 'Type=="ACCPAY"'}

    class Inputs(Schema):
        contact_id: str = field(
            "Supplier",
            choices=choices.contacts,
            help="Pick one, or take the ContactID that an earlier step found or created.",
        )
        lines: list[PurchaseRow] = field("Line items")
        line_amount_types: choices.LineAmountTypes = field(
            "Prices are", default=choices.LineAmountTypes.EXCLUSIVE, help="Whether the unit prices hold the tax."
        )
        bill_number: str | None = field(
            "Bill number", default=None, max_length=255, help="The number that the supplier gave the bill."
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
            """What Xero would refuse, said per input before anything is sent."""
            is_draft = self.status is choices.InvoiceStatus.DRAFT
            problems = line_problems(self.lines, is_draft=is_draft, document="a bill")
            if not is_draft and self.due_date is None:
                problems["due_date"] = "Due date is needed for a bill that does not stay a draft."
            return problems | rate_problems(self)

    def turn(self, inputs: Inputs) -> str:
        """A supplier's number is looked for before a bill with it is written."""
        if inputs.bill_number is None:
            return ""
        return looked_for("Bills", "number", inputs.contact_id or "", inputs.bill_number)

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, str]:
        """As for every document. Raises RejectedError for a bill that is there too."""
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
    """Raises RejectedError where a bill of this contact with this number is in the books."""
    query = {"ContactIDs": contact_id, "searchTerm": number, "summaryOnly": "true"}
    for page in api.pages("/Invoices", "Invoices", query):
        for bill in page:
            is_alive = bill.get("Status") not in {"DELETED", "VOIDED"}
            is_same = str(bill.get("InvoiceNumber") or "").strip().casefold() == number.strip().casefold()
            if is_alive and is_same and bill.get("Type") == "ACCPAY":
                name = (bill.get("Contact") or {}).get("Name")
                raise RejectedError(
                    f'A bill with the number "{number}" from {name} is in Xero already, so nothing was written. '
                    "Delete that one there, or let the step write all the same."
                )
