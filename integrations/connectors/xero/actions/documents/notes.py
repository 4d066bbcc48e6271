"""Notes in the history of a document.

https://developer.xero.com/documentation/api/accounting/historyandnotes
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from integrations.connectors.xero.answers import complete, only_record
from integrations.connectors.xero.checks.existing import present_findings
from integrations.connectors.xero.client import records
from integrations.connectors.xero.fields import choices
from integrations.connectors.xero.fields.document_preview import shown_document
from integrations.connectors.xero.plain import plain
from integrations.connectors.xero.samples import records as samples
from integrations.connectors.xero.search.contacts import is_guid
from integrations.connectors.xero.search.documents import no_id
from integrations.core.messages import Request, Response
from integrations.framework.base import Action, Effect, Writing
from integrations.framework.checks import Facts, Finding
from integrations.schema.documents import Document
from integrations.schema.schema import Schema, field
from integrations.transport.http import ApiClient

_PLURAL = "HistoryRecords"


class AddNoteToInvoice(Action):
    """Add a note to the history of an invoice or bill.

    A note cannot be changed or deleted afterwards, and has no id in Xero: the time it was written serves as one. The
    run's URL is added after the text; the marker in it shows whether the note was written.
    """

    key = "add_note_to_invoice"
    name = "Add note to invoice"
    words = ("comment", "remark", "history", "sales invoice", "bill")
    effect = Effect.CREATES
    scopes = ("accounting.invoices",)
    sample = samples.NOTE
    key_window = 300
    lookup_reliable = True
    no_undo = "A note cannot be changed or deleted in Xero once it is written."

    class Inputs(Schema):
        invoice_id: str = field(
            "Invoice",
            choices=choices.invoices,
            max_length=36,
            help="Pick one, or take the InvoiceID that an earlier step found or created.",
        )
        note: str = field(
            "Note", max_length=2000, long=True, help="Cannot be changed or deleted in Xero once it is written."
        )

        def check(self) -> Mapping[str, str]:
            """The id becomes part of an address."""
            if not is_guid(self.invoice_id):
                return {"invoice_id": no_id(self.invoice_id, "invoice", samples.INVOICE["InvoiceID"])}
            return {}

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        text = f"{inputs.note} {writing.back_link or writing.marker}"
        return Request.of_json("PUT", _path(inputs), {_PLURAL: [{"Details": text}]})

    def output(self, response: Response) -> dict[str, Any]:
        return complete(only_record(response, _PLURAL, "DateUTC"), samples.NOTE)

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """Searches the invoice's history, in one call."""
        notes = records(api.read(_path(inputs)).json(), _PLURAL)
        return [complete(plain(note), samples.NOTE) for note in notes if marker in str(note.get("Details") or "")]

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["DateUTC"])

    def checks(self, facts: Facts, inputs: Inputs, found: Any) -> Iterable[Finding]:
        return present_findings(facts, "invoice_id", "Invoices", "invoice", inputs.invoice_id)

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        return shown_document(
            "Note in the history",
            inputs,
            organisation,
            notes=("The address of this run is put behind the text.", "A note can never be changed or deleted."),
        )

    def describe(self, output: Mapping[str, Any]) -> str:
        text = str(output["Details"])
        return f"Note: {text[:60]}…" if len(text) > 60 else f"Note: {text}"


def _path(inputs: AddNoteToInvoice.Inputs) -> str:
    return f"/Invoices/{inputs.invoice_id}/History"
