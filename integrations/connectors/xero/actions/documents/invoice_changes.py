"""Changing an existing invoice or bill: its fields, or more lines on a draft.

https://developer.xero.com/documentation/api/accounting/invoices

Xero keeps the fields that a change leaves out, with one exception: the list of lines is replaced as a whole, and lines
sent without their `LineItemID` are deleted and created again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from integrations.connectors.xero.actions.documents.creating import iso, leads_to
from integrations.connectors.xero.actions.reading_back import INVOICES, ReadsBack
from integrations.connectors.xero.actions.undoing import present
from integrations.connectors.xero.answers import complete, given, only_record
from integrations.connectors.xero.checks.contacts import contact_findings
from integrations.connectors.xero.checks.currencies import currency_findings
from integrations.connectors.xero.checks.documents import COSTS, REVENUE, DocumentRules, rows_findings
from integrations.connectors.xero.checks.existing import change_findings
from integrations.connectors.xero.client import XeroClient
from integrations.connectors.xero.fields import choices, document_preview
from integrations.connectors.xero.fields.lines import DocumentRow, line_payload, line_problems
from integrations.connectors.xero.fields.options import InvoiceStatus, LineAmountTypes
from integrations.connectors.xero.links import bill_link, invoice_link
from integrations.connectors.xero.plain import money, plain, stamp
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

_PICK = "Pick one, or take the InvoiceID that an earlier step found or created."
#: Unit prices to four places, because they are sent back.
_EXACT = {"unitdp": "4"}
_GONE = {"DELETED", "VOIDED"}
_BILL = DocumentRules(called="a bill", usual=COSTS, is_purchase=True, takes_stock=-1)
_SALE = DocumentRules(called="a sales invoice", usual=REVENUE, takes_stock=1)
#: The fields of a line that are sent again so that it stays as it is.
_KEPT = (
    "LineItemID",
    "Description",
    "Quantity",
    "UnitAmount",
    "ItemCode",
    "AccountCode",
    "TaxType",
    "TaxAmount",
    "DiscountRate",
    "DiscountAmount",
)


class InvoiceRow(DocumentRow):
    """A row of an invoice or a bill; discounts are for invoices."""

    discount_rate: Decimal | None = field(
        "Discount %", default=None, minimum=0, maximum=100, decimal_places=2, help="On sales invoices only."
    )


class _ChangeOfInvoice(ReadsBack, Action):
    """What both have in common."""

    record_kind = INVOICES
    effect = Effect.UPDATES
    scopes = ("accounting.invoices",)

    def checks(self, facts: Facts, inputs: Any, found: Any) -> Iterable[Finding]:
        invoice = (found or {}).get("invoice") or {}
        rules = _BILL if invoice.get("Type") == "ACCPAY" else _SALE
        if invoice:
            yield from change_findings(facts, invoice, inputs)
        yield from rows_findings(facts, inputs, rules, like=invoice)

    def output(self, response: Response) -> dict[str, Any]:
        return complete(only_record(response, "Invoices", "InvoiceID"), self.sample)

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["InvoiceID"])

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        to_page = bill_link if output["Type"] == "ACCPAY" else invoice_link
        return to_page(str(output["InvoiceID"]), organisation)

    def describe(self, output: Mapping[str, Any]) -> str:
        noun = "Bill" if output["Type"] == "ACCPAY" else "Invoice"
        number = output.get("InvoiceNumber") or "without a number"
        return f"{noun} {number}, {money(output.get('Total'))} {output.get('CurrencyCode') or ''}".rstrip()

    def document(self, inputs: Any, organisation: Mapping[str, Any]) -> Document:
        return document_preview.document_of("Change of an invoice or bill", inputs, organisation)

    def written_document(self, output: Mapping[str, Any]) -> WrittenDocument:
        return document_preview.written_document(output, "InvoiceNumber")


class UpdateInvoice(_ChangeOfInvoice):
    """Change the fields, lines or status of an invoice or bill.

    Only given fields are sent. Doing so twice gives the same invoice, so it needs no marker: the write is confirmed by
    comparing the invoice with the inputs, and if they match from the start nothing is sent.
    """

    key = "update_invoice"
    name = "Update invoice"
    words = ("edit", "change", "correct", "sales invoice", "bill", "due date")
    sample = samples.INVOICE
    key_window = 300
    lookup_reliable = True
    no_undo = "What the invoice said before is in its history in Xero; change it back there."

    class Inputs(Schema):
        invoice_id: str = field("Invoice or bill", choices=choices.invoices, max_length=36, help=_PICK)
        contact_id: str | None = field("Contact", choices=choices.contacts, default=None, max_length=36)
        invoice_date: date | None = field("Date", default=None)
        due_date: date | None = field("Due date", default=None)
        invoice_number: str | None = field("Number", default=None, max_length=255, tidy=True)
        reference: str | None = field("Reference", default=None, max_length=255, help="A bill keeps none.")
        lines: list[InvoiceRow] = field(
            "Line items",
            default=[],
            row_label="Line",
            help="Left empty, the lines stay. Rows given here replace all that are there.",
        )
        line_amount_types: LineAmountTypes | None = field("Prices are", default=None)
        currency: str | None = field("Currency", choices=choices.currencies, default=None, max_length=3)
        branding_theme_id: str | None = field("Branding theme", choices=choices.branding_themes, default=None)
        expected_payment_date: date | None = field("Expected payment date", default=None, help="Of a sales invoice.")
        planned_payment_date: date | None = field("Planned payment date", default=None, help="Of a bill.")
        status: InvoiceStatus | None = field("Status", default=None, help="Left empty, it stays.")

        def check(self) -> Mapping[str, str]:
            """The id becomes part of an address, something has to change, and rows must be acceptable."""
            problems = _wrong_id(self.invoice_id)
            if not _changes(self):
                problems["invoice_id"] = problems.get("invoice_id", "Nothing is to be changed: give another input too.")
            is_draft = self.status in {None, InvoiceStatus.DRAFT}
            return problems | line_problems(self.lines, is_draft=is_draft, document="an invoice")

    def checks(self, facts: Facts, inputs: Inputs, found: Any) -> Iterable[Finding]:
        yield from super().checks(facts, inputs, found)
        yield from contact_findings(facts, "contact_id", inputs.contact_id)
        yield from currency_findings(facts, "currency", inputs.currency)

    def lock_key(self, inputs: Inputs) -> str:
        """Replacing all rows must not happen between another run's reading and writing of them."""
        return _lock_key_of(inputs.invoice_id) if inputs.lines else ""

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        """The invoice as it is. Raises RejectedError if it cannot be changed as wanted."""
        invoice = _read(api, inputs.invoice_id)
        if invoice.get("Status") in _GONE:
            raise RejectedError(f"{_name(invoice)} is {str(invoice['Status']).lower()} in Xero and cannot be changed.")
        if invoice.get("Type") == "ACCPAY" and inputs.reference is not None:
            raise RejectedError("A bill in Xero keeps no reference. Leave that input empty.")
        return {"invoice": invoice}

    def settled(self, inputs: Inputs, found: Any) -> dict[str, Any] | None:
        return complete(found["invoice"], samples.INVOICE) if _is_as_wanted(found["invoice"], inputs) else None

    def proof(self, inputs: Inputs) -> Proof:
        return Proof.STATE

    def seen(self, inputs: Inputs, found: Any) -> dict[str, Any]:
        return stamp(found["invoice"], "Status", *_changes(inputs))

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        return _change(inputs.invoice_id, _changes(inputs))

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The invoice, if it matches the inputs."""
        return [
            complete(invoice, samples.INVOICE)
            for invoice in _found(api, inputs.invoice_id)
            if _is_as_wanted(invoice, inputs)
        ]


class AddLinesToInvoice(_ChangeOfInvoice):
    """Add lines to a draft invoice or bill.

    The existing lines are read first and sent again with their ids, because Xero replaces the list as a whole and
    cannot refuse a change based on an old state. Whatever somebody else changes between the read and the write is lost.
    Runs of the same Pinxero cannot do this to each other: a resource lock lets one run at a time change an invoice.
    What a person or another app changes on the lines in the tenth of a second between our read and our write is still
    lost. Sending the same bytes later would undo more, so a write with an unknown outcome is never repeated: it is
    looked up, and if it is not found a person decides.

    The marker is in `Url`, where the link to the latest run replaces an earlier run's; a URL that is not ours is kept,
    and then the lookup finds nothing.
    """

    key = "add_lines_to_invoice"
    name = "Add lines to a draft invoice"
    words = ("items", "rows", "positions", "sales invoice", "charge")
    sample = samples.INVOICE_WITH_LINES_ADDED
    undo_words = "Those of the added lines that are still there are removed from the invoice."
    #: Xero accepts an idempotency key here, but see above.
    key_window = 0
    lookup_reliable = False

    class Inputs(Schema):
        invoice_id: str = field("Draft invoice or bill", choices=choices.invoices, max_length=36, help=_PICK)
        lines: list[InvoiceRow] = field(
            "Line items to add", row_label="Line", help="They follow the lines that are there."
        )

        def check(self) -> Mapping[str, str]:
            """The id becomes part of an address, and rows must be acceptable."""
            return _wrong_id(self.invoice_id) | line_problems(self.lines, is_draft=True, document="an invoice")

    def lock_key(self, inputs: Inputs) -> str:
        return _lock_key_of(inputs.invoice_id)

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        """The existing lines and the invoice's URL. Raises RejectedError unless it is a draft."""
        invoice = _draft(api, inputs.invoice_id)
        return {"lines": _kept_lines(invoice), "url": invoice.get("Url") or "", "invoice": invoice}

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        ours = writing.back_link.rpartition(writing.marker)[0]
        is_free = not writing.found["url"] or bool(ours and writing.found["url"].startswith(ours))
        address = {"Url": writing.back_link} if writing.back_link and is_free else {}
        added = [line_payload(line) for line in inputs.lines]
        return _change(inputs.invoice_id, {**address, "LineItems": [*writing.found["lines"], *added]})

    def read_back(self, api: ApiClient, inputs: Inputs, output: dict[str, Any]) -> dict[str, Any]:
        """Which of the lines are new: those at the end."""
        return {**output, "added_lines": output["LineItems"][-len(inputs.lines) :]}

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The invoice, if the last run that wrote to it is the one with the marker."""
        found = _found(api, inputs.invoice_id)
        return [complete(invoice, self.sample) for invoice in found if leads_to(invoice.get("Url"), marker)]

    def undo(self, api: ApiClient, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> Request | None:
        """The draft without those of the added lines that still exist."""
        added = {line["LineItemID"] for line in output.get("added_lines") or []}
        lines = _kept_lines(_draft(api, str(output["InvoiceID"])))
        left = [line for line in lines if line["LineItemID"] not in added]
        if len(left) == len(lines):
            raise NothingToUndoError("The added lines are not on the invoice any more; there is nothing to take back.")
        if not left:
            raise RejectedError("The added lines are all that is left on the invoice. Delete the invoice instead.")
        return _change(str(output["InvoiceID"]), {"LineItems": left})


def _lock_key_of(invoice_id: str) -> str:
    return f"/Invoices/{invoice_id.strip().lower()}"


def _change(invoice_id: str, fields: Mapping[str, Any]) -> Request:
    # The id must be in the address: without it Xero would create a new invoice for an unknown id.
    record = {"InvoiceID": invoice_id, **fields}
    return Request.of_json("POST", f"/Invoices/{invoice_id}", {"Invoices": [record]}, query=_EXACT)


def _changes(inputs: UpdateInvoice.Inputs) -> dict[str, Any]:
    """What is given, as Xero takes it."""
    return given(
        {
            # Only the id: any other field would change the contact.
            "Contact": {"ContactID": inputs.contact_id} if inputs.contact_id else None,
            "Date": iso(inputs.invoice_date),
            "DueDate": iso(inputs.due_date),
            "LineAmountTypes": inputs.line_amount_types.value if inputs.line_amount_types else None,
            "LineItems": [line_payload(line) for line in inputs.lines] or None,
            "InvoiceNumber": inputs.invoice_number,
            "Reference": inputs.reference,
            "CurrencyCode": inputs.currency,
            "BrandingThemeID": inputs.branding_theme_id,
            "ExpectedPaymentDate": iso(inputs.expected_payment_date),
            "PlannedPaymentDate": iso(inputs.planned_payment_date),
            "Status": inputs.status.value if inputs.status else None,
        }
    )


def _is_as_wanted(invoice: Mapping[str, Any], inputs: UpdateInvoice.Inputs) -> bool:
    """Whether the invoice already matches the inputs."""
    wanted = _changes(inputs)
    contact, lines, status = (wanted.pop(name, None) for name in ("Contact", "LineItems", "Status"))
    if contact and (invoice.get("Contact") or {}).get("ContactID") != contact["ContactID"]:
        return False
    # An approved invoice may have been paid in the meantime.
    if status and invoice.get("Status") not in {status, "PAID" if status == "AUTHORISED" else status}:
        return False
    if lines and not _agree(invoice.get("LineItems") or [], lines):
        return False
    return all(invoice.get(name) == value for name, value in wanted.items())


def _agree(there: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]) -> bool:
    return len(there) == len(wanted) and all(
        _tracking(line) == _tracking(row)
        and all(line.get(name) == value for name, value in row.items() if name != "Tracking")
        for line, row in zip(there, wanted, strict=True)
    )


def _kept_lines(invoice: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        given({name: line.get(name) for name in _KEPT})
        | ({"Tracking": _tracking(line)} if line.get("Tracking") else {})
        for line in invoice.get("LineItems") or []
    ]


def _tracking(line: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"Name": one.get("Name"), "Option": one.get("Option")} for one in line.get("Tracking") or []]


def _draft(api: ApiClient, invoice_id: str) -> dict[str, Any]:
    invoice = _read(api, invoice_id)
    if invoice.get("Status") != "DRAFT":
        status = str(invoice.get("Status")).lower()
        raise RejectedError(f"{_name(invoice)} is {status} in Xero; lines are changed on drafts only.")
    return invoice


def _read(api: ApiClient, invoice_id: str) -> dict[str, Any]:
    return present(api, "Invoices", invoice_id, "invoice", query=_EXACT)


def _found(api: ApiClient, invoice_id: str) -> list[dict[str, Any]]:
    assert isinstance(api, XeroClient)
    return [plain(invoice) for invoice in by_id(api, "Invoices", invoice_id, _EXACT)]


def _name(invoice: Mapping[str, Any]) -> str:
    noun = "Bill" if invoice.get("Type") == "ACCPAY" else "Invoice"
    return f"{noun} {invoice.get('InvoiceNumber') or 'without a number'}"


def _wrong_id(invoice_id: str) -> dict[str, str]:
    return {} if is_guid(invoice_id) else {"invoice_id": no_id(invoice_id, "invoice", samples.INVOICE["InvoiceID"])}
