"""Triggers on new records, by polling: Xero sends no notices about most of them.

A poll asks for what changed since the newest change it has seen, less two minutes: Xero's times have whole seconds, and
a change may be told late. What is new is decided by the record's id alone, so an edit of an old record is no event. The
baseline, and the thorough poll of each day, read everything in the order of the ids, which no edit in between changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from integrations.base import Item, Poll, Trigger
from integrations.schema import Schema, field
from integrations.xero import choices, samples
from integrations.xero.answers import complete
from integrations.xero.client import PAGE_SIZE, XeroClient
from integrations.xero.contact_actions import tidy
from integrations.xero.plain import plain

_OVERLAP = timedelta(seconds=120)
_GONE = frozenset({"DELETED", "VOIDED", "ARCHIVED"})


class NewRecord(Trigger):
    """A record was made."""

    scopes = ("accounting.invoices",)
    #: The list in Xero's envelope, which is the address too, and the field that is a record's identity.
    plural: ClassVar[str]
    id_name: ClassVar[str]
    status_name: ClassVar[str] = "Status"
    #: The most on a page; None where Xero lets nobody choose.
    page_size: ClassVar[int | None] = PAGE_SIZE
    #: Sent with every poll.
    fixed_query: ClassVar[Mapping[str, str]] = {}

    def query(self, inputs: Any, *, reads_all: bool) -> dict[str, str]:
        """What narrows the list at Xero."""
        return {}

    def is_wanted(self, record: Mapping[str, Any], inputs: Any) -> bool:
        """Whether the inputs mean this record."""
        return True

    def data(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record as later steps use it."""
        return complete(record, self.sample)

    def poll(self, poll: Poll) -> Iterator[Item]:
        assert isinstance(poll.api, XeroClient)
        reads_all = poll.is_baseline or poll.is_thorough or poll.cursor is None
        pages = poll.api.pages(
            f"/{self.plural}",
            self.plural,
            {
                **self.fixed_query,
                **self.query(poll.inputs, reads_all=reads_all),
                "order": f"{self.id_name if reads_all else 'UpdatedDateUTC'} ASC",
            },
            headers={} if reads_all else {"If-Modified-Since": str(poll.cursor)},
            page_size=self.page_size,
        )
        read = ([plain(record) for record in page] for page in pages)
        yield from self._all(read, poll) if reads_all else self._changed(read, poll)

    def _all(self, pages: Iterator[list[dict[str, Any]]], poll: Poll) -> Iterator[Item]:
        """The cursor comes last, and from the first page: what changed while the others were read is read again."""
        cursor, held = None, None
        for number, page in enumerate(pages):
            cursor = _cursor(page) if number == 0 else cursor
            for record in self._chosen(page, poll):
                if held is not None:
                    yield Item(key=held[self.id_name], data=self.data(held))
                held = record
        if held is not None:
            yield Item(key=held[self.id_name], data=self.data(held), cursor=cursor)

    def _changed(self, pages: Iterator[list[dict[str, Any]]], poll: Poll) -> Iterator[Item]:
        for page in pages:
            chosen, cursor = self._chosen(page, poll), _cursor(page)
            for index, record in enumerate(chosen, start=1):
                is_last = index == len(chosen)
                yield Item(
                    key=record[self.id_name],
                    data=self.data(record),
                    cursor=cursor if is_last else None,
                )

    def _chosen(self, page: list[dict[str, Any]], poll: Poll) -> list[dict[str, Any]]:
        """What the inputs mean, and in a baseline what is gone too: if it comes back it is not new."""
        return [
            record
            for record in page
            if self.is_wanted(record, poll.inputs) and (poll.is_baseline or record.get(self.status_name) not in _GONE)
        ]


