"""Actions that set a record's status. Doing so twice gives the same status, so they need no marker: the record itself
shows whether it was done.

https://developer.xero.com/documentation/api/accounting/quotes
https://developer.xero.com/documentation/api/accounting/invoices
https://developer.xero.com/documentation/api/accounting/contacts
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from integrations.connectors.xero.actions.contacts import tidy
from integrations.connectors.xero.actions.reading_back import CONTACTS, INVOICES, QUOTES, ReadsBack
from integrations.connectors.xero.actions.undoing import CAREFULLY, present, way_back
from integrations.connectors.xero.answers import complete, only_record
from integrations.connectors.xero.checks.existing import present_findings, quote_findings
from integrations.connectors.xero.client import XeroClient
from integrations.connectors.xero.fields import choices, document_preview
from integrations.connectors.xero.fields.document_preview import shown_document
from integrations.connectors.xero.fields.lock_dates import refuse_locked
from integrations.connectors.xero.links import bill_link, contact_link, invoice_link, quote_link
from integrations.connectors.xero.plain import money, plain, stamp
from integrations.connectors.xero.samples import records as samples
from integrations.connectors.xero.search.by_id import by_id
from integrations.connectors.xero.search.contacts import is_guid
from integrations.connectors.xero.search.documents import no_id
from integrations.core.messages import Request, Response
from integrations.framework.base import Action, Effect, Writing
from integrations.framework.checks import Facts, Finding
from integrations.framework.current import RecordState
from integrations.framework.recovery import Proof
from integrations.schema.documents import Document, WrittenDocument
from integrations.schema.schema import Schema, field
from integrations.transport.http import ApiClient

_PICK = "Pick one, or take the {} that an earlier step found or created."


class UpdateQuoteStatus(ReadsBack, Action):
    """Set the status of a quote, as sent, accepted or invoiced."""

    key = "update_quote_status"
    name = "Update quote status"
    words = ("offer", "estimate", "accept", "decline", "sent", "won", "lost")
    effect = Effect.UPDATES
    scopes = ("accounting.invoices",)
    sample = samples.QUOTE
    record_kind = QUOTES
    key_window = 300
    lookup_reliable = True
    no_undo = "The status that the quote had before is not kept. Set it again with this action."

    class Inputs(Schema):
        quote_id: str = field("Quote", choices=choices.quotes, max_length=36, help=_PICK.format("QuoteID"))
        status: choices.NewQuoteStatus = field("Status")

        def check(self) -> Mapping[str, str]:
            """The id becomes part of an address."""
            return _wrong_id(self, "quote_id", "quote")

    def proof(self, inputs: Inputs) -> Proof:
        return Proof.STATE

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        """The quote, with contact and date, which Xero requires with every change."""
        return present(api, "Quotes", inputs.quote_id, "quote")

    def settled(self, inputs: Inputs, found: Any) -> dict[str, Any] | None:
        return complete(found, samples.QUOTE) if found.get("Status") == inputs.status.value else None

    def seen(self, inputs: Inputs, found: Any) -> dict[str, Any]:
        return stamp(found, "Status")

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        record = {
            "QuoteID": inputs.quote_id,
            "Contact": {"ContactID": writing.found["Contact"]["ContactID"]},
            "Date": writing.found["Date"],
            "Status": inputs.status.value,
        }
        return Request.of_json("POST", "/Quotes", {"Quotes": [record]}, query=CAREFULLY)

    def output(self, response: Response) -> dict[str, Any]:
        return complete(only_record(response, "Quotes", "QuoteID"), samples.QUOTE)

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The quote, if it has that status."""
        assert isinstance(api, XeroClient)
        found = [complete(plain(quote), samples.QUOTE) for quote in by_id(api, "Quotes", inputs.quote_id)]
        return [quote for quote in found if quote["Status"] == inputs.status.value]

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["QuoteID"])

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return quote_link(str(output["QuoteID"]), organisation)

    def checks(self, facts: Facts, inputs: Inputs, found: Any) -> Iterable[Finding]:
        yield from present_findings(facts, "quote_id", "Quotes", "quote", inputs.quote_id)
        yield from quote_findings(facts, inputs, found)

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        return shown_document("Status of a quote", inputs, organisation)

    def written_document(self, output: Mapping[str, Any]) -> WrittenDocument:
        return document_preview.written_document(output, "QuoteNumber")

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"Quote {output['QuoteNumber']} is {str(output['Status']).lower()}"


