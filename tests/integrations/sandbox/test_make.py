"""Making things by hand: by `/_sandbox/make`, and on the page."""

from typing import Any

import pytest

from integrations.sandbox.pages import forms
from tests.integrations.sandbox.conftest import Caller, Xero
from tests.provider import DEMO, NORTHWIND, Sandbox

PLURALS = {
    "invoice": "Invoices",
    "bill": "Invoices",
    "quote": "Quotes",
    "credit_note": "CreditNotes",
    "purchase_order": "PurchaseOrders",
    "bank_transaction": "BankTransactions",
    "contact": "Contacts",
}


@pytest.mark.parametrize("organisation", [DEMO, NORTHWIND])
@pytest.mark.parametrize("what", list(PLURALS))
def test_each_thing_is_made_from_its_name_alone_and_is_not_ours(sandbox: Sandbox, what: str, organisation: str) -> None:
    made = sandbox.make(what, organisation=organisation)
    xero = Xero(sandbox, organisation)
    answer = xero.get(f"/{PLURALS[what]}/{made['id']}")
    assert answer.status_code == 200
    state = next(one for one in sandbox.state()["organisations"] if one["id"] == organisation)
    listed = next(one for rows in state.values() if isinstance(rows, list) for one in rows if one["id"] == made["id"])
    assert listed["is_ours"] is False
    assert [row for row in sandbox.ledger() if row["method"] != "GET"] == []


def test_a_payment_a_project_a_board_a_section_and_a_pin_are_made(sandbox: Sandbox, xero: Xero) -> None:
    invoice = sandbox.make("invoice", status="AUTHORISED", amount="40", quantity=2, contact="Boom FM")
    paid = sandbox.make("payment", invoice=invoice["label"], amount=10)
    assert xero.get(f"/Payments/{paid['id']}").json()["Payments"][0]["Amount"] == 10
    assert xero.get(f"/Invoices/{invoice['id']}").json()["Invoices"][0]["AmountDue"] == 82
    project = sandbox.make("project", name="Autumn", contact="Boom FM", estimate=99.5)
    token = sandbox.tokens("xero")["access_token"]
    projects = Caller(sandbox, "/projects.xro/2.0", token, DEMO)
    assert projects.get(f"/Projects/{project['id']}").json()["estimate"]["value"] == 99.5
    board = sandbox.make("board", name="Autumn", privacy="SECRET")
    section = sandbox.make("section", board="Autumn", name="Cakes")
    pin = sandbox.make("pin", board="Autumn", section="Cakes", title="Plum cake")
    state = sandbox.state()
    assert {"id": section["id"], "board": "Autumn", "name": "Cakes"} in state["sections"]
    assert (board["label"], pin["label"]) == ("Autumn", "Plum cake")


def test_fields_in_xeros_own_spelling_go_into_the_record(sandbox: Sandbox, xero: Xero) -> None:
    made = sandbox.make("invoice", Status="AUTHORISED", DueDate="2026-10-01", Date="2026-09-01", Reference="late")
    kept = xero.get(f"/Invoices/{made['id']}").json()["Invoices"][0]
    assert (kept["Status"], kept["DueDateString"], kept["Reference"]) == ("AUTHORISED", "2026-10-01T00:00:00", "late")


def test_what_was_made_is_changed_by_hand(sandbox: Sandbox, xero: Xero) -> None:
    quote = sandbox.make("quote", status="SENT")
    sandbox.change("quote", quote["id"], Status="ACCEPTED")
    assert xero.get(f"/Quotes/{quote['id']}").json()["Quotes"][0]["Status"] == "ACCEPTED"
    assert sandbox.documents("quotes") == []
    assert [one["status"] for one in sandbox.documents("quotes", ours=False)] == ["ACCEPTED"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "what is one of contact, invoice"),
        ({"what": "unicorn"}, "what is one of contact, invoice"),
        ({"what": "invoice", "colour": "red"}, "not colour"),
        ({"what": "invoice", "amount": "much"}, "amount is a number, not 'much'"),
        ({"what": "invoice", "status": "PAID"}, "'PAID' is not a valid Status"),
        ({"what": "contact", "name": "Boom FM"}, "already assigned to another contact"),
        ({"what": "invoice", "organisation": "Nobody"}, "no organisation 'Nobody'"),
        ({"what": "payment", "invoice": "INV-9999"}, "no such invoice"),
        ({"what": "pin", "board": "Nowhere"}, "There is no board 'Nowhere'"),
        ({"what": "section", "board": "Office styling"}, "A section needs a name"),
    ],
)
def test_what_cannot_be_made_is_refused_in_words(sandbox: Sandbox, body: dict[str, Any], words: str) -> None:
    before = sandbox.state()
    with pytest.raises(AssertionError, match=words):
        sandbox.control("POST", "make", body)
    assert sandbox.state() == before


@pytest.mark.parametrize("what", list(forms.FORMS))
def test_every_form_of_the_page_makes_its_thing(sandbox: Sandbox, what: str) -> None:
    fields = forms.FORMS[what].fields
    form = {field.name: "New one" for field in fields if field.is_needed} | {"what": what}
    form |= {field.name: field.choices[0] for field in fields if field.kind == "choice"}
    if what == "section":
        form["of_board"] = sandbox.state()["boards"][0]["id"]
    before = sandbox.state()
    answer = sandbox.session.post(sandbox.url + "/_sandbox/page/make", data=form)
    assert answer.status_code == 200, answer.text
    assert sandbox.state() != before
    assert f'value="{what}"' in answer.text


def test_the_page_says_what_could_not_be_made(sandbox: Sandbox) -> None:
    form = {"what": "invoice", "date": "2026-11-22", "quantity": "two"}
    answer = sandbox.session.post(sandbox.url + "/_sandbox/page/make", data=form)
    assert answer.status_code == 400
    assert "quantity is a number, not &#x27;two&#x27;." in answer.text
