"""Contacts: finding, creating, changing, uniqueness."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.integrations.sandbox.conftest import Xero
from tests.provider import NORTHWIND, Sandbox

HULK = {
    "Name": "Bruce Banner",
    "EmailAddress": "hulk@avengers.example",
    "ContactNumber": "PX-42",
    "Phones": [{"PhoneType": "MOBILE", "PhoneNumber": "555-1212", "PhoneAreaCode": "415"}],
}


def names(xero: Xero, **query: Any) -> list[str]:
    return [contact["Name"] for contact in xero.get("/Contacts", **query).json()["Contacts"]]


def put(xero: Xero, **contact: Any) -> dict[str, Any]:
    answer = xero.put("/Contacts", {"Contacts": [contact]})
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["Contacts"][0])


def test_eight_contacts_are_seeded_one_with_a_hostile_name(xero: Xero) -> None:
    found = names(xero)
    assert len(found) == 8
    assert '<img src=x onerror="alert(1)"> Rex Media & Co' in found
    assert "Northwind Traders" in found


def test_a_created_contact_comes_back_whole_and_can_be_read(sandbox: Sandbox, xero: Xero) -> None:
    made = put(xero, **HULK)
    read = xero.get(f"/Contacts/{made['ContactID']}").json()["Contacts"][0]
    assert read == made
    assert made["ContactStatus"] == "ACTIVE"
    assert [phone["PhoneType"] for phone in made["Phones"]] == ["DDI", "DEFAULT", "FAX", "MOBILE"]
    assert made["Phones"][3]["PhoneNumber"] == "555-1212"
    assert xero.get("/Contacts/PX-42").json()["Contacts"][0]["ContactID"] == made["ContactID"]
    row = sandbox.ledger(method="PUT")[0]
    assert (row["outcome"], row["committed"]) == ("created contact Bruce Banner", True)
    assert row["object_ids"] == [made["ContactID"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"where": 'EmailAddress=="pmw@petriemcloud.example"'}, ["Petrie McLoud Watson & Associates"]),
        ({"where": 'Name=="Boom FM"'}, ["Boom FM"]),
        ({"where": 'ContactNumber=="NW-100"'}, ["Northwind Traders"]),
        ({"where": 'Name.Contains("wind") AND ContactStatus=="ACTIVE"'}, ["Northwind Traders"]),
        ({"where": 'Name.ToLower().StartsWith("ri") OR Name=="Boom FM"'}, ["Boom FM", "Ridgeway University"]),
        ({"where": 'EmailAddress!=null&&EmailAddress.StartsWith("ben")'}, ["Young Bros Transport"]),
        ({"where": "EmailAddress==null"}, ["Ridgeway University"]),
        ({"where": 'Name=="boom fm"'}, []),
        ({"searchTerm": "NORTHWIND"}, ["Northwind Traders"]),
        ({"searchTerm": "ru-77"}, ["Ridgeway University"]),
        ({"searchTerm": "nobody"}, []),
        ({"searchTerm": "northw", "where": 'Name.EndsWith("s")'}, ["Northwind Traders"]),
    ],
)
def test_contacts_are_found(xero: Xero, query: dict[str, str], expected: list[str]) -> None:
    assert sorted(names(xero, **query)) == sorted(expected)


def test_contacts_are_put_in_order(xero: Xero) -> None:
    found = names(xero)
    assert names(xero, order="Name DESC") == sorted(found, key=str.lower, reverse=True)
    assert names(xero, order="UpdatedDateUTC ASC,Name") == sorted(found, key=str.lower)


def test_contacts_are_found_by_ids(sandbox: Sandbox, xero: Xero) -> None:
    ids = [sandbox.contact_id("Boom FM"), sandbox.contact_id("City Limousines")]
    assert names(xero, IDs=",".join(ids)) == ["Boom FM", "City Limousines"]


def test_pages_describe_themselves(xero: Xero) -> None:
    body = xero.get("/Contacts", page=2, pageSize=3, summaryOnly="true").json()
    assert body["pagination"] == {"page": 2, "pageSize": 3, "pageCount": 3, "itemCount": 8}
    assert len(body["Contacts"]) == 3
    assert "Phones" not in body["Contacts"][0]
    assert "pagination" not in xero.get("/Contacts").json()


def test_a_name_that_is_taken_is_refused_with_xeros_words(sandbox: Sandbox, xero: Xero) -> None:
    assert xero.refuse("/Contacts", Contacts=[{"Name": "boom fm"}]) == [
        "The contact name boom fm is already assigned to another contact. "
        "The contact name must be unique across all active contacts."
    ]


@pytest.mark.parametrize(
    ("contact", "message"),
    [
        ({}, "The contact name must be specified"),
        ({"Name": "A<b>"}, "The contact name cannot contain < or >"),
        ({"Name": "x" * 256}, "The Name field cannot be longer than 255 characters"),
        ({"Name": "A", "EmailAddress": "nonsense"}, "Email address must be valid."),
        ({"Name": "A", "ContactNumber": "x" * 51}, "The ContactNumber field cannot be longer than 50 characters"),
        ({"Name": "A", "ContactNumber": "RU-77"}, "The contact number RU-77 is already assigned to another contact."),
        ({"Name": "A", "DefaultCurrency": "EUR"}, "Organisation is not subscribed to currency EUR"),
        ({"Name": "A", "ContactPersons": [{"FirstName": "P"}] * 6}, "A contact can have at most 5 contact persons"),
    ],
)
def test_a_wrong_contact_is_refused(xero: Xero, contact: dict[str, Any], message: str) -> None:
    assert xero.refuse("/Contacts", Contacts=[contact or {"FirstName": "X"}]) == [message]


def test_post_matches_by_id_then_number_then_name(sandbox: Sandbox, xero: Xero) -> None:
    boom = sandbox.contact_id("Boom FM")

    def save(**contact: Any) -> dict[str, Any]:
        return dict(xero.post("/Contacts", {"Contacts": [contact]}).json()["Contacts"][0])

    assert save(ContactID=boom, EmailAddress="a@boomfm.example")["Name"] == "Boom FM"
    assert save(ContactNumber="RU-77", EmailAddress="r@ridgeway.example")["Name"] == "Ridgeway University"
    assert save(Name="boom fm", FirstName="Mo")["ContactID"] == boom
    made = save(Name="Quite New")
    assert made["ContactID"] not in {boom}
    assert len(sandbox.contacts()) == 9
    assert next(c for c in sandbox.contacts() if c["id"] == boom)["EmailAddress"] == "a@boomfm.example"


def test_post_leaves_omitted_fields_and_replaces_lists(sandbox: Sandbox, xero: Xero) -> None:
    made = put(xero, **HULK, ContactPersons=[{"FirstName": "A"}, {"FirstName": "B"}])
    path = f"/Contacts/{made['ContactID']}"
    body = {"Contacts": [{"FirstName": "Bruce", "ContactPersons": [{"FirstName": "C"}]}]}
    changed = xero.post(path, body).json()["Contacts"][0]
    assert changed["EmailAddress"] == "hulk@avengers.example"
    assert [person["FirstName"] for person in changed["ContactPersons"]] == ["C"]
    assert changed["UpdatedDateUTC"] > made["UpdatedDateUTC"]


def test_an_unknown_id_is_refused(xero: Xero) -> None:
    sent = {"ContactID": "9f0e5a0c-0000-4000-8000-000000000000", "Name": "A"}
    assert xero.refuse("/Contacts", method="POST", Contacts=[sent]) == [
        "The contact with this ContactID was not found."
    ]


def test_archived_contacts_are_hidden_and_free_their_name(sandbox: Sandbox, xero: Xero) -> None:
    boom = sandbox.contact_id("Boom FM")
    xero.post(f"/Contacts/{boom}", {"Contacts": [{"ContactStatus": "ARCHIVED"}]})
    assert "Boom FM" not in names(xero)
    assert "Boom FM" in names(xero, includeArchived="true")
    assert put(xero, Name="Boom FM")["ContactID"] != boom


def test_only_what_changed_since_is_listed(sandbox: Sandbox, xero: Xero) -> None:
    sandbox.faults(clock_offset_seconds=1000)
    put(xero, **HULK)
    sandbox.faults(clock_offset_seconds=0)
    stamp = xero.get("/Contacts", where='Name=="Bruce Banner"').json()["Contacts"][0]["UpdatedDateUTC"]
    seconds = int(stamp[6:-7]) // 1000

    def since(moment: int) -> dict[str, str]:
        text = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"If-Modified-Since": text}

    assert names(xero, headers=since(seconds)) == ["Bruce Banner"]
    assert names(xero, headers=since(seconds + 1)) == []


def test_history_tells_what_happened_and_takes_notes(sandbox: Sandbox, xero: Xero) -> None:
    made = put(xero, **HULK)
    path = f"/Contacts/{made['ContactID']}/History"
    noted = xero.put(path, {"HistoryRecords": [{"Details": "Called twice"}]})
    assert noted.status_code == 200
    records = xero.get(path).json()["HistoryRecords"]
    assert [record["Changes"] for record in records] == ["Note", "Created"]
    assert records[0]["Details"] == "Called twice"


@pytest.mark.parametrize("details", ["", "x" * 2501])
def test_an_empty_or_overlong_note_is_refused(sandbox: Sandbox, xero: Xero, details: str) -> None:
    path = f"/Contacts/{sandbox.contact_id('Boom FM')}/History"
    answer = xero.put(path, {"HistoryRecords": [{"Details": details}]})
    assert answer.status_code == 400
    assert xero.get(path).json()["HistoryRecords"] == []


def test_the_organisations_do_not_share_contacts(sandbox: Sandbox, xero: Xero) -> None:
    made = put(xero, **HULK)
    other = Xero(sandbox, NORTHWIND)
    assert other.get(f"/Contacts/{made['ContactID']}").status_code == 404
    assert put(other, **HULK)["ContactID"] != made["ContactID"]


@pytest.mark.parametrize("body", [{}, {"Contacts": []}, {"Contacts": [1]}, [], "x"])
def test_a_body_without_records_is_refused(xero: Xero, body: Any) -> None:
    answer = xero.put("/Contacts", body, is_proper=False)
    assert answer.status_code == 400
    assert answer.json()["Type"] in {"PostDataInvalidException", "ValidationException"}


def test_with_summarize_errors_false_the_good_ones_are_written(sandbox: Sandbox, xero: Xero) -> None:
    records = {"Contacts": [{"Name": "Good One"}, {"Name": "Boom FM"}, {"Name": "Good Two"}]}
    mixed = xero.put("/Contacts", records, summarizeErrors="false")
    assert mixed.status_code == 200
    elements = mixed.json()["Contacts"]
    assert [element["StatusAttributeString"] for element in elements] == ["OK", "ERROR", "OK"]
    assert elements[1]["ContactID"] == "00000000-0000-0000-0000-000000000000"
    assert "already assigned" in elements[1]["ValidationErrors"][0]["Message"]
    assert {"Good One", "Good Two"} <= {contact["Name"] for contact in sandbox.contacts()}


def test_otherwise_one_bad_record_stops_all_and_only_the_bad_are_named(sandbox: Sandbox, xero: Xero) -> None:
    records = [{"Name": "Good One"}, {"Name": "Boom FM"}, {"EmailAddress": "x"}]
    assert len(xero.refuse("/Contacts", Contacts=records)) == 2
    assert "Good One" not in {contact["Name"] for contact in sandbox.contacts()}
