"""Find a contact, invoice or purchase order, or create it: for real against the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.connectors.xero.search import documents
from integrations.core.errors import InvalidInputError, RejectedError
from integrations.framework import registry
from integrations.framework.base import Action
from integrations.transport.http import Request
from tests.integrations.connectors.xero.writing import hits
from tests.integrations.examples import finished, request_of
from tests.integrations.wire import Wire
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


TAKEN = {"name": "boom  FM", "email": "other@boom.example"}


def test_a_name_that_is_taken_by_somebody_of_another_e_mail_stops_the_run_and_says_what_to_choose(
    demo: Any, wire: Wire
) -> None:
    with pytest.raises(RejectedError) as refused:
        done(demo, CONTACT, **TAKEN)
    assert refused.value.message == (
        'No contact has the e-mail "other@boom.example", but the name is taken: Boom FM is a contact in Demo Company '
        "(NZ) already, with the e-mail accounts@boomfm.example. Nothing was written. Choose in the step, under “If "
        "none is found and the name is taken”, to take that contact or to give the new one another name; or change one "
        "of the two in Xero."
    )
    assert not wrote(wire)


def test_the_contact_that_has_the_name_is_taken_where_that_is_chosen(demo: Any, wire: Wire) -> None:
    output = done(demo, CONTACT, **TAKEN, if_name_taken="use")
    assert (output["is_new"], output["Name"], output["count"]) == (False, "Boom FM", 1)
    assert not wrote(wire)


def test_another_name_is_made_where_that_is_chosen(demo: Any) -> None:
    values = {**TAKEN, "if_name_taken": "other_name"}
    output = done(demo, CONTACT, **values)
    assert (output["is_new"], output["Name"], output["EmailAddress"]) == (True, "boom FM (2)", "other@boom.example")
    assert output["warning"] == 'The name "boom FM" was taken, so it is called "boom FM (2)".'
    third = done(demo, CONTACT, "PX-third", **{**values, "email": "third@boom.example"})
    assert third["Name"] == "boom FM (3)"
    # By its own e-mail it is found from then on, whatever it is called.
    again = done(demo, CONTACT, "PX-again", **values)
    assert (again["is_new"], again["ContactID"]) == (False, output["ContactID"])


def test_a_contact_is_looked_for_by_a_second_key_where_the_first_finds_none(demo: Any, wire: Wire) -> None:
    first = done(demo, CONTACT, look_by="account_number", name="Eva Holm", account_number="AC-1")
    wire.clear()
    values = {"email": "eva@holm.example", "account_number": "ac-1", "name": "Eva Holm & Co"}
    found = done(demo, CONTACT, "PX-again", **values, then_by="account_number")
    assert (found["is_new"], found["ContactID"]) == (False, first["ContactID"])
    assert not wrote(wire)
    new = done(demo, CONTACT, "PX-new", **{**values, "account_number": None}, then_by="account_number")
    assert new["is_new"] is True


SPELLINGS = ["Eva Holm", "Eva  Holm", " eva holm ", "EVA\u00a0HOLM", "E\u200bva Holm"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_people_who_cannot_be_told_apart_by_name_are_one_contact(demo: Any, spelling: str) -> None:
    first = done(demo, CONTACT, look_by="name", name=spelling)
    assert first["Name"] == " ".join(spelling.replace("\u200b", "").split())
    for number, other in enumerate(SPELLINGS):
        again = done(demo, CONTACT, f"PX-{number}", look_by="name", name=other)
        assert (again["is_new"], again["ContactID"]) == (False, first["ContactID"])


@pytest.mark.parametrize(
    ("stored", "sought"),
    [("Eva  Holm", "Eva Holm"), ("Zoe\u0308  Quint", "Zo\u00eb Quint"), ("STRANDHOTEL", "Strandhotel")],
)
def test_a_contact_that_somebody_spelled_another_way_in_xero_is_found(
    demo: Any, sandbox: Sandbox, stored: str, sought: str
) -> None:
    there = demo.write(
        Request.of_json("PUT", "/Contacts", {"Contacts": [{"Name": stored}]}), idempotency_key="by a person"
    ).json()["Contacts"][0]
    found = done(demo, CONTACT, look_by="name", name=sought)
    assert (found["is_new"], found["ContactID"], found["Name"]) == (False, there["ContactID"], stored)


def test_account_numbers_that_differ_by_capitals_or_spaces_are_one(demo: Any) -> None:
    first = done(demo, CONTACT, look_by="account_number", name="Eva Holm", account_number="AC-1")
    for number, other in enumerate(("ac-1", " Ac-1 ", "AC-1")):
        again = done(demo, CONTACT, f"PX-{number}", look_by="account_number", name=f"E {number}", account_number=other)
        assert (again["is_new"], again["ContactID"]) == (False, first["ContactID"])
    other = done(demo, CONTACT, "PX-other", look_by="account_number", name="Eva Holm 11", account_number="AC-11")
    assert other["is_new"] is True


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ({"name": "Oak"}, {"email": "E-mail is needed, because it is what is looked for."}),
        (
            {"name": "Oak", "look_by": "name", "then_by": "name"},
            {"then_by": "It is looked for by that already. Choose another, or leave this empty."},
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
    monkeypatch.setattr(documents, "PAGE_SIZE", 2)
    monkeypatch.setattr(documents, "_MOST_PAGES", 1)


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
    here = CONTACT.lock_key(CONTACT.Inputs.clean({"name": "Oak", "email": "Ada@Oak.example "}))
    there = update.lock_key(update.Inputs.clean({"name": "Elm", "email": "ada@oak.example"}))
    other = CONTACT.lock_key(CONTACT.Inputs.clean({"name": "Oak", "email": "bea@oak.example"}))
    assert here == there != other
    assert "ada" not in here.lower()
    assert len(here) <= 200


def test_a_bill_without_a_number_takes_no_turn(contact: str) -> None:
    bill = registry.action("xero.create_bill")
    values = {"contact_id": contact, "lines": BOUGHT}
    assert bill.lock_key(bill.Inputs.clean(values)) == ""
    assert bill.lock_key(bill.Inputs.clean({**values, "bill_number": "TT-1"})) != ""
