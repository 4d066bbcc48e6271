"""Actions on credit notes.

https://developer.xero.com/documentation/api/accounting/creditnotes
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from integrations.base import Writing
from integrations.http import Request
from integrations.schema import Schema, field
from integrations.xero import choices, samples
from integrations.xero.answers import given
from integrations.xero.document_fields import currency_field, currency_rate_field
from integrations.xero.documents import (
    MARKER_ROOM,
    CreateDocument,
    day_of,
    is_marked,
    marked,
    rate_problems,
)
from integrations.xero.lines import DocumentRow, line_payload, line_problems
from integrations.xero.links import credit_note_link


class CreateCreditNote(CreateDocument):
    """Create a credit note to a customer or from a supplier.

    It keeps no address. A customer's carries the marker in `Reference`; a supplier's has no reference and carries it as
    its number, unless the workflow gives the supplier's own. That number a supplier gives once, so a note of the same
    supplier with the same number is the same note.
    """

    key = "create_credit_note"
    name = "Create credit note"
    sample = samples.CREDIT_NOTE
    plural, id_name, number_name, noun = "CreditNotes", "CreditNoteID", "CreditNoteNumber", "Credit note"
    lookup_query = {"unitdp": "4"}
    day_input = "note_date"

    class Inputs(Schema):
        type: choices.CreditNoteType = field("Credit note", default=choices.CreditNoteType.CUSTOMER)
        contact_id: str = field(
            "Contact",
            choices=choices.contacts,
            help="Pick one, or take the ContactID that an earlier step found or created.",
        )
        lines: list[DocumentRow] = field("Line items", help="Amounts are positive.")
        line_amount_types: choices.LineAmountTypes = field(
            "Prices are", default=choices.LineAmountTypes.EXCLUSIVE, help="Whether the unit prices hold the tax."
        )
        note_date: date | None = field(
            "Date", default=None, help="Left empty: the day on which it is written, where the organisation is."
        )
        status: choices.DocumentStatus = field(
            "Status", default=choices.DocumentStatus.DRAFT, help="Only an approved one can be allocated to an invoice."
        )
        note_number: str | None = field(
            "Credit note number",
            default=None,
            max_length=255,
            help="Left empty, Xero numbers a customer's, and a supplier's gets a code that leads back to the run.",
        )
        reference: str | None = field(
            "Reference",
            default=None,
            max_length=255 - MARKER_ROOM,
            help="For a customer's only. A code that leads back to the run is put behind it.",
        )
        currency: str | None = currency_field()
        currency_rate: Decimal | None = currency_rate_field()
        branding_theme_id: str | None = field("Branding theme", choices=choices.branding_themes, default=None)

        def check(self) -> Mapping[str, str]:
            """What Xero would refuse or drop, said per input before anything is sent."""
            is_draft = self.status is choices.DocumentStatus.DRAFT
            problems = line_problems(self.lines, is_draft=is_draft, document="a credit note")
            if self.reference is not None and self.type is choices.CreditNoteType.SUPPLIER:
                problems["reference"] = "Xero keeps no reference on a supplier's credit note. Leave it empty."
            return problems | rate_problems(self)

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        is_customers = inputs.type is choices.CreditNoteType.CUSTOMER
        record = given(
            {
                "Type": inputs.type.value,
                # Only the id: any other field would change the contact.
                "Contact": {"ContactID": inputs.contact_id},
                "Date": day_of(inputs.note_date, writing.found),
                "LineAmountTypes": inputs.line_amount_types.value,
                "LineItems": [line_payload(line) for line in inputs.lines],
                "CreditNoteNumber": inputs.note_number or (None if is_customers else writing.marker),
                "Reference": marked(inputs.reference, writing.marker) if is_customers else None,
                "CurrencyCode": inputs.currency,
                "CurrencyRate": inputs.currency_rate,
                "BrandingThemeID": inputs.branding_theme_id,
                "Status": inputs.status.value,
            }
        )
        return Request.of_json(
            "PUT", "/CreditNotes", {"CreditNotes": [record]}, query={"unitdp": "4", "summarizeErrors": "true"}
        )

    def carries(self, document: Mapping[str, Any], inputs: Inputs, marker: str) -> bool:
        if inputs.type is choices.CreditNoteType.CUSTOMER:
            return is_marked(document.get("Reference"), marker)
        contact_id = (document.get("Contact") or {}).get("ContactID")
        is_theirs = document.get("Type") == inputs.type.value and contact_id == inputs.contact_id
        is_alive = document.get("Status") not in {"DELETED", "VOIDED"}
        return is_theirs and is_alive and document.get("CreditNoteNumber") == (inputs.note_number or marker)

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        is_customers = output.get("Type") == choices.CreditNoteType.CUSTOMER.value
        return credit_note_link(str(output["CreditNoteID"]), organisation, is_customers=is_customers)