def _cursor(page: list[dict[str, Any]]) -> str | None:
    """The newest change on the page less the overlap, by Xero's clock, as If-Modified-Since takes it."""
    told = [str(record["UpdatedDateUTC"]) for record in page if record.get("UpdatedDateUTC")]
    if not told:
        return None
    moments = [datetime.fromisoformat(text) for text in told]
    return (max(moments) - _OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")


class NewContact(NewRecord):
    """A contact was created."""

    key = "new_contact"
    name = "New contact"
    noun = "contact"
    scopes = ("accounting.contacts",)
    sample = samples.CONTACT
    plural, id_name, status_name = "Contacts", "ContactID", "ContactStatus"

    def query(self, inputs: Any, *, reads_all: bool) -> dict[str, str]:
        # An archived contact that is restored later was there before.
        return {"includeArchived": "true"} if reads_all else {}

    def data(self, record: dict[str, Any]) -> dict[str, Any]:
        return tidy(record)


_STATUS_HELP = "With a status: when it is first seen in that status."


class NewInvoice(NewRecord):
    """A sales invoice was created, or reached a status for the first time."""

    key = "new_invoice"
    name = "New invoice"
    noun = "invoice"
    sample = samples.INVOICE
    plural, id_name = "Invoices", "InvoiceID"
    fixed_query = {"unitdp": "4", "where": 'Type=="ACCREC"'}

    class Inputs(Schema):
        status: choices.InvoiceState = field("Status", default=choices.InvoiceState.ANY, help=_STATUS_HELP)

    def query(self, inputs: Any, *, reads_all: bool) -> dict[str, str]:
        return {"Statuses": inputs.status.value} if inputs.status.value != "any" else {}

    def is_wanted(self, record: Mapping[str, Any], inputs: Any) -> bool:
        return record.get("Type") == "ACCREC" and _has_status(record, inputs)


class NewBill(NewInvoice):
    """A bill was created, or reached a status for the first time."""

    key = "new_bill"
    name = "New bill"
    noun = "bill"
    sample = samples.BILL
    fixed_query = {"unitdp": "4", "where": 'Type=="ACCPAY"'}

    def is_wanted(self, record: Mapping[str, Any], inputs: Any) -> bool:
        return record.get("Type") == "ACCPAY" and _has_status(record, inputs)


class NewCreditNote(NewRecord):
    """A credit note was created, or reached a status for the first time."""

    key = "new_credit_note"
    name = "New credit note"
    noun = "credit note"
    sample = samples.CREDIT_NOTE
    plural, id_name = "CreditNotes", "CreditNoteID"
    fixed_query = {"unitdp": "4"}

    class Inputs(Schema):
        kind: choices.CreditNoteKind = field("Credit notes", default=choices.CreditNoteKind.ANY)
        status: choices.InvoiceState = field("Status", default=choices.InvoiceState.ANY, help=_STATUS_HELP)

    def query(self, inputs: Any, *, reads_all: bool) -> dict[str, str]:
        asked = {"Type": inputs.kind.value, "Status": inputs.status.value}
        # Only our own fixed words ever stand here.
        where = " AND ".join(f'{name}=="{value}"' for name, value in asked.items() if value != "any")
        return {"where": where} if where else {}

    def is_wanted(self, record: Mapping[str, Any], inputs: Any) -> bool:
        is_kind = inputs.kind.value in {"any", record.get("Type")}
        return is_kind and _has_status(record, inputs)


class NewQuote(NewRecord):
    """A quote was created, or reached a status for the first time."""

    key = "new_quote"
    name = "New quote"
    noun = "quote"
    sample = samples.QUOTE
    plural, id_name = "Quotes", "QuoteID"
    page_size: ClassVar[int | None] = None

    class Inputs(Schema):
        status: choices.QuoteState = field("Status", default=choices.QuoteState.ANY, help=_STATUS_HELP)

    def query(self, inputs: Any, *, reads_all: bool) -> dict[str, str]:
        return {"Status": inputs.status.value} if inputs.status.value != "any" else {}

    def is_wanted(self, record: Mapping[str, Any], inputs: Any) -> bool:
        return _has_status(record, inputs)


class NewPurchaseOrder(NewQuote):
    """A purchase order was created, or reached a status for the first time."""

    key = "new_purchase_order"
    name = "New purchase order"
    noun = "purchase order"
    sample = samples.PURCHASE_ORDER
    plural, id_name = "PurchaseOrders", "PurchaseOrderID"
    page_size = PAGE_SIZE

    class Inputs(Schema):
        status: choices.OrderState = field("Status", default=choices.OrderState.ANY, help=_STATUS_HELP)


def _has_status(record: Mapping[str, Any], inputs: Any) -> bool:
    return inputs.status.value in {"any", record.get("Status")}
