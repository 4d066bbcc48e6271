"""Actions on sales invoices.

https://developer.xero.com/documentation/api/accounting/invoices
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from integrations.connectors.xero.actions.documents.creating import CreateDocument, day_of, iso, leads_to, rate_problems
from integrations.connectors.xero.actions.reading_back import INVOICES
from integrations.connectors.xero.answers import given
from integrations.connectors.xero.checks.documents import REVENUE, DocumentRules
from integrations.connectors.xero.fields import choices
from integrations.connectors.xero.fields.documents import currency_field, currency_rate_field
from integrations.connectors.xero.fields.lines import SaleRow, line_payload, line_problems
from integrations.connectors.xero.links import invoice_link
from integrations.connectors.xero.samples import records as samples
from integrations.core.messages import Request
from integrations.framework.base import Writing
from integrations.schema.schema import Schema, field


class CreateInvoice(CreateDocument):
    """Create a sales invoice.

    The marker is in `Url`, which Xero shows as "Go to Pinxero", and in `Reference` unless the workflow fills that.
    """

    key = "create_invoice"
    name = "Create invoice"
    words: ClassVar[tuple[str, ...]] = ("sales invoice", "customer", "receivable", "charge", "revenue", "income", "AR")
    sample = samples.INVOICE
    record_kind = INVOICES
    plural, id_name, number_name, noun = "Invoices", "InvoiceID", "InvoiceNumber", "Invoice"
    day_input = posted_on = "invoice_date"
    lookup_query = {"createdByMyApp": "true", "unitdp": "4"}
    rules = DocumentRules(
        called="a sales invoice",
        usual=REVENUE,
        number="invoice_number",
        plural="Invoices",
        number_name="InvoiceNumber",
        takes_stock=1,
    )

    class Inputs(Schema):
        contact_id: str = field(
            "Contact",
            choices=choices.contacts,
            help="Pick one, take that of an earlier step, or have it found or created first.",
        )
        lines: list[SaleRow] = field("Line items", row_label="Line")
        line_amount_types: choices.LineAmountTypes = field(
            "Prices are", default=choices.LineAmountTypes.EXCLUSIVE, help="Whether the unit prices hold the tax."
        )
        invoice_date: date | None = field(
            "Invoice date", default=None, help="Left empty: the day on which it is written, where the organisation is."
        )
        due_date: date | None = field("Due date", default=None, help="Needed unless the invoice stays a draft.")
        status: choices.InvoiceStatus = field("Status", default=choices.InvoiceStatus.DRAFT)
        invoice_number: str | None = field(
            "Invoice number",
            default=None,
            max_length=255,
            tidy=True,
            help="Left empty, Xero numbers it. A number of your own must be new: Xero then refuses a second one.",
        )
        reference: str | None = field(
            "Reference", default=None, max_length=255, help="Left empty, a code is put in that leads back to the run."
        )
        currency: str | None = currency_field()
        currency_rate: Decimal | None = currency_rate_field()
        branding_theme_id: str | None = field("Branding theme", choices=choices.branding_themes, default=None)
        expected_payment_date: date | None = field("Expected payment date", default=None)
        is_sent: bool = field(
            "Mark as sent", default=False, help="For an approved invoice that reaches the customer in another way."
        )

        def check(self) -> Mapping[str, str]:
            """What Xero would refuse, by input, before anything is sent."""
            problems: dict[str, str] = {}
            is_draft = self.status is choices.InvoiceStatus.DRAFT
            if not is_draft and self.due_date is None:
                problems["due_date"] = "Due date is needed for an invoice that does not stay a draft."
            if self.is_sent and self.status is not choices.InvoiceStatus.AUTHORISED:
                problems["is_sent"] = "Only an approved invoice can be marked as sent."
            problems |= rate_problems(self)
            problems |= line_problems(self.lines, is_draft=is_draft, document="an invoice")
            return problems

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        invoice = given(
            {
                "Type": "ACCREC",
                # Only the id: any other field would change the contact.
                "Contact": {"ContactID": inputs.contact_id},
                "Date": day_of(inputs.invoice_date, writing.found),
                "DueDate": iso(inputs.due_date),
                "LineAmountTypes": inputs.line_amount_types.value,
                "LineItems": [line_payload(line) for line in inputs.lines],
                "InvoiceNumber": inputs.invoice_number,
                "Reference": inputs.reference or writing.marker,
                "Url": writing.back_link,
                "CurrencyCode": inputs.currency,
                "CurrencyRate": inputs.currency_rate,
                "ExpectedPaymentDate": iso(inputs.expected_payment_date),
                "SentToContact": inputs.is_sent or None,
                "BrandingThemeID": inputs.branding_theme_id,
                "Status": inputs.status.value,
            }
        )
        return Request.of_json(
            "PUT",
            "/Invoices",
            {"Invoices": [invoice]},
            # Without unitdp unit prices are rounded to two places; without summarizeErrors a refusal may have status
            # 200.
            query={"unitdp": "4", "summarizeErrors": "true"},
        )

    def own_number(self, inputs: Inputs) -> str | None:
        return inputs.invoice_number

    def title(self, inputs: Inputs) -> str:
        return "Sales invoice"

    def carries(self, document: Mapping[str, Any], inputs: Inputs, marker: str) -> bool:
        return leads_to(document.get("Url"), marker) or document.get("Reference") == marker

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return invoice_link(str(output["InvoiceID"]), organisation)
