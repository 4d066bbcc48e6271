"""Actions on credit notes.

https://developer.xero.com/documentation/api/accounting/creditnotes
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from integrations.connectors.xero.actions.documents.creating import (
    MARKER_ROOM,
    CreateDocument,
    day_of,
    is_marked,
    marked,
    rate_problems,
)
from integrations.connectors.xero.actions.reading_back import CREDIT_NOTES
from integrations.connectors.xero.answers import given
from integrations.connectors.xero.checks.documents import DocumentRules
from integrations.connectors.xero.client import XeroClient
from integrations.connectors.xero.fields import choices
from integrations.connectors.xero.fields.documents import currency_field, currency_rate_field
from integrations.connectors.xero.fields.lines import DocumentRow, line_payload, line_problems
from integrations.connectors.xero.links import credit_note_link
from integrations.connectors.xero.plain import money
from integrations.connectors.xero.samples import records as samples
from integrations.connectors.xero.search.contacts import is_guid
from integrations.core.messages import Request
from integrations.framework.base import Writing
from integrations.framework.recovery import Proof
from integrations.schema.schema import Schema, field
from integrations.transport.http import ApiClient


class CreateCreditNote(CreateDocument):
    """Create a credit note to a customer or from a supplier.

    It has no URL field. A customer's has the marker in `Reference`; a supplier's has no reference and has it as its
    number, unless the workflow gives the supplier's own. A note with that number that existed before, that another run
    wrote or that differs is never taken for it.
    """

    key = "create_credit_note"
    name = "Create credit note"
    words = ("refund", "return", "reversal", "credit memo", "customer", "supplier")
    sample = samples.CREDIT_NOTE
    record_kind = CREDIT_NOTES
    plural, id_name, number_name, noun = "CreditNotes", "CreditNoteID", "CreditNoteNumber", "Credit note"
    lookup_query = {"unitdp": "4"}
    day_input = posted_on = "note_date"
    # People edit references and the numbers of suppliers' notes, which hold the marker.
    lookup_reliable = False
    rules = DocumentRules(
        called="a credit note", number="note_number", plural="CreditNotes", number_name="CreditNoteNumber"
    )

    class Inputs(Schema):
        type: choices.CreditNoteType = field("Credit note", default=choices.CreditNoteType.CUSTOMER)
        contact_id: str = field(
            "Contact",
            choices=choices.contacts,
            help="Pick one, take that of an earlier step, or have it found or created first.",
        )
        lines: list[DocumentRow] = field("Line items", row_label="Line", help="Amounts are positive.")
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
            tidy=True,
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
            """What Xero would refuse or drop, by input, before anything is sent."""
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

    def proof(self, inputs: Inputs) -> Proof:
        return Proof.LIKENESS if _is_suppliers_own(inputs) else Proof.MARKER

    def rules_of(self, inputs: Inputs) -> DocumentRules:
        is_suppliers = inputs.type is choices.CreditNoteType.SUPPLIER
        return replace(self.rules, is_purchase=is_suppliers, takes_stock=1 if is_suppliers else -1)

    def own_number(self, inputs: Inputs) -> str | None:
        return inputs.note_number if inputs.type is choices.CreditNoteType.CUSTOMER else None

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """By the marker; a note with the supplier's own number is searched for among all of that supplier's."""
        if not _is_suppliers_own(inputs) or not is_guid(inputs.contact_id):
            return super().find(api, inputs, marker, since=since)
        assert isinstance(api, XeroClient)
        where = f'Type=="ACCPAYCREDIT" AND Contact.ContactID==guid("{inputs.contact_id}")'
        pages = api.pages("/CreditNotes", "CreditNotes", {"unitdp": "4", "where": where})
        return [self._told(note) for page in pages for note in page if self.carries(note, inputs, marker)]

    def strays(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]] | None:
        found = super().strays(api, inputs, marker, since=since) or []
        return [note for note in found if note["Type"] == inputs.type.value]

    def differs(self, inputs: Inputs, hit: Mapping[str, Any]) -> str:
        """Compares rows and date: people also enter notes with the same number."""
        if not _is_suppliers_own(inputs):
            return ""
        there = [(line.get("Quantity"), line.get("UnitAmount")) for line in hit.get("LineItems") or []]
        sent = [(line.quantity, line.unit_amount) for line in inputs.lines]
        if there != sent:
            return f"its total is {money(hit.get('Total'))}, of other rows than those that were sent"
        if inputs.note_date and str(hit.get("Date") or "")[:10] != inputs.note_date.isoformat():
            return f"its date is {str(hit.get('Date'))[:10]}"
        return ""

    def carries(self, document: Mapping[str, Any], inputs: Inputs, marker: str) -> bool:
        if inputs.type is choices.CreditNoteType.CUSTOMER:
            return is_marked(document.get("Reference"), marker)
        contact_id = (document.get("Contact") or {}).get("ContactID")
        is_theirs = document.get("Type") == inputs.type.value and contact_id == inputs.contact_id
        return is_theirs and document.get("CreditNoteNumber") == (inputs.note_number or marker)

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        is_customers = output.get("Type") == choices.CreditNoteType.CUSTOMER.value
        return credit_note_link(str(output["CreditNoteID"]), organisation, is_customers=is_customers)


def _is_suppliers_own(inputs: CreateCreditNote.Inputs) -> bool:
    """Whether the note is identified by the supplier's number and carries no marker."""
    return inputs.type is choices.CreditNoteType.SUPPLIER and inputs.note_number is not None
