"""What stands before Xero's accounting API: token, organisation, scope, Accept header, call limits."""

import threading
from typing import Any

import pytest
import requests

from tests.integrations.sandbox.conftest import Xero
from tests.provider import DEMO, NORTHWIND, Sandbox


def detail(answer: requests.Response) -> str:
    return str(answer.json()["Detail"])


def test_an_expired_token_is_401_and_says_when(sandbox: Sandbox, xero: Xero) -> None:
    assert xero.get("/Organisation").status_code == 200
    assert sandbox.expire(provider="xero") == 1
    answer = xero.get("/Organisation")
    assert answer.status_code == 401
    assert detail(answer).startswith("TokenExpired: token expired at ")
    assert answer.json()["Title"] == "Unauthorized"


def test_a_token_expires_by_the_clock(sandbox: Sandbox, xero: Xero) -> None:
    sandbox.faults(clock_offset_seconds=1795)
    assert xero.get("/Organisation").status_code == 200
    sandbox.faults(clock_offset_seconds=1801)
    assert xero.get("/Organisation").status_code == 401


def test_an_unknown_token_is_401(sandbox: Sandbox) -> None:
    api = Xero(sandbox)
    api.session.headers["Authorization"] = "Bearer nonsense"
    assert api.get("/Organisation").status_code == 401


@pytest.mark.parametrize("tenant", ["", "11111111-1111-1111-1111-111111111111", "nonsense"])
def test_a_missing_or_wrong_organisation_is_403(sandbox: Sandbox, tenant: str) -> None:
    api = Xero(sandbox)
    api.session.headers["xero-tenant-id"] = tenant
    answer = api.get("/Organisation", is_proper=False)
    assert (answer.status_code, detail(answer)) == (403, "AuthenticationUnsuccessful")


def test_an_organisation_that_was_disconnected_is_403_and_the_other_goes_on(sandbox: Sandbox) -> None:
    demo, northwind = Xero(sandbox, DEMO), Xero(sandbox, NORTHWIND)
    sandbox.revoke(tenant="Demo Company (NZ)")
    assert demo.get("/Organisation").status_code == 403
    assert northwind.get("/Organisation").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "scopes", "status"),
    [
        ("GET", "/Contacts", "accounting.contacts.read", 200),
        ("GET", "/Contacts", "accounting.invoices", 401),
        ("GET", "/Invoices", "accounting.invoices.read", 200),
        ("GET", "/Accounts", "accounting.settings.read", 200),
        ("GET", "/Accounts", "accounting.contacts", 401),
        ("GET", "/Items", "accounting.invoices.read", 200),
        ("PUT", "/Invoices", "accounting.invoices.read", 401),
        ("POST", "/Contacts", "accounting.contacts.read", 401),
    ],
)
def test_scopes_open_what_they_name(sandbox: Sandbox, method: str, path: str, scopes: str, status: int) -> None:
    answer = Xero(sandbox, scopes=scopes).call(method, path, is_proper=False)
    assert answer.status_code == status
    if status == 401:
        assert detail(answer) == "AuthorizationUnsuccessful"
        assert sandbox.ledger()[-1]["outcome"] == "refused: AuthorizationUnsuccessful"


@pytest.mark.parametrize("accept", ["*/*", "application/xml", ""])
def test_forgetting_to_ask_for_json_is_406(xero: Xero, accept: str) -> None:
    assert xero.get("/Organisation", headers={"Accept": accept}).status_code == 406


def test_the_two_organisations_differ(sandbox: Sandbox) -> None:
    demo = Xero(sandbox, DEMO).get("/Organisation").json()["Organisations"][0]
    northwind = Xero(sandbox, NORTHWIND).get("/Organisation").json()["Organisations"][0]
    assert (demo["Name"], demo["BaseCurrency"], demo["IsDemoCompany"]) == ("Demo Company (NZ)", "NZD", True)
    assert (northwind["Name"], northwind["BaseCurrency"], northwind["IsDemoCompany"]) == ("Northwind Ltd", "GBP", False)
    assert "PeriodLockDate" not in demo
    assert northwind["PeriodLockDate"] == "/Date(1767139200000+0000)/"


