"""Actions that bring a record into a state. Doing so twice gives the same state, so they need no marker: whether it was
done is told by the record itself.

https://developer.xero.com/documentation/api/accounting/quotes
https://developer.xero.com/documentation/api/accounting/invoices
https://developer.xero.com/documentation/api/accounting/contacts
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from integrations.base import Action, Effect, Writing
from integrations.documents import Document
from integrations.http import ApiClient, Request, Response
from integrations.schema import Schema, field
from integrations.xero import choices, samples
from integrations.xero.answers import complete, only_record
from integrations.xero.client import XeroClient
from integrations.xero.contact_actions import tidy
from integrations.xero.contact_search import is_guid
from integrations.xero.document_search import no_id
from integrations.xero.documents import money
from integrations.xero.links import bill_link, contact_link, invoice_link, quote_link
from integrations.xero.locks import refuse_locked
from integrations.xero.papers import paper
from integrations.xero.plain import plain
from integrations.xero.reading import by_id
from integrations.xero.undoing import CAREFULLY, present, way_back

_PICK = "Pick one, or take the {} that an earlier step found or created."


class UpdateQuoteStatus(Action):
    """Set the status of a quote, as sent, accepted or invoiced."""

    key = "update_quote_status"
    name = "Update quote status"
    effect = Effect.UPDATES
    scopes = ("accounting.invoices",)
    sample = samples.QUOTE
    key_window = 300
    lookup_reliable = True
    no_undo = "The status that the quote had before is not kept. Set it again with this action."

    class Inputs(Schema):
        quote_id: str = field("Quote", choices=choices.quotes, max_length=36, help=_PICK.format("QuoteID"))
        status: choices.NewQuoteStatus = field("Status")

        def check(self) -> Mapping[str, str]:
            """The id becomes part of an address."""
            return _wrong_id(self, "quote_id", "quote")

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, str]:
        """Contact and date, which Xero asks for again with every change of a quote."""
        quote = present(api, "Quotes", inputs.quote_id, "quote")
        return {"contact_id": quote["Contact"]["ContactID"], "date": quote["Date"]}

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        record = {
            "QuoteID": inputs.quote_id,
            "Contact": {"ContactID": writing.found["contact_id"]},
            "Date": writing.found["date"],
            "Status": inputs.status.value,
        }
        return Request.of_json("POST", "/Quotes", {"Quotes": [record]}, query=CAREFULLY)

    def output(self, response: Response) -> dict[str, Any]:
        return complete(only_record(response, "Quotes", "QuoteID"), samples.QUOTE)

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The quote, if it has the status."""
        assert isinstance(api, XeroClient)
        found = [complete(plain(quote), samples.QUOTE) for quote in by_id(api, "Quotes", inputs.quote_id)]
        return [quote for quote in found if quote["Status"] == inputs.status.value]

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["QuoteID"])

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return quote_link(str(output["QuoteID"]), organisation)

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        return paper("Status of a quote", inputs, organisation)

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"Quote {output['QuoteNumber']} is {str(output['Status']).lower()}"


class VoidOrDeleteInvoice(Action):
    """Void an approved invoice or bill, or delete one that is not approved yet.

    Xero takes neither back, and takes no invoice that is paid or credited in part.
    """

    key = "void_or_delete_invoice"
    name = "Void or delete invoice"
    effect = Effect.DELETES
    scopes = ("accounting.invoices",)
    sample = samples.INVOICE
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

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, str]:
        """Which of the two it is to be. Raises RejectedError for one that can be neither, and in a locked period."""
        invoice = present(api, "Invoices", inputs.invoice_id, "invoice")
        target = way_back(invoice, "Invoices", invoice.get("InvoiceNumber") or "The invoice")
        noun = "bill" if invoice.get("Type") == "ACCPAY" else "invoice"
        refuse_locked(api, date.fromisoformat(invoice["Date"]), f"the {noun}")
        return {"status": target}

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

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        notes = ("An approved one is voided, any other deleted. Xero takes neither back.",)
        return paper("End of an invoice or bill", inputs, organisation, notes=notes)

    def describe(self, output: Mapping[str, Any]) -> str:
        noun = "Bill" if output["Type"] == "ACCPAY" else "Invoice"
        number = output.get("InvoiceNumber") or "without a number"
        return f"{noun} {number}, {money(output.get('Total'))}, is {str(output['Status']).lower()}"


class ArchiveContact(Action):
    """Archive a contact. Xero lets a person restore it."""

    key = "archive_contact"
    name = "Archive contact"
    effect = Effect.UPDATES
    scopes = ("accounting.contacts",)
    sample = samples.CONTACT
    key_window = 300
    lookup_reliable = True
    no_undo = "Only a person brings a contact back from the archive, on its page in Xero."

    class Inputs(Schema):
        contact_id: str = field("Contact", choices=choices.contacts, max_length=36, help=_PICK.format("ContactID"))

        def check(self) -> Mapping[str, str]:
            """The id becomes part of an address."""
            return _wrong_id(self, "contact_id", "contact")

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

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        return paper("Contact for the archive", inputs, organisation)

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"Contact {output['Name']} is archived"


def _wrong_id(inputs: Any, name: str, noun: str) -> dict[str, str]:
    value = str(getattr(inputs, name))
    return {} if is_guid(value) else {name: no_id(value, noun, samples.INVOICE["InvoiceID"])}
