"""Actions on quotes.

https://developer.xero.com/documentation/api/accounting/quotes
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from integrations.connectors.xero.actions.documents.creating import (
    MARKER_ROOM,
    CreateDocument,
    day_of,
    is_marked,
    iso,
    marked,
    rate_problems,
)
from integrations.connectors.xero.actions.reading_back import QUOTES
from integrations.connectors.xero.answers import given
from integrations.connectors.xero.checks.documents import REVENUE, DocumentRules
from integrations.connectors.xero.fields import choices
from integrations.connectors.xero.fields.documents import currency_field, currency_rate_field
from integrations.connectors.xero.fields.lines import SaleRow, line_payload, line_problems
from integrations.connectors.xero.links import quote_link
from integrations.connectors.xero.samples import records as samples
from integrations.core.messages import Request
from integrations.framework.base import Writing
from integrations.schema.schema import Schema, field


class CreateQuote(CreateDocument):
    """Create a quote.

    A quote has no URL field, so the marker is in `Reference`, after the workflow's own if it gives one.
    """

    key = "create_quote"
    name = "Create quote"
    words = ("offer", "estimate", "proposal", "customer")
    sample = samples.QUOTE
    record_kind = QUOTES
    plural, id_name, number_name, noun = "Quotes", "QuoteID", "QuoteNumber", "Quote"
    page_size = None
    day_input, is_posted = "quote_date", False
    # People edit the reference, which holds the marker.
    lookup_reliable = False
    rules = DocumentRules(
        called="a quote",
        usual=REVENUE,
        has_final_status=False,
        takes_negative=True,
        number="quote_number",
        plural="Quotes",
        number_name="QuoteNumber",
    )

    class Inputs(Schema):
        contact_id: str = field(
            "Contact",
            choices=choices.contacts,
            help="Pick one, take that of an earlier step, or have it found or created first.",
        )
        lines: list[SaleRow] = field("Line items", row_label="Line")
        line_amount_types: choices.QuoteLineAmountTypes = field(
            "Prices are",
            default=choices.QuoteLineAmountTypes.EXCLUSIVE,
            help="Whether the unit prices hold the tax.",
        )
        quote_date: date | None = field(
            "Quote date", default=None, help="Left empty: the day on which it is written, where the organisation is."
        )
        expiry_date: date | None = field("Expiry date", default=None)
        status: choices.QuoteStatus = field("Status", default=choices.QuoteStatus.DRAFT)
        title: str | None = field("Title", default=None, max_length=100)
        summary: str | None = field("Summary", default=None, max_length=3000, long=True)
        terms: str | None = field("Terms", default=None, max_length=4000, long=True)
        quote_number: str | None = field(
            "Quote number",
            default=None,
            max_length=255,
            tidy=True,
            help="Left empty, Xero numbers it. Yours must be new.",
        )
        reference: str | None = field(
            "Reference",
            default=None,
            max_length=4000 - MARKER_ROOM,
            help="A code that leads back to the run is put behind it.",
        )
        currency: str | None = currency_field()
        currency_rate: Decimal | None = currency_rate_field()
        branding_theme_id: str | None = field("Branding theme", choices=choices.branding_themes, default=None)

        def check(self) -> Mapping[str, str]:
            """What Xero would refuse, by input, before anything is sent."""
            problems = line_problems(self.lines, is_draft=True, document="a quote")
            if self.expiry_date and self.quote_date and self.expiry_date < self.quote_date:
                problems["expiry_date"] = "Expiry date is before the quote date."
            return problems | rate_problems(self)

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        record = given(
            {
                # Only the id: any other field would change the contact.
                "Contact": {"ContactID": inputs.contact_id},
                "Date": day_of(inputs.quote_date, writing.found),
                "ExpiryDate": iso(inputs.expiry_date),
                "LineAmountTypes": inputs.line_amount_types.value,
                "LineItems": [line_payload(line) for line in inputs.lines],
                "Title": inputs.title,
                "Summary": inputs.summary,
                "Terms": inputs.terms,
                "QuoteNumber": inputs.quote_number,
                "Reference": marked(inputs.reference, writing.marker),
                "CurrencyCode": inputs.currency,
                "CurrencyRate": inputs.currency_rate,
                "BrandingThemeID": inputs.branding_theme_id,
                "Status": inputs.status.value,
            }
        )
        return Request.of_json("PUT", "/Quotes", {"Quotes": [record]}, query={"summarizeErrors": "true"})

    def own_number(self, inputs: Inputs) -> str | None:
        return inputs.quote_number

    def carries(self, document: Mapping[str, Any], inputs: Inputs, marker: str) -> bool:
        return is_marked(document.get("Reference"), marker)

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return quote_link(str(output["QuoteID"]), organisation)
