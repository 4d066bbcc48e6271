"""The check itself: it lets good exchanges pass and catches bad ones; and every address is checked once here."""

import copy
import json
from typing import Any

import pytest

from tests.integrations.sandbox import contract
from tests.integrations.sandbox.conftest import Caller, Xero
from tests.integrations.sandbox.contract import validate_request, validate_response
from tests.provider import NORTHWIND, Sandbox

pytestmark = pytest.mark.contract

INVOICES = "https://api.xero.com/api.xro/2.0/Invoices"
HEADERS = {"xero-tenant-id": "t", "Content-Type": "application/json", "Accept": "application/json"}
CONTACT = {"ContactID": "430fa14a-f945-44d3-9f97-5df5e28441b8"}
LINE = {"Description": "Tyres", "Quantity": 2, "UnitAmount": 20, "AccountCode": "200"}
GOOD: dict[str, Any] = {"Invoices": [{"Type": "ACCREC", "Contact": CONTACT, "LineItems": [LINE], "Date": "2026-11-22"}]}
READABLE = (
    "Organisation",
    "Accounts",
    "TaxRates",
    "Currencies",
    "BrandingThemes",
    "TrackingCategories",
    "Items",
    "Contacts",
    "Invoices",
)
MADE = ("quote", "purchase_order", "credit_note", "payment", "bank_transaction")
LISTS = ("Quotes", "PurchaseOrders", "CreditNotes", "Payments", "BankTransactions")


def changed(**changes: Any) -> bytes:
    body = copy.deepcopy(GOOD)
    for path, value in changes.items():
        place: Any = body["Invoices"][0]
        *steps, last = path.split("__")
        for step in steps:
            place = place[int(step)] if step.isdigit() else place[step]
        place[last] = value
    return json.dumps(body).encode()


@pytest.mark.parametrize("tenant", [None, NORTHWIND])
@pytest.mark.parametrize("path", READABLE)
def test_every_list_of_both_organisations_fits_the_description(sandbox: Sandbox, path: str, tenant: str | None) -> None:
    xero = Xero(sandbox, tenant) if tenant else Xero(sandbox)
    answer = xero.get(f"/{path}")  # checked by the caller
    assert answer.status_code == 200
    plural = "Organisations" if path == "Organisation" else path
    assert answer.json()[plural]


@pytest.mark.parametrize(
    "path", ["/Contacts/{contact}", "/Contacts/{contact}/History", "/Invoices/{invoice}", "/Invoices/{invoice}/History"]
)
def test_every_single_record_fits_the_description(sandbox: Sandbox, xero: Xero, path: str) -> None:
    made = xero.create()
    place = path.format(contact=made["Contact"]["ContactID"], invoice=made["InvoiceID"])
    assert xero.get(place).status_code == 200


@pytest.mark.parametrize(("what", "plural"), list(zip(MADE, LISTS, strict=True)))
def test_every_list_of_the_second_storey_fits_the_description(
    sandbox: Sandbox, xero: Xero, what: str, plural: str
) -> None:
    made = sandbox.make(what)
    assert len(xero.get(f"/{plural}").json()[plural]) == 1
    assert len(xero.get(f"/{plural}", page=1).json()[plural]) == 1
    for tail in ("", "/History"):
        assert xero.get(f"/{plural}/{made['id']}{tail}").status_code == 200


@pytest.mark.parametrize(
    "path", ["/user_account", "/boards", "/pins", "/boards/{board}", "/boards/{board}/pins", "/pins/{pin}"]
)
def test_every_answer_of_pinterest_fits_the_description(sandbox: Sandbox, pinterest: Caller, path: str) -> None:
    state = sandbox.state()
    board = next(board for board in state["boards"] if board["privacy"] == "PUBLIC")
    pin = next(pin for pin in state["pins"] if pin["board"] == board["name"])
    assert pinterest.get(path.format(board=board["id"], pin=pin["id"])).status_code == 200


def test_pinterests_tokens_fit_the_description(sandbox: Sandbox) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": sandbox.tokens("pinterest")["refresh_token"]}
    auth = ("sandbox-pinterest", "sandbox-pinterest-secret")
    for _ in range(2):  # the second is refused
        answer = sandbox.session.post(sandbox.url + "/v5/oauth/token", data=form, auth=auth)
        validate_response("POST", sandbox.url + "/v5/oauth/token", answer.status_code, answer.headers, answer.content)
    assert answer.status_code == 400


