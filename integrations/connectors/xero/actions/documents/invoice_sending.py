"""Sending an invoice to the customer by e-mail.

https://developer.xero.com/documentation/api/accounting/invoices#email-an-invoice
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import TextChoices

from integrations.connectors.xero.actions.undoing import present
from integrations.connectors.xero.answers import complete
from integrations.connectors.xero.checks.contacts import without_email
from integrations.connectors.xero.checks.existing import present_findings
from integrations.connectors.xero.client import XeroClient, records
from integrations.connectors.xero.fields import choices
from integrations.connectors.xero.links import invoice_link
from integrations.connectors.xero.plain import plain, read_moment
from integrations.connectors.xero.samples import records as samples
from integrations.connectors.xero.search.by_id import by_id
from integrations.connectors.xero.search.contacts import is_guid
from integrations.connectors.xero.search.documents import no_id
from integrations.core.clock import seconds
from integrations.core.errors import OutcomeUnknownError, RejectedError
from integrations.core.messages import Request, Response
from integrations.framework.base import Action, Effect, Writing
from integrations.framework.checks import Facts, Finding
from integrations.framework.recovery import Proof
from integrations.schema.documents import Document, Named
from integrations.schema.schema import Schema, field
from integrations.transport.http import ApiClient

#: The invoices that Xero can e-mail.
_SENDABLE = {"SUBMITTED", "AUTHORISED", "PAID"}
#: Xero's wording in an invoice's history varies; a note that somebody wrote is no proof.
_SENT = re.compile(r"\b(sent|e-?mailed)\b", re.IGNORECASE)
#: How many seconds an entry may be older than our sending and still belong to it: the provider's clock may differ from
#: ours.
_CLOCK_MARGIN = 60
#: The key in a lookup's hit for the history entry that it was found by.
_ENTRY = "history_entry"
_KEPT = ("InvoiceID", "InvoiceNumber", "Type", "Status", "Reference", "Date", "DueDate", "Total", "CurrencyCode")


class IfSent(TextChoices):
    """When the invoice is marked as sent already."""

    SKIP = "skip", "Do not send it again, and go on"
    STOP = "stop", "Stop the run here"
    AGAIN = "again", "Send it once more"


class EmailInvoice(Action):
    """E-mail a sales invoice to its contact.

    Xero sends it to the contact's address with its own text. The answer is empty, and an e-mail has no room for our
    marker. Afterwards the invoice is marked as sent and its history says so, but not who sent it. So an entry from
    before the sending, or one that may be another run's, proves nothing; a later one settles the question; without one
    a person decides, so that no customer is written to twice.
    """

    key = "email_invoice"
    name = "E-mail invoice"
    words = ("mail", "send", "customer", "sales invoice")
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
        """Only that it was sent: the invoice is remembered from `prepare`."""
        if response.status != 204:
            raise OutcomeUnknownError("Xero said yes in an unusual way; whether it sent the invoice is not known.")
        return {"is_sent": True, "warning": None}

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The invoice, once for each sending since then in its history."""
        begin = (since or datetime.now(UTC) - timedelta(days=1)) - seconds(_CLOCK_MARGIN)
        sendings = [entry for entry in _history(api, inputs) if _is_sending(entry, begin)]
        if not sendings:
            return []
        assert isinstance(api, XeroClient)
        found = by_id(api, "Invoices", inputs.invoice_id)
        told = [{**_told(plain(invoice)), "is_sent": True} for invoice in found]
        return [{**each, _ENTRY: _entry_key(entry)} for entry in sendings for each in told]

    def proof(self, inputs: Inputs) -> Proof:
        return Proof.LIKENESS

    def hit_key(self, hit: Mapping[str, Any]) -> str:
        """The history entry; the invoice is the same for all."""
        return str(hit[_ENTRY])

    def there(self, api: ApiClient, inputs: Inputs, marker: str) -> list[str]:
        begin = datetime.min.replace(tzinfo=UTC)
        return [_entry_key(entry) for entry in _history(api, inputs) if _is_sending(entry, begin)]

    def read_back(self, api: ApiClient, inputs: Inputs, output: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in output.items() if name != _ENTRY}

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

    def checks(self, facts: Facts, inputs: Inputs, found: Any) -> Iterable[Finding]:
        yield from present_findings(facts, "invoice_id", "Invoices", "invoice", inputs.invoice_id)
        yield from without_email(facts, "invoice_id", found)

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


def _history(api: ApiClient, inputs: EmailInvoice.Inputs) -> list[dict[str, Any]]:
    return records(api.read(f"/Invoices/{inputs.invoice_id}/History").json(), "HistoryRecords")


def _entry_key(entry: Mapping[str, Any]) -> str:
    return f"{entry.get('DateUTC')} {entry.get('Changes') or ''} {entry.get('Details') or ''}"


def _is_sending(entry: Mapping[str, Any], begin: datetime) -> bool:
    at = read_moment(str(entry.get("DateUTC") or ""))
    what = f"{entry.get('Changes') or ''} {entry.get('Details') or ''}"
    return at is not None and at >= begin and entry.get("Changes") != "Note" and _SENT.search(what) is not None
