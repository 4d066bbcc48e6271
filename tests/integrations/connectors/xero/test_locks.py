"""Locked books: what is dated into them is refused before anything is sent, in words that say what to do."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.core.errors import RejectedError
from integrations.framework import registry
from tests.integrations.connectors.xero.writing import written
from tests.integrations.wire import Wire
from tests.provider import NORTHWIND, Sandbox

SOLD = [{"description": "Shelf", "unit_amount": "100", "account_code": "4000"}]
BOUGHT = [{"description": "Oak", "unit_amount": "100", "account_code": "5000"}]
GUID = "430fa14a-f945-44d3-9f97-5df5e28441b8"
OTHER = "b2a3f7b0-7f39-4f0f-9b40-5c12e4a40c11"


@pytest.fixture
def locked(northwind: Any) -> Any:
    """A client whose connection remembers the lock dates: the period's at the end of 2025, the year's in March."""
    northwind.connection.details |= {
        "name": "Northwind Ltd",
        "period_lock_date": "2025-12-31",
        "end_of_year_lock_date": "2025-03-31",
    }
    return northwind


@pytest.fixture
def contact(sandbox: Sandbox) -> str:
    return str(sandbox.contacts(NORTHWIND)[0]["id"])


@pytest.mark.parametrize(
    ("key", "values", "noun"),
    [
        ("create_invoice", {"contact_id": GUID, "invoice_date": "2025-12-31", "lines": SOLD}, "the invoice"),
        ("create_bill", {"contact_id": GUID, "bill_date": "2025-12-31", "lines": BOUGHT}, "the bill"),
        ("create_credit_note", {"contact_id": GUID, "note_date": "2025-12-31", "lines": SOLD}, "the credit note"),
        ("create_payment", {"invoice_id": GUID, "account_id": OTHER, "amount": "1", "paid_on": "2025-12-31"},
         "the payment"),
        ("create_bank_transfer", {"from_account_id": GUID, "to_account_id": OTHER, "amount": "1",
         "transferred_on": "2025-12-31"}, "the bank transfer"),
        ("allocate_credit_note", {"credit_note_id": GUID, "invoice_id": OTHER, "amount": "1",
         "allocated_on": "2025-12-31"}, "the allocation"),
    ],
)  # fmt: skip
def test_a_day_in_a_locked_period_is_refused_before_anything_is_sent(
    locked: Any, wire: Wire, key: str, values: dict[str, Any], noun: str
) -> None:
    action = registry.action(f"xero.{key}")
    with pytest.raises(RejectedError) as refused:
        action.prepare(locked, action.Inputs.clean(values))
    assert refused.value.message == (
        f"The books of Northwind Ltd are locked up to 31 December 2025 (the period lock date), and {noun} is dated "
        "31 December 2025. Nothing was sent. "
        "Use a later date, or let an adviser move the lock date in Xero, then retry."
    )
    assert wire.calls == ["GET /api.xro/2.0/Organisation"]


def test_the_day_after_the_lock_costs_no_call_and_is_written(locked: Any, contact: str, wire: Wire) -> None:
    invoice = registry.action("xero.create_invoice")
    output = written(locked, invoice, contact_id=contact, invoice_date="2026-01-01", lines=SOLD)
    assert output["Date"] == "2026-01-01"
    assert wire.calls == ["PUT /api.xro/2.0/Invoices"]


def test_a_lock_that_was_moved_back_in_the_meantime_stops_nothing(locked: Any, contact: str) -> None:
    locked.connection.details |= {"period_lock_date": "2026-06-30"}  # until this morning
    invoice = registry.action("xero.create_invoice")
    assert written(locked, invoice, contact_id=contact, invoice_date="2026-05-01", lines=SOLD)["Date"] == "2026-05-01"


def test_the_lock_of_the_year_is_named_where_it_is_the_later_one(locked: Any, monkeypatch: Any) -> None:
    details = {"period_lock_date": "2025-01-31", "end_of_year_lock_date": "2025-03-31"}
    locked.connection.details |= details
    monkeypatch.setattr("integrations.connectors.xero.fields.lock_dates.read_organisation", lambda api: details)
    invoice = registry.action("xero.create_invoice")
    inputs = invoice.Inputs.clean({"contact_id": GUID, "invoice_date": "2025-01-01", "lines": SOLD})
    with pytest.raises(RejectedError, match=r"locked up to 31 March 2025 \(the end of year lock date\)"):
        invoice.prepare(locked, inputs)


@pytest.mark.parametrize(
    ("key", "day", "rows"), [("create_quote", "quote_date", SOLD), ("create_purchase_order", "order_date", BOUGHT)]
)
def test_what_stands_in_no_ledger_may_be_dated_into_a_locked_period(
    locked: Any, contact: str, key: str, day: str, rows: list[dict[str, str]]
) -> None:
    output = written(locked, registry.action(f"xero.{key}"), contact_id=contact, lines=rows, **{day: "2025-12-31"})
    assert output["Date"] == "2025-12-31"


def test_an_invoice_in_a_locked_period_is_not_voided(locked: Any, contact: str, monkeypatch: Any) -> None:
    invoice = registry.action("xero.create_invoice")
    output = written(locked, invoice, contact_id=contact, lines=SOLD, invoice_date="2026-01-15")
    lock = {"period_lock_date": "2026-01-31"}
    locked.connection.details |= lock
    monkeypatch.setattr("integrations.connectors.xero.fields.lock_dates.read_organisation", lambda api: lock)
    void = registry.action("xero.void_or_delete_invoice")
    with pytest.raises(RejectedError, match=r"locked up to 31 January 2026 .* and the invoice is dated 15 January"):
        void.prepare(locked, void.Inputs.clean({"invoice_id": output["InvoiceID"]}))
