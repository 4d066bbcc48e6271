"""Sending an invoice to the customer by e-mail.

https://developer.xero.com/documentation/api/accounting/invoices#email-an-invoice
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import TextChoices

from integrations.base import Action, Effect, Writing
from integrations.clock import seconds
from integrations.documents import Document, Named
from integrations.errors import OutcomeUnknownError, RejectedError
from integrations.http import ApiClient, Request, Response
from integrations.schema import Schema, field
from integrations.xero import choices, samples
from integrations.xero.answers import complete
from integrations.xero.client import XeroClient, records
from integrations.xero.contact_search import is_guid
from integrations.xero.document_search import no_id
from integrations.xero.links import invoice_link
from integrations.xero.plain import plain, read_moment
from integrations.xero.reading import by_id
from integrations.xero.undoing import present

#: What Xero e-mails at all.
_SENDABLE = {"SUBMITTED", "AUTHORISED", "PAID"}
#: Xero's own words for it in the history of an invoice differ; a note somebody wrote is no proof.
_SENT = re.compile(r"\b(sent|e-?mailed)\b", re.IGNORECASE)
#: An entry so many seconds older than our sending may still be of it: the provider's clock is not ours.
_CLOCK_MARGIN = 60
_KEPT = ("InvoiceID", "InvoiceNumber", "Type", "Status", "Reference", "Date", "DueDate", "Total", "CurrencyCode")


class IfSent(TextChoices):
    """When the invoice is marked as sent already."""

    SKIP = "skip", "Do not send it again, and go on"
    STOP = "stop", "Stop the run here"
    AGAIN = "again", "Send it once more"


class EmailInvoice(Action):
    """E-mail a sales invoice to its contact.

    Xero sends it to the contact's address with its own text. The answer is empty, and nothing of ours can be left in
    an e-mail. Afterwards the invoice is marked as sent and its history says so, which tells of a sending but not of
    whose: so a lookup that finds an entry of that minute settles the question, and one that finds none leaves it to a
    person instead of writing to a customer twice.
    """

    key = "email_invoice"
    name = "E-mail invoice"
    effect = Effect.UPDATES
    scopes = ("accounting.invoices",)
    sample = samples.SENT_INVOICE
    key_window = 300
    lookup_reliable = False
    no_undo = "An e-mail cannot be called back."

    class Inputs(Schema):
        invoice_id: str = field(
            "Sales invoice",
            choices=choices.invoices,
            max_length=36,
            help="Pick one, or take the InvoiceID that an earlier step found or created.",
        )
        if_sent: IfSent = field("If it is marked as sent already", default=IfSent.SKIP)

        def check(self) -> Mapping[str, str]:
            """The id becomes part of an address."""
            if not is_guid(self.invoice_id):
                return {"invoice_id": no_id(self.invoice_id, "invoice", samples.INVOICE["InvoiceID"])}
            return {}

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        """The invoice. Raises RejectedError for one that Xero does not send."""
        found = _told(present(api, "Invoices", inputs.invoice_id, "invoice"))
        number = found["InvoiceNumber"] or "The invoice"
        if found["Type"] != "ACCREC":
            raise RejectedError(f"{number} is a bill; only sales invoices can be e-mailed.")
        if found["Status"] not in _SENDABLE:
            raise RejectedError(
                f"{number} is {str(found['Status']).lower()} in Xero; it can be e-mailed once it is approved."
            )
        if found["was_sent_before"] and inputs.if_sent is IfSent.STOP:
            raise RejectedError(f"{number} is marked as sent in Xero already; nothing was sent.")
        return found

    def settled(self, inputs: Inputs, found: Any) -> dict[str, Any] | None:
        if found["was_sent_before"] and inputs.if_sent is IfSent.SKIP:
            return {**found, "is_sent": False, "warning": "It was marked as sent in Xero already; nothing was sent."}
        return None

    def remember(self, found: Any) -> dict[str, Any]:
        return dict(found)

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        return Request.of_json("POST", f"/Invoices/{inputs.invoice_id}/Email", {})

    def output(self, response: Response) -> dict[str, Any]:
        """Only that it was sent: which invoice it was is remembered."""
        if response.status != 204:
            raise OutcomeUnknownError("Xero said yes in an unusual way; whether it sent the invoice is not known.")
        return {"is_sent": True, "warning": None}

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The invoice, if its history holds a sending since then."""
        begin = (since or datetime.now(UTC) - timedelta(days=1)) - seconds(_CLOCK_MARGIN)
        entries = records(api.read(f"/Invoices/{inputs.invoice_id}/History").json(), "HistoryRecords")
        if not any(_is_sending(entry, begin) for entry in entries):
            return []
        assert isinstance(api, XeroClient)
        found = by_id(api, "Invoices", inputs.invoice_id)
        return [{**_told(plain(invoice)), "is_sent": True} for invoice in found]

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output.get("InvoiceID") or "")

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return invoice_link(self.identify(output), organisation)

    def describe(self, output: Mapping[str, Any]) -> str:
        number = output.get("InvoiceNumber") or "without a number"
        if not output["is_sent"]:
            return f"Invoice {number} was sent before"
        address = output.get("email")
        return f"Invoice {number} e-mailed to {address}" if address else f"Invoice {number} e-mailed"

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        return Document(
            what="E-mail with an invoice",
            organisation=str(organisation.get("name") or ""),
            facts=(("Invoice", Named(inputs.invoice_id, choices.invoices)),),
            notes=("Xero sends it to the e-mail address of the contact, with the text that is set up there.",),
        )


def _told(invoice: Mapping[str, Any]) -> dict[str, Any]:
    contact = invoice.get("Contact") or {}
    told = {name: invoice.get(name) for name in _KEPT}
    told["Contact"] = {"ContactID": contact.get("ContactID"), "Name": contact.get("Name")}
    told |= {"email": contact.get("EmailAddress") or None, "was_sent_before": bool(invoice.get("SentToContact"))}
    return complete(told, samples.SENT_INVOICE)


def _is_sending(entry: Mapping[str, Any], begin: datetime) -> bool:
    at = read_moment(str(entry.get("DateUTC") or ""))
    what = f"{entry.get('Changes') or ''} {entry.get('Details') or ''}"
    return at is not None and at >= begin and entry.get("Changes") != "Note" and _SENT.search(what) is not None
