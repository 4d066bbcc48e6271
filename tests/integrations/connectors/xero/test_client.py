"""What Xero's answers mean: refusals in its own words, four kinds of pauses, who has to reconnect."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import formatdate
from functools import partial
from typing import Any

import pytest
import time_machine

from integrations.connectors.xero.client import XeroClient, reasons_of
from integrations.core.errors import (
    Hold,
    IntegrationError,
    OutcomeUnknownError,
    Reach,
    ReconnectError,
    RejectedError,
    TemporaryError,
)
from integrations.models import CallBudget, Grant
from integrations.transport import token_refresh
from integrations.transport.call_budget import Purpose
from integrations.transport.http import Request, Response
from tests.base import Cast, make_connection
from tests.integrations.scripted import ScriptedProvider, json_answer, running_provider
from tests.integrations.wire import Wire, client_for, connected
from tests.provider import DEMO, NORTHWIND, Sandbox

WRITE = Request.of_json("PUT", "/Contacts", {"Contacts": [{"Name": "N"}]})


@pytest.fixture
def provider(settings: Any) -> Iterator[ScriptedProvider]:
    with running_provider() as running:
        settings.XERO_API_BASE = running.url
        yield running


@pytest.fixture
def api(cast: Cast, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch) -> XeroClient:
    def access_token(grant_id: int, *, unless: str | None = None) -> str:
        return "first" if unless is None else "second"

    monkeypatch.setattr(token_refresh, "access_token", access_token)
    return XeroClient(make_connection(cast.team, "xero", external_id="tenant-1", name="Acme Ltd"))


def error_of(api: XeroClient, *, write: bool = False) -> Any:
    call = partial(api.write, WRITE, idempotency_key="k") if write else partial(api.read, "/Contacts")
    with pytest.raises(IntegrationError) as caught:
        call()
    return caught.value


def gate(status: int, detail: str) -> bytes:
    title = {401: "Unauthorized", 403: "Forbidden"}[status]
    body = {"Type": None, "Title": title, "Status": status, "Detail": detail, "Instance": "x", "Extensions": {}}
    return json_answer(status, json.dumps(body))


def test_every_call_names_the_organisation_and_asks_for_json(api: XeroClient, provider: ScriptedProvider) -> None:
    provider.says(json_answer(200, '{"Contacts":[]}'))
    api.read("/Contacts")
    (sent,) = provider.requests
    assert sent.startswith(b"GET /api.xro/2.0/Contacts HTTP/1.1\r\n")
    assert b"xero-tenant-id: tenant-1\r\n" in sent
    assert b"Accept: application/json\r\n" in sent


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_all_of_xeros_words_are_told_wherever_they_stand(api: XeroClient, provider: ScriptedProvider) -> None:
    body = {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": [
            {
                "Contact": {"ValidationErrors": [{"Message": "The contact is archived."}]},
                "LineItems": [
                    {"ValidationErrors": [{"Message": "Account code '999' is not valid"}]},
                    {"ValidationErrors": [{"Message": "Account code '999' is not valid"}]},
                ],
                "ValidationErrors": [{"Message": "Invoice # must be unique."}],
            }
        ],
    }
    provider.says(json_answer(400, json.dumps(body)))
    error = error_of(api, write=True)
    assert type(error) is RejectedError
    assert error.reasons == [
        "The contact is archived.",
        "Account code '999' is not valid",
        "Invoice # must be unique.",
    ]
    assert error.message == (
        "Xero refused it: The contact is archived. Account code '999' is not valid. Invoice # must be unique."
    )
    assert error.status == 400


@pytest.mark.parametrize(
    ("body", "reasons"),
    [
        ('{"ErrorNumber":16,"Type":"QueryParseException","Message":"Syntax error"}', ["Syntax error"]),
        ('{"Title":"Forbidden","Status":403,"Detail":"No Projects"}', ["No Projects"]),
        ('{"Title":"Forbidden"}', ["Forbidden"]),
        ("The resource you're looking for cannot be found", ["The resource you're looking for cannot be found"]),
        ("<html><body>Bad</body></html>", []),
        ("", []),
        ("[]", ["[]"]),
        ("null", ["null"]),
    ],
)
def test_reasons_of_other_refusals(body: str, reasons: list[str]) -> None:
    assert reasons_of(Response(status=400, body=body.encode())) == reasons


def test_a_refusal_without_a_word_says_so(api: XeroClient, provider: ScriptedProvider) -> None:
    provider.says(json_answer(404, ""))
    assert error_of(api).message == "Xero refused it: It gave no reason (status 404)."


# --- who has to reconnect ---------------------------------------------------------------------------------------------


def test_a_token_that_ran_out_is_renewed_and_the_call_made_once_more(
    api: XeroClient, provider: ScriptedProvider
) -> None:
    provider.says(gate(401, "TokenExpired: token expired at 08/12/2022 07:00:40"), json_answer(200, '{"Contacts":[]}'))
    api.read("/Contacts")
    assert [b"Bearer first" in sent for sent in provider.requests] == [True, False]
    assert b"Bearer second" in provider.requests[1]


def test_a_missing_permission_is_not_refreshed_away(api: XeroClient, provider: ScriptedProvider) -> None:
    provider.says(gate(401, "AuthorizationUnsuccessful"))
    error = error_of(api)
    assert type(error) is ReconnectError
    assert error.scope is Reach.CONNECTION
    assert error.message == (
        "Xero did not allow this with the permissions given for Acme Ltd. Reconnect Xero and agree to all the "
        "permissions it lists."
    )
    assert len(provider.requests) == 1


def test_a_token_refused_after_its_renewal_concerns_the_whole_consent(
    api: XeroClient, provider: ScriptedProvider
) -> None:
    provider.says(gate(401, "TokenExpired"))
    error = error_of(api)
    assert (type(error), error.scope) == (ReconnectError, Reach.GRANT)
    assert len(provider.requests) == 2


def test_a_refused_organisation_concerns_this_connection_only(api: XeroClient, provider: ScriptedProvider) -> None:
    provider.says(gate(403, "AuthenticationUnsuccessful"))
    error = error_of(api, write=True)
    assert (type(error), error.scope) == (ReconnectError, Reach.CONNECTION)
    assert error.message.startswith("Xero refused access to Acme Ltd:")
    assert len(provider.requests) == 1


def test_another_403_is_a_refusal(api: XeroClient, provider: ScriptedProvider) -> None:
    provider.says(gate(403, "The organisation has no Projects"))
    error = error_of(api)
    assert (type(error), error.reasons) == (RejectedError, ["The organisation has no Projects"])


# --- pauses -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "wait", "message"),
    [
        (
            {"X_Rate_Limit_Problem": "minute", "Retry_After": "17"},
            17,
            "Xero's limit of calls a minute for this organisation is reached.",
        ),
        (
            {"X_Rate_Limit_Problem": "Minute"},
            60,
            "Xero's limit of calls a minute for this organisation is reached.",
        ),
        (
            {"X_Rate_Limit_Problem": "day", "Retry_After": "43210"},
            43210,
            "Xero's limit of calls a day for this organisation is reached.",
        ),
        ({"X_Rate_Limit_Problem": "day"}, 3600, "Xero's limit of calls a day for this organisation is reached."),
        (
            {"X_Rate_Limit_Problem": "app-minute", "Retry_After": "3"},
            3,
            "Xero's limit of calls a minute for this installation is reached.",
        ),
        (
            {"X_Rate_Limit_Problem": "appminute"},
            60,
            "Xero's limit of calls a minute for this installation is reached.",
        ),
        ({}, 60, "Xero's limit of calls a minute for this organisation is reached."),
        ({"Retry_After": "soon"}, 60, "Xero's limit of calls a minute for this organisation is reached."),
        ({"Retry_After": "-5"}, 1, "Xero's limit of calls a minute for this organisation is reached."),
        # A limit of a minute that asked for a day would stop everything until then.
        ({"Retry_After": "999999999"}, 120, "Xero's limit of calls a minute for this organisation is reached."),
        (
            {"X_Rate_Limit_Problem": "App-Minute", "Retry_After": "86400"},
            120,
            "Xero's limit of calls a minute for this installation is reached.",
        ),
        (
            {"X_Rate_Limit_Problem": "concurrent", "Retry_After": "86400"},
            120,
            "Xero answers only five calls of an organisation at once.",
        ),
        (
            {"X_Rate_Limit_Problem": "day", "Retry_After": "999999999"},
            90_000,
            "Xero's limit of calls a day for this organisation is reached.",
        ),
        (
            {"Retry_After": "Sun, 22 Nov 2026 12:00:30 GMT"},
            30,
            "Xero's limit of calls a minute for this organisation is reached.",
        ),
    ],
)
def test_a_429_waits_as_long_as_it_says(api: XeroClient, headers: dict[str, str], wait: float, message: str) -> None:
    told = {name.lower().replace("_", "-"): value for name, value in headers.items()}
    with time_machine.travel(datetime(2026, 11, 22, 12, 0, tzinfo=UTC), tick=False):
        error = api.retry_error(Response(status=429, headers=told, body=b"Rate limit exceeded"))
    assert (error.retry_after, error.message, error.hold) == (wait, message, Hold.BUDGET)


@pytest.mark.parametrize(("ahead", "kept"), [(1200, 1200), (-1200, -1200), (3, 0)])
def test_what_an_answer_tells_of_its_clock_is_kept(
    ahead: int, kept: int, api: XeroClient, provider: ScriptedProvider
) -> None:
    provider.says(json_answer(200, '{"Contacts":[]}', Date=formatdate(time.time() + ahead, usegmt=True)))
    api.read("/Contacts")
    assert abs(api.clock_skew() - kept) <= 2
    assert (api.clock_skew() == 0) is (kept == 0)


def test_a_clock_that_cannot_be_read_is_no_clock(api: XeroClient, provider: ScriptedProvider) -> None:
    for told in ("yesterday", "", "Fri, 31 Dec 9999 23:59:59 GMT"):
        provider.says(json_answer(200, '{"Contacts":[]}', Date=told))
        api.read("/Contacts")
    assert api.clock_skew() == 10**9
    assert CallBudget.objects.get().in_flight == {}


def test_too_many_at_once_come_back_at_different_moments(api: XeroClient) -> None:
    answer = Response(status=429, headers={"x-rate-limit-problem": "concurrent"})
    waits = {api.retry_error(answer).retry_after or 0 for _ in range(20)}
    assert len(waits) > 5
    assert all(1 <= wait <= 2 for wait in waits)


def test_a_429_on_a_write_is_certainly_not_executed_and_blocks(api: XeroClient, provider: ScriptedProvider) -> None:
    provider.says(json_answer(429, "Rate limit", X_Rate_Limit_Problem="minute", Retry_After="20"))
    error = error_of(api, write=True)
    assert (type(error), error.retry_after) == (TemporaryError, 20)
    assert CallBudget.objects.get().blocked_reason == (
        "Xero's limit of calls a minute for this organisation is reached."
    )


def test_xeros_own_count_of_the_day_is_taken_over(api: XeroClient, provider: ScriptedProvider) -> None:
    provider.says(json_answer(200, '{"Contacts":[]}', X_DayLimit_Remaining="900"))
    api.read("/Contacts")
    assert CallBudget.objects.get().day_used == 100


def test_a_500_on_a_write_leaves_the_outcome_unknown(api: XeroClient, provider: ScriptedProvider) -> None:
    provider.says(json_answer(500, '{"ErrorNumber":500,"Type":"UnknownErrorException"}'))
    assert type(error_of(api, write=True)) is OutcomeUnknownError
    assert type(error_of(api)) is TemporaryError


# --- pages ------------------------------------------------------------------------------------------------------------


def test_pages_are_read_until_the_last(api: XeroClient, provider: ScriptedProvider) -> None:
    def page(number: int) -> bytes:
        told = {"pagination": {"page": number, "pageSize": 2, "pageCount": 2}, "Contacts": [{"ContactID": number}]}
        return json_answer(200, json.dumps(told))

    provider.says(page(1), page(2))
    found = [row["ContactID"] for rows in api.pages("/Contacts", "Contacts", page_size=2) for row in rows]
    assert found == [1, 2]
    assert b"page=1&pageSize=2 " in provider.requests[0]
    assert b"page=2&pageSize=2 " in provider.requests[1]


def test_without_a_page_count_a_short_page_is_the_last(api: XeroClient, provider: ScriptedProvider) -> None:
    provider.says(json_answer(200, '{"Contacts":[{},{}]}'), json_answer(200, '{"Contacts":[{}]}'))
    assert [len(page) for page in api.pages("/Contacts", "Contacts", page_size=2)] == [2, 1]
    assert len(provider.requests) == 2


@pytest.mark.parametrize("body", ["{}", "[]", '{"Contacts":{}}', '{"Contacts":[1]}', "null"])
def test_an_answer_of_another_shape_is_a_temporary_error(
    api: XeroClient, provider: ScriptedProvider, body: str
) -> None:
    provider.says(json_answer(200, body))
    with pytest.raises(TemporaryError, match="holds no list of contacts"):
        list(api.pages("/Contacts", "Contacts"))


# --- against the sandbox ----------------------------------------------------------------------------------------------


def test_an_expired_token_is_renewed_on_the_way(demo: Any, sandbox: Sandbox, wire: Wire) -> None:
    before = demo.connection.grant.access_token
    sandbox.expire(access_token=before)
    demo.read("/Organisation")
    assert [one.status for one in wire.exchanges] == [401, 200]
    assert wire.exchanges[0].token == before
    assert wire.exchanges[1].token == Grant.objects.get().access_token != before


def test_a_write_with_an_expired_token_writes_once(demo: Any, sandbox: Sandbox, wire: Wire) -> None:
    sandbox.expire(access_token=demo.connection.grant.access_token)
    demo.write(Request.of_json("PUT", "/Contacts", {"Contacts": [{"Name": "Once"}]}), idempotency_key="k")
    assert [one.status for one in wire.exchanges] == [401, 200]
    assert wire.exchanges[0].body == wire.exchanges[1].body
    assert [contact["Name"] for contact in sandbox.contacts()].count("Once") == 1


def test_an_organisation_disconnected_at_xero_leaves_the_other_alone(
    cast: Cast, sandbox_hosts: Sandbox, wire: Wire
) -> None:
    first = client_for(connected(sandbox_hosts, cast, "xero", DEMO, name="Demo"))
    second = client_for(make_connection(cast.team, "xero", external_id=NORTHWIND, name="Northwind"))
    sandbox_hosts.revoke(tenant=NORTHWIND)
    with pytest.raises(ReconnectError) as caught:
        second.read("/Organisation")
    assert caught.value.scope is Reach.CONNECTION
    assert first.read("/Organisation").status == 200


def test_a_permission_that_was_not_given_needs_a_new_consent(cast: Cast, sandbox_hosts: Sandbox, wire: Wire) -> None:
    connection = connected(sandbox_hosts, cast, "xero", DEMO, name="Demo")
    tokens = sandbox_hosts.tokens("xero", scopes=["offline_access", "accounting.contacts"], tenants=[DEMO])
    connection.grant.access_token = tokens["access_token"]
    connection.grant.save()
    with pytest.raises(ReconnectError) as caught:
        client_for(connection).read("/Invoices", {"page": "1"})
    assert caught.value.scope is Reach.CONNECTION
    assert [one.status for one in wire.exchanges] == [401], "no refresh, no second try"


@pytest.mark.parametrize(
    ("fault", "for_read", "for_write"),
    [
        ("500", TemporaryError, OutcomeUnknownError),
        ("html_503", TemporaryError, OutcomeUnknownError),
        ("429", TemporaryError, TemporaryError),
        ("reset_before", TemporaryError, OutcomeUnknownError),
        ("reset_after", TemporaryError, OutcomeUnknownError),
    ],
)
def test_faults_of_the_sandbox(
    demo: Any,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    for_read: type[IntegrationError],
    for_write: type[IntegrationError],
) -> None:
    sandbox.faults(next=[fault], methods=["GET"])
    assert type(error_of(demo)) is for_read
    CallBudget.objects.all().delete()
    sandbox.faults(next=[fault], methods=["PUT"])
    assert type(error_of(demo, write=True)) is for_write


def test_an_html_page_instead_of_json(demo: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.integrations.sandbox import contract

    monkeypatch.setattr(contract, "validate_exchange", lambda *args: None)
    sandbox.faults(next=["html_200"])
    assert error_of(demo).message == "Xero answered with something that is not JSON."


def test_our_limits_come_from_the_settings(api: XeroClient, settings: Any) -> None:
    settings.XERO_MINUTE_LIMIT, settings.XERO_CONCURRENT_LIMIT, settings.XERO_DAY_LIMIT = 7, 3, 50
    told = api.limits()
    assert (told.per_minute, told.at_once, told.per_day) == (7, 3, 50)
    assert XeroClient(api.connection, purpose=Purpose.POLL).purpose is Purpose.POLL
