"""Triggers on new contacts and documents. A change to an old record is no event.

https://developer.xero.com/documentation/api/accounting/overview
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from integrations.connectors.xero.actions.contacts import tidy
from integrations.connectors.xero.client import PAGE_SIZE
from integrations.connectors.xero.fields import choices
from integrations.connectors.xero.samples import noticed as samples
from integrations.connectors.xero.triggers.filters import (
    REACHED,
    InvoiceStates,
    OrderStates,
    QuoteStates,
    WithAmount,
    has_status,
    is_large_enough,
    is_of_contact,
)
from integrations.connectors.xero.triggers.watched_lists import Record, RecordTrigger
from integrations.schema.schema import field
from integrations.transport.http import ApiClient


class NewContact(RecordTrigger):
    """A contact was created."""

    key = "new_contact"
    name = "New contact"
    words: ClassVar[tuple[str, ...]] = ("customer", "client", "supplier")
    noun = "contact"
    doorbell = "CONTACT"
    scopes = ("accounting.contacts",)
    sample = samples.CONTACT
    plural, id_name, status_name = "Contacts", "ContactID", "ContactStatus"

    def query(self, inputs: Any, *, reads_all: bool) -> dict[str, str]:
        # An archived contact that is restored later is not new.
        return {"includeArchived": "true"} if reads_all else {}

    def data(self, record: Record) -> dict[str, Any]:
        return tidy(record)


class NewInvoice(RecordTrigger):
    """A sales invoice was created, or first met what is asked for."""

    key = "new_invoice"
    name = "New invoice"
    words: ClassVar[tuple[str, ...]] = ("customer", "receivable")
    noun = "invoice"
    doorbell = "INVOICE"
    dated_by = "the date on the invoice"
    sample = samples.INVOICE
    plural, id_name = "Invoices", "InvoiceID"
    date_name, since_parameter = "Date", "where"
    fixed_query = {"unitdp": "4"}
    type_name: ClassVar[str] = "ACCREC"

    class Inputs(WithAmount):
        status: list[InvoiceStates] = field(
            "Status", default=[], help=f"None ticked: any but deleted or voided. {REACHED}"
        )

    def query(self, inputs: Any, *, reads_all: bool) -> dict[str, str]:
        asked = {
            "Statuses": ",".join(status.value for status in inputs.status),
            "ContactIDs": inputs.contact_id or "",
        }
        return {name: value for name, value in asked.items() if value}

    def conditions(self, inputs: Any, api: ApiClient, *, reads_all: bool) -> list[str]:
        return [f'Type=="{self.type_name}"']

    def is_wanted(self, record: Record, inputs: Any) -> bool:
        return record.get("Type") == self.type_name and _fits(record, inputs)


class NewBill(NewInvoice):
    """A bill was created, or first met what is asked for."""

    key = "new_bill"
    name = "New bill"
    words = ("supplier invoice", "purchase invoice", "payable", "vendor", "expense")
    noun = "bill"
    dated_by = "the date on the bill"
    sample = samples.BILL
    type_name = "ACCPAY"


class NewCreditNote(RecordTrigger):
    """A credit note was created, or first met what is asked for."""

    key = "new_credit_note"
    name = "New credit note"
    words = ("refund", "return", "reversal", "credit memo")
    noun = "credit note"
    doorbell = "CREDITNOTE"
    dated_by = "the date on the credit note"
    sample = samples.CREDIT_NOTE
    plural, id_name = "CreditNotes", "CreditNoteID"
    date_name, since_parameter = "Date", "where"
    fixed_query = {"unitdp": "4"}

    class Inputs(WithAmount):
        kind: choices.CreditNoteKind = field("Credit notes", default=choices.CreditNoteKind.ANY)
        status: list[InvoiceStates] = field(
            "Status", default=[], help=f"None ticked: any but deleted or voided. {REACHED}"
        )

    def conditions(self, inputs: Any, api: ApiClient, *, reads_all: bool) -> list[str]:
        found = [] if inputs.kind.value == "any" else [f'Type=="{inputs.kind.value}"']
        if len(inputs.status) == 1:
            # Several would be a chain of ORs, which fails in large organisations; the others are filtered out here.
            found.append(f'Status=="{inputs.status[0].value}"')
        if inputs.contact_id:
            found.append(f'Contact.ContactID==guid("{inputs.contact_id}")')
        return found

    def sense(self, sample: Record, inputs: Mapping[str, Any], names: Mapping[str, str]) -> Record:
        kind = inputs.get("kind")
        return super().sense({**sample, "Type": kind} if kind and kind != "any" else sample, inputs, names)

    def is_wanted(self, record: Record, inputs: Any) -> bool:
        return inputs.kind.value in {"any", record.get("Type")} and _fits(record, inputs)


class NewQuote(RecordTrigger):
    """A quote was created, or first met what is asked for."""

    key = "new_quote"
    name = "New quote"
    words = ("offer", "estimate")
    noun = "quote"
    dated_by = "the date on the quote"
    sample = samples.QUOTE
    plural, id_name = "Quotes", "QuoteID"
    date_name, since_parameter = "Date", "DateFrom"
    page_size: ClassVar[int | None] = None

    class Inputs(WithAmount):
        status: list[QuoteStates] = field("Status", default=[], help=f"None ticked: any but deleted. {REACHED}")

    def query(self, inputs: Any, *, reads_all: bool) -> dict[str, str]:
        return {**one_status(inputs.status), **({"ContactID": inputs.contact_id} if inputs.contact_id else {})}

    def is_wanted(self, record: Record, inputs: Any) -> bool:
        return _fits(record, inputs)


class NewPurchaseOrder(RecordTrigger):
    """A purchase order was created, or first met what is asked for."""

    key = "new_purchase_order"
    name = "New purchase order"
    words = ("PO", "order", "supplier", "vendor")
    noun = "purchase order"
    dated_by = "the date on the purchase order"
    sample = samples.PURCHASE_ORDER
    plural, id_name = "PurchaseOrders", "PurchaseOrderID"
    date_name, since_parameter = "Date", "DateFrom"
    page_size: ClassVar[int | None] = PAGE_SIZE

    class Inputs(WithAmount):
        status: list[OrderStates] = field("Status", default=[], help=f"None ticked: any but deleted. {REACHED}")

    def query(self, inputs: Any, *, reads_all: bool) -> dict[str, str]:
        return one_status(inputs.status)

    def is_wanted(self, record: Record, inputs: Any) -> bool:
        return _fits(record, inputs)


def one_status(statuses: Any) -> dict[str, str]:
    """The parameter of lists that take only one status; with several, records are filtered after reading."""
    return {"Status": statuses[0].value} if len(statuses) == 1 else {}


def _fits(record: Mapping[str, Any], inputs: Any) -> bool:
    is_meant = is_of_contact(record, inputs.contact_id) and is_large_enough(record, inputs.amount_at_least)
    return is_meant and has_status(record, inputs.status)
