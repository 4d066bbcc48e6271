"""Triggers on money that moved: payments, and what is received into or spent from a bank account.

https://developer.xero.com/documentation/api/accounting/payments
https://developer.xero.com/documentation/api/accounting/banktransactions
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.connectors.xero.fields import choices
from integrations.connectors.xero.samples import noticed as samples
from integrations.connectors.xero.search.contacts import is_guid
from integrations.connectors.xero.search.documents import no_id
from integrations.connectors.xero.triggers.filters import (
    MoneyDirection,
    PaymentKind,
    WithAmount,
    is_large_enough,
    is_of_contact,
)
from integrations.connectors.xero.triggers.watched_lists import Record, RecordTrigger
from integrations.schema.schema import field
from integrations.transport.http import ApiClient


class NewPayment(RecordTrigger):
    """A payment was recorded against an invoice, a bill or a credit note."""

    key = "new_payment"
    name = "New payment"
    words = ("paid", "receipt", "bill")
    noun = "payment"
    scopes = ("accounting.payments",)
    dated_by = "the date of the payment"
    sample = samples.PAYMENT
    plural, id_name = "Payments", "PaymentID"
    date_name, since_parameter, amount_name = "Date", "where", "Amount"

    class Inputs(WithAmount):
        kind: PaymentKind = field("Which", default=PaymentKind.ANY)
        only_reconciled: bool = field(
            "Only reconciled ones", default=False, help="Yes: it counts once it is matched with the bank statement."
        )

    def conditions(self, inputs: Any, api: ApiClient, *, reads_all: bool) -> list[str]:
        return [] if inputs.kind is PaymentKind.ANY else [f'PaymentType=="{inputs.kind.value}"']

    def sense(self, sample: Record, inputs: Mapping[str, Any], names: Mapping[str, str]) -> Record:
        kind = inputs.get("kind") or PaymentKind.ANY.value
        if kind != PaymentKind.ANY:
            paid = "ACCPAY" if kind == PaymentKind.MADE else "ACCREC"
            sample = {**sample, "PaymentType": kind, "Invoice": {**sample["Invoice"], "Type": paid}}
        return {**sample, "IsReconciled": True} if inputs.get("only_reconciled") in (True, "true") else sample

    def is_wanted(self, record: Record, inputs: Any) -> bool:
        paid = record.get("Invoice") or record.get("CreditNote") or {}
        is_meant = inputs.kind is PaymentKind.ANY or record.get("PaymentType") == inputs.kind.value
        is_meant = is_meant and is_of_contact(paid, inputs.contact_id)
        is_meant = is_meant and (bool(record.get("IsReconciled")) or not inputs.only_reconciled)
        return is_meant and is_large_enough(record, inputs.amount_at_least, "Amount")


class NewBankTransaction(RecordTrigger):
    """Money received or spent was recorded in a bank account."""

    key = "new_bank_transaction"
    name = "New bank transaction"
    words = ("statement", "receipt", "deposit", "withdrawal")
    noun = "bank transaction"
    scopes = ("accounting.banktransactions",)
    dated_by = "the date of the bank transaction"
    sample = samples.BANK_TRANSACTION
    plural, id_name = "BankTransactions", "BankTransactionID"
    date_name, since_parameter = "Date", "where"
    fixed_query = {"unitdp": "4"}

    class Inputs(WithAmount):
        account_id: str | None = field(
            "Bank account", choices=choices.bank_accounts, default=None, max_length=36, help="Left empty: all of them."
        )
        direction: MoneyDirection = field("Which", default=MoneyDirection.ANY)

        def check(self) -> Mapping[str, str]:
            """The account's id too: it is compared with Xero's."""
            problems = dict(super().check())
            if self.account_id is not None and not is_guid(self.account_id):
                example = samples.BANK_TRANSACTION["BankAccount"]["AccountID"]
                problems["account_id"] = no_id(self.account_id, "bank account", example)
            return problems

    def conditions(self, inputs: Any, api: ApiClient, *, reads_all: bool) -> list[str]:
        return [f'Contact.ContactID==guid("{inputs.contact_id}")'] if inputs.contact_id else []

    def sense(self, sample: Record, inputs: Mapping[str, Any], names: Mapping[str, str]) -> Record:
        direction, account = inputs.get("direction") or MoneyDirection.ANY.value, inputs.get("account_id")
        if direction != MoneyDirection.ANY:
            sample = {**sample, "Type": direction}
        if not account:
            return sample
        # The list adds the currency in brackets.
        named = {"Name": names["account_id"].partition(" (")[0]} if names.get("account_id") else {}
        return {**sample, "BankAccount": {**sample["BankAccount"], "AccountID": account, **named}}

    def is_wanted(self, record: Record, inputs: Any) -> bool:
        account = record.get("BankAccount") or {}
        is_meant = inputs.account_id is None or str(account.get("AccountID", "")).lower() == inputs.account_id.lower()
        # SPEND-OVERPAYMENT and the like are also money spent; transfers have their own list.
        kind = str(record.get("Type", ""))
        is_meant = is_meant and not kind.endswith("-TRANSFER")
        is_meant = is_meant and (inputs.direction is MoneyDirection.ANY or kind.startswith(inputs.direction.value))
        is_meant = is_meant and is_of_contact(record, inputs.contact_id)
        return is_meant and is_large_enough(record, inputs.amount_at_least)
