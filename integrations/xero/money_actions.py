"""Actions that record movements of money. None of them moves any.

https://developer.xero.com/documentation/api/accounting/payments
https://developer.xero.com/documentation/api/accounting/banktransfers
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from integrations.base import Action, Effect, Writing
from integrations.documents import Document
from integrations.errors import RejectedError
from integrations.http import ApiClient, Request, Response
from integrations.schema import Schema, field
from integrations.xero import choices, samples
from integrations.xero.answers import complete, only_record
from integrations.xero.client import XeroClient, records
from integrations.xero.contact_search import is_guid
from integrations.xero.document_search import no_id
from integrations.xero.documents import MARKER_ROOM, day_of, is_marked, look_from, marked, money, today_for
from integrations.xero.lines import tracking_of, tracking_problems
from integrations.xero.links import bank_transaction_link
from integrations.xero.locks import refuse_locked
from integrations.xero.papers import paper
from integrations.xero.plain import plain
from integrations.xero.undoing import CAREFULLY, present

_SMALLEST = Decimal("0.01")
#: The inputs that hold the tracking of the two ends of a transfer.
_FROM_TRACKING, _TO_TRACKING = ("from_tracking_1", "from_tracking_2"), ("to_tracking_1", "to_tracking_2")
_RECONCILED_HELP = "Marks it as matched with the bank statement. Xero does not delete a reconciled transfer."


class CreatePayment(Action):
    """Record a payment of an invoice or bill.

    The marker stands in `Reference`, behind the workflow's own where it gives one. People may change a reference in
    Xero, so a payment that is not found is not sent again by itself.
    """

    key = "create_payment"
    name = "Create payment"
    effect = Effect.CREATES
    scopes = ("accounting.payments",)
    sample = samples.PAYMENT
    key_window = 300

    class Inputs(Schema):
        invoice_id: str = field(
            "Invoice or bill",
            choices=choices.invoices,
            max_length=36,
            help="It must be approved. Pick one, or take the InvoiceID that an earlier step found or created.",
        )
        account_id: str = field("Bank account", choices=choices.bank_accounts, max_length=36)
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
            """Ids that are none."""
            return _wrong_ids(self, {"invoice_id": "invoice", "account_id": "account"})

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, str]:
        """The day it is in the organisation, where the workflow leaves the date to that. Raises RejectedError for a
        day in a locked period."""
        return _day_found(api, inputs.paid_on, "the payment")

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        record = {
            "Invoice": {"InvoiceID": inputs.invoice_id},
            "Account": {"AccountID": inputs.account_id},
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
        """Among the payments that changed since then."""
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

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        return paper("Payment", inputs, organisation, day="paid_on")

    def describe(self, output: Mapping[str, Any]) -> str:
        number = (output.get("Invoice") or {}).get("InvoiceNumber") or "an invoice without a number"
        return f"Payment of {money(output.get('Amount'))} for {number}"


class CreateBankTransfer(Action):
    """Record a transfer between two bank accounts.

    It records a movement, it moves no money; Xero can delete it but not change it. PUT, never POST: POST deletes. The
    marker stands in `Reference`, behind the workflow's own. People may change a reference in Xero, so a transfer that
    is not found is not sent again by itself.
    """

    key = "create_bank_transfer"
    name = "Create bank transfer"
    effect = Effect.CREATES
    scopes = ("accounting.banktransactions",)
    sample = samples.BANK_TRANSFER
    key_window = 300

    class Inputs(Schema):
        from_account_id: str = field("From bank account", choices=choices.bank_accounts, max_length=36)
        to_account_id: str = field("To bank account", choices=choices.bank_accounts, max_length=36)
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
            """Ids and trackings that are none, and a transfer to where it comes from."""
            problems = _wrong_ids(self, {"from_account_id": "account", "to_account_id": "account"})
            if self.from_account_id.lower() == self.to_account_id.lower():
                problems["to_account_id"] = "Both bank accounts are the same. Choose two different ones."
            return problems | tracking_problems(self, _FROM_TRACKING) | tracking_problems(self, _TO_TRACKING)

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        """The day it is in the organisation, where the workflow leaves the date to that, and the ids of the tracking
        options. Raises RejectedError for a day in a locked period, and for an option that is not there."""
        found: dict[str, Any] = dict(_day_found(api, inputs.transferred_on, "the bank transfer"))
        wanted = [tracking_of(inputs, names) for names in (_FROM_TRACKING, _TO_TRACKING)]
        if any(wanted):
            known = records(api.read("/TrackingCategories").json(), "TrackingCategories")
            found["tracking"] = [[_tracking_ids(known, *option) for option in options] for options in wanted]
        return found

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        record = {
            "FromBankAccount": {"AccountID": inputs.from_account_id},
            "ToBankAccount": {"AccountID": inputs.to_account_id},
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
            # What is not said is left to Xero: a reconciled transfer can no more be deleted there.
            record |= {f"{end}Tracking": tracking} if tracking else {}
            record |= {f"{end}IsReconciled": True} if is_reconciled else {}
        return Request.of_json("PUT", "/BankTransfers", {"BankTransfers": [record]})

    def output(self, response: Response) -> dict[str, Any]:
        return complete(only_record(response, "BankTransfers", "BankTransferID"), samples.BANK_TRANSFER)

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """Among the transfers that changed since then; the list comes at once."""
        body = api.read("/BankTransfers", headers={"If-Modified-Since": look_from(since)}).json()
        return [
            complete(plain(transfer), samples.BANK_TRANSFER)
            for transfer in records(body, "BankTransfers")
            if is_marked(transfer.get("Reference"), marker) and transfer.get("Status") != "DELETED"
        ]

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["BankTransferID"])

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        """The transaction on the account that it leaves; a transfer has no page of its own."""
        transaction = output.get("FromBankTransactionID")
        return bank_transaction_link(str(transaction), organisation) if transaction else ""

    def undo(self, api: ApiClient, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> Request | None:
        """Delete the transfer."""
        transfer = _not_deleted(present(api, "BankTransfers", self.identify(output), "bank transfer"), "The transfer")
        record = {"BankTransferID": transfer["BankTransferID"], "Status": "DELETED"}
        # POST deletes here: https://developer.xero.com/documentation/api/accounting/banktransfers
        return Request.of_json("POST", "/BankTransfers", {"BankTransfers": [record]}, query=CAREFULLY)

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        return paper(
            "Bank transfer",
            inputs,
            organisation,
            day="transferred_on",
            notes=("It records a movement between the accounts; it moves no money.",),
        )

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"Bank transfer of {money(output.get('Amount'))}"


def _day_found(api: ApiClient, given: date | None, document: str) -> dict[str, str]:
    found = today_for(api, given)
    refuse_locked(api, date.fromisoformat(day_of(given, found)), document)
    return found


def _tracking_ids(known: list[dict[str, Any]], category: str, option: str) -> dict[str, str]:
    """An active option as a transfer takes it: lines name theirs, transfers tell the ids."""
    for each in known:
        if each.get("Status", "ACTIVE") != "ACTIVE" or str(each.get("Name")).casefold() != category.casefold():
            continue
        for one in each.get("Options") or []:
            if one.get("Status", "ACTIVE") == "ACTIVE" and str(one.get("Name")).casefold() == option.casefold():
                ids = (each["TrackingCategoryID"], one["TrackingOptionID"])
                return dict(zip(("TrackingCategoryID", "TrackingOptionID"), ids, strict=True))
    raise RejectedError(
        f'Xero has no active tracking option "{category}: {option}"; nothing was written. '
        "Pick one that is there, or add it in Xero, then retry."
    )


def _not_deleted(record: dict[str, Any], name: str) -> dict[str, Any]:
    if record.get("Status") == "DELETED":
        raise RejectedError(f"{name} is deleted in Xero already; nothing was written.")
    return record


def _wrong_ids(inputs: Any, nouns: Mapping[str, str]) -> dict[str, str]:
    return {
        name: no_id(getattr(inputs, name), noun, samples.INVOICE["InvoiceID"])
        for name, noun in nouns.items()
        if not is_guid(getattr(inputs, name))
    }
