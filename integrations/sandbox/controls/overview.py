"""A summary of an organisation's books, for the page and for `/_sandbox/state`."""

from dataclasses import dataclass
from typing import Any

from integrations.sandbox.data.organisations import Organisation
from integrations.sandbox.models import Document
from integrations.sandbox.xero import books

Record = dict[str, Any]
_NUMBERS = ("InvoiceNumber", "QuoteNumber", "PurchaseOrderNumber", "CreditNoteNumber", "Number", "Code", "Name", "name")
# The name of a list in `/_sandbox/state`, and the kind of record it holds. Contacts and invoices have their own shape.
LISTS = {
    "quotes": "Quotes",
    "purchase_orders": "PurchaseOrders",
    "credit_notes": "CreditNotes",
    "payments": "Payments",
    "bank_transactions": "BankTransactions",
    "bank_transfers": "BankTransfers",
    "projects": "Projects",
    "items": "Items",
}
_WORDS = {
    "ACCREC": "Invoice",
    "ACCPAY": "Bill",
    "ACCRECCREDIT": "To a customer",
    "ACCPAYCREDIT": "From a supplier",
    "ACCRECPAYMENT": "Of an invoice",
    "ACCPAYPAYMENT": "Of a bill",
    "ARCREDITPAYMENT": "Refund",
    "APCREDITPAYMENT": "Refund to us",
    "RECEIVE": "Received",
    "SPEND": "Spent",
    "Quotes": "Quote",
    "PurchaseOrders": "Purchase order",
    "BankTransfers": "Transfer",
    "Projects": "Project",
}
_KEPT = ("Type", "PaymentType", "Reference", "Url", "Date", "Total", "Amount", "RemainingCredit", "QuantityOnHand")


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A table of the page."""

    title: str
    columns: tuple[str, ...]
    rows: list[list[Any]]
    count: int
    empty: str


def short(row: Document) -> Record:
    """A summary of a record of any kind; fields that it does not have are left out."""
    record = books.entry(row).record
    kept = {name: record[name] for name in _KEPT if name in record}
    return {
        "id": row.document_id,
        "label": _label(record),
        "status": row.status,
        "contact_id": row.contact_id,
        "is_ours": row.is_ours,
        "body_sha256": row.body_sha256,
        **kept,
    }


def _label(record: Record) -> str:
    return next((str(record[name]) for name in _NUMBERS if record.get(name)), "")


def of(organisation: Organisation, shown: int) -> Record:
    """Everything the page shows of an organisation, the newest `shown` of each kind."""
    people = dict(books.rows(organisation.tenant, "Contacts").values_list("document_id", "name"))
    table = _Tables(organisation, people, shown)
    return {
        "about": organisation,
        "main": [
            table.documents("Invoices and bills", "Invoices", "No invoices yet."),
            table.contacts(),
        ],
        "more": [
            table.documents("Quotes", "Quotes", "No quotes yet."),
            table.documents("Credit notes", "CreditNotes", "No credit notes yet."),
            table.documents("Purchase orders", "PurchaseOrders", "No purchase orders yet."),
            table.documents("Payments", "Payments", "No payments yet."),
            table.documents("Bank transactions", "BankTransactions", "No bank transactions yet."),
            table.documents("Bank transfers", "BankTransfers", "No bank transfers yet."),
            table.documents("Projects", "Projects", "No projects yet."),
            table.items(),
        ],
    }


class _Tables:
    def __init__(self, organisation: Organisation, people: dict[str, str], shown: int) -> None:
        self.organisation, self.people, self.shown = organisation, people, shown

    def _rows(self, kind: str) -> Any:
        return Document.objects.filter(tenant=self.organisation.tenant, kind=kind)

    def documents(self, title: str, kind: str, empty: str) -> Listing:
        found = self._rows(kind)
        rows = [self._document(row) for row in found.order_by("-id")[: self.shown]]
        columns = ("Number", "Kind", "Contact", "Reference", "Date", "Status", "Total")
        return Listing(title=title, columns=columns, rows=rows, count=found.count(), empty=empty)

    def _document(self, row: Document) -> list[Any]:
        record = books.entry(row).record
        amount = record.get("Total", record.get("Amount", record.get("estimate", "")))
        currency = record.get("CurrencyCode", self.organisation.currency) if amount != "" else ""
        return [
            _label(record) or row.document_id[:8],
            _WORDS.get(record.get("Type") or record.get("PaymentType") or row.kind, ""),
            self.people.get(row.contact_id, ""),
            record.get("Reference", ""),
            record.get("Date", record.get("deadlineUtc", "")),
            row.status,
            f"{amount} {currency}".strip(),
        ]

    def contacts(self) -> Listing:
        found = self._rows("Contacts")
        records = [books.entry(row).record for row in found.order_by("name")[: self.shown]]
        names = ("Name", "EmailAddress", "ContactNumber", "ContactStatus")
        return Listing(
            title="Contacts",
            columns=("Name", "E-mail", "Number", "Status"),
            rows=[[record.get(name, "") for name in names] for record in records],
            count=found.count(),
            empty="No contacts yet.",
        )

    def items(self) -> Listing:
        found = self._rows("Items")
        records = [books.entry(row).record for row in found.order_by("id")[: self.shown]]
        names = ("Code", "Name", "QuantityOnHand", "TotalCostPool")
        return Listing(
            title="Items",
            columns=("Code", "Name", "On hand", "Cost pool"),
            rows=[[record.get(name, "not tracked") for name in names] for record in records],
            count=found.count(),
            empty="No items yet.",
        )
