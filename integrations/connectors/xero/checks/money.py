"""Payments, credits and transfers: what is paid, from which account, and whether it is enough.

https://developer.xero.com/documentation/api/accounting/payments
https://developer.xero.com/documentation/api/accounting/banktransfers
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from integrations.connectors.xero.checks.lists import ACCOUNTS, is_active, shown
from integrations.connectors.xero.client import XeroClient
from integrations.connectors.xero.plain import money, plain
from integrations.connectors.xero.search.by_id import by_id
from integrations.core.sameness import same
from integrations.framework.checks import Facts, Finding, stops
from integrations.framework.reference import Record
from integrations.transport.http import ApiClient

_PICK_BANK = "Choose a bank account of this organisation."


def record_of(facts: Facts, plural: str, key: str) -> dict[str, Any] | None:
    """The record with this id as it is now; None if there is none."""

    def read(api: ApiClient) -> list[dict[str, Any]]:
        assert isinstance(api, XeroClient)
        return [plain(each) for each in by_id(api, plural, key)]

    found = facts.ask(f"{plural} {key}", read)
    return found[0] if found else None


def missing_record(facts: Facts, path: str, noun: str, key: str) -> Finding:
    """No record has this id."""
    return stops(
        "record_missing",
        path,
        f"There is no {noun} with the ID {key} in {facts.name}.",
        f"Pick one, or take the ID of {'an' if noun[0] in 'aeiou' else 'a'} {noun} from an earlier step.",
    )


def payment_findings(facts: Facts, inputs: Any) -> Iterator[Finding]:
    """What is wrong with a payment of an invoice or bill."""
    if not facts.is_predicted("account_id"):
        yield from facts.tried("whether the bank account can be used", lambda: _payable(facts, inputs.account_id))
    if facts.is_predicted("invoice_id"):
        return
    yield from facts.tried("whether the invoice can be paid", lambda: _payment(facts, inputs))


def _payable(facts: Facts, told: str) -> Iterator[Finding]:
    yield from bank_findings(facts, "account_id", told, or_payments=True)


def bank_findings(facts: Facts, path: str, told: str, *, or_payments: bool = False) -> Iterator[Finding]:
    """What is wrong with a bank account given by id, code or name; with `or_payments` another account that payments may
    be made to is right as well."""
    account = account_meant(facts, told)
    if account is None:
        yield stops("account_missing", path, f'There is no bank account "{told}" in {facts.name}.', _PICK_BANK)
        return
    is_usable = account.get("Type") == "BANK" or (or_payments and bool(account.get("EnablePaymentsToAccount")))
    if not is_active(account):
        yield stops("account_archived", path, f"The account {shown(account)} is archived in {facts.name}.", _PICK_BANK)
    elif not is_usable:
        yield stops("account_unfit", path, f"The account {shown(account)} is not a bank account.", _PICK_BANK)


def account_meant(facts: Facts, told: str) -> Record | None:
    """The account with this id, code or name."""
    return facts.find(ACCOUNTS, lambda each: any(same(each.get(n), told) for n in ("AccountID", "Code", "Name")))


def _payment(facts: Facts, inputs: Any) -> Iterator[Finding]:
    invoice = record_of(facts, "Invoices", inputs.invoice_id)
    if invoice is None:
        yield missing_record(facts, "invoice_id", "invoice", inputs.invoice_id)
        return
    yield from not_authorised(invoice, "invoice_id", "paid")
    if invoice.get("Status") != "AUTHORISED":
        return
    yield from too_much(inputs.amount, invoice.get("AmountDue"), f"due on {name_of(invoice)}")
    account = account_meant(facts, inputs.account_id)
    currency, base = invoice.get("CurrencyCode"), facts.details.get("currency")
    if account is not None and base and account.get("CurrencyCode", currency) not in {base, currency}:
        yield stops(
            "currency_unfit",
            "account_id",
            f"{shown(account)} is in {account['CurrencyCode']}, and {name_of(invoice)} is in {currency}.",
            f"Choose an account in {currency} or in {base}.",
        )


def not_authorised(record: dict[str, Any], path: str, done: str) -> Iterator[Finding]:
    """A document that is not approved, or is paid already."""
    status = str(record.get("Status"))
    if status == "PAID":
        yield stops("already_paid", path, f"{name_of(record)} is paid already.", "Take another one.")
    elif status != "AUTHORISED":
        said = f"{name_of(record)} is {status.lower()} in Xero; it can be {done} once it is approved."
        yield stops("not_approved", path, said, "Approve it first, or take another one.")


def too_much(amount: Decimal, left: Any, what: str) -> Iterator[Finding]:
    """An amount above what is left."""
    if isinstance(left, int | Decimal) and amount > left:
        said = f"{money(amount)} is more than the {money(left)} that is {what}."
        yield stops("amount_too_large", "amount", said, f"Give at most {money(left)}.")


def allocation_findings(facts: Facts, inputs: Any) -> Iterator[Finding]:
    """What is wrong with setting a credit note off against an invoice."""
    if facts.is_predicted("credit_note_id") or facts.is_predicted("invoice_id"):
        return
    yield from facts.tried("whether the credit note fits the invoice", lambda: _allocation(facts, inputs))


def _allocation(facts: Facts, inputs: Any) -> Iterator[Finding]:
    note = record_of(facts, "CreditNotes", inputs.credit_note_id)
    invoice = record_of(facts, "Invoices", inputs.invoice_id)
    if note is None:
        yield missing_record(facts, "credit_note_id", "credit note", inputs.credit_note_id)
    if invoice is None:
        yield missing_record(facts, "invoice_id", "invoice", inputs.invoice_id)
    if note is None or invoice is None:
        return
    yield from not_authorised(note, "credit_note_id", "set off")
    yield from not_authorised(invoice, "invoice_id", "credited")
    yield from _mismatches(note, invoice)
    yield from too_much(inputs.amount, note.get("RemainingCredit"), f"left of {name_of(note)}")
    yield from too_much(inputs.amount, invoice.get("AmountDue"), f"due on {name_of(invoice)}")


def _mismatches(note: dict[str, Any], invoice: dict[str, Any]) -> Iterator[Finding]:
    pairs = {
        "kind_unfit": (note.get("Type"), f"{invoice.get('Type')}CREDIT", "kinds: one is a sale, the other a purchase"),
        "contact_unfit": (_contact(note), _contact(invoice), "contacts"),
        "currency_unfit": (note.get("CurrencyCode"), invoice.get("CurrencyCode"), "currencies"),
    }
    for code, (one, other, what) in pairs.items():
        if one != other:
            said = f"{name_of(note)} and {name_of(invoice)} are of different {what}."
            yield stops(code, "credit_note_id", said, "Choose a credit note that fits the invoice.")


def _contact(record: dict[str, Any]) -> Any:
    return (record.get("Contact") or {}).get("ContactID")


def transfer_findings(facts: Facts, inputs: Any) -> Iterator[Finding]:
    """What is wrong with a transfer between bank accounts."""
    for name in ("from_account_id", "to_account_id"):
        if not facts.is_predicted(name):
            told = str(getattr(inputs, name))
            yield from facts.tried("whether the bank accounts can be used", _one_end(facts, name, told))
    yield from facts.tried("whether both bank accounts have one currency", lambda: _currencies(facts, inputs))


def _one_end(facts: Facts, name: str, told: str) -> Any:
    return lambda: bank_findings(facts, name, told)


def _currencies(facts: Facts, inputs: Any) -> Iterator[Finding]:
    ends = [account_meant(facts, each) for each in (inputs.from_account_id, inputs.to_account_id)]
    known = [each for each in ends if each is not None and each.get("CurrencyCode")]
    if len(known) == 2 and known[0]["CurrencyCode"] != known[1]["CurrencyCode"]:
        said = " and ".join(f"{shown(each)} is in {each['CurrencyCode']}" for each in known)
        yield stops("currency_unfit", "to_account_id", f"{said}.", "Xero transfers only within one currency.")


def name_of(record: dict[str, Any]) -> str:
    """A document as people know it."""
    return str(record.get("InvoiceNumber") or record.get("CreditNoteNumber") or "The document")
