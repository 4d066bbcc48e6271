"""Quotes, purchase orders, bills and credit notes, for real against the sandbox."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from integrations.connectors.xero.fields import choices
from integrations.core.errors import InvalidInputError, RejectedError
from integrations.framework import registry
from integrations.framework.base import Writing
from tests.integrations.connectors.xero.writing import LINK, MARKER, hits, written
from tests.integrations.wire import Wire
from tests.provider import Sandbox

BILL = registry.action("xero.create_bill")
CREDIT_NOTE = registry.action("xero.create_credit_note")
ORDER = registry.action("xero.create_purchase_order")
QUOTE = registry.action("xero.create_quote")
SALE = {"description": "Shelf", "quantity": "3", "unit_amount": "25.4321", "account_code": "200"}
BOUGHT = {"description": "Oak boards", "quantity": "3", "unit_amount": "25.4321", "account_code": "310"}
SOMEBODY = "430fa14a-f945-44d3-9f97-5df5e28441b8"


@pytest.fixture
def contact(sandbox: Sandbox) -> str:
    return str(sandbox.contacts()[0]["id"])


def sent(wire: Wire, plural: str) -> dict[str, Any]:
    last = wire.exchanges[-1]
    assert (last.method, last.path) == ("PUT", f"/api.xro/2.0/{plural}")
    assert last.headers["Idempotency-Key"].endswith(MARKER)
    (record,) = json.loads(last.body)[plural]
    return dict(record)


# --- quotes -----------------------------------------------------------------------------------------------------------


def test_the_bytes_of_a_quote_hold_what_was_given_and_no_more(demo: Any, contact: str, wire: Wire) -> None:
    written(demo, QUOTE, contact_id=contact, quote_date="2026-11-22", lines=[SALE])
    assert sent(wire, "Quotes") == {
        "Contact": {"ContactID": contact},
        "Date": "2026-11-22",
        "LineAmountTypes": "EXCLUSIVE",
        "LineItems": [{"Description": "Shelf", "Quantity": 3, "UnitAmount": 25.4321, "AccountCode": "200"}],
        "Reference": MARKER,
        "Status": "DRAFT",
    }


def test_a_quote_keeps_every_input_and_exact_amounts(demo: Any, contact: str) -> None:
    output = written(
        demo,
        QUOTE,
        contact_id=contact,
        quote_date="2026-11-22",
        expiry_date="2026-12-22",
        line_amount_types="INCLUSIVE",
        status="SENT",
        title="Kitchen",
        summary="Oiled oak.",
        terms="30 days.",
        quote_number="Q-17",
        reference="Spring",
        currency="USD",
        lines=[{**SALE, "discount_rate": "10", "tax_type": "OUTPUT2"}, {"item_code": "PRINT-A4", "quantity": "2"}],
    )
    assert (output["QuoteNumber"], output["Status"], output["CurrencyCode"]) == ("Q-17", "SENT", "USD")
    assert (output["Title"], output["Summary"], output["Terms"]) == ("Kitchen", "Oiled oak.", "30 days.")
    assert (output["Date"], output["ExpiryDate"]) == ("2026-11-22", "2026-12-22")
    assert output["Reference"] == f"Spring ({MARKER})"
    (kept,) = hits(demo, QUOTE, contact_id=contact, lines=[SALE])
    assert kept["LineItems"][0]["UnitAmount"] == Decimal("25.4321")
    assert output["LineItems"][0]["LineAmount"] == Decimal("68.67")
    assert QUOTE.describe(output) == f"Quote Q-17, {output['Total']:,.2f} USD"
    assert QUOTE.link(output, {"short_code": "!a"}) == f"https://go.xero.com/app/!a/quotes/view/{output['QuoteID']}"


def test_a_quote_that_ends_before_it_begins_is_told_before_anything_is_sent() -> None:
    values = {"contact_id": SOMEBODY, "quote_date": "2026-11-22", "expiry_date": "2026-11-21", "lines": [{}]}
    with pytest.raises(InvalidInputError) as caught:
        QUOTE.Inputs.clean(values)
    assert caught.value.problems == {
        "expiry_date": "Expiry date is before the quote date.",
        "lines.0.description": "Each row needs a description or an item.",
    }


def test_a_lookup_of_quotes_asks_for_no_page_size_and_goes_through_all_pages(
    demo: Any, contact: str, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    one: dict[str, Any] = {"contact_id": contact, "quote_date": "2026-11-22", "lines": [SALE]}
    bulk = [{"Contact": {"ContactID": contact}, "Date": "2026-11-22", "LineItems": [{"Description": "x"}]}] * 100
    last = QUOTE.request(QUOTE.Inputs.clean(one), Writing(marker="PX-bulk", back_link="", found={}))
    demo.write(type(last).of_json(last.method, last.path, {"Quotes": bulk}))
    written(demo, QUOTE, **one)
    wire.clear()

    assert [hit["Reference"] for hit in hits(demo, QUOTE, **one)] == [MARKER]
    assert [call.query.get("page") for call in wire.exchanges] == ["1", "2"]
    assert all("pageSize" not in call.query for call in wire.exchanges)


# --- purchase orders --------------------------------------------------------------------------------------------------


def test_the_bytes_of_a_purchase_order(demo: Any, contact: str, wire: Wire) -> None:
    with time_machine.travel(datetime(2026, 11, 22, 12, 30, tzinfo=UTC), tick=False):
        written(demo, ORDER, contact_id=contact, lines=[BOUGHT], reference="Yard", telephone="04 5550100")
    assert sent(wire, "PurchaseOrders") == {
        "Contact": {"ContactID": contact},
        "Date": "2026-11-23",
        "LineAmountTypes": "Exclusive",
        "LineItems": [{"Description": "Oak boards", "Quantity": 3, "UnitAmount": 25.4321, "AccountCode": "310"}],
        "Reference": f"Yard ({MARKER})",
        "Telephone": "04 5550100",
        "Status": "DRAFT",
    }


def test_an_approved_purchase_order_with_a_number_of_ones_own(demo: Any, contact: str) -> None:
    values: dict[str, Any] = {"contact_id": contact, "order_date": "2026-11-22", "lines": [BOUGHT]}
    output = written(demo, ORDER, **values, status="AUTHORISED", order_number="PO-SHOP-1", delivery_date="2026-12-01")
    assert (output["PurchaseOrderNumber"], output["Status"]) == ("PO-SHOP-1", "AUTHORISED")
    assert (output["SubTotal"], output["Total"]) == (Decimal("76.30"), Decimal("87.75"))
    assert ORDER.link(output, {"short_code": "!a"}) == (
        "https://go.xero.com/organisationlogin/default.aspx?shortcode=%21a&redirecturl="
        f"%2FAccounts%2FPayable%2FPurchaseOrders%2FView%2F{output['PurchaseOrderID']}%2F"
    )
    with pytest.raises(RejectedError) as caught:
        written(demo, ORDER, marker="PX-other", **values, order_number="PO-SHOP-1")
    assert caught.value.reasons == ["Order number must be unique"]
    assert [hit["PurchaseOrderNumber"] for hit in hits(demo, ORDER, **values)] == ["PO-SHOP-1"]


def test_a_row_of_an_order_that_does_not_stay_a_draft_needs_account_and_price() -> None:
    with pytest.raises(InvalidInputError) as caught:
        ORDER.Inputs.clean({"contact_id": SOMEBODY, "status": "SUBMITTED", "lines": [{"description": "x"}]})
    assert caught.value.problems == {
        "lines.0.account_code": "Account is needed in each row without an item, for a purchase order that does not "
        "stay a draft.",
        "lines.0.unit_amount": "Unit price is needed in each row without an item, for a purchase order that does not "
        "stay a draft.",
    }


# --- bills ------------------------------------------------------------------------------------------------------------


def test_the_bytes_of_a_bill_carry_the_address_and_no_reference(demo: Any, contact: str, wire: Wire) -> None:
    output = written(demo, BILL, contact_id=contact, bill_date="2026-11-22", bill_number="TT-1", lines=[BOUGHT])
    assert sent(wire, "Invoices") == {
        "Type": "ACCPAY",
        "Contact": {"ContactID": contact},
        "Date": "2026-11-22",
        "LineAmountTypes": "Exclusive",
        "LineItems": [{"Description": "Oak boards", "Quantity": 3, "UnitAmount": 25.4321, "AccountCode": "310"}],
        "InvoiceNumber": "TT-1",
        "Url": LINK,
        "Status": "DRAFT",
    }
    assert BILL.describe(output) == "Bill TT-1, 87.75 NZD"
    assert "AccountsPayable%2FEdit.aspx" in BILL.link(output, {"short_code": "!a"})


def test_the_same_bill_of_the_same_supplier_is_not_written_twice_unless_told(
    demo: Any, contact: str, sandbox: Sandbox
) -> None:
    values: dict[str, Any] = {"contact_id": contact, "bill_date": "2026-11-22", "lines": [BOUGHT]}
    written(demo, BILL, **values, bill_number="TT-1")
    with pytest.raises(RejectedError, match=r'A bill with the number "tt-1" from .* is in Xero already'):
        written(demo, BILL, marker="PX-second", **values, bill_number="tt-1 ")
    assert len(sandbox.invoices()) == 1

    written(demo, BILL, marker="PX-third", **values, bill_number="TT-10")
    written(demo, BILL, marker="PX-fourth", **values, bill_number="TT-1", if_duplicate="write")
    other = str(sandbox.contacts()[1]["id"])
    written(demo, BILL, marker="PX-fifth", **{**values, "contact_id": other}, bill_number="TT-1")
    assert sorted(bill["InvoiceNumber"] for bill in sandbox.invoices()) == ["TT-1", "TT-1", "TT-1", "TT-10"]


def test_a_bill_is_found_by_its_address_among_others_of_the_same_number(demo: Any, contact: str) -> None:
    values: dict[str, Any] = {"contact_id": contact, "bill_number": "TT-1", "lines": [BOUGHT], "if_duplicate": "write"}
    written(demo, BILL, marker="PX-other", **values)
    output = written(demo, BILL, **values)
    assert hits(demo, BILL, **values) == [output]


def test_a_bill_to_be_paid_needs_a_due_date() -> None:
    with pytest.raises(InvalidInputError) as caught:
        BILL.Inputs.clean({"contact_id": SOMEBODY, "status": "AUTHORISED", "lines": [BOUGHT]})
    assert caught.value.problems == {"due_date": "Due date is needed for a bill that does not stay a draft."}


# --- credit notes -----------------------------------------------------------------------------------------------------


def test_a_customers_credit_note_carries_the_marker_in_its_reference(demo: Any, contact: str, wire: Wire) -> None:
    values: dict[str, Any] = {
        "contact_id": contact,
        "note_date": "2026-11-22",
        "lines": [SALE],
        "reference": "Scratched",
    }
    output = written(demo, CREDIT_NOTE, **values, status="AUTHORISED")
    record = sent(wire, "CreditNotes")
    assert (record["Type"], record["Reference"]) == ("ACCRECCREDIT", f"Scratched ({MARKER})")
    assert "CreditNoteNumber" not in record
    assert output["CreditNoteNumber"].startswith("CN-")
    assert (output["Status"], output["RemainingCredit"]) == ("AUTHORISED", Decimal("87.75"))
    assert hits(demo, CREDIT_NOTE, **values) == [output]
    assert "AccountsReceivable%2FViewCreditNote.aspx" in CREDIT_NOTE.link(output, {"short_code": "!a"})


def test_a_suppliers_credit_note_carries_the_marker_as_its_number(demo: Any, contact: str, wire: Wire) -> None:
    values: dict[str, Any] = {
        "type": "ACCPAYCREDIT",
        "contact_id": contact,
        "note_date": "2026-11-22",
        "lines": [BOUGHT],
    }
    output = written(demo, CREDIT_NOTE, **values)
    record = sent(wire, "CreditNotes")
    assert (record["CreditNoteNumber"], "Reference" in record) == (MARKER, False)
    assert hits(demo, CREDIT_NOTE, **values) == [output]
    assert "AccountsPayable%2FViewCreditNote.aspx" in CREDIT_NOTE.link(output, {"short_code": "!a"})


def test_a_suppliers_own_number_finds_the_note_of_that_supplier_only(demo: Any, contact: str, sandbox: Sandbox) -> None:
    values: dict[str, Any] = {
        "type": "ACCPAYCREDIT",
        "note_number": "SC-9",
        "note_date": "2026-11-22",
        "lines": [BOUGHT],
    }
    other = str(sandbox.contacts()[1]["id"])
    written(demo, CREDIT_NOTE, marker="PX-other", contact_id=other, **values)
    assert hits(demo, CREDIT_NOTE, contact_id=contact, **values) == []
    output = written(demo, CREDIT_NOTE, contact_id=contact, **values)
    assert output["CreditNoteNumber"] == "SC-9"
    assert hits(demo, CREDIT_NOTE, contact_id=contact, **values) == [output]


def test_a_suppliers_credit_note_takes_no_reference() -> None:
    with pytest.raises(InvalidInputError) as caught:
        CREDIT_NOTE.Inputs.clean(
            {"type": "ACCPAYCREDIT", "contact_id": SOMEBODY, "lines": [BOUGHT], "reference": "Spring"}
        )
    assert caught.value.problems == {
        "reference": "Xero keeps no reference on a supplier's credit note. Leave it empty."
    }


# --- all of them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("action", "line"), [(QUOTE, SALE), (ORDER, BOUGHT), (BILL, BOUGHT), (CREDIT_NOTE, SALE)])
def test_xeros_own_words_come_through(demo: Any, contact: str, action: Any, line: dict[str, str]) -> None:
    lines = [{**line, "account_code": "999"}, {**line, "tax_type": "NO"}]
    with pytest.raises(RejectedError) as caught:
        written(demo, action, contact_id=contact, currency="AUD" if action is QUOTE else None, lines=lines)
    assert "Account code '999' is not a valid code for this document." in caught.value.reasons
    assert all(reason.rstrip(".") in caught.value.message for reason in caught.value.reasons)
    assert caught.value.status == 400
    assert hits(demo, action, contact_id=contact, lines=[line]) == []


def test_accounts_and_tax_rates_are_offered_by_use(demo: Any) -> None:
    def codes(offered: Any) -> list[str]:
        return [value for value, _ in offered.load(demo, {})]

    assert "200" in codes(choices.sales_accounts)
    assert "310" not in codes(choices.sales_accounts)
    bought = codes(choices.purchase_accounts)
    assert {"310", "429", "630", "710"} <= set(bought)
    assert not {"090", "200", "610", "800", "880"} & set(bought)
    assert set(codes(choices.line_accounts)) == set(bought) | set(codes(choices.sales_accounts))
    assert codes(choices.sales_tax_types) == ["OUTPUT2", "ZERORATED", "NONE"]
    assert set(codes(choices.purchase_tax_types)) == {"OUTPUT2", "INPUT2", "ZERORATED", "NONE"}
    assert "PRINT-A4" in codes(choices.items_sold)
    assert set(codes(choices.items)) >= set(codes(choices.items_purchased))
