"""Find a contact, invoice or purchase order, or create it: for real against the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from integrations import registry
from integrations.base import Action
from integrations.errors import InvalidInputError, RejectedError
from integrations.xero import document_search
from tests.integrations.examples import finished, request_of
from tests.integrations.wire import Wire
from tests.integrations.xero.writing import hits
from tests.provider import Sandbox

CONTACT = registry.action("xero.find_or_create_contact")
INVOICE = registry.action("xero.find_or_create_invoice")
ORDER = registry.action("xero.find_or_create_purchase_order")
FIND_ORDER = registry.action("xero.find_purchase_order")
SOLD = [{"description": "Shelf", "unit_amount": "20", "account_code": "200"}]
BOUGHT = [{"description": "Boards", "unit_amount": "20", "account_code": "310"}]


@pytest.fixture
def contact(sandbox: Sandbox) -> str:
    return str(sandbox.contacts()[0]["id"])


def done(api: Any, action: Action, marker: str = "PX-00112233aabbccdd", **values: Any) -> dict[str, Any]:
    """The output as the engine gives it, whether something is written or not."""
    inputs = action.Inputs.clean(values)
    found = action.prepare(api, inputs)
    settled = action.settled(inputs, found)
    if settled is not None:
        return settled
    response = api.write(request_of(action, api, inputs, marker=marker), idempotency_key=f"{action.key}-{marker}")
    return finished(action, api, inputs, response, found)


def wrote(wire: Wire) -> bool:
    return any(one.method != "GET" for one in wire.exchanges)


# --- contacts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["email", "name", "contact_number", "account_number"])
def test_a_contact_is_created_once_and_found_from_then_on(demo: Any, wire: Wire, key: str) -> None:
    values = {"look_by": key, "name": "Kereru Joinery", "email": "ada@kereru.example"}
    values |= {"contact_number": "K-1", "account_number": "A-1"}
    assert hits(demo, CONTACT, **values) == []
    first = done(demo, CONTACT, **values)
    assert (first["is_new"], first["count"], first["Name"]) == (True, 1, "Kereru Joinery")
    assert first["contacts"][0]["ContactID"] == first["ContactID"]
    assert [hit["ContactID"] for hit in hits(demo, CONTACT, **values)] == [first["ContactID"]]
    wire.clear()
    second = done(demo, CONTACT, "PX-again", **{**values, key: values[key].upper(), "first_name": "Ada"})
    assert (second["is_new"], second["ContactID"], second["FirstName"]) == (False, first["ContactID"], None)
    assert set(second) >= set(CONTACT.sample)
    assert not wrote(wire)
    assert CONTACT.describe(first) == "Contact Kereru Joinery (created)"
    assert CONTACT.describe(second) == "Contact Kereru Joinery (found)"


def test_several_contacts_do_as_they_are_told(demo: Any) -> None:
    for name in ("Oak North", "Oak South"):
        done(demo, CONTACT, f"PX-{name[-5:]}", look_by="name", name=name, email="oak@oak.example")
    values = {"name": "Oak West", "email": "oak@oak.example"}
    with pytest.raises(RejectedError, match=r'2 contacts with the e-mail "oak@oak\.example": Oak North, Oak South'):
        done(demo, CONTACT, **values)
    first = done(demo, CONTACT, **values, if_several="first")
    assert (first["Name"], first["count"], len(first["contacts"])) == ("Oak North", 2, 1)
    everyone = done(demo, CONTACT, **values, if_several="all")
    assert [one["Name"] for one in everyone["contacts"]] == ["Oak North", "Oak South"]


def test_a_name_that_is_taken_by_somebody_of_another_e_mail_is_refused_in_xeros_words(demo: Any) -> None:
    with pytest.raises(RejectedError, match="The contact name Boom FM is already assigned to another contact"):
        done(demo, CONTACT, name="Boom FM", email="other@boom.example")


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ({"name": "Oak"}, {"email": "E-mail is needed, because it is what is looked for."}),
        (
            {"name": "Oak", "look_by": "account_number", "account_number": 'A"1'},
            {"account_number": "An account number with a quotation mark cannot be looked for in Xero."},
        ),
    ],
)
def test_what_is_looked_for_must_be_given(values: dict[str, str], problems: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError) as refused:
        CONTACT.Inputs.clean(values)
    assert refused.value.problems == problems


def test_what_was_there_is_not_taken_back(demo: Any, wire: Wire) -> None:
    values = {"look_by": "name", "name": "Kereru Joinery"}
    created, found = done(demo, CONTACT, **values), done(demo, CONTACT, **values)
    wire.clear()
    with pytest.raises(RejectedError, match="It was there before this step"):
        CONTACT.undo(demo, found, {})
    request = CONTACT.undo(demo, created, {})
    assert request is not None
    assert b"ARCHIVED" in request.body
    assert not wrote(wire)


# --- documents --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["number", "reference"])
def test_an_invoice_and_an_order_are_created_once_and_found_from_then_on(
    demo: Any, contact: str, wire: Wire, by: str
) -> None:
    for action, number, lines, plural in (
        (INVOICE, "invoice_number", SOLD, "invoices"),
        (ORDER, "order_number", BOUGHT, "purchase_orders"),
    ):
        values: dict[str, Any] = {"contact_id": contact, "lines": lines, "look_by": by}
        values |= {number: "N-17", "reference": "Spring"}
        assert hits(demo, action, **values) == []
        first = done(demo, action, **values)
        assert (first["is_new"], first["count"]) == (True, 1)
        assert [action.identify(hit) for hit in hits(demo, action, **values)] == [action.identify(first)]
        wire.clear()
        second = done(demo, action, "PX-again", **values)
        assert (second["is_new"], action.identify(second)) == (False, action.identify(first))
        assert [action.identify(one) for one in second[plural]] == [action.identify(first)]
        assert set(second) >= set(action.sample)
        assert not wrote(wire)
        assert action.describe(first).endswith("N-17, 23.00 NZD (created)")
        assert action.describe(second).endswith("N-17, 23.00 NZD (found)")


def test_a_bill_of_the_same_number_is_no_invoice(demo: Any, contact: str) -> None:
    bill = registry.action("xero.create_bill")
    inputs = bill.Inputs.clean({"contact_id": contact, "lines": BOUGHT, "bill_number": "N-17"})
    demo.write(request_of(bill, demo, inputs, marker="PX-bill"))
    assert done(demo, INVOICE, contact_id=contact, lines=SOLD, invoice_number="N-17")["is_new"] is True


def test_several_documents_do_as_they_are_told(demo: Any, contact: str) -> None:
    create = registry.action("xero.create_invoice")
    for number, day in (("N-1", "2026-11-20"), ("N-2", "2026-11-21")):
        values = {"contact_id": contact, "lines": SOLD, "reference": "Spring", "invoice_number": number}
        inputs = create.Inputs.clean({**values, "invoice_date": day})
        demo.write(request_of(create, demo, inputs, marker=f"PX-{number}"))
    sought: dict[str, Any] = {"contact_id": contact, "lines": SOLD, "look_by": "reference", "reference": "spring"}
    with pytest.raises(RejectedError, match=r'Xero has 2 invoices with the reference "spring"\. One is expected'):
        done(demo, INVOICE, **sought)
    latest = done(demo, INVOICE, **sought, if_several="latest")
    assert (latest["InvoiceNumber"], latest["count"], len(latest["invoices"])) == ("N-2", 2, 1)
    everything = done(demo, INVOICE, **sought, if_several="all")
    assert [one["InvoiceNumber"] for one in everything["invoices"]] == ["N-2", "N-1"]


def test_a_document_without_what_is_looked_for_is_told_before_anything_is_sent(contact: str) -> None:
    for action, name in ((INVOICE, "invoice_number"), (ORDER, "order_number")):
        for by, missing, label in (("number", name, "Number"), ("reference", "reference", "Reference")):
            with pytest.raises(InvalidInputError) as refused:
                action.Inputs.clean({"contact_id": contact, "lines": SOLD, "look_by": by})
            assert refused.value.problems == {missing: f"{label} is needed, because it is what is looked for."}


# --- orders that are too many to look through -------------------------------------------------------------------------


@pytest.fixture
def few_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two orders a page, one page."""
    monkeypatch.setattr(document_search, "PAGE_SIZE", 2)
    monkeypatch.setattr(document_search, "_MOST_PAGES", 1)


