"""Taking back what was written, for real against the sandbox; and what says why it cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from integrations.connectors.xero.search.by_id import by_id
from integrations.core.errors import RejectedError
from integrations.framework import registry
from integrations.framework.base import Action, Effect
from integrations.sandbox.data.organisations import ORGANISATIONS
from tests.integrations.connectors.xero.writing import written
from tests.integrations.wire import Wire
from tests.provider import DEMO, Sandbox

BANK, SAVINGS = (
    next(account["AccountID"] for account in ORGANISATIONS[DEMO].accounts() if account["Code"] == code)
    for code in ("090", "091")
)
SOLD = [{"description": "Shelf", "unit_amount": "100", "account_code": "200"}]
BOUGHT = [{"description": "Oak", "unit_amount": "100", "account_code": "310"}]
DUE = {"due_date": "2026-12-22"}


def action(key: str) -> Action:
    return registry.action(f"xero.{key}")


@pytest.fixture
def contact(sandbox: Sandbox) -> str:
    return str(sandbox.contacts()[0]["id"])


def undone(api: Any, key: str, output: dict[str, Any]) -> Any:
    """The answer's body after the write was taken back as a person would have it done."""
    request = action(key).undo(api, output, api.connection.details)
    assert request is not None
    response = api.write(request, idempotency_key="" if request.method == "DELETE" else f"undo-{key}")
    return json.loads(response.body) if response.body else None


# --- documents --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "plural", "values", "becomes"),
    [
        ("create_invoice", "Invoices", {"lines": SOLD}, "DELETED"),
        ("create_invoice", "Invoices", {"lines": SOLD, "status": "SUBMITTED", **DUE}, "DELETED"),
        ("create_invoice", "Invoices", {"lines": SOLD, "status": "AUTHORISED", **DUE}, "VOIDED"),
        ("create_bill", "Invoices", {"lines": BOUGHT, "status": "AUTHORISED", **DUE}, "VOIDED"),
        ("create_credit_note", "CreditNotes", {"lines": SOLD}, "DELETED"),
        ("create_credit_note", "CreditNotes", {"lines": SOLD, "status": "AUTHORISED"}, "VOIDED"),
        ("create_purchase_order", "PurchaseOrders", {"lines": BOUGHT}, "DELETED"),
        ("create_purchase_order", "PurchaseOrders", {"lines": BOUGHT, "status": "AUTHORISED"}, "DELETED"),
        ("create_quote", "Quotes", {"lines": SOLD}, "DELETED"),
        ("create_quote", "Quotes", {"lines": SOLD, "status": "SENT"}, "DELETED"),
    ],
)
def test_a_draft_is_deleted_and_what_is_approved_is_voided(
    demo: Any, contact: str, key: str, plural: str, values: dict[str, Any], becomes: str
) -> None:
    output = written(demo, action(key), contact_id=contact, **values)
    (record,) = undone(demo, key, output)[plural]
    assert record["Status"] == becomes
    with pytest.raises(RejectedError, match=f"is {becomes.lower()} in Xero already; nothing was written"):
        action(key).undo(demo, output, {})


def test_the_state_of_now_decides_and_not_that_of_then(demo: Any, contact: str, sandbox: Sandbox) -> None:
    output = written(demo, action("create_invoice"), contact_id=contact, lines=SOLD, **DUE)
    sandbox.change("invoice", output["InvoiceID"], Status="AUTHORISED")
    (record,) = undone(demo, "create_invoice", output)["Invoices"]
    assert record["Status"] == "VOIDED"


def test_what_is_paid_or_used_is_not_taken_back_and_nothing_is_sent(demo: Any, contact: str, wire: Wire) -> None:
    approved = {"contact_id": contact, "lines": SOLD, "status": "AUTHORISED"}
    invoice = written(demo, action("create_invoice"), **approved, **DUE)
    note = written(demo, action("create_credit_note"), **approved)
    allocation = {"credit_note_id": note["CreditNoteID"], "invoice_id": invoice["InvoiceID"], "amount": "10"}
    written(demo, action("allocate_credit_note"), **allocation)
    wire.clear()
    for key, output in (("create_invoice", invoice), ("create_credit_note", note)):
        with pytest.raises(RejectedError, match="is paid or credited, in whole or in part, so it cannot be voided"):
            action(key).undo(demo, output, {})
    assert {one.method for one in wire.exchanges} == {"GET"}


