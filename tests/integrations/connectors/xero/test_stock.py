"""Receive stock by a bill or by an adjustment: for real against the sandbox, whose items have an average cost."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from integrations.connectors.xero.fields import choices
from integrations.core.errors import InvalidInputError, RejectedError
from integrations.framework import registry
from tests.integrations.connectors.xero.writing import LINK, MARKER, hits, written
from tests.integrations.examples import finished, request_of
from tests.integrations.wire import Wire
from tests.provider import Sandbox

RECEIVE = registry.action("xero.receive_stock")
GUID = "430fa14a-f945-44d3-9f97-5df5e28441b8"
STOOLS = {"item_code": "STOOL-OAK", "quantity": "10", "unit_cost": "32.5", "received_on": "2026-11-22"}
COUNTED = {**STOOLS, "received_by": "adjustment", "adjustment_account": "401"}


@pytest.fixture
def bought(sandbox: Sandbox) -> dict[str, str]:
    return {**STOOLS, "contact_id": str(sandbox.contacts()[0]["id"]), "due_date": "2026-12-22"}


def received(api: Any, *, marker: str = MARKER, **values: Any) -> dict[str, Any]:
    """The output as the engine gives it."""
    inputs = RECEIVE.Inputs.clean(values)
    found = RECEIVE.prepare(api, inputs)
    response = api.write(request_of(RECEIVE, api, inputs, marker=marker), idempotency_key=marker)
    return finished(RECEIVE, api, inputs, response, found)


def stock(output: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(output[name] for name in ("quantity_before", "quantity_received", "quantity_on_hand", "total_cost"))


def test_a_bill_brings_stock_at_its_cost_and_what_is_on_hand_is_read_back(
    demo: Any, bought: dict[str, str], wire: Wire
) -> None:
    first = received(demo, **bought, bill_number="TT-1")
    sent = next(json.loads(one.body)["Invoices"][0] for one in wire.exchanges if one.method == "PUT")
    assert sent == {
        "Type": "ACCPAY",
        "Contact": {"ContactID": bought["contact_id"]},
        "Date": "2026-11-22",
        "DueDate": "2026-12-22",
        "LineAmountTypes": "Exclusive",
        "LineItems": [
            {
                "ItemCode": "STOOL-OAK",
                "Description": "Three-legged stool, oiled oak",
                "Quantity": 10,
                "UnitAmount": 32.5,
                "AccountCode": "630",
            }
        ],
        "InvoiceNumber": "TT-1",
        "Url": LINK,
        "Status": "AUTHORISED",
    }
    assert (first["Status"], first["SubTotal"], first["AmountDue"]) == ("AUTHORISED", 325, Decimal("373.75"))
    assert stock(first) == (0, 10, 10, 325)
    second = received(demo, marker="PX-second", **{**bought, "quantity": "30", "unit_cost": "40.5"})
    assert stock(second) == (10, 30, 40, 1540)
    assert RECEIVE.describe(first) == "10 STOOL-OAK received by bill TT-1, 373.75 NZD; 10 on hand"
    assert RECEIVE.link(first, {"short_code": "!a"}).endswith(first["InvoiceID"])


def test_tax_in_the_price_is_no_part_of_the_cost(demo: Any, bought: dict[str, str]) -> None:
    output = received(demo, **bought, prices="Inclusive", tax_type="INPUT2")
    assert (output["Total"], output["total_cost"]) == (325, Decimal("282.61"))


def test_a_bill_in_another_currency_costs_what_it_is_worth_in_the_books(demo: Any, bought: dict[str, str]) -> None:
    output = received(demo, **bought, currency="USD", currency_rate="0.5", tax_type="NONE")
    assert (output["Total"], output["CurrencyCode"], output["total_cost"]) == (325, "USD", 650)


def test_an_adjustment_comes_to_nothing_and_is_paid_at_once(demo: Any, sandbox: Sandbox, wire: Wire) -> None:
    output = received(demo, **COUNTED)
    sent = next(json.loads(one.body)["Invoices"][0] for one in wire.exchanges if one.method == "PUT")
    assert sent["Contact"] == {"Name": "Inventory Adjustments"}
    assert (sent["LineAmountTypes"], sent["InvoiceNumber"], sent["DueDate"]) == ("NoTax", MARKER, "2026-11-22")
    assert [(line.get("ItemCode"), line["UnitAmount"], line["AccountCode"]) for line in sent["LineItems"]] == [
        ("STOOL-OAK", 32.5, "630"),
        (None, -32.5, "401"),
    ]
    assert (output["Status"], output["Total"], output["AmountDue"]) == ("PAID", 0, 0)
    assert stock(output) == (0, 10, 10, 325)
    assert RECEIVE.describe(output) == f"10 STOOL-OAK received by adjustment {MARKER}; 10 on hand"
    assert sandbox.contact_id("Inventory Adjustments") == output["Contact"]["ContactID"]


def test_an_adjustment_of_odd_numbers_comes_to_nothing_too(demo: Any) -> None:
    output = received(demo, **{**COUNTED, "quantity": "3.3333", "unit_cost": "0.3335"})
    assert (output["Total"], output["quantity_on_hand"]) == (0, Decimal("3.3333"))


@pytest.mark.parametrize("way", ["bill", "adjustment"])
def test_it_is_found_by_its_marker_and_voiding_gives_the_stock_back(
    demo: Any, bought: dict[str, str], way: str
) -> None:
    values = bought if way == "bill" else COUNTED
    assert hits(demo, RECEIVE, **values) == []
    output = received(demo, **values)
    assert [hit["InvoiceID"] for hit in hits(demo, RECEIVE, **values)] == [output["InvoiceID"]]
    assert hits(demo, RECEIVE, marker="PX-other", **values) == []
    request = RECEIVE.undo(demo, output, {})
    assert request is not None
    assert json.loads(demo.write(request).body)["Invoices"][0]["Status"] == "VOIDED"
    inputs = RECEIVE.Inputs.clean(values)
    assert RECEIVE.read_back(demo, inputs, output)["quantity_on_hand"] == 0


def test_stock_that_was_sold_cannot_be_taken_back_in_xeros_words(demo: Any, bought: dict[str, str]) -> None:
    output = received(demo, **bought)
    sold = {"item_code": "STOOL-OAK", "quantity": "4", "unit_amount": "89"}
    sale: dict[str, Any] = {
        "contact_id": bought["contact_id"],
        "due_date": "2026-12-22",
        "status": "AUTHORISED",
        "lines": [sold],
    }
    written(demo, registry.action("xero.create_invoice"), **sale)
    request = RECEIVE.undo(demo, output, {})
    with pytest.raises(RejectedError, match="not enough of the tracked inventory item STOOL-OAK on hand"):
        demo.write(request)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"item_code": "PRINT-A4"}, "The item PRINT-A4 is not tracked, so Xero counts no stock of it"),
        ({"item_code": "NOTHING"}, "Xero has no item with the code NOTHING in Demo Company"),
    ],
)
def test_what_has_no_stock_receives_none_and_nothing_is_sent(
    demo: Any, bought: dict[str, str], wire: Wire, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(RejectedError, match=words):
        written(demo, RECEIVE, **{**bought, **changes})
    assert {one.method for one in wire.exchanges} == {"GET"}


def test_a_bill_that_is_there_already_and_a_locked_day_stop_it(
    demo: Any, northwind: Any, bought: dict[str, str], sandbox: Sandbox, wire: Wire
) -> None:
    received(demo, **bought, bill_number="TT-1")
    wire.clear()
    with pytest.raises(RejectedError, match='A bill with the number "tt-1" from'):
        written(demo, RECEIVE, marker="PX-again", **bought, bill_number="tt-1")
    northwind.connection.details["period_lock_date"] = "2025-12-31"
    with pytest.raises(RejectedError, match="are locked up to 31 December 2025"):
        written(northwind, RECEIVE, **{**COUNTED, "received_on": "2025-12-31"})
    assert {one.method for one in wire.exchanges} == {"GET"}
    allowed = received(demo, marker="PX-again", **bought, bill_number="TT-1", if_duplicate="write")
    assert allowed["quantity_on_hand"] == 20


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        (
            STOOLS,
            {"contact_id": "Supplier is needed for a bill.", "due_date": "Due date is needed for a bill."},
        ),
        (
            {**STOOLS, "contact_id": GUID, "due_date": "2026-12-22", "adjustment_account": "401"},
            {"adjustment_account": "Only an adjustment has this. Leave it empty for a bill."},
        ),
        (
            {**STOOLS, "received_by": "adjustment", "currency": "USD", "tax_type": "INPUT2"},
            {
                "adjustment_account": "Adjustment account is needed for an adjustment.",
                "currency": "Only a bill has this. Leave it empty for an adjustment.",
                "tax_type": "Only a bill has this. Leave it empty for an adjustment.",
            },
        ),
        ({**COUNTED, "quantity": "0"}, {"quantity": "Quantity must be at least 0.0001; this is 0."}),
    ],
)
def test_each_way_asks_for_what_it_needs(values: dict[str, str], problems: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError) as refused:
        RECEIVE.Inputs.clean(values)
    assert refused.value.problems == problems


def test_the_document_shows_both_sides_of_an_adjustment() -> None:
    details = {"accounts": {"401": {"name": "Inventory Adjustment", "class": "EXPENSE"}}, "currency": "NZD"}
    document = RECEIVE.document(RECEIVE.Inputs.clean(COUNTED), details)
    assert document is not None
    assert (document.what, document.whom, document.status) == (
        "Adjustment of stock",
        "Inventory Adjustments",
        "Approved",
    )
    assert [(line.item or line.account, line.amount) for line in document.lines] == [
        ("STOOL-OAK", Decimal("325.00")),
        ("401 - Inventory Adjustment", Decimal("-325.00")),
    ]
    assert document.totals is not None
    assert document.totals.total == 0
    bill = RECEIVE.document(
        RECEIVE.Inputs.clean({**STOOLS, "contact_id": GUID, "due_date": "2026-12-22", "tax_type": "INPUT2"}),
        {"tax_rates": {"INPUT2": {"name": "15% GST on Expenses", "rate": "15", "classes": ["ASSET"]}}},
    )
    assert bill is not None
    assert bill.totals is not None
    assert (bill.what, bill.totals.total) == ("Bill for stock", Decimal("373.75"))


def test_only_tracked_items_and_accounts_of_costs_are_offered(demo: Any) -> None:
    assert list(choices.tracked_items.load(demo, {})) == [("STOOL-OAK", "STOOL-OAK - Oak stool (0 on hand)")]
    offered = dict(choices.adjustment_accounts.load(demo, {}))
    assert "401" in offered
    assert not {"200", "630"} & set(offered)
