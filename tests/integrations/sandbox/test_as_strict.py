"""Where the sandbox was once kinder than the providers: what they refuse it refuses, what they hide it hides."""

from typing import Any

import pytest

from tests.integrations.sandbox.conftest import Caller, Xero
from tests.provider import Sandbox

LINE = {"Description": "Styling", "Quantity": 1, "UnitAmount": 120, "AccountCode": "200"}
DAY = "2026-11-22"


def put_contact(xero: Xero, **contact: Any) -> list[str]:
    return xero.refuse("/Contacts", Contacts=[{"Name": "Strict", **contact}])


# --- contacts: https://developer.xero.com/documentation/api/accounting/contacts ---------------------------------------


@pytest.mark.parametrize(
    ("part", "length"),
    [("AddressLine1", 500), ("AddressLine4", 500), ("City", 255), ("Region", 255), ("PostalCode", 50), ("Country", 50)],
)
def test_a_part_of_an_address_that_is_too_long_is_refused(xero: Xero, part: str, length: int) -> None:
    address = {"AddressType": "STREET", part: "x" * (length + 1)}
    assert put_contact(xero, Addresses=[address]) == [f"The {part} field cannot be longer than {length} characters"]


@pytest.mark.parametrize(("part", "length"), [("PhoneNumber", 50), ("PhoneAreaCode", 10), ("PhoneCountryCode", 20)])
def test_a_part_of_a_phone_number_that_is_too_long_is_refused(xero: Xero, part: str, length: int) -> None:
    phone = {"PhoneType": "MOBILE", part: "1" * (length + 1)}
    assert put_contact(xero, Phones=[phone]) == [f"The {part} field cannot be longer than {length} characters"]


@pytest.mark.parametrize("country", ["Österreich", "New Zealand 2"])
def test_a_country_has_plain_letters_only(xero: Xero, country: str) -> None:
    address = {"AddressType": "STREET", "Country": country}
    assert put_contact(xero, Addresses=[address]) == ["The Country field can hold the letters A to Z only"]


def test_an_email_address_with_an_umlaut_is_refused(xero: Xero) -> None:
    assert put_contact(xero, EmailAddress="müller@boom.example") == ["Email address must be valid."]


@pytest.mark.parametrize(
    ("name", "record", "message"),
    [
        ("Phones", {"PhoneType": "CAR"}, "The PhoneType must be DEFAULT, DDI, MOBILE, FAX or OFFICE"),
        ("Addresses", {"AddressType": "HOME"}, "The AddressType must be POBOX or STREET"),
    ],
)
def test_a_kind_of_phone_or_address_that_xero_does_not_know_is_refused(
    sandbox: Sandbox, xero: Xero, name: str, record: dict[str, str], message: str
) -> None:
    before = sandbox.state()
    sent = {"Contacts": [{"Name": "Strict", name: [record]}]}
    answer = xero.put("/Contacts", sent, is_proper=False)
    assert answer.status_code == 400
    assert answer.json()["Elements"][0]["ValidationErrors"] == [{"Message": message}]
    assert sandbox.state() == before


# --- documents --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Invoices", "Quotes", "PurchaseOrders", "CreditNotes"])
def test_a_description_of_more_than_4000_characters_is_refused(sandbox: Sandbox, xero: Xero, kind: str) -> None:
    types = {"Invoices": {"Type": "ACCREC"}, "CreditNotes": {"Type": "ACCRECCREDIT"}}.get(kind, {})
    line = {**LINE, "Description": "x" * 4001}
    sent = {**types, "Contact": {"ContactID": sandbox.contact_id("Boom FM")}, "Date": DAY, "LineItems": [line]}
    assert xero.refuse(f"/{kind}", **{kind: [sent]}) == ["Description cannot be longer than 4000 characters"]


def test_a_purchase_order_needs_a_contact_by_id_or_number(sandbox: Sandbox, xero: Xero) -> None:
    sent = {"Date": DAY, "LineItems": [{**LINE, "AccountCode": "310"}]}
    refused = xero.refuse("/PurchaseOrders", PurchaseOrders=[{**sent, "Contact": {"Name": "Boom FM"}}])
    assert refused == ["A Contact must be specified for this type of transaction"]
    taken = xero.put("/PurchaseOrders", {"PurchaseOrders": [{**sent, "Contact": {"ContactNumber": "RU-77"}}]})
    assert taken.json()["PurchaseOrders"][0]["Contact"]["Name"] == "Ridgeway University"


@pytest.mark.parametrize("change", [{"DueDate": "2027-05-01"}, {"SentToContact": True}])
def test_some_changes_of_a_partly_paid_invoice_do_not_count_as_changes(
    sandbox: Sandbox, xero: Xero, change: dict[str, Any]
) -> None:
    made = sandbox.make("invoice", status="AUTHORISED")["id"]
    sandbox.make("payment", invoice=made, amount="10")
    before = xero.get(f"/Invoices/{made}").json()["Invoices"][0]
    after = xero.post(f"/Invoices/{made}", {"Invoices": [change]}).json()["Invoices"][0]
    assert after["UpdatedDateUTC"] == before["UpdatedDateUTC"]
    assert (after["DueDateString"], after["SentToContact"]) != (before["DueDateString"], before["SentToContact"])


