"""Allocating a credit note to an invoice or bill.

https://developer.xero.com/documentation/api/accounting/creditnotes
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from integrations.connectors.xero.actions.documents.creating import day_of, today_for
from integrations.connectors.xero.answers import complete, only_record
from integrations.connectors.xero.checks.documents import period_findings
from integrations.connectors.xero.checks.money import allocation_findings
from integrations.connectors.xero.client import XeroClient
from integrations.connectors.xero.fields import choices, document_preview
from integrations.connectors.xero.fields.document_preview import shown_document
from integrations.connectors.xero.fields.lock_dates import refuse_locked
from integrations.connectors.xero.plain import money, plain
from integrations.connectors.xero.samples import records as samples
from integrations.connectors.xero.search.by_id import by_id
from integrations.connectors.xero.search.contacts import is_guid
from integrations.connectors.xero.search.documents import no_id
from integrations.core.errors import NothingToUndoError, RejectedError
from integrations.core.messages import Request, Response
from integrations.framework.base import Action, Effect, Writing
from integrations.framework.checks import Facts, Finding
from integrations.framework.recovery import Proof
from integrations.schema.documents import Document, WrittenDocument
from integrations.schema.schema import Schema, field
from integrations.transport.http import ApiClient


class AllocateCreditNote(Action):
    """Allocate a credit note to an invoice or bill.

    An allocation has no text, so there is no room for a marker. Before the write there is none of this amount to this
    invoice; if there is one afterwards, it is ours. One that is not found is not sent again automatically.
    """

    key = "allocate_credit_note"
    name = "Allocate credit note"
    words = ("refund", "apply", "offset", "match", "settle", "bill", "invoice")
    effect = Effect.CREATES
    posted_on = "allocated_on"
    undo_words = "The credit is taken off the invoice again."
    scopes = ("accounting.invoices",)
    sample = samples.ALLOCATION
    key_window = 300

    class Inputs(Schema):
        credit_note_id: str = field(
            "Credit note",
            choices=choices.credit_notes,
            max_length=36,
            help="It must be approved. Pick one, or take the CreditNoteID that an earlier step created.",
        )
        invoice_id: str = field(
            "Invoice or bill",
            choices=choices.invoices,
            max_length=36,
            help="Of the same contact, and approved. Pick one, or take the InvoiceID of an earlier step.",
        )
        amount: Decimal = field("Amount", minimum=Decimal("0.01"), decimal_places=2)
        allocated_on: date | None = field(
            "Date", default=None, help="Left empty: the day on which it is written, where the organisation is."
        )

        def check(self) -> Mapping[str, str]:
            """The ids; one becomes part of an address."""
            nouns = {"credit_note_id": "credit note", "invoice_id": "invoice"}
            return {
                name: no_id(getattr(self, name), noun, samples.INVOICE["InvoiceID"])
                for name, noun in nouns.items()
                if not is_guid(getattr(self, name))
            }

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, str]:
        """Today in the organisation's time zone. Raises RejectedError for a day in a locked period, and for an
        allocation that exists already."""
        found = today_for(api, inputs.allocated_on)
        refuse_locked(api, date.fromisoformat(day_of(inputs.allocated_on, found)), "the allocation")
        if self.find(api, inputs, ""):
            raise RejectedError(
                f"{money(inputs.amount)} of this credit note is allocated to this invoice already, so nothing was "
                "written."
            )
        return found

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        record = {
            "Invoice": {"InvoiceID": inputs.invoice_id},
            "Amount": inputs.amount,
            "Date": day_of(inputs.allocated_on, writing.found),
        }
        path = f"/CreditNotes/{inputs.credit_note_id}/Allocations"
        return Request.of_json("PUT", path, {"Allocations": [record]}, query={"summarizeErrors": "true"})

    def output(self, response: Response) -> dict[str, Any]:
        return complete(only_record(response, "Allocations", "AllocationID"), samples.ALLOCATION)

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The allocations of this amount to this invoice."""
        assert isinstance(api, XeroClient)
        notes = [plain(note) for note in by_id(api, "CreditNotes", inputs.credit_note_id)]
        return [
            complete(allocation, samples.ALLOCATION)
            for note in notes
            for allocation in note.get("Allocations") or []
            if (allocation.get("Invoice") or {}).get("InvoiceID") == inputs.invoice_id.lower()
            and allocation.get("Amount") == inputs.amount
        ]

    def proof(self, inputs: Inputs) -> Proof:
        return Proof.LIKENESS

    def there(self, api: ApiClient, inputs: Inputs, marker: str) -> list[str]:
        """None: `prepare` refuses if there is one."""
        return []

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["AllocationID"])

    def undo(self, api: ApiClient, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> Request | None:
        """Delete the allocation. It does not name its credit note; the invoice does."""
        assert isinstance(api, XeroClient)
        allocation_id = self.identify(output)
        invoices = by_id(api, "Invoices", str((output.get("Invoice") or {}).get("InvoiceID") or ""))
        applied = [note for invoice in invoices for note in invoice.get("CreditNotes") or []]
        for note_id in dict.fromkeys(str(note["CreditNoteID"]) for note in applied):
            for note in by_id(api, "CreditNotes", note_id):
                alive = [each for each in note.get("Allocations") or [] if not each.get("IsDeleted")]
                if any(each.get("AllocationID") == allocation_id for each in alive):
                    return Request("DELETE", f"/CreditNotes/{note_id}/Allocations/{allocation_id}")
        raise NothingToUndoError("The allocation is not in Xero any more; nothing was written.")

    def checks(self, facts: Facts, inputs: Inputs, found: Any) -> Iterable[Finding]:
        yield from period_findings(facts, "allocated_on", inputs.allocated_on, "the allocation")
        yield from allocation_findings(facts, inputs)

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        return shown_document("Credit set off", inputs, organisation, day="allocated_on")

    def written_document(self, output: Mapping[str, Any]) -> WrittenDocument:
        return document_preview.written_amount(output)

    def describe(self, output: Mapping[str, Any]) -> str:
        number = (output.get("Invoice") or {}).get("InvoiceNumber") or "an invoice without a number"
        return f"{money(output.get('Amount'))} credited to {number}"