def test_an_order_that_was_billed_stays(demo: Any, contact: str, sandbox: Sandbox) -> None:
    output = written(demo, action("create_purchase_order"), contact_id=contact, lines=BOUGHT, status="AUTHORISED")
    sandbox.change("purchase_order", output["PurchaseOrderID"], Status="BILLED")
    with pytest.raises(RejectedError, match="PO-0001 is billed in Xero, and Xero takes back none that is"):
        action("create_purchase_order").undo(demo, output, {})


# --- money, contacts, projects ----------------------------------------------------------------------------------------


def test_a_payment_is_deleted_and_the_invoice_is_due_again(demo: Any, contact: str) -> None:
    invoice = written(demo, action("create_invoice"), contact_id=contact, lines=SOLD, status="AUTHORISED", **DUE)
    values = {"invoice_id": invoice["InvoiceID"], "account_id": BANK, "amount": "115"}
    payment = written(demo, action("create_payment"), **values)
    (record,) = undone(demo, "create_payment", payment)["Payments"]
    assert record["Status"] == "DELETED"
    (again,) = by_id(demo, "Invoices", invoice["InvoiceID"])
    assert (again["Status"], again["AmountDue"]) == ("AUTHORISED", 115)
    with pytest.raises(RejectedError, match="The payment is deleted in Xero already"):
        action("create_payment").undo(demo, payment, {})


def test_a_bank_transfer_is_deleted(demo: Any) -> None:
    values = {"from_account_id": BANK, "to_account_id": SAVINGS, "amount": "50"}
    transfer = written(demo, action("create_bank_transfer"), **values)
    (record,) = undone(demo, "create_bank_transfer", transfer)["BankTransfers"]
    assert record["Status"] == "DELETED"
    with pytest.raises(RejectedError, match="The transfer is deleted in Xero already"):
        action("create_bank_transfer").undo(demo, transfer, {})


def test_an_allocation_is_found_by_its_invoice_and_deleted(demo: Any, contact: str, wire: Wire) -> None:
    approved = {"contact_id": contact, "lines": SOLD, "status": "AUTHORISED"}
    invoice = written(demo, action("create_invoice"), **approved, **DUE)
    notes = [written(demo, action("create_credit_note"), f"PX-{number:016d}", **approved) for number in range(2)]
    outputs = [
        written(
            demo,
            action("allocate_credit_note"),
            f"PX-a{number}",
            credit_note_id=note["CreditNoteID"],
            invoice_id=invoice["InvoiceID"],
            amount=str(10 + number),
        )
        for number, note in enumerate(notes)
    ]
    undone(demo, "allocate_credit_note", outputs[1])
    sent = wire.exchanges[-1]
    path = f"/api.xro/2.0/CreditNotes/{notes[1]['CreditNoteID']}/Allocations/{outputs[1]['AllocationID']}"
    assert (sent.method, sent.path) == ("DELETE", path)
    (left,) = by_id(demo, "Invoices", invoice["InvoiceID"])
    assert left["AmountDue"] == 105
    with pytest.raises(RejectedError, match="The allocation is not in Xero any more"):
        action("allocate_credit_note").undo(demo, outputs[1], {})


def test_a_contact_is_archived_an_item_deleted_and_a_project_closed(demo: Any, contact: str, wire: Wire) -> None:
    made = written(demo, action("create_contact"), name="Kereru Joinery")
    (record,) = undone(demo, "create_contact", made)["Contacts"]
    assert record["ContactStatus"] == "ARCHIVED"
    item = written(demo, action("add_stock_item"), code="BENCH", name="Bench")
    assert undone(demo, "add_stock_item", item) is None
    assert by_id(demo, "Items", item["ItemID"]) == []
    project = written(demo, action("create_project"), contact_id=contact, name="New kitchen")
    assert undone(demo, "create_project", project) is None
    sent = wire.exchanges[-1]
    assert (sent.method, sent.path) == ("PATCH", f"/projects.xro/2.0/Projects/{project['projectId']}")


# --- all of them ------------------------------------------------------------------------------------------------------


def _has_own(one: Any, name: str) -> bool:
    mine: Callable[..., Any] = getattr(type(one), name)
    return mine is not getattr(Action, name)


@pytest.mark.parametrize("one", [each for each in registry.actions() if each.effect is not Effect.READS])
def test_each_write_can_be_taken_back_or_says_why_not(one: Action) -> None:
    assert _has_own(one, "undo") != bool(one.no_undo), one.full_key
    assert not one.no_undo or one.no_undo.endswith(".")
