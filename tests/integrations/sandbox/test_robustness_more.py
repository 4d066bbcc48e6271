"""The second storey under odd input: it answers in words, and its lists and reports stay readable."""

import random
from typing import Any

import pytest

from tests.integrations.sandbox.conftest import Xero
from tests.integrations.sandbox.test_robustness import ODD
from tests.provider import DEMO, Sandbox

pytestmark = pytest.mark.hostile("Odd records are sent, taken where they can be, and repeated.", answers=True)

LINE = {"Description": "a", "Quantity": 1, "UnitAmount": 1, "AccountCode": "200", "LineItemID": "", "Tracking": []}
BANK = {"FromBankAccount": {"Code": "090"}, "ToBankAccount": {"Code": "091"}, "Amount": 1}
COMMON: dict[str, Any] = {"Contact": {"Name": "Boom FM"}, "LineItems": [LINE], "Date": "2026-11-22", "Status": "DRAFT"}
COMMON |= {"CurrencyCode": "NZD", "CurrencyRate": 1, "Reference": "x", "BrandingThemeID": None}
RECORDS: dict[str, dict[str, Any]] = {
    "Quotes": {**COMMON, "QuoteID": None, "QuoteNumber": "", "ExpiryDate": None, "Title": "t", "Terms": ""},
    "PurchaseOrders": {**COMMON, "PurchaseOrderID": None, "DeliveryDate": None, "SentToContact": False},
    "CreditNotes": {**COMMON, "Type": "ACCRECCREDIT", "Status": "AUTHORISED", "CreditNoteID": None},
    "Payments": {
        "Invoice": {"InvoiceNumber": "INV-0001"},
        "Account": {"Code": "090"},
        "Amount": 1,
        "Date": "2026-11-22",
    },
    "BankTransfers": {**BANK, "Date": None, "Reference": "", "FromIsReconciled": False, "BankTransferID": None},
    "BankTransactions": {**COMMON, "Type": "SPEND", "BankAccount": {"Code": "090"}, "Status": "AUTHORISED"},
    "Items": {"Code": "A", "Name": "", "SalesDetails": {"UnitPrice": 1}, "PurchaseDetails": {}, "ItemID": None},
    "TrackingCategories": {"Name": "Line"},
    "Projects": {"contactId": "", "name": "n", "deadlineUtc": None, "estimateAmount": 1},
}
CONTROLS = {
    "make": "what organisation contact name email quantity amount account number reference date due_date status type "
    "invoice currency board section title privacy estimate DueDate LineItems",
    "change": "what id Status Contact Date",
    "webhook": "url key categories at_once per_delivery",
    "webhook/burst": "n what tenant",
    "webhook/replay": "from to",
}
MAKEABLE = ["contact", "invoice", "quote", "credit_note", "payment", "bank_transaction", "project", "section", "pin"]


def test_odd_records_of_every_kind_are_taken_or_refused(sandbox: Sandbox, xero: Xero) -> None:
    dice = random.Random(7)
    seen = set()
    for number in range(270):
        kind = list(RECORDS)[number % len(RECORDS)]
        record = {**RECORDS[kind], **({"contactId": sandbox.contact_id("Boom FM")} if kind == "Projects" else {})}
        record |= {dice.choice(list(record)): dice.choice(ODD) for _ in range(dice.randint(0, 2))}
        if isinstance(record.get("LineItems"), list) and dice.random() < 0.3 and record["LineItems"] == [LINE]:
            record["LineItems"] = [{**LINE, dice.choice(list(LINE)): dice.choice(ODD)}]
        base = sandbox.url + "/projects.xro/2.0" if kind == "Projects" else xero.base
        body = record if kind == "Projects" else {kind: [record]}
        method = (
            "POST" if kind == "Projects" else "PUT" if kind == "TrackingCategories" else dice.choice(["PUT", "POST"])
        )
        answer = xero.session.request(method, f"{base}/{kind}", json=body, timeout=10)
        assert answer.status_code in {200, 201, 400}, f"{answer.status_code} for {method} {kind} {record}"
        seen.add((kind, answer.status_code >= 400))
    assert len(seen) >= 2 * len(RECORDS) - 1
    for kind in [*RECORDS, "Invoices", "Reports/BalanceSheet", "Reports/ProfitAndLoss"]:
        if kind != "Projects":
            assert xero.get(f"/{kind}").status_code == 200
    assert sandbox.session.get(sandbox.url + "/").status_code == 200
    assert [row for row in sandbox.ledger() if row["outcome"] == "sandbox failure"] == []


def test_odd_words_at_the_new_controls_are_taken_or_refused(sandbox: Sandbox) -> None:
    dice = random.Random(8)
    for path, names in list(CONTROLS.items()) * 40:
        body = {name: dice.choice(ODD) for name in names.split() if dice.random() < 0.3}
        if path in {"make", "change"}:
            body["what"] = dice.choice(MAKEABLE)
            body["organisation"] = DEMO
        answer = sandbox.session.post(f"{sandbox.url}/_sandbox/{path}", json=body, timeout=10)
        assert answer.status_code in {200, 400}, f"{answer.status_code} for {path} {body}: {answer.text[:200]}"
        assert answer.json() is not None