class VoidOrDeleteInvoice(ReadsBack, Action):
    """Void an approved invoice or bill, or delete one that is not approved yet.

    Xero can undo neither, and refuses an invoice that is partly paid or credited.
    """

    key = "void_or_delete_invoice"
    name = "Void or delete invoice"
    words = ("cancel", "remove", "reverse", "bill", "sales invoice")
    effect = Effect.DELETES
    scopes = ("accounting.invoices",)
    sample = samples.INVOICE
    record_kind = INVOICES
    leaves = RecordState.VOIDED
    key_window = 300
    lookup_reliable = True
    no_undo = "Xero brings back no invoice that was voided or deleted. Create it again."

    class Inputs(Schema):
        invoice_id: str = field(
            "Invoice or bill", choices=choices.invoices, max_length=36, help=_PICK.format("InvoiceID")
        )

        def check(self) -> Mapping[str, str]:
            """The id becomes part of an address."""
            return _wrong_id(self, "invoice_id", "invoice")

    def proof(self, inputs: Inputs) -> Proof:
        return Proof.STATE

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        """Whether to void or to delete. Raises RejectedError if neither is possible, and in a locked period."""
        invoice = present(api, "Invoices", inputs.invoice_id, "invoice")
        target = way_back(invoice, "Invoices", invoice.get("InvoiceNumber") or "The invoice")
        noun = "bill" if invoice.get("Type") == "ACCPAY" else "invoice"
        refuse_locked(api, date.fromisoformat(invoice["Date"]), f"the {noun}")
        return {"status": target, "seen": stamp(invoice, "Status")}

    def seen(self, inputs: Inputs, found: Any) -> dict[str, Any]:
        return dict(found["seen"])

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        record = {"InvoiceID": inputs.invoice_id, "Status": writing.found["status"]}
        return Request.of_json("POST", "/Invoices", {"Invoices": [record]}, query={"unitdp": "4", **CAREFULLY})

    def output(self, response: Response) -> dict[str, Any]:
        return complete(only_record(response, "Invoices", "InvoiceID"), samples.INVOICE)

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The invoice, if it is gone."""
        assert isinstance(api, XeroClient)
        found = [complete(plain(invoice), samples.INVOICE) for invoice in by_id(api, "Invoices", inputs.invoice_id)]
        return [invoice for invoice in found if invoice["Status"] in {"DELETED", "VOIDED"}]

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["InvoiceID"])

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        to_page = bill_link if output["Type"] == "ACCPAY" else invoice_link
        return to_page(str(output["InvoiceID"]), organisation)

    def checks(self, facts: Facts, inputs: Inputs, found: Any) -> Iterable[Finding]:
        return present_findings(facts, "invoice_id", "Invoices", "invoice", inputs.invoice_id)

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        notes = ("An approved one is voided, any other deleted. Xero takes neither back.",)
        return shown_document("End of an invoice or bill", inputs, organisation, notes=notes)

    def written_document(self, output: Mapping[str, Any]) -> WrittenDocument:
        return document_preview.written_document(output, "InvoiceNumber")

    def describe(self, output: Mapping[str, Any]) -> str:
        noun = "Bill" if output["Type"] == "ACCPAY" else "Invoice"
        number = output.get("InvoiceNumber") or "without a number"
        return f"{noun} {number}, {money(output.get('Total'))}, is {str(output['Status']).lower()}"


class ArchiveContact(ReadsBack, Action):
    """Archive a contact. Xero lets a person restore it."""

    key = "archive_contact"
    name = "Archive contact"
    words = ("customer", "client", "supplier", "vendor", "remove", "hide", "inactive")
    effect = Effect.UPDATES
    scopes = ("accounting.contacts",)
    sample = samples.CONTACT
    record_kind = CONTACTS
    leaves = RecordState.ARCHIVED
    key_window = 300
    lookup_reliable = True
    no_undo = "Only a person brings a contact back from the archive, on its page in Xero."

    class Inputs(Schema):
        contact_id: str = field("Contact", choices=choices.contacts, max_length=36, help=_PICK.format("ContactID"))

        def check(self) -> Mapping[str, str]:
            """The id becomes part of an address."""
            return _wrong_id(self, "contact_id", "contact")

    def proof(self, inputs: Inputs) -> Proof:
        return Proof.STATE

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        """The contact; empty if Xero has none with the id, as its answer to the write then says."""
        assert isinstance(api, XeroClient)
        found = by_id(api, "Contacts", inputs.contact_id)
        return dict(plain(found[0])) if found else {}

    def settled(self, inputs: Inputs, found: Any) -> dict[str, Any] | None:
        return tidy(found) if found.get("ContactStatus") == "ARCHIVED" else None

    def seen(self, inputs: Inputs, found: Any) -> dict[str, Any]:
        return stamp(found, "ContactStatus")

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        record = {"ContactID": inputs.contact_id, "ContactStatus": "ARCHIVED"}
        return Request.of_json("POST", "/Contacts", {"Contacts": [record]}, query=CAREFULLY)

    def output(self, response: Response) -> dict[str, Any]:
        return tidy(only_record(response, "Contacts", "ContactID"))

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The contact, if it is archived."""
        assert isinstance(api, XeroClient)
        found = [tidy(plain(contact)) for contact in by_id(api, "Contacts", inputs.contact_id)]
        return [contact for contact in found if contact["ContactStatus"] == "ARCHIVED"]

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["ContactID"])

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return contact_link(str(output["ContactID"]), organisation)

    def checks(self, facts: Facts, inputs: Inputs, found: Any) -> Iterable[Finding]:
        return present_findings(facts, "contact_id", "Contacts", "contact", inputs.contact_id)

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        return shown_document("Contact for the archive", inputs, organisation)

    def written_document(self, output: Mapping[str, Any]) -> WrittenDocument:
        return document_preview.written_contact(output)

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"Contact {output['Name']} is archived"


def _wrong_id(inputs: Any, name: str, noun: str) -> dict[str, str]:
    value = str(getattr(inputs, name))
    return {} if is_guid(value) else {name: no_id(value, noun, samples.INVOICE["InvoiceID"])}
