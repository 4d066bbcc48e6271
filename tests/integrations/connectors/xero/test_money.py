"""Payments and bank transfers, and the lists of what is set up: for real against the sandbox."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from integrations.connectors.xero.fields import choices
from integrations.core.errors import InvalidInputError, RejectedError
from integrations.framework import registry
from integrations.sandbox.data.organisations import ORGANISATIONS
from integrations.transport.http import Request
from tests.integrations.connectors.xero.writing import MARKER, hits, written
from tests.integrations.wire import Wire
from tests.provider import DEMO, Sandbox

PAYMENT = registry.action("xero.create_payment")
TRANSFER = registry.action("xero.create_bank_transfer")
INVOICE = registry.action("xero.create_invoice")
BANK, SAVINGS = (
    next(account["AccountID"] for account in ORGANISATIONS[DEMO].accounts() if account["Code"] == code)
    for code in ("090", "091")
)


@pytest.fixture
def invoice(demo: Any, sandbox: Sandbox) -> dict[str, Any]:
    """Approved, 115.00 to be paid."""
    return written(
        demo,
        INVOICE,
        contact_id=str(sandbox.contacts()[0]["id"]),
        lines=[{"description": "Shelf", "unit_amount": "100", "account_code": "200"}],
        due_date="2026-12-22",
        status="AUTHORISED",
    )


def test_a_payment_of_the_whole_makes_the_invoice_paid(demo: Any, invoice: dict[str, Any], wire: Wire) -> None:
    values = {"invoice_id": invoice["InvoiceID"], "account_id": BANK, "amount": "115.00", "paid_on": "2026-11-22"}
    assert hits(demo, PAYMENT, **values) == []
    output = written(demo, PAYMENT, **values, reference="Card")
    sent = wire.exchanges[-1]
    assert (sent.method, sent.path) == ("PUT", "/api.xro/2.0/Payments")
    assert json.loads(sent.body) == {
        "Payments": [
            {
                "Invoice": {"InvoiceID": invoice["InvoiceID"]},
                "Account": {"AccountID": BANK},
                "Date": "2026-11-22",
                "Amount": 115,
                "Reference": f"Card ({MARKER})",
            }
        ]
    }
    assert b'"Amount":115.00' in sent.body
    assert (output["Amount"], output["Date"], output["Status"]) == (Decimal("115.00"), "2026-11-22", "AUTHORISED")
    assert PAYMENT.describe(output) == f"Payment of 115.00 for {invoice['InvoiceNumber']}"
    (hit,) = hits(demo, PAYMENT, **values)
    assert hit["PaymentID"] == output["PaymentID"]
    paid = demo.read(f"/Invoices/{invoice['InvoiceID']}").json()["Invoices"][0]
    assert (paid["Status"], paid["AmountDue"]) == ("PAID", 0)


def test_more_than_is_due_is_refused_in_xeros_words(demo: Any, invoice: dict[str, Any]) -> None:
    values = {"invoice_id": invoice["InvoiceID"], "account_id": BANK, "amount": "115.01"}
    with pytest.raises(RejectedError) as caught:
        written(demo, PAYMENT, **values)
    assert caught.value.reasons == ["Payment amount exceeds the amount outstanding on this document"]
    assert hits(demo, PAYMENT, **values) == []


def test_a_payment_that_cannot_be_is_told_before_anything_is_sent() -> None:
    with pytest.raises(InvalidInputError) as caught:
        PAYMENT.Inputs.clean({"invoice_id": BANK, "account_id": BANK, "amount": "0"})
    assert caught.value.problems == {"amount": "Amount must be at least 0.01; this is 0."}
    with pytest.raises(InvalidInputError) as caught:
        PAYMENT.Inputs.clean({"invoice_id": "INV-1", "account_id": "090", "amount": "1.234"})
    assert caught.value.problems == {"amount": "Amount takes at most 2 decimal places; this is 1.234."}


@pytest.mark.parametrize("told", ["090", " 090 ", "business  bank ACCOUNT"])
def test_a_payments_bank_account_is_known_by_its_code_or_name(
    demo: Any, invoice: dict[str, Any], wire: Wire, told: str
) -> None:
    output = written(demo, PAYMENT, invoice_id=invoice["InvoiceID"], account_id=told, amount="1.00")
    assert json.loads(wire.exchanges[-1].body)["Payments"][0]["Account"] == {"AccountID": BANK}
    assert output["Amount"] == Decimal("1.00")


def test_a_bank_account_that_is_none_is_refused_with_those_that_are(
    demo: Any, invoice: dict[str, Any], wire: Wire
) -> None:
    wire.clear()
    for told in ("200", "Sales"):
        with pytest.raises(RejectedError) as caught:
            written(demo, PAYMENT, invoice_id=invoice["InvoiceID"], account_id=told, amount="1.00")
        assert caught.value.message == (
            f'Xero has no active bank account with the code or name "{told}"; nothing was written. It has: '
            "090 Business Bank Account, 091 Business Savings Account, 092 Business Account USD."
        )
    assert all(one.method == "GET" for one in wire.exchanges)


def test_a_transfers_bank_accounts_are_known_by_their_codes(demo: Any, wire: Wire) -> None:
    written(demo, TRANSFER, from_account_id="090", to_account_id="091", amount="5")
    sent = json.loads(wire.exchanges[-1].body)["BankTransfers"][0]
    assert (sent["FromBankAccount"], sent["ToBankAccount"]) == ({"AccountID": BANK}, {"AccountID": SAVINGS})
    wire.clear()
    with pytest.raises(RejectedError, match="Both bank accounts are the same one in Xero"):
        written(demo, TRANSFER, from_account_id="090", to_account_id="Business Bank Account", amount="5")
    assert all(one.method == "GET" for one in wire.exchanges)


def test_a_transfer_is_written_once_and_found_again(demo: Any, wire: Wire) -> None:
    values = {"from_account_id": BANK, "to_account_id": SAVINGS, "amount": "50", "transferred_on": "2026-11-22"}
    assert hits(demo, TRANSFER, **values) == []
    output = written(demo, TRANSFER, **values)
    sent = wire.exchanges[-1]
    assert (sent.method, sent.path, sent.query) == ("PUT", "/api.xro/2.0/BankTransfers", {})
    assert json.loads(sent.body)["BankTransfers"][0]["Reference"] == MARKER
    written(demo, TRANSFER, marker="PX-other", **values)
    (hit,) = hits(demo, TRANSFER, **values)
    assert hit["BankTransferID"] == output["BankTransferID"]
    assert TRANSFER.describe(output) == "Bank transfer of 50.00"


def test_a_transfer_to_where_it_comes_from_is_told_before_anything_is_sent() -> None:
    with pytest.raises(InvalidInputError) as caught:
        TRANSFER.Inputs.clean({"from_account_id": BANK, "to_account_id": BANK.upper(), "amount": "1"})
    assert "Both bank accounts are the same. Choose two different ones." in caught.value.problems.values()


def test_the_two_ends_of_a_transfer_are_tracked_and_reconciled_as_asked(demo: Any, wire: Wire) -> None:
    values = {"from_account_id": BANK, "to_account_id": SAVINGS, "amount": "50", "transferred_on": "2026-11-22"}
    region = demo.read("/TrackingCategories").json()["TrackingCategories"][0]
    ids = {
        option["Name"]: {
            key: record[key] for key, record in (("TrackingCategoryID", region), ("TrackingOptionID", option))
        }
        for option in region["Options"]
    }
    wire.clear()
    tracking = {"from_tracking_1": "Region: North", "to_tracking_2": "region: south"}
    output = written(demo, TRANSFER, **values, **tracking, to_is_reconciled="yes")
    assert wire.calls == ["GET /api.xro/2.0/TrackingCategories", "PUT /api.xro/2.0/BankTransfers"]
    (sent,) = json.loads(wire.exchanges[-1].body)["BankTransfers"]
    assert (sent["FromTracking"], sent["ToTracking"]) == ([ids["North"]], [ids["South"]])
    assert (sent.get("FromIsReconciled"), sent["ToIsReconciled"]) == (None, True)
    assert (output["FromIsReconciled"], output["ToIsReconciled"]) == (False, True)
    assert output["FromTracking"] == [{**ids["North"], "Name": "Region", "Option": "North"}]
    assert output["ToTracking"] == [{**ids["South"], "Name": "Region", "Option": "South"}]
    assert hits(demo, TRANSFER, **values) == [output]
    with pytest.raises(RejectedError, match="A reconciled bank transfer cannot be deleted"):
        demo.write(TRANSFER.undo(demo, output, {}))


def test_a_transfer_without_tracking_says_nothing_of_it_and_asks_for_nothing(demo: Any, wire: Wire) -> None:
    values = {"from_account_id": BANK, "to_account_id": SAVINGS, "amount": "50", "transferred_on": "2026-11-22"}
    output = written(demo, TRANSFER, **values)
    assert wire.calls == ["PUT /api.xro/2.0/BankTransfers"]
    (sent,) = json.loads(wire.exchanges[-1].body)["BankTransfers"]
    assert set(sent) == {"FromBankAccount", "ToBankAccount", "Amount", "Date", "Reference"}
    assert (output["FromTracking"], output["ToTracking"], output["FromIsReconciled"]) == ([], [], False)


def test_a_tracking_option_that_is_not_there_is_told_before_anything_is_written(demo: Any, wire: Wire) -> None:
    values = {"from_account_id": BANK, "to_account_id": SAVINGS, "amount": "50", "transferred_on": "2026-11-22"}
    with pytest.raises(RejectedError) as caught:
        written(demo, TRANSFER, **values, to_tracking_1="Region: Nowhere")
    assert caught.value.message == (
        'Xero has no active tracking option "Region: Nowhere"; nothing was written. '
        "Pick one that is there, or add it in Xero, then retry."
    )
    assert wire.calls == ["GET /api.xro/2.0/TrackingCategories"]


def test_a_tracking_that_is_none_is_told_of_the_end_that_has_it() -> None:
    values = {"from_account_id": BANK, "to_account_id": SAVINGS, "amount": "50"}
    same = {"to_tracking_1": "Region: North", "to_tracking_2": "Region: South", "from_tracking_1": "Region: North"}
    for given, name, said in (
        ({"from_tracking_2": "North"}, "from_tracking_2", '"North" is not a tracking option. Write it as Category'),
        (same, "to_tracking_2", "Both trackings are of the same category."),
    ):
        with pytest.raises(InvalidInputError) as caught:
            TRANSFER.Inputs.clean({**values, **given})
        assert [(key, text.startswith(said)) for key, text in caught.value.problems.items()] == [(name, True)]


def test_a_write_of_money_that_is_not_found_waits_for_a_person() -> None:
    assert (PAYMENT.lookup_reliable, TRANSFER.lookup_reliable) == (False, False)


def test_bank_accounts_are_offered_by_id(demo: Any) -> None:
    offered = dict(choices.bank_accounts.load(demo, {}))
    assert {BANK, SAVINGS} <= set(offered)
    assert offered[BANK].startswith("Business Bank Account")


def test_lists_come_in_one_call_and_can_be_narrowed(demo: Any, wire: Wire) -> None:
    def listed(key: str, **values: Any) -> dict[str, Any]:
        action = registry.action(key)
        return dict(action.run(demo, action.Inputs.clean(values)))

    revenue = listed("xero.list_accounts", account_class="REVENUE")
    assert [account["Code"] for account in revenue["accounts"]] == ["200", "260", "270"]
    rates = listed("xero.list_tax_rates")
    assert {rate["TaxType"] for rate in rates["tax_rates"]} == {"OUTPUT2", "INPUT2", "ZERORATED", "NONE"}
    tracking = listed("xero.list_tracking_categories")
    assert tracking["count"] == len(tracking["tracking_categories"]) > 0
    assert [(each["is_cut"], each["warning"]) for each in (revenue, rates, tracking)] == [(False, "")] * 3
    assert wire.calls == [f"GET /api.xro/2.0/{plural}" for plural in ("Accounts", "TaxRates", "TrackingCategories")]


@pytest.mark.parametrize(
    ("key", "name", "noun", "field_name", "first"),
    [
        ("xero.list_accounts", "accounts", "accounts", "Code", "090"),
        ("xero.list_tax_rates", "tax_rates", "tax rates", "Name", "15% GST on Expenses"),
        ("xero.list_tracking_categories", "tracking_categories", "tracking categories", "Name", "Campaign"),
    ],
)
def test_a_list_that_is_cut_says_so_and_what_is_left(
    demo: Any, key: str, name: str, noun: str, field_name: str, first: str
) -> None:
    demo.write(Request.of_json("PUT", "/TrackingCategories", {"Name": "Campaign"}))
    action = registry.action(key)
    whole = action.run(demo, action.Inputs.clean({}))
    count = whole["count"]
    assert count > 1
    exact = action.run(demo, action.Inputs.clean({"most": count}))
    assert (exact["is_cut"], exact["warning"]) == (False, "")
    cut = action.run(demo, action.Inputs.clean({"most": 1}))
    assert [each[field_name] for each in cut[name]] == [first] == [whole[name][0][field_name]]
    assert (cut["count"], cut["is_cut"]) == (1, True)
    assert cut["warning"] == f"There are {count} {noun}. Only the first 1 by {field_name.lower()} are given."
    with pytest.raises(InvalidInputError) as caught:
        action.Inputs.clean({"most": 5001})
    assert caught.value.problems == {"most": "At most must be at most 5000; this is 5001."}
