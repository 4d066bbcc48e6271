"""Attaching files to records.

https://developer.xero.com/documentation/api/accounting/attachments
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from integrations.connectors.xero.actions.documents.linked_files import LinkedFile, fetched, problem_of
from integrations.connectors.xero.actions.undoing import present
from integrations.connectors.xero.answers import complete, only_record
from integrations.connectors.xero.checks.existing import present_findings
from integrations.connectors.xero.client import records
from integrations.connectors.xero.fields import choices
from integrations.connectors.xero.fields.document_preview import shown_document
from integrations.connectors.xero.fields.options import AttachTo
from integrations.connectors.xero.links import (
    bank_transaction_link,
    bill_link,
    contact_link,
    credit_note_link,
    invoice_link,
    purchase_order_link,
    quote_link,
)
from integrations.connectors.xero.plain import plain
from integrations.connectors.xero.samples import records as samples
from integrations.connectors.xero.search.contacts import is_guid
from integrations.connectors.xero.search.documents import no_id
from integrations.core.errors import RejectedError
from integrations.core.messages import Request, Response
from integrations.framework.base import Action, Effect, Writing
from integrations.framework.checks import Facts, Finding
from integrations.schema.documents import Document
from integrations.schema.schema import Schema, field
from integrations.transport.http import ApiClient

Link = Callable[[str, Mapping[str, Any]], str]


@dataclass(frozen=True)
class _Kind:
    """A kind of record that takes files: its noun, the field that names it, and its page; by Xero's `Type` where they
    differ."""

    noun: str
    name_field: str
    link: Link
    types: Mapping[str, tuple[str, Link]]


def _customers_note(note_id: str, organisation: Mapping[str, Any]) -> str:
    return credit_note_link(note_id, organisation, is_customers=True)


def _suppliers_note(note_id: str, organisation: Mapping[str, Any]) -> str:
    return credit_note_link(note_id, organisation, is_customers=False)


_KINDS: Mapping[AttachTo, _Kind] = {
    AttachTo.INVOICE: _Kind("Invoice", "InvoiceNumber", invoice_link, {"ACCPAY": ("Bill", bill_link)}),
    AttachTo.CREDIT_NOTE: _Kind(
        "Credit note", "CreditNoteNumber", _customers_note, {"ACCPAYCREDIT": ("Credit note", _suppliers_note)}
    ),
    AttachTo.PURCHASE_ORDER: _Kind("Purchase order", "PurchaseOrderNumber", purchase_order_link, {}),
    AttachTo.QUOTE: _Kind("Quote", "QuoteNumber", quote_link, {}),
    AttachTo.CONTACT: _Kind("Contact", "Name", contact_link, {}),
    AttachTo.BANK_TRANSACTION: _Kind("Bank transaction", "Reference", bank_transaction_link, {}),
}
#: The records whose files a customer sees on Xero's online page: "invoices and credit notes to customers".
_SHOWN_ONLINE = {"ACCREC", "ACCRECCREDIT"}


class AttachFile(Action):
    """Attach a file from a link to an invoice, an order, a contact and so on.

    The file is fetched again whenever the step is prepared, and its bytes are stored with the run before they are sent.
    The marker is in its name, so that it can be found among the record's files; sending the same bytes under the same
    name again replaces the file with itself.
    """

    key = "attach_file"
    name = "Attach file"
    words = ("document", "receipt", "PDF", "scan", "picture", "image", "photo", "upload")
    effect = Effect.CREATES
    scopes = ("accounting.attachments", "accounting.invoices")
    scopes_of_values: ClassVar[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
        "attach_to": {
            AttachTo.CONTACT.value: ("accounting.contacts",),
            AttachTo.BANK_TRANSACTION.value: ("accounting.banktransactions",),
        }
    }
    sample = samples.ATTACHMENT
    key_window = 300
    # People rename files. A file under its marked name replaces none of theirs, so nothing is read first.
    lookup_reliable = False
    rereads = False
    no_undo = "Xero lets no app delete a file. Delete it on the record's page there."

    class Inputs(Schema):
        attach_to: AttachTo = field("Attach to", default=AttachTo.INVOICE)
        record_id: str = field(
            "Which one",
            choices=choices.attachables,
            max_length=36,
            help="Pick one, or take the ID that an earlier step found or created, as its InvoiceID.",
        )
        url: str = field(
            "Link to the file",
            max_length=2000,
            help="Begins with https:// and leads straight to the file. The host has to be one that is allowed.",
        )
        file_name: str | None = field(
            "File name",
            default=None,
            max_length=200,
            help="Left empty, the link's. A code is put behind it.",
        )
        include_online: bool = field(
            "Show it to the customer",
            default=False,
            help="On Xero's page of an invoice or credit note to a customer.",
        )

        def check(self) -> Mapping[str, str]:
            """The id becomes part of an address, the link must be allowed, and only some files are shown."""
            problems: dict[str, str] = {}
            if not is_guid(self.record_id):
                noun = _KINDS[self.attach_to].noun.lower()
                problems["record_id"] = no_id(self.record_id, noun, samples.INVOICE["InvoiceID"])
            if problem := problem_of(self.url):
                problems["url"] = problem
            if self.include_online and self.attach_to not in {AttachTo.INVOICE, AttachTo.CREDIT_NOTE}:
                problems["include_online"] = "Customers are shown files of invoices and credit notes only."
            return problems

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        """The record's name, and the file. Raises RejectedError if either does not exist."""
        kind = _KINDS[inputs.attach_to]
        record = present(api, inputs.attach_to.value, inputs.record_id, kind.noun.lower())
        told = str(record.get("Type") or "")
        noun = kind.types.get(told, (kind.noun, kind.link))[0]
        name = f"{noun} {record.get(kind.name_field) or inputs.record_id}"
        if inputs.include_online and told not in _SHOWN_ONLINE:
            raise RejectedError(f"{name} is no document to a customer, so nobody is shown its files. Nothing was sent.")
        file = fetched(inputs.url, inputs.file_name)
        return {
            "content": base64.b64encode(file.content).decode(),
            "content_type": file.content_type,
            "stem": file.stem,
            "extension": file.extension,
            "record": {
                "attached_to": name,
                "record_kind": inputs.attach_to.value,
                "record_id": inputs.record_id,
                "record_type": told,
                "sha256": hashlib.sha256(file.content).hexdigest(),
            },
        }

    def remember(self, found: Any) -> dict[str, Any]:
        """The record that the file is attached to; the answer describes only the file."""
        return dict(found["record"])

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        file = LinkedFile(
            content=base64.b64decode(writing.found["content"]),
            content_type=writing.found["content_type"],
            stem=writing.found["stem"],
            extension=writing.found["extension"],
        )
        return Request(
            "PUT",
            f"/{inputs.attach_to.value}/{inputs.record_id}/Attachments/{quote(file.named(writing.marker), safe='')}",
            query=(("IncludeOnline", "true"),) if inputs.include_online else (),
            body=file.content,
            headers=(("Content-Type", file.content_type),),
        )

    def output(self, response: Response) -> dict[str, Any]:
        return complete(only_record(response, "Attachments", "AttachmentID"), self.sample)

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The record's files that have the marker in their name."""
        listed = api.read(f"/{inputs.attach_to.value}/{inputs.record_id}/Attachments").json()
        return [
            complete(plain(file), self.sample)
            for file in records(listed, "Attachments")
            if marker in str(file.get("FileName") or "")
        ]

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["AttachmentID"])

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        """The page of the record that the file is attached to."""
        kind = _KINDS[AttachTo(output["record_kind"])]
        to_page = kind.types.get(str(output["record_type"]), (kind.noun, kind.link))[1]
        return to_page(str(output["record_id"]), organisation)

    def checks(self, facts: Facts, inputs: Inputs, found: Any) -> Iterable[Finding]:
        kind = inputs.attach_to
        return present_findings(facts, "record_id", kind.value, _KINDS[kind].noun.lower(), inputs.record_id)

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        notes = ("The file is fetched from its host when the step runs.",)
        return shown_document("File at a record", inputs, organisation, notes=notes)

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"{output['attached_to']} has the file {output['FileName']}"
