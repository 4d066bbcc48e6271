"""Samples follow a trigger's inputs: the sample is one that they let through."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from integrations.framework.registry import trigger

CONTACT = "0f0f0f0f-0000-4000-8000-000000000001"


def sample(key: str, names: dict[str, str] | None = None, **inputs: Any) -> dict[str, Any]:
    return dict(trigger(f"xero.{key}").sample_of(inputs, names))


@pytest.mark.parametrize(
    ("key", "inputs", "expected"),
    [
        ("quote_accepted", {}, {"Status": "ACCEPTED"}),
        ("quote_status_changed", {"status": ["DECLINED", "SENT"]}, {"Status": "DECLINED"}),
        ("new_invoice", {"status": ["AUTHORISED"]}, {"Status": "AUTHORISED", "Type": "ACCREC"}),
        ("new_bill", {"status": ["PAID"]}, {"Status": "PAID", "AmountDue": Decimal("0.00"), "Type": "ACCPAY"}),
        ("invoice_updated", {"kind": "ACCPAY"}, {"Type": "ACCPAY", "InvoiceNumber": "TT-20931"}),
        ("invoice_paid", {"kind": "ACCPAY"}, {"Type": "ACCPAY", "Status": "PAID", "AmountDue": Decimal("0.00")}),
        ("new_credit_note", {"kind": "ACCPAYCREDIT"}, {"Type": "ACCPAYCREDIT"}),
        ("new_payment", {"kind": "ACCPAYPAYMENT"}, {"PaymentType": "ACCPAYPAYMENT"}),
        ("new_payment", {"only_reconciled": True}, {"IsReconciled": True}),
        ("new_bank_transaction", {"direction": "SPEND"}, {"Type": "SPEND"}),
        ("new_project", {"contact_id": CONTACT}, {"contactId": CONTACT}),
        ("new_or_updated_contact", {"contact_id": CONTACT}, {"ContactID": CONTACT}),
    ],
)
def test_it_has_the_status_and_the_kind_that_are_asked_for(
    key: str, inputs: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = sample(key, **inputs)
    assert {name: found[name] for name in expected} == expected


def test_it_is_of_the_chosen_contact_by_the_name_that_the_list_has() -> None:
    names = {"contact_id": "Boom FM (accounts@boomfm.example)"}
    for key in ("new_invoice", "new_quote", "new_bank_transaction", "overdue_invoice"):
        contact = sample(key, names, contact_id=CONTACT)["Contact"]
        assert (contact["ContactID"], contact["Name"]) == (CONTACT, "Boom FM")
    paid = sample("new_payment", names, contact_id=CONTACT)["Invoice"]["Contact"]
    assert paid["ContactID"] == CONTACT
    assert sample("new_invoice", {"contact_id": "Acme (UK)"}, contact_id=CONTACT)["Contact"]["Name"] == "Acme (UK)"


def test_it_is_from_the_chosen_bank_account() -> None:
    found = sample("new_bank_transaction", {"account_id": "Savings (NZD)"}, account_id=CONTACT)["BankAccount"]
    assert (found["AccountID"], found["Name"]) == (CONTACT, "Savings")


@pytest.mark.parametrize("key", ["new_invoice", "new_bill", "new_quote", "new_purchase_order", "invoice_paid"])
def test_it_is_as_large_as_asked_for_and_its_totals_are_right(key: str) -> None:
    found = sample(key, amount_at_least="1000.01")
    assert found["Total"] >= Decimal("1000.01")
    assert found["SubTotal"] + found["TotalTax"] == found["Total"]
    assert sum(line["LineAmount"] for line in found["LineItems"]) == found["SubTotal"]
    assert all(line["Quantity"] * line["UnitAmount"] == line["LineAmount"] for line in found["LineItems"])
    assert sample(key, amount_at_least="1") == sample(key)


def test_an_overdue_invoice_was_due_so_many_days_before() -> None:
    found = sample("overdue_invoice", days=30, amount_at_least="2000")
    assert (found["DueDate"], found["overdue_on"], found["days_overdue"]) == ("2026-10-12", "2026-11-11", 30)
    assert found["AmountDue"] >= 2000


@pytest.mark.parametrize("least", ["NaN", "nonsense", "-5", "1e99999"])
def test_an_amount_that_is_none_changes_nothing_or_ends(least: str) -> None:
    assert sample("new_invoice", amount_at_least=least)["Total"] > 0
