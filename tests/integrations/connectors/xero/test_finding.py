"""Find invoice and find purchase order, add a note, create a contact: for real against the sandbox."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.connectors.xero.fields import choices
from integrations.core.errors import InvalidInputError, RejectedError
from integrations.framework import registry
from integrations.framework.recovery import Proof
from tests.integrations.connectors.xero.writing import LINK, MARKER, hits, written
from tests.integrations.wire import Wire
from tests.provider import Sandbox

FIND_INVOICE = registry.action("xero.find_invoice")
FIND_ORDER = registry.action("xero.find_purchase_order")
INVOICE = registry.action("xero.create_invoice")
BILL = registry.action("xero.create_bill")
ORDER = registry.action("xero.create_purchase_order")
NOTE = registry.action("xero.add_note_to_invoice")
CONTACT = registry.action("xero.create_contact")
LINE = {"description": "Shelf", "unit_amount": "20", "account_code": "200"}
COST = {"description": "Boards", "unit_amount": "20", "account_code": "310"}


@pytest.fixture
def contact(sandbox: Sandbox) -> str:
    return str(sandbox.contacts()[0]["id"])


def find(api: Any, action: Any, **values: Any) -> dict[str, Any]:
    return dict(action.run(api, action.Inputs.clean(values)))


# --- find invoice -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "search",
    [
        {"search_by": "number", "value": "PIN-17"},
        {"search_by": "reference", "value": 'spring, "early"'},
        {"search_by": "anywhere", "value": "pin-17"},
        {"search_by": "number", "value": "PIN-17", "kind": "ACCREC", "status": "DRAFT"},
    ],
)
def test_an_invoice_is_found_in_one_call(demo: Any, contact: str, wire: Wire, search: dict[str, str]) -> None:
    made = written(
        demo, INVOICE, contact_id=contact, lines=[LINE], invoice_number="PIN-17", reference='Spring, "early"'
    )
    written(demo, INVOICE, marker="PX-2", contact_id=contact, lines=[LINE], invoice_number="PIN-18", reference="x")
    wire.clear()
    output = find(demo, FIND_INVOICE, **search)
    assert wire.calls == ["GET /api.xro/2.0/Invoices"]
    assert (output["InvoiceID"], output["is_found"], output["count"]) == (made["InvoiceID"], True, 1)
    assert output["LineItems"] == made["LineItems"]
    assert "early" not in wire.exchanges[0].query.get("where", "")
    assert FIND_INVOICE.describe(output) == "Invoice PIN-17, 23.00 NZD"


def test_an_invoice_is_found_by_its_id(demo: Any, contact: str, wire: Wire) -> None:
    made = written(demo, BILL, contact_id=contact, lines=[COST], bill_number="TT-1")
    output = find(demo, FIND_INVOICE, search_by="invoice_id", value=made["InvoiceID"])
    assert FIND_INVOICE.describe(output) == "Bill TT-1, 23.00 NZD"
    assert "AccountsPayable" in FIND_INVOICE.link(output, {"short_code": "!a"})
    with pytest.raises(RejectedError, match="Xero has no invoice with the invoice id"):
        find(demo, FIND_INVOICE, search_by="invoice_id", value=made["InvoiceID"], kind="ACCREC")


def test_none_and_several_do_as_they_are_told(demo: Any, contact: str) -> None:
    with pytest.raises(RejectedError, match=r'no invoice with the number "X-1" in Demo Company \(NZ\)\.'):
        find(demo, FIND_INVOICE, value="X-1")
    empty = find(demo, FIND_INVOICE, value="X-1", if_none="empty")
    assert (empty["is_found"], empty["count"], empty["InvoiceID"], empty["invoices"]) == (False, 0, None, [])
    assert FIND_INVOICE.describe(empty) == "No invoice found"

    for marker, day in (("PX-1", "2026-11-01"), ("PX-2", "2026-11-03"), ("PX-3", "2026-11-02")):
        written(
            demo,
            BILL,
            marker=marker,
            contact_id=contact,
            lines=[COST],
            bill_number="TT-1",
            bill_date=day,
            if_duplicate="write",
        )
    with pytest.raises(RejectedError, match=r'Xero has 3 invoices with the number "TT-1"\. One is expected\.'):
        find(demo, FIND_INVOICE, value="TT-1")
    latest = find(demo, FIND_INVOICE, value="TT-1", if_several="latest")
    assert (latest["Date"], latest["count"], len(latest["invoices"])) == ("2026-11-03", 3, 1)
    every = find(demo, FIND_INVOICE, value="TT-1", if_several="all")
    assert [one["Date"] for one in every["invoices"]] == ["2026-11-03", "2026-11-02", "2026-11-01"]


def test_what_is_no_id_is_told_before_anything_is_sent() -> None:
    for action, search_by in ((FIND_INVOICE, "invoice_id"), (FIND_ORDER, "order_id")):
        with pytest.raises(InvalidInputError, match=r'"INV-1" is not the ID of an? '):
            action.Inputs.clean({"search_by": search_by, "value": "INV-1"})


# --- find purchase order ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("search_by", "value", "call"),
    [
        ("number", "PO-SHOP-1", "PurchaseOrders/PO-SHOP-1"),
        ("number", "PO-SHOP/2", "PurchaseOrders"),
        ("reference", "yard", "PurchaseOrders"),
        ("reference", f"Yard ({MARKER})", "PurchaseOrders"),
    ],
)
def test_a_purchase_order_is_found(demo: Any, contact: str, wire: Wire, search_by: str, value: str, call: str) -> None:
    number = value if search_by == "number" else "PO-SHOP-1"
    made = written(demo, ORDER, contact_id=contact, lines=[COST], order_number=number, reference="Yard")
    written(demo, ORDER, marker="PX-other", contact_id=contact, lines=[COST], order_number="PO-SHOP-3")
    wire.clear()
    output = find(demo, FIND_ORDER, search_by=search_by, value=value)
    assert wire.calls == [f"GET /api.xro/2.0/{call}"]
    assert (output["PurchaseOrderID"], output["count"]) == (made["PurchaseOrderID"], 1)
    assert FIND_ORDER.describe(output) == f"Purchase order {number}, 23.00 NZD"


def test_a_purchase_order_that_is_not_there_or_has_another_status(demo: Any, contact: str) -> None:
    with pytest.raises(RejectedError, match='no purchase order with the number "PO-9"'):
        find(demo, FIND_ORDER, value="PO-9")
    made = written(demo, ORDER, contact_id=contact, lines=[COST], order_number="PO-9")
    assert find(demo, FIND_ORDER, value="PO-9", status="DRAFT")["is_found"]
    assert not find(demo, FIND_ORDER, value="PO-9", status="BILLED", if_none="empty")["is_found"]
    by_id = find(demo, FIND_ORDER, search_by="order_id", value=made["PurchaseOrderID"])
    assert by_id["PurchaseOrderNumber"] == "PO-9"
    with pytest.raises(RejectedError, match="no purchase order with the number"):
        find(demo, FIND_ORDER, value=made["PurchaseOrderID"])


# --- notes ------------------------------------------------------------------------------------------------------------


def test_a_note_ends_with_the_address_of_the_run(demo: Any, contact: str, wire: Wire) -> None:
    invoice = written(demo, INVOICE, contact_id=contact, lines=[LINE])
    values = {"invoice_id": invoice["InvoiceID"], "note": "Approved by Jane."}
    assert hits(demo, NOTE, **values) == []
    output = written(demo, NOTE, **values)
    sent = wire.exchanges[-1]
    assert (sent.method, sent.path) == ("PUT", f"/api.xro/2.0/Invoices/{invoice['InvoiceID']}/History")
    assert json.loads(sent.body) == {"HistoryRecords": [{"Details": f"Approved by Jane. {LINK}"}]}
    assert output["Details"] == f"Approved by Jane. {LINK}"
    (hit,) = hits(demo, NOTE, **values)
    assert NOTE.identify(hit) == NOTE.identify(output) == output["DateUTC"]
    assert output["DateUTC"].endswith("Z")
    assert NOTE.describe(output).startswith("Note: Approved by Jane.")


def test_a_note_on_an_invoice_that_is_not_there_is_refused(demo: Any) -> None:
    with pytest.raises(RejectedError) as caught:
        written(demo, NOTE, invoice_id="430fa14a-f945-44d3-9f97-5df5e28441b8", note="x")
    assert caught.value.status == 404
    with pytest.raises(InvalidInputError, match="is not the ID of an invoice"):
        NOTE.Inputs.clean({"invoice_id": "../Contacts", "note": "x"})


def test_invoices_are_offered_latest_first_and_searched_by_xero(demo: Any, contact: str, wire: Wire) -> None:
    made = written(demo, INVOICE, contact_id=contact, lines=[LINE], invoice_number="PIN-17")
    wire.clear()
    ((value, label),) = choices.invoices.load(demo, {"search": "PIN-17"})
    assert value == made["InvoiceID"]
    assert label == f"PIN-17 - {made['Contact']['Name']} (23.00 NZD)"
    assert wire.exchanges[0].query["searchTerm"] == "PIN-17"


# --- contacts ---------------------------------------------------------------------------------------------------------


def test_a_new_contact_carries_the_marker_and_a_taken_name_is_refused(demo: Any, wire: Wire) -> None:
    output = written(demo, CONTACT, name="Pinworks Studio", email="studio@pinworks.example")
    assert wire.calls == ["PUT /api.xro/2.0/Contacts"]
    assert json.loads(wire.exchanges[0].body) == {
        "Contacts": [{"Name": "Pinworks Studio", "EmailAddress": "studio@pinworks.example", "ContactNumber": MARKER}]
    }
    assert hits(demo, CONTACT, name="Pinworks Studio") == [output]
    with pytest.raises(RejectedError, match="already assigned to another contact"):
        written(demo, CONTACT, marker="PX-other", name="pinworks studio")


def test_a_number_of_ones_own_proves_a_likeness_and_what_was_there_before_is_known_by_it(demo: Any) -> None:
    values = {"name": "Pinworks Studio", "contact_number": "SHOP-9"}
    inputs = CONTACT.Inputs.clean(values)
    output = written(demo, CONTACT, name="Pinworks Studio", contact_number="SHOP-9")
    assert output["ContactNumber"] == "SHOP-9"
    assert CONTACT.proof(inputs) is Proof.LIKENESS
    assert CONTACT.find(demo, inputs, MARKER, since=datetime.now(UTC)) == [output]
    assert CONTACT.there(demo, inputs, MARKER) == [output["ContactID"]]
    assert CONTACT.differs(inputs, output) == ""
    assert CONTACT.differs(inputs, {**output, "Name": "Somebody else"}) == "its name is Somebody else"


def test_half_a_phone_or_address_is_told_before_anything_is_sent() -> None:
    with pytest.raises(InvalidInputError) as caught:
        CONTACT.Inputs.clean({"name": "x", "phone_area_code": "04", "city": "Wellington"})
    assert caught.value.problems == {
        "phone_number": "A phone number is needed beside the codes.",
        "address_line1": "The first line of the address is needed beside its other parts.",
    }


def test_a_list_that_is_cut_says_so(demo: Any, contact: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.connectors.xero.search.documents._MOST_FOUND", 1)
    for marker in ("PX-1", "PX-2"):
        values = {"contact_id": contact, "lines": [COST], "bill_number": "TT-1", "if_duplicate": "write"}
        written(demo, BILL, marker=marker, **values)
    every = find(demo, FIND_INVOICE, value="TT-1", if_several="all")
    assert (every["count"], len(every["invoices"])) == (2, 1)
    assert every["warning"] == 'Xero has 2 invoices with the number "TT-1"; these are the latest 1.'