def test_a_proper_request_passes() -> None:
    validate_request("PUT", INVOICES + "?unitdp=4&summarizeErrors=true", HEADERS, changed())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Type": "SALE"}, "is not one of"),
        ({"Contact__ContactID": "42"}, "is not a 'uuid'"),
        ({"LineItems__0__Quantity": "2"}, "is not of type 'number'"),
        ({"LineItems__0__Qty": 2}, "'Qty' was unexpected"),
        ({"Refrence": "x"}, "'Refrence' was unexpected"),
        ({"Contact__Mail": "x"}, "'Mail' was unexpected"),
    ],
)
def test_a_wrong_request_is_caught_and_the_place_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(AssertionError, match="breaks the description") as caught:
        validate_request("PUT", INVOICES, HEADERS, changed(**changes))
    assert words in str(caught.value)


def test_a_missing_organisation_header_is_caught() -> None:
    headers = {name: value for name, value in HEADERS.items() if name != "xero-tenant-id"}
    with pytest.raises(AssertionError, match=r"(?i)xero-tenant-id"):
        validate_request("GET", INVOICES, headers, None)


def test_a_question_that_the_description_does_not_know_is_caught() -> None:
    validate_request("GET", INVOICES + "?createdByMyApp=true&page=1&pageSize=100&where=x", HEADERS, None)
    with pytest.raises(AssertionError, match="it asks for untidp"):
        validate_request("PUT", INVOICES + "?untidp=4", HEADERS, changed())
    with pytest.raises(AssertionError, match="it asks for pagesize"):
        validate_request("GET", "https://api.pinterest.com/v5/boards?pagesize=4", {}, None)


def test_a_time_without_a_zone_in_if_modified_since_is_caught() -> None:
    good, bad = {"If-Modified-Since": "2026-11-22T00:00:00Z"}, {"If-Modified-Since": "yesterday"}
    validate_request("GET", INVOICES, HEADERS | good, None)
    with pytest.raises(AssertionError, match="If-Modified-Since"):
        validate_request("GET", INVOICES, HEADERS | bad, None)


def test_an_address_that_does_not_exist_is_caught() -> None:
    with pytest.raises(AssertionError, match="PathNotFound"):
        validate_request("GET", INVOICES + "/x/Nonsense", HEADERS, None)
    with pytest.raises(AssertionError, match="No description covers"):
        validate_request("GET", "https://api.xero.com/elsewhere", HEADERS, None)


@pytest.mark.parametrize(
    "invoice", [{"Status": "OPEN"}, {"Total": "46.00"}, {"InvoiceID": "42"}, {"LineItems": {}}, {"HasErrors": "no"}]
)
def test_a_wrong_answer_is_caught(invoice: dict[str, Any]) -> None:
    body = json.dumps({"Invoices": [invoice]})
    with pytest.raises(AssertionError, match="The response of GET"):
        validate_response("GET", INVOICES, 200, {"Content-Type": "application/json"}, body)


def test_an_undocumented_field_in_an_answer_passes() -> None:
    body = json.dumps({"Id": "x", "Invoices": [{"Type": "ACCREC", "DateString": "2026-11-22T00:00:00"}]})
    validate_response("GET", INVOICES, 200, {"Content-Type": "application/json; charset=utf-8"}, body)


def test_a_wrong_answer_of_pinterest_is_caught() -> None:
    url = "https://api.pinterest.com/v5/boards"
    good = {"items": [{"id": "123", "name": "A", "created_at": "2025-05-21T01:13:01"}], "bookmark": None}
    validate_response("GET", url, 200, {"Content-Type": "application/json"}, json.dumps(good))
    wrongs: list[dict[str, Any]] = [
        {"items": [{"id": 123}]},
        {"items": [{"id": "1", "created_at": "today"}]},
        {"items": {}},
    ]
    for wrong in wrongs:
        with pytest.raises(AssertionError, match="The response of GET"):
            validate_response("GET", url, 200, {"Content-Type": "application/json"}, json.dumps(wrong))


def test_statuses_that_xero_does_not_describe_pass() -> None:
    for status in (401, 403, 404, 429, 503):
        validate_response("PUT", INVOICES, status, {"Content-Type": "text/plain"}, b"no")
    with pytest.raises(AssertionError, match="breaks the description"):
        validate_response("PUT", INVOICES, 418, {"Content-Type": "text/plain"}, b"no")


def test_without_the_descriptions_the_check_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    contract._description.cache_clear()
    monkeypatch.setattr(contract, "FOLDER", contract.FOLDER / "missing")
    with pytest.raises(pytest.skip.Exception, match="not on this machine"):
        validate_request("PUT", INVOICES, HEADERS, changed())
    contract._description.cache_clear()