LIMIT = "Only the 2 purchase orders that changed last were looked through."


def test_a_search_by_reference_that_is_cut_says_so(demo: Any, contact: str, few_pages: None) -> None:
    for number in ("1", "2", "3"):
        values = {"contact_id": contact, "lines": BOUGHT, "order_number": f"N-{number}", "reference": "Spring"}
        assert done(demo, ORDER, f"PX-{number * 16}", **values)["warning"] is None
    search: dict[str, Any] = {"search_by": "reference", "value": "Autumn"}
    with pytest.raises(RejectedError) as caught:
        FIND_ORDER.run(demo, FIND_ORDER.Inputs.clean(search))
    assert caught.value.message.endswith(f'with the reference "Autumn" in Demo Company (NZ). {LIMIT}')
    empty = FIND_ORDER.run(demo, FIND_ORDER.Inputs.clean({**search, "if_none": "empty"}))
    assert (empty["is_found"], empty["warning"]) == (False, LIMIT)
    found = FIND_ORDER.run(demo, FIND_ORDER.Inputs.clean({**search, "value": "spring", "if_several": "latest"}))
    assert (found["is_found"], found["count"], found["warning"]) == (True, 2, LIMIT)


def test_an_order_created_after_a_search_that_was_cut_says_so(demo: Any, contact: str, few_pages: None) -> None:
    values: dict[str, Any] = {"contact_id": contact, "lines": BOUGHT, "look_by": "reference"}
    for number in ("1", "2"):
        done(demo, ORDER, f"PX-{number}", **values, reference=f"Spring {number}")
    created = done(demo, ORDER, "PX-3", **values, reference="Spring 3")
    assert (created["is_new"], created["warning"]) == (True, LIMIT)


# --- turns ------------------------------------------------------------------------------------------------------------


def test_runs_that_look_for_the_same_contact_share_a_turn_whatever_their_action() -> None:
    update = registry.action("xero.create_or_update_contact")
    here = CONTACT.turn(CONTACT.Inputs.clean({"name": "Oak", "email": "Ada@Oak.example "}))
    there = update.turn(update.Inputs.clean({"name": "Elm", "email": "ada@oak.example"}))
    other = CONTACT.turn(CONTACT.Inputs.clean({"name": "Oak", "email": "bea@oak.example"}))
    assert here == there != other
    assert "ada" not in here.lower()
    assert len(here) <= 200


def test_a_bill_without_a_number_takes_no_turn(contact: str) -> None:
    bill = registry.action("xero.create_bill")
    values = {"contact_id": contact, "lines": BOUGHT}
    assert bill.turn(bill.Inputs.clean(values)) == ""
    assert bill.turn(bill.Inputs.clean({**values, "bill_number": "TT-1"})) != ""
