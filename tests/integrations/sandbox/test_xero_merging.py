"""Merged contacts, and the sandbox's own clock in its answers."""

import time
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from tests.integrations.sandbox.conftest import Caller, Xero
from tests.provider import DEMO, Sandbox


def contact(xero: Xero, key: str) -> dict[str, Any]:
    return dict(xero.get(f"/Contacts/{key}").json()["Contacts"][0])


def line() -> dict[str, Any]:
    return {"Description": "Styling", "Quantity": 1, "UnitAmount": 120, "AccountCode": "200"}


def test_a_merged_contact_is_archived_and_says_where_it_went(sandbox: Sandbox, xero: Xero) -> None:
    boom, city = sandbox.contact_id("Boom FM"), sandbox.contact_id("City Limousines")
    assert sandbox.merge(boom, city) == {"id": city, "label": "City Limousines", "organisation": DEMO}
    merged = contact(xero, boom)
    assert (merged["Name"], merged["ContactStatus"], merged["MergedToContactID"]) == ("Boom FM", "ARCHIVED", city)
    assert "MergedToContactID" not in contact(xero, city)


def test_a_merged_contact_says_so_in_pages_only(sandbox: Sandbox, xero: Xero) -> None:
    boom, city = sandbox.contact_id("Boom FM"), sandbox.contact_id("City Limousines")
    sandbox.merge(boom, city)
    query = {"IDs": boom, "includeArchived": "true"}
    assert "MergedToContactID" not in xero.get("/Contacts", **query).json()["Contacts"][0]
    assert xero.get("/Contacts", page=1, **query).json()["Contacts"][0]["MergedToContactID"] == city
    assert xero.get("/Contacts", page=1, IDs=boom).json()["Contacts"] == []


def test_the_documents_of_a_merged_contact_belong_to_the_other_and_do_not_count_as_changed(
    sandbox: Sandbox, xero: Xero
) -> None:
    boom, city = sandbox.contact_id("Boom FM"), sandbox.contact_id("City Limousines")
    made = sandbox.make("invoice", contact=boom)["id"]
    before = xero.get(f"/Invoices/{made}").json()["Invoices"][0]
    sandbox.merge(boom, city)
    after = xero.get(f"/Invoices/{made}").json()["Invoices"][0]
    assert (before["Contact"]["ContactID"], after["Contact"]["ContactID"]) == (boom, city)
    assert before["UpdatedDateUTC"] == after["UpdatedDateUTC"]
    found = xero.get("/Invoices", where=f'Contact.ContactID==guid("{boom}")').json()["Invoices"]
    assert found == []


@pytest.mark.parametrize("kind", ["Invoices", "Quotes", "PurchaseOrders", "CreditNotes"])
def test_nothing_can_be_written_to_a_merged_contact(sandbox: Sandbox, xero: Xero, kind: str) -> None:
    boom = sandbox.contact_id("Boom FM")
    sandbox.merge(boom, sandbox.contact_id("City Limousines"))
    types = {"Invoices": {"Type": "ACCREC"}, "CreditNotes": {"Type": "ACCRECCREDIT"}}
    sent = {**types.get(kind, {}), "Contact": {"ContactID": boom}, "Date": "2026-11-22", "LineItems": [line()]}
    assert xero.refuse(f"/{kind}", **{kind: [sent]}) == ["The contact Boom FM is archived and cannot be used"]


def test_a_merged_contact_that_is_restored_stands_alone_without_its_documents(sandbox: Sandbox, xero: Xero) -> None:
    boom, city = sandbox.contact_id("Boom FM"), sandbox.contact_id("City Limousines")
    made = sandbox.make("invoice", contact=boom)["id"]
    sandbox.merge(boom, city)
    sandbox.change("contact", boom, ContactStatus="ACTIVE")
    assert contact(xero, boom)["ContactStatus"] == "ACTIVE"
    assert "MergedToContactID" not in contact(xero, boom)
    assert xero.get(f"/Invoices/{made}").json()["Invoices"][0]["Contact"]["ContactID"] == city


def test_what_cannot_be_merged_is_refused(sandbox: Sandbox) -> None:
    boom, city = sandbox.contact_id("Boom FM"), sandbox.contact_id("City Limousines")
    with pytest.raises(AssertionError, match=r"A contact cannot be merged into itself\."):
        sandbox.merge(boom, boom)
    sandbox.merge(boom, city)
    with pytest.raises(AssertionError, match="There is no active contact with the id"):
        sandbox.merge(boom, city)
    with pytest.raises(AssertionError, match="There is no active contact with the id 'nobody'"):
        sandbox.merge("nobody", city)


@pytest.mark.parametrize("offset", [0, -1200, 5400])
@pytest.mark.parametrize("fault", ["none", "429", "html_503", "500"])
def test_every_answer_carries_the_time_of_the_sandboxs_own_clock(
    sandbox: Sandbox, xero: Xero, pinterest: Caller, offset: int, fault: str
) -> None:
    sandbox.faults(clock_offset_seconds=offset, next=[fault, fault], methods=["GET"])
    for answer in (xero.get("/Contacts", page=1), pinterest.get("/boards")):
        told = parsedate_to_datetime(answer.headers["Date"]).timestamp()
        assert abs(told - (time.time() + offset)) < 5