def test_what_is_set_up_is_listed_and_filtered(sandbox: Sandbox, xero: Xero) -> None:
    codes = {account["Code"] for account in xero.get("/Accounts", where='Class=="REVENUE"').json()["Accounts"]}
    assert codes == {"200", "260", "270"}
    banks = xero.get("/Accounts", where='Status=="ACTIVE" AND Type=="BANK"', order="Code DESC").json()["Accounts"]
    assert [account["Code"] for account in banks] == ["092", "091", "090"]
    rates = {rate["TaxType"]: rate["EffectiveRate"] for rate in xero.get("/TaxRates").json()["TaxRates"]}
    assert rates == {"OUTPUT2": 15, "INPUT2": 15, "ZERORATED": 0, "NONE": 0}
    assert {one["Code"] for one in xero.get("/Currencies").json()["Currencies"]} == {"NZD", "USD", "AUD"}
    assert [one["SortOrder"] for one in xero.get("/BrandingThemes").json()["BrandingThemes"]] == [0, 1]
    assert xero.get("/TrackingCategories").json()["TrackingCategories"][0]["Name"] == "Region"
    codes = {one["Code"] for one in xero.get("/Items").json()["Items"]}
    assert codes == {"PRINT-A4", "PHOTO-HALF", "CARD-SET", "STOOL-OAK"}
    assert xero.get("/Items/PRINT-A4").json()["Items"][0]["SalesDetails"]["UnitPrice"] == 24.5
    other = Xero(sandbox, NORTHWIND).get("/Accounts").json()["Accounts"]
    assert "4000" in {account["Code"] for account in other}
    assert "200" not in {account["Code"] for account in other}


def test_settings_that_have_not_changed_are_left_out_of_a_conditional_list(xero: Xero) -> None:
    later, earlier = {"If-Modified-Since": "2026-06-01T00:00:00Z"}, {"If-Modified-Since": "2025-06-01T00:00:00Z"}
    assert xero.get("/Items", headers=later).json()["Items"] == []
    assert len(xero.get("/Items", headers=earlier).json()["Items"]) == 4


@pytest.mark.parametrize("path", ["/Invoices/9f0e5a0c-0000-4000-8000-000000000000", "/Contacts/none", "/Items/none"])
def test_what_is_not_there_is_404_in_plain_text(xero: Xero, path: str) -> None:
    answer = xero.get(path)
    assert answer.status_code == 404
    assert answer.text == "The resource you're looking for cannot be found"


def test_a_method_that_does_not_exist_is_405(sandbox: Sandbox, xero: Xero) -> None:
    assert xero.call("DELETE", "/Accounts", is_proper=False).status_code == 405


def test_every_answer_tells_what_is_left(sandbox: Sandbox, xero: Xero) -> None:
    sandbox.faults(minute_limit=60, day_limit=5000, app_minute_limit=10000)
    first, second = xero.get("/Organisation"), xero.get("/Organisation")
    assert first.headers["X-MinLimit-Remaining"] == "59"
    assert second.headers["X-MinLimit-Remaining"] == "58"
    assert second.headers["X-DayLimit-Remaining"] == "4998"
    assert second.headers["X-AppMinLimit-Remaining"] == "9998"


@pytest.mark.parametrize(
    ("setting", "problem", "longest"),
    [("minute_limit", "minute", 60), ("day_limit", "day", 86400), ("app_minute_limit", "appminute", 60)],
)
def test_calls_beyond_a_limit_are_429_with_the_reason_and_the_wait(
    sandbox: Sandbox, xero: Xero, setting: str, problem: str, longest: int
) -> None:
    sandbox.faults(**{setting: 2})
    answers = [xero.put("/Contacts", {"Contacts": [{"Name": f"New {n}"}]}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["X-Rate-Limit-Problem"] == problem
    assert longest - 5 <= int(answers[2].headers["Retry-After"]) <= longest
    assert answers[2].headers["Content-Type"].startswith("text/plain")
    assert {"New 0", "New 1"} <= {contact["Name"] for contact in sandbox.contacts()}
    assert "New 2" not in {contact["Name"] for contact in sandbox.contacts()}


def test_limits_count_per_organisation(sandbox: Sandbox, xero: Xero) -> None:
    sandbox.faults(minute_limit=1)
    assert xero.get("/Organisation").status_code == 200
    assert xero.get("/Organisation").status_code == 429
    assert Xero(sandbox, NORTHWIND).get("/Organisation").status_code == 200


def test_more_than_the_allowed_number_at_once_is_429_without_a_wait(quick: Sandbox) -> None:
    quick.faults(concurrent_limit=2, p_slow_commit=1, slow_commit_seconds=40)
    answers: list[Any] = []

    def create(number: int) -> None:
        answers.append(Xero(quick).put("/Contacts", {"Contacts": [{"Name": f"At once {number}"}]}))

    threads = [threading.Thread(target=create, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 3
    assert {answer.headers["X-Rate-Limit-Problem"] for answer in refused} == {"concurrent"}
    assert all("Retry-After" not in answer.headers for answer in refused)
    assert sum(contact["Name"].startswith("At once") for contact in quick.contacts()) == 2