def test_the_same_changes_of_an_unpaid_invoice_count(sandbox: Sandbox, xero: Xero) -> None:
    made = sandbox.make("invoice", status="AUTHORISED")["id"]
    before = xero.get(f"/Invoices/{made}").json()["Invoices"][0]
    after = xero.post(f"/Invoices/{made}", {"Invoices": [{"DueDate": "2027-05-01"}]}).json()["Invoices"][0]
    assert after["UpdatedDateUTC"] > before["UpdatedDateUTC"]


@pytest.mark.parametrize("kind", ["Invoices", "Quotes", "PurchaseOrders", "CreditNotes"])
def test_an_archived_account_is_refused_and_says_so(sandbox: Sandbox, xero: Xero, kind: str) -> None:
    sandbox.faults(archived_accounts=["200"])
    types = {"Invoices": {"Type": "ACCREC"}, "CreditNotes": {"Type": "ACCRECCREDIT"}}.get(kind, {})
    sent = {**types, "Contact": {"ContactID": sandbox.contact_id("Boom FM")}, "Date": DAY, "LineItems": [LINE]}
    assert xero.refuse(f"/{kind}", **{kind: [sent]}) == ["Account code '200' is not a valid code for this document."]
    account = xero.get("/Accounts", where='Code=="200"').json()["Accounts"][0]
    assert account["Status"] == "ARCHIVED"
    assert xero.get("/Accounts", where='Code=="200" AND Status=="ACTIVE"').json()["Accounts"] == []


# --- what is too much -------------------------------------------------------------------------------------------------


def test_more_than_ten_megabytes_are_refused_before_they_are_read(sandbox: Sandbox, xero: Xero) -> None:
    sent = {"Contacts": [{"Name": "Strict", "Website": "x" * (10 * 1024 * 1024)}]}
    answer = xero.put("/Contacts", sent, is_proper=False)
    assert answer.status_code == 413
    assert sandbox.ledger(method="PUT") == []


def test_more_than_500_items_at_once_are_refused(sandbox: Sandbox, xero: Xero) -> None:
    before = sandbox.state()
    answer = xero.put("/Items", {"Items": [{"Code": f"I-{number}"} for number in range(501)]})
    assert answer.status_code == 400
    assert answer.json()["Message"] == "A request can hold at most 500 records of Items."
    assert sandbox.state() == before


# --- Pinterest --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost/a.jpg",
        "http://127.0.0.1/a.jpg",
        "http://10.1.2.3:8000/a.jpg",
        "http://192.168.0.7/a.jpg",
        "https://[::1]/a.jpg",
        "http://nas/a.jpg",
        "https:///a.jpg",
    ],
)
def test_a_picture_that_pinterest_cannot_reach_is_refused(sandbox: Sandbox, pinterest: Caller, address: str) -> None:
    board = pinterest.get("/boards").json()["items"][0]["id"]
    before = sandbox.state()
    source = {"source_type": "image_url", "url": address}
    answer = pinterest.call("POST", "/pins", {"board_id": board, "media_source": source}, is_proper=False)
    assert answer.status_code == 400
    assert answer.json() == {"code": 1, "message": "Invalid request: media_source.url cannot be reached."}
    assert sandbox.state() == before


def test_a_page_may_be_empty_though_more_follow(sandbox: Sandbox, pinterest: Caller) -> None:
    whole = [pin["id"] for pin in pinterest.get("/pins", page_size=250).json()["items"]]
    sandbox.faults(p_short_page=1.0)
    found: list[str] = []
    sizes: list[int] = []
    bookmark: dict[str, str] = {}
    for _ in range(100):
        page = pinterest.get("/pins", page_size=4, **bookmark).json()
        found += [pin["id"] for pin in page["items"]]
        sizes.append(len(page["items"]))
        if page["bookmark"] is None:
            break
        bookmark = {"bookmark": page["bookmark"]}
    assert found == whole
    assert sizes[0] == 0
    assert max(sizes) < 4


def test_pinterest_says_when_to_come_again_in_the_headers_of_its_rate_alone(
    sandbox: Sandbox, pinterest: Caller
) -> None:
    sandbox.faults(pinterest_read_limit=1)
    pinterest.get("/boards")
    limited = pinterest.get("/boards")
    sandbox.faults(pinterest_read_limit=1000, next=["429"])
    faulty = pinterest.get("/boards")
    for answer in (limited, faulty):
        assert answer.status_code == 429
        assert "Retry-After" not in answer.headers
        assert int(answer.headers["x-ratelimit-reset"]) >= 1


def test_an_app_on_trial_has_a_thousand_calls_a_day_of_which_300_may_write(sandbox: Sandbox, pinterest: Caller) -> None:
    sandbox.faults(trial=True)
    board = sandbox.state()["boards"][0]["id"]

    def call(method: str) -> int:
        address, body = f"{pinterest.base}/boards/{board}", {"description": "x"} if method == "PATCH" else None
        return pinterest.session.request(method, address, json=body).status_code

    assert {call("PATCH") for _ in range(300)} == {200}
    assert call("PATCH") == 429
    assert {call("GET") for _ in range(700)} == {200}
    assert call("GET") == 429


def test_a_consent_may_open_a_practice_too(sandbox: Sandbox) -> None:
    sandbox.faults(has_practice=True)
    token = sandbox.tokens("xero")["access_token"]
    answer = sandbox.session.get(f"{sandbox.url}/connections", headers={"Authorization": f"Bearer {token}"})
    kinds = [one["tenantType"] for one in answer.json()]
    assert kinds == ["ORGANISATION", "ORGANISATION", "PRACTICE"]
