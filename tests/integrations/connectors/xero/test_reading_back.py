"""What was written, read again as it is now, for real against the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from integrations.framework import registry
from integrations.framework.base import Action, Effect
from integrations.framework.current import Current, Gone, RecordState, Unreadable, Written
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
DOCUMENTS: list[tuple[str, dict[str, Any]]] = [
    ("create_invoice", {"lines": SOLD, "reference": "Order 7"}),
    ("create_bill", {"lines": BOUGHT, "bill_number": "S-1"}),
    ("create_credit_note", {"lines": SOLD}),
    ("create_quote", {"lines": SOLD}),
    ("create_purchase_order", {"lines": BOUGHT}),
]


def action(key: str) -> Action:
    return registry.action(f"xero.{key}")


@pytest.fixture
def contact(sandbox: Sandbox) -> str:
    return str(sandbox.contacts()[0]["id"])


def read(api: Any, key: str, *outputs: Mapping[str, Any]) -> dict[str, Any]:
    made = action(key)
    asked = [Written(made.identify(each), (each.get("Contact") or {}).get("ContactID") or "", each) for each in outputs]
    return dict(made.current(api, asked))


def now(api: Any, key: str, output: Mapping[str, Any]) -> Current:
    (found,) = read(api, key, output).values()
    assert isinstance(found, Current)
    return found


@pytest.mark.parametrize(("key", "values"), DOCUMENTS)
def test_a_document_reads_as_it_was_written_one_or_many_at_once(
    demo: Any, contact: str, key: str, values: dict[str, Any]
) -> None:
    demo.connection.details = demo.connection.details | registry.connector("xero").details(demo)
    numbered = {"bill_number": "S-2"} if key == "create_bill" else {}
    outputs = [
        written(demo, action(key), f"PX-{at:016x}", **{"contact_id": contact, **values, **(numbered if at else {})})
        for at in range(2)
    ]
    readings = read(demo, key, *outputs)
    assert readings == {**read(demo, key, outputs[0]), **read(demo, key, outputs[1])}
    for output in outputs:
        told, reading = action(key).written_document(output), readings[action(key).identify(output)]
        assert told is not None
        assert told.totals is not None
        names = ("number", "day", "status", "currency")
        assert [getattr(reading, name) for name in names] == [getattr(told, name) for name in names]
        assert (reading.contact, reading.contact_id) == (told.whom, told.whom_id)
        assert (reading.sub_total, reading.tax, reading.amount) == (
            told.totals.sub_total,
            told.totals.tax,
            told.totals.total,
        )
        assert reading.reference == (None if key == "create_bill" else values.get("reference", ""))
        account = "200 - Sales" if values["lines"] is SOLD else "310 - Cost of Goods Sold"
        assert [(line.account, line.net) for line in reading.lines] == [(account, Decimal(100))]
        assert reading.state is RecordState.OPEN


def test_fifty_invoices_are_read_in_two_calls(demo: Any, contact: str, wire: Wire) -> None:
    outputs = [
        written(demo, action("create_invoice"), f"PX-{at:016x}", contact_id=contact, lines=SOLD) for at in range(50)
    ]
    wire.clear()
    readings = read(demo, "create_invoice", *outputs)
    assert len(readings) == 50
    assert all(isinstance(each, Current) and each.lines for each in readings.values())
    assert len(wire.exchanges) == 2


def test_what_the_list_leaves_out_is_looked_up_before_it_counts_as_gone(demo: Any, contact: str, wire: Wire) -> None:
    output = written(demo, action("create_invoice"), contact_id=contact, lines=SOLD)
    ids = ["00000000-0000-4000-8000-000000000000", "not an id"]
    wire.clear()
    readings = action("create_invoice").current(demo, [Written(one) for one in (output["InvoiceID"], *ids)])
    assert isinstance(readings[output["InvoiceID"]], Current)
    assert readings[ids[0]] == Gone()
    assert isinstance(readings[ids[1]], Unreadable)
    assert [one.path.rsplit("/", 1)[-1] for one in wire.exchanges] == ["Invoices", ids[0]]


def test_the_state_of_a_document_is_that_of_now(demo: Any, contact: str, sandbox: Sandbox) -> None:
    output = written(demo, action("create_invoice"), contact_id=contact, lines=SOLD, **DUE)
    states = []
    for status in ("AUTHORISED", "VOIDED"):
        sandbox.change("invoice", output["InvoiceID"], Status=status)
        reading = now(demo, "create_invoice", output)
        states.append((reading.status, reading.state))
    assert states == [("Approved", RecordState.OPEN), ("Voided", RecordState.VOIDED)]


def test_a_contact_says_where_it_was_merged_and_so_do_its_documents(demo: Any, contact: str, sandbox: Sandbox) -> None:
    made = written(demo, action("create_contact"), name="Twice Ltd")
    invoice = written(demo, action("create_invoice"), contact_id=made["ContactID"], lines=SOLD)
    assert now(demo, "create_contact", made).state is RecordState.OPEN
    sandbox.merge(made["ContactID"], contact)
    reading = now(demo, "create_contact", made)
    target = sandbox.contacts()[0]["Name"]
    assert (reading.state, reading.note) == (RecordState.MERGED, f"merged into {target}")
    document = now(demo, "create_invoice", invoice)
    assert (document.is_contact_merged, document.contact, document.contact_id) == (True, target, contact)


def test_payments_transfers_items_and_projects_are_read_one_or_many_at_once(
    demo: Any, contact: str, sandbox: Sandbox
) -> None:
    invoice = written(demo, action("create_invoice"), contact_id=contact, lines=SOLD, status="AUTHORISED", **DUE)
    cases: list[tuple[str, dict[str, Any]]] = [
        ("create_payment", {"invoice_id": invoice["InvoiceID"], "account_id": BANK, "amount": "10", "reference": "A"}),
        ("create_bank_transfer", {"from_account_id": BANK, "to_account_id": SAVINGS, "amount": "10"}),
        ("create_project", {"contact_id": contact, "name": "Kitchen"}),
        ("add_stock_item", {"code": "SHELF"}),
    ]
    for key, values in cases:
        more = {"name": "Hall"} if key == "create_project" else {"code": "TABLE"} if key == "add_stock_item" else {}
        outputs = [written(demo, action(key), f"PX-{at:016x}", **{**values, **(more if at else {})}) for at in range(2)]
        readings = read(demo, key, *outputs)
        assert readings == {**read(demo, key, outputs[0]), **read(demo, key, outputs[1])}
        assert len(readings) == 2
        assert all(isinstance(each, Current) for each in readings.values()), key
    payment = written(demo, action("create_payment"), "PX-00000000000000ff", **cases[0][1])
    reading = now(demo, "create_payment", payment)
    assert (reading.amount, reading.reference, reading.number) == (Decimal(10), "A", None)


def test_what_cannot_be_read_back_says_so_in_a_sentence(demo: Any) -> None:
    writing = [each for each in registry.actions() if each.effect is not Effect.READS]
    unread = [each for each in writing if each.connector.key == "xero" and each.unreadable]
    assert {each.key for each in unread} == {
        "add_note_to_invoice",
        "allocate_credit_note",
        "attach_file",
        "email_invoice",
    }
    for made in unread:
        assert made.current(demo, [Written("1")]) == {"1": Unreadable(made.unreadable)}


def test_what_the_app_has_written_is_listed_whoever_asked_for_it(demo: Any, contact: str) -> None:
    since = datetime.now(UTC) - timedelta(minutes=5)
    invoice = written(demo, action("create_invoice"), contact_id=contact, lines=SOLD)
    bill = written(demo, action("create_bill"), contact_id=contact, lines=BOUGHT)
    connector = registry.connector("xero")
    pages = list(connector.own_records(demo, since))
    found = {each.provider_id: each for page in pages for each in page}
    assert found.keys() == {invoice["InvoiceID"], bill["InvoiceID"]}
    own = found[invoice["InvoiceID"]]
    assert (own.noun, own.marker, own.current.number) == (
        "Sales invoice",
        "PX-00112233aabbccdd",
        invoice["InvoiceNumber"],
    )
    assert (found[bill["InvoiceID"]].noun, own.link != "") == ("Bill", True)
    assert connector.own_records_are == "invoices and bills"
