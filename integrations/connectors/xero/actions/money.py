"""Actions that record movements of money. None of them moves money.

https://developer.xero.com/documentation/api/accounting/payments
https://developer.xero.com/documentation/api/accounting/banktransfers
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from integrations.connectors.xero.actions.documents.creating import (
    MARKER_ROOM,
    day_of,
    is_marked,
    look_from,
    marked,
    today_for,
)
from integrations.connectors.xero.actions.reading_back import BANK_TRANSFERS, PAYMENTS, ReadsBack
from integrations.connectors.xero.actions.undoing import CAREFULLY, present
from integrations.connectors.xero.answers import complete, only_record
from integrations.connectors.xero.checks.documents import period_findings
from integrations.connectors.xero.checks.money import payment_findings, transfer_findings
from integrations.connectors.xero.client import XeroClient, records
from integrations.connectors.xero.fields import choices, document_preview
from integrations.connectors.xero.fields.document_preview import shown_document
from integrations.connectors.xero.fields.lines import tracking_of, tracking_problems
from integrations.connectors.xero.fields.lock_dates import refuse_locked
from integrations.connectors.xero.links import bank_transaction_link
from integrations.connectors.xero.plain import money, plain
from integrations.connectors.xero.samples import records as samples
from integrations.connectors.xero.search.bank_accounts import BANK_ACCOUNT_HELP, bank_account
from integrations.connectors.xero.search.contacts import is_guid
from integrations.connectors.xero.search.documents import no_id
from integrations.core.errors import NothingToUndoError, RejectedError
from integrations.core.messages import Request, Response
from integrations.core.sameness import same
from integrations.framework.base import Action, Effect, Writing
from integrations.framework.checks import Facts, Finding
from integrations.schema.documents import Document, WrittenDocument
from integrations.schema.schema import Schema, field
from integrations.transport.http import ApiClient

_SMALLEST = Decimal("0.01")
#: The inputs that hold the tracking of the two ends of a transfer.
_FROM_TRACKING, _TO_TRACKING = ("from_tracking_1", "from_tracking_2"), ("to_tracking_1", "to_tracking_2")
_RECONCILED_HELP = "Marks it as matched with the bank statement. Xero does not delete a reconciled transfer."


class CreatePayment(ReadsBack, Action):
    """Record a payment of an invoice or bill.

    The marker is in `Reference`, after the workflow's own if it gives one. People may change a reference in Xero, so a
    payment that is not found is not sent again automatically.
    """

    key = "create_payment"
    name = "Create payment"
    words = ("paid", "pay", "receipt", "bank", "settle", "refund", "invoice", "bill")
    effect = Effect.CREATES
    posted_on = "paid_on"
    undo_words = "The payment is deleted, and the invoice is due again."
    scopes = ("accounting.payments",)
    sample = samples.PAYMENT
    record_kind = PAYMENTS
    key_window = 300

    class Inputs(Schema):
        invoice_id: str = field(
            "Invoice or bill",
            choices=choices.invoices,
            max_length=36,
            help="It must be approved. Pick one, or take the InvoiceID that an earlier step found or created.",
        )
        account_id: str = field("Bank account", choices=choices.bank_accounts, max_length=150, help=BANK_ACCOUNT_HELP)
        amount: Decimal = field(
            "Amount", minimum=_SMALLEST, decimal_places=2, help="In the currency of the invoice, at most what is due."
        )
        paid_on: date | None = field(
            "Date", default=None, help="Left empty: the day on which it is written, where the organisation is."
        )
        reference: str | None = field(
            "Reference",
            default=None,
            max_length=255 - MARKER_ROOM,
            help="A code that leads back to the run is put behind it.",
        )

        def check(self) -> Mapping[str, str]:
            """Invalid ids."""
            return _wrong_ids(self, {"invoice_id": "invoice"})

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, str]:
        """Today in the organisation's time zone, if the workflow gives no date, and the bank account. Raises
        RejectedError for a day in a locked period, and if there is no such account."""
        account = bank_account(api, inputs.account_id)
        return {**_day_found(api, inputs.paid_on, "the payment"), "account": account}

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        record = {
            "Invoice": {"InvoiceID": inputs.invoice_id},
            "Account": {"AccountID": (writing.found or {}).get("account", inputs.account_id)},
            "Date": day_of(inputs.paid_on, writing.found),
            "Amount": inputs.amount,
            "Reference": marked(inputs.reference, writing.marker),
        }
        return Request.of_json("PUT", "/Payments", {"Payments": [record]}, query={"summarizeErrors": "true"})

    def output(self, response: Response) -> dict[str, Any]:
        return complete(only_record(response, "Payments", "PaymentID"), samples.PAYMENT)

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """Searches the payments changed since then."""
        assert isinstance(api, XeroClient)
        pages = api.pages(
            "/Payments", "Payments", {"order": "UpdatedDateUTC ASC"}, headers={"If-Modified-Since": look_from(since)}
        )
        return [
            complete(plain(payment), samples.PAYMENT)
            for page in pages
            for payment in page
            if is_marked(payment.get("Reference"), marker) and payment.get("Status") != "DELETED"
        ]

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["PaymentID"])

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return bank_transaction_link(str(output["PaymentID"]), organisation)

    def undo(self, api: ApiClient, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> Request | None:
        """Delete the payment; the invoice is due again."""
        payment = _not_deleted(present(api, "Payments", self.identify(output), "payment"), "The payment")
        return Request.of_json("POST", f"/Payments/{payment['PaymentID']}", {"Status": "DELETED"})

    def checks(self, facts: Facts, inputs: Inputs, found: Any) -> Iterable[Finding]:
        yield from period_findings(facts, "paid_on", inputs.paid_on, "the payment")
        yield from payment_findings(facts, inputs)

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        return shown_document("Payment", inputs, organisation, day="paid_on")

    def written_document(self, output: Mapping[str, Any]) -> WrittenDocument:
        return document_preview.written_amount(output)

    def describe(self, output: Mapping[str, Any]) -> str:
        number = (output.get("Invoice") or {}).get("InvoiceNumber") or "an invoice without a number"
        return f"Payment of {money(output.get('Amount'))} for {number}"


class CreateBankTransfer(ReadsBack, Action):
    """Record a transfer between two bank accounts.

    It records a movement and moves no money; Xero can delete it but not change it. PUT, never POST: POST deletes. The
    marker is in `Reference`, after the workflow's own. People may change a reference in Xero, so a transfer that is not
    found is not sent again automatically.
    """

    key = "create_bank_transfer"
    name = "Create bank transfer"
    words = ("move money", "cash", "account", "deposit", "withdrawal", "payment")
    effect = Effect.CREATES
    posted_on = "transferred_on"
    undo_words = "The transfer is deleted."
    scopes = ("accounting.banktransactions",)
    sample = samples.BANK_TRANSFER
    record_kind = BANK_TRANSFERS
    key_window = 300

    class Inputs(Schema):
        from_account_id: str = field(
            "From bank account", choices=choices.bank_accounts, max_length=150, help=BANK_ACCOUNT_HELP
        )
        to_account_id: str = field(
            "To bank account", choices=choices.bank_accounts, max_length=150, help=BANK_ACCOUNT_HELP
        )
        amount: Decimal = field("Amount", minimum=_SMALLEST, decimal_places=2)
        transferred_on: date | None = field(
            "Date", default=None, help="Left empty: the day on which it is written, where the organisation is."
        )
        reference: str | None = field(
            "Reference",
            default=None,
            max_length=255 - MARKER_ROOM,
            help="A code that leads back to the run is put behind it.",
        )
        from_tracking_1: str | None = field(
            "Tracking where it leaves",
            choices=choices.tracking_options,
            default=None,
            max_length=210,
            help="As Category: Option.",
        )
        from_tracking_2: str | None = field(
            "Second tracking where it leaves",
            choices=choices.tracking_options,
            default=None,
            max_length=210,
            help="Of another category than the first.",
        )
        to_tracking_1: str | None = field(
            "Tracking where it arrives",
            choices=choices.tracking_options,
            default=None,
            max_length=210,
            help="As Category: Option.",
        )
        to_tracking_2: str | None = field(
            "Second tracking where it arrives",
            choices=choices.tracking_options,
            default=None,
            max_length=210,
            help="Of another category than the first.",
        )
        from_is_reconciled: bool = field("Reconciled where it leaves", default=False, help=_RECONCILED_HELP)
        to_is_reconciled: bool = field("Reconciled where it arrives", default=False, help=_RECONCILED_HELP)

        def check(self) -> Mapping[str, str]:
            """Invalid tracking options, and a transfer from an account to itself."""
            problems: dict[str, str] = {}
            if same(self.from_account_id, self.to_account_id):
                problems["to_account_id"] = "Both bank accounts are the same. Choose two different ones."
            return problems | tracking_problems(self, _FROM_TRACKING) | tracking_problems(self, _TO_TRACKING)

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        """Today in the organisation's time zone, if the workflow gives no date, the accounts, and the ids of the
        tracking options. Raises RejectedError for a day in a locked period, for an unknown account or option, and if
        both accounts are the same."""
        found: dict[str, Any] = dict(_day_found(api, inputs.transferred_on, "the bank transfer"))
        found["accounts"] = [bank_account(api, each) for each in (inputs.from_account_id, inputs.to_account_id)]
        if same(*found["accounts"]):
            raise RejectedError("Both bank accounts are the same one in Xero; nothing was written. Choose two.")
        wanted = [tracking_of(inputs, names) for names in (_FROM_TRACKING, _TO_TRACKING)]
        if any(wanted):
            known = records(api.read("/TrackingCategories").json(), "TrackingCategories")
            found["tracking"] = [[_tracking_ids(known, *option) for option in options] for options in wanted]
        return found

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        leaves, arrives = (writing.found or {}).get("accounts", (inputs.from_account_id, inputs.to_account_id))
        record = {
            "FromBankAccount": {"AccountID": leaves},
            "ToBankAccount": {"AccountID": arrives},
            "Amount": inputs.amount,
            "Date": day_of(inputs.transferred_on, writing.found),
            "Reference": marked(inputs.reference, writing.marker),
        }
        ends = zip(
            ("From", "To"),
            (inputs.from_is_reconciled, inputs.to_is_reconciled),
            (writing.found or {}).get("tracking", ([], [])),
            strict=True,
        )
        for end, is_reconciled, tracking in ends:
            # What is not given is left to Xero: a reconciled transfer can no longer be deleted there.
            record |= {f"{end}Tracking": tracking} if tracking else {}
            record |= {f"{end}IsReconciled": True} if is_reconciled else {}
        return Request.of_json("PUT", "/BankTransfers", {"BankTransfers": [record]})

    def output(self, response: Response) -> dict[str, Any]:
        return complete(only_record(response, "BankTransfers", "BankTransferID"), samples.BANK_TRANSFER)

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """Searches the transfers changed since then; the list has no pages."""
        body = api.read("/BankTransfers", headers={"If-Modified-Since": look_from(since)}).json()
        return [
            complete(plain(transfer), samples.BANK_TRANSFER)
            for transfer in records(body, "BankTransfers")
            if is_marked(transfer.get("Reference"), marker) and transfer.get("Status") != "DELETED"
        ]

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["BankTransferID"])

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        """The transaction on the account that the money leaves; a transfer itself has no page."""
        transaction = output.get("FromBankTransactionID")
        return bank_transaction_link(str(transaction), organisation) if transaction else ""

    def undo(self, api: ApiClient, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> Request | None:
        """Delete the transfer."""
        transfer = _not_deleted(present(api, "BankTransfers", self.identify(output), "bank transfer"), "The transfer")
        record = {"BankTransferID": transfer["BankTransferID"], "Status": "DELETED"}
        # POST deletes here: https://developer.xero.com/documentation/api/accounting/banktransfers
        return Request.of_json("POST", "/BankTransfers", {"BankTransfers": [record]}, query=CAREFULLY)

    def checks(self, facts: Facts, inputs: Inputs, found: Any) -> Iterable[Finding]:
        yield from period_findings(facts, "transferred_on", inputs.transferred_on, "the bank transfer")
        yield from transfer_findings(facts, inputs)

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        return shown_document(
            "Bank transfer",
            inputs,
            organisation,
            day="transferred_on",
            notes=("It records a movement between the accounts; it moves no money.",),
        )

    def written_document(self, output: Mapping[str, Any]) -> WrittenDocument:
        return document_preview.written_amount(output)

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"Bank transfer of {money(output.get('Amount'))}"


def _day_found(api: ApiClient, given: date | None, document: str) -> dict[str, str]:
    found = today_for(api, given)
    refuse_locked(api, date.fromisoformat(day_of(given, found)), document)
    return found


def _tracking_ids(known: list[dict[str, Any]], category: str, option: str) -> dict[str, str]:
    """An active option as a transfer takes it: by ids, where document lines use names."""
    for each in known:
        if each.get("Status", "ACTIVE") != "ACTIVE" or not same(each.get("Name"), category):
            continue
        for one in each.get("Options") or []:
            if one.get("Status", "ACTIVE") == "ACTIVE" and same(one.get("Name"), option):
                ids = (each["TrackingCategoryID"], one["TrackingOptionID"])
                return dict(zip(("TrackingCategoryID", "TrackingOptionID"), ids, strict=True))
    raise RejectedError(
        f'Xero has no active tracking option "{category}: {option}"; nothing was written. '
        "Pick one that is there, or add it in Xero, then retry."
    )


def _not_deleted(record: dict[str, Any], name: str) -> dict[str, Any]:
    if record.get("Status") == "DELETED":
        raise NothingToUndoError(f"{name} is deleted in Xero already; nothing was written.")
    return record


def _wrong_ids(inputs: Any, nouns: Mapping[str, str]) -> dict[str, str]:
    return {
        name: no_id(getattr(inputs, name), noun, samples.INVOICE["InvoiceID"])
        for name, noun in nouns.items()
        if not is_guid(getattr(inputs, name))
    }
