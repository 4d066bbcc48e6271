"""Triggers of Xero, for real against the sandbox: what is an event and what is not, and what a poll costs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from integrations.connectors.xero.client import XeroClient
from integrations.framework import registry
from integrations.framework.base import Item, Poll
from integrations.transport.http import Request
from tests.integrations.connectors.xero.writing import written
from tests.integrations.wire import Wire
from tests.provider import Sandbox

QUOTE = registry.action("xero.create_quote")
ORDER = registry.action("xero.create_purchase_order")
INVOICE = registry.action("xero.create_invoice")
BILL = registry.action("xero.create_bill")
CREDIT_NOTE = registry.action("xero.create_credit_note")
CONTACT = registry.action("xero.create_contact")
SALE = [{"description": "Shelf", "unit_amount": "20", "account_code": "200"}]
COST = [{"description": "Boards", "unit_amount": "20", "account_code": "310"}]
DOCUMENTS = [
    ("xero.new_quote", QUOTE, SALE),
    ("xero.new_purchase_order", ORDER, COST),
    ("xero.new_invoice", INVOICE, SALE),
    ("xero.new_bill", BILL, COST),
    ("xero.new_credit_note", CREDIT_NOTE, SALE),
]


@pytest.fixture
def contact(sandbox: Sandbox) -> str:
    return str(sandbox.contacts()[0]["id"])


class Watch:
    """Polls as the engine does: what was seen is remembered, the cursor is kept."""

    def __init__(self, api: XeroClient, key: str, **inputs: Any) -> None:
        self.api, self.trigger = api, registry.trigger(key)
        self.inputs = self.trigger.Inputs.clean(inputs)
        self.cursor: str | None = None
        self.seen: set[str] = set()

    def look(self, *, is_baseline: bool = False, is_thorough: bool = False) -> list[Item]:
        poll = Poll(self.api, self.inputs, self.cursor, self.seen.intersection, is_baseline, is_thorough)
        new = []
        for item in self.trigger.poll(poll):
            self.cursor = item.cursor or self.cursor
            if item.key and item.key not in self.seen:
                self.seen.add(item.key)
                if item.is_event:
                    new.append(item)
        return new


def edit(api: XeroClient, plural: str, record: dict[str, Any], **changes: Any) -> None:
    name = next(name for name in record if name == f"{plural[:-1]}ID")
    extra = {"Contact": {"ContactID": record["Contact"]["ContactID"]}, "Date": record["Date"]}
    api.write(
        Request.of_json("POST", f"/{plural}/{record[name]}", {plural: [{name: record[name], **extra, **changes}]})
    )


@pytest.mark.parametrize(("key", "action", "lines"), DOCUMENTS)
def test_what_is_made_later_is_an_event_once_and_an_edit_is_none(
    demo: Any, contact: str, wire: Wire, key: str, action: Any, lines: Any
) -> None:
    old = written(demo, action, marker="PX-old", contact_id=contact, lines=lines)
    watch = Watch(demo, key)
    assert action.identify(old) in {item.key for item in watch.look(is_baseline=True)}
    assert watch.look() == []

    edit(demo, action.plural, old, LineItems=[{"Description": "Changed", "Quantity": 1, "UnitAmount": 1}])
    made = written(demo, action, marker="PX-new", contact_id=contact, lines=lines)
    wire.clear()
    (item,) = watch.look()

    assert item.key == action.identify(made)
    assert item.data["Total"] == made["Total"]
    assert item.data["LineItems"][0]["Description"] == lines[0]["description"]
    assert wire.calls == [f"GET /api.xro/2.0/{action.plural}"]
    assert "If-Modified-Since" in wire.exchanges[0].headers
    assert watch.look() == watch.look(is_thorough=True) == []


def test_sales_invoices_and_bills_are_told_apart(demo: Any, contact: str) -> None:
    invoices, bills = Watch(demo, "xero.new_invoice"), Watch(demo, "xero.new_bill")
    invoices.look(is_baseline=True), bills.look(is_baseline=True)
    invoice = written(demo, INVOICE, marker="PX-1", contact_id=contact, lines=SALE)
    bill = written(demo, BILL, marker="PX-2", contact_id=contact, lines=COST)
    assert [item.key for item in invoices.look()] == [invoice["InvoiceID"]]
    assert [item.key for item in bills.look()] == [bill["InvoiceID"]]


def test_with_a_status_reaching_it_for_the_first_time_is_the_event(demo: Any, contact: str) -> None:
    quote = written(demo, QUOTE, marker="PX-1", contact_id=contact, lines=SALE)
    watch = Watch(demo, "xero.new_quote", status="SENT")
    assert watch.look(is_baseline=True) == []
    assert watch.look() == []
    edit(demo, "Quotes", quote, Status="SENT")
    (item,) = watch.look()
    assert (item.key, item.data["Status"]) == (quote["QuoteID"], "SENT")
    edit(demo, "Quotes", quote, Status="ACCEPTED")
    edit(demo, "Quotes", quote, Status="SENT")
    assert watch.look() == []


def test_what_was_deleted_before_it_was_seen_is_no_event(demo: Any, contact: str) -> None:
    watch = Watch(demo, "xero.new_purchase_order")
    watch.look(is_baseline=True)
    order = written(demo, ORDER, contact_id=contact, lines=COST)
    edit(demo, "PurchaseOrders", order, Status="DELETED")
    assert watch.look() == []


def test_credit_notes_of_one_kind_and_status(demo: Any, contact: str) -> None:
    watch = Watch(demo, "xero.new_credit_note", kind="ACCPAYCREDIT", status="AUTHORISED")
    watch.look(is_baseline=True)
    for number, (kind, status) in enumerate(
        [("ACCRECCREDIT", "AUTHORISED"), ("ACCPAYCREDIT", "DRAFT"), ("ACCPAYCREDIT", "AUTHORISED")]
    ):
        lines = SALE if kind == "ACCRECCREDIT" else COST
        last = written(
            demo, CREDIT_NOTE, marker=f"PX-{number}", type=kind, status=status, contact_id=contact, lines=lines
        )
    assert [item.key for item in watch.look()] == [last["CreditNoteID"]]


def test_a_restored_contact_is_not_a_new_one(demo: Any, contact: str) -> None:
    def set_status(status: str) -> None:
        body = {"Contacts": [{"ContactID": contact, "ContactStatus": status}]}
        demo.write(Request.of_json("POST", f"/Contacts/{contact}", body))

    set_status("ARCHIVED")
    watch = Watch(demo, "xero.new_contact")
    assert contact in {item.key for item in watch.look(is_baseline=True)}
    set_status("ACTIVE")
    made = written(demo, CONTACT, name="Pinworks Studio")
    assert [item.key for item in watch.look()] == [made["ContactID"]]


def test_a_baseline_reads_every_page_in_an_order_that_edits_do_not_change(
    demo: Any, contact: str, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(registry.trigger("xero.new_purchase_order")), "page_size", 2)
    made = {written(demo, ORDER, marker=f"PX-{n}", contact_id=contact, lines=COST)["PurchaseOrderID"] for n in range(5)}
    wire.clear()
    watch = Watch(demo, "xero.new_purchase_order")
    items = list(watch.trigger.poll(Poll(demo, watch.inputs, None, set().intersection, is_baseline=True)))
    assert {item.key for item in items} == {*made, ""}
    assert [item.cursor is None for item in items] == [True, True, True, True, True, False]
    assert [call.query["page"] for call in wire.exchanges] == ["1", "2", "3"]
    assert {call.query["order"] for call in wire.exchanges} == {"PurchaseOrderID ASC"}
    assert all("If-Modified-Since" not in call.headers for call in wire.exchanges)


def test_the_cursor_is_the_newest_change_less_two_minutes_by_xeros_clock(demo: Any, contact: str) -> None:
    watch = Watch(demo, "xero.new_quote")
    written(demo, QUOTE, marker="PX-1", contact_id=contact, lines=SALE)
    (first,) = watch.look(is_baseline=True)
    changed = datetime.fromisoformat(first.data["UpdatedDateUTC"])
    cursor = (changed - timedelta(seconds=120)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert watch.cursor == cursor
    assert watch.look() == []
    assert watch.cursor == cursor
