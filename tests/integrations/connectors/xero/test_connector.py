"""What a consent at Xero reaches, what is remembered of an organisation, how a connection ends."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.connectors.xero.connector import connector
from integrations.connectors.xero.plain import plain, read_moment, today_in
from integrations.connectors.xero.zones import IANA, iana
from integrations.core.errors import ReconnectError, TemporaryError
from tests.base import Cast
from tests.integrations.sandbox import contract
from tests.integrations.scripted import ScriptedProvider, json_answer, running_provider
from tests.integrations.wire import Wire, connected
from tests.provider import DEMO, NORTHWIND, Sandbox


def test_a_consent_reaches_two_organisations_with_their_facts(sandbox_hosts: Sandbox, wire: Wire, db: None) -> None:
    token = sandbox_hosts.tokens("xero")["access_token"]
    accounts = connector.accounts(token)
    assert [(one.external_id, one.name) for one in accounts] == [
        (DEMO, "Demo Company (NZ)"),
        (NORTHWIND, "Northwind Ltd"),
    ]
    assert all(one.provider_connection_id for one in accounts)
    northwind = accounts[1].details
    assert (northwind["country"], northwind["currency"], northwind["timezone"]) == ("GB", "GBP", "Europe/London")
    assert (northwind["period_lock_date"], northwind["end_of_year_lock_date"]) == ("2025-12-31", "2025-03-31")
    assert (northwind["is_demo"], northwind["short_code"]) == (False, "!Nw7Gb")
    assert accounts[0].details["is_demo"] is True
    assert len(wire.calls) == 3, "one for the list and one for each"


def test_the_facts_of_a_connection_are_read_in_three_calls(demo: Any, wire: Wire) -> None:
    details = connector.details(demo)
    assert sorted(wire.calls) == [f"GET /api.xro/2.0/{name}" for name in ("Accounts", "Organisation", "TaxRates")]
    assert details["accounts"]["200"] == {"name": "Sales", "class": "REVENUE", "type": "REVENUE", "tax_type": "OUTPUT2"}
    assert details["tax_rates"]["OUTPUT2"] == {
        "name": "15% GST on Income",
        "rate": "15",
        "classes": ["ASSET", "EQUITY", "LIABILITY", "REVENUE"],
    }
    assert details["timezone"] == "Pacific/Auckland"
    assert (details["period_lock_date"], details["end_of_year_lock_date"]) == ("", "")
    assert json.loads(json.dumps(details)) == details


def test_disconnecting_takes_the_organisation_off_the_list(cast: Cast, sandbox_hosts: Sandbox, wire: Wire) -> None:
    connection = connected(sandbox_hosts, cast, "xero", DEMO, name="Demo")
    token = connection.grant.access_token
    connection.provider_connection_id = connector.accounts(token)[0].provider_connection_id
    connector.disconnect(token, connection)
    assert [one.external_id for one in connector.accounts(token)] == [NORTHWIND]
    connector.disconnect(token, connection)  # already gone


@pytest.fixture
def provider(settings: Any) -> Iterator[ScriptedProvider]:
    with running_provider() as running:
        settings.XERO_API_BASE = running.url
        yield running


def rows(*told: tuple[str, str, str, str]) -> bytes:
    names = ("tenantId", "tenantName", "tenantType", "authEventId")
    return json_answer(200, json.dumps([{"id": f"c-{row[0]}", **dict(zip(names, row, strict=True))} for row in told]))


def organisation(**values: Any) -> bytes:
    return json_answer(200, json.dumps({"Organisations": [{"Name": "N", **values}]}))


def test_what_this_consent_added_comes_first_and_practices_are_left_out(provider: ScriptedProvider) -> None:
    claims = base64.urlsafe_b64encode(b'{"authentication_event_id":"e-2"}').decode().rstrip("=")
    provider.says(
        rows(
            ("t1", "Aaa", "ORGANISATION", "e-1"),
            ("t2", "Practice", "PRACTICE", "e-2"),
            ("t3", "Zzz", "ORGANISATION", "e-2"),
        ),
        organisation(CountryCode="NZ"),
    )
    accounts = connector.accounts(f"h.{claims}.s")
    assert [(one.external_id, one.details["is_new"]) for one in accounts] == [("t3", True), ("t1", False)]


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ({"FinancialYearEndMonth": 3, "FinancialYearEndDay": 31}, "03-31"),
        ({"FinancialYearEndMonth": 2, "FinancialYearEndDay": 29}, "02-29"),
        ({"FinancialYearEndMonth": 6}, ""),
        ({"FinancialYearEndMonth": 13, "FinancialYearEndDay": 1}, ""),
        ({}, ""),
    ],
)
def test_the_end_of_the_financial_year_is_remembered(
    provider: ScriptedProvider, told: dict[str, int], kept: str
) -> None:
    provider.says(rows(("t1", "Aaa", "ORGANISATION", "e-1")), organisation(**told))
    (account,) = connector.accounts("opaque")
    assert account.details["financial_year_end"] == kept


def test_an_organisation_that_refuses_is_listed_without_facts(provider: ScriptedProvider) -> None:
    provider.says(rows(("t1", "Aaa", "ORGANISATION", "e-1")), json_answer(403, "{}"))
    (account,) = connector.accounts("opaque")
    assert account.details == {"is_new": False}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_organisation_that_cannot_be_asked_now_does_not_hide_the_others(
    provider: ScriptedProvider, status: int
) -> None:
    listed = rows(("t1", "Aaa", "ORGANISATION", "e-1"), ("t2", "Bbb", "ORGANISATION", "e-1"))
    provider.says(listed, json_answer(status, "no"), organisation(CountryCode="NZ"))
    one, other = connector.accounts("opaque")
    assert one.details == {"is_new": False}
    assert other.details["country"] == "NZ"


def test_no_organisation_at_all_is_an_empty_list(provider: ScriptedProvider) -> None:
    provider.says(json_answer(200, "[]"))
    assert connector.accounts("opaque") == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (json_answer(401), ReconnectError),
        (json_answer(403), ReconnectError),
        (json_answer(500), TemporaryError),
        (json_answer(429), TemporaryError),
        (json_answer(302), TemporaryError),
        (json_answer(200, "<html>"), TemporaryError),
        (json_answer(200, "{}"), TemporaryError),
        (json_answer(200, "[{}]"), TemporaryError),
        (None, TemporaryError),
    ],
)
def test_a_list_that_cannot_be_had(provider: ScriptedProvider, answer: bytes | None, error: type[Exception]) -> None:
    provider.says(answer)
    with pytest.raises(error):
        connector.accounts("opaque")


def test_the_token_endpoint_is_the_settings(settings: Any) -> None:
    settings.XERO_IDENTITY_BASE = "https://identity.example"
    endpoints = connector.oauth()
    assert endpoints.token_url == "https://identity.example/connect/token"
    assert endpoints.revoke_url == "https://identity.example/connect/revocation"
    assert (endpoints.client_id, endpoints.client_secret) == ("sandbox-xero", "sandbox-xero-secret")


@pytest.mark.parametrize(
    ("status", "body", "is_final"),
    [(400, {"error": "invalid_grant"}, True), (400, {"error": "invalid_request"}, False), (500, {}, False)],
)
def test_only_invalid_grant_means_a_new_consent(status: int, body: dict[str, str], is_final: bool) -> None:
    assert connector.token_rejected(status, body) is is_final


# --- dates and zones --------------------------------------------------------------------------------------------------


def test_dates_become_iso_and_their_repetitions_go() -> None:
    assert plain(
        {
            "Date": "/Date(1552262400000+0000)/",
            "DateString": "2019-03-11T00:00:00",
            "DueDate": "/Date(-86400000)/",
            "UpdatedDateUTC": "/Date(1551399321043+1300)/",
            "UpdatedDateUTCString": "x",
            "TimeString": "kept",
            "Reference": "/Date(1)/ in a text",
            "Payments": [{"Date": "/Date(0)/"}],
        }
    ) == {
        "Date": "2019-03-11",
        "DueDate": "1969-12-31",
        "UpdatedDateUTC": "2019-03-01T00:15:21.043Z",
        "TimeString": "kept",
        "Reference": "/Date(1)/ in a text",
        "Payments": [{"Date": "1970-01-01"}],
    }


@given(st.integers(-62_135_596_800, 253_402_300_799))
def test_every_moment_is_read_exactly(seconds: int) -> None:
    moment = read_moment(f"/Date({seconds * 1000}+0000)/")
    assert moment == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def test_a_moment_beyond_all_calendars_stays_text() -> None:
    assert plain({"Date": "/Date(9999999999999999)/"}) == {"Date": "/Date(9999999999999999)/"}


def test_every_zone_is_one_that_python_knows() -> None:
    assert set(IANA.values()) <= available_timezones() | {"Etc/UTC"}
    assert iana("NEWZEALANDSTANDARDTIME") == "Pacific/Auckland"
    assert iana("New Zealand Standard Time") == "Pacific/Auckland"
    assert iana("MOONSTANDARDTIME") == ""
    assert all(ZoneInfo(zone) for zone in IANA.values())


@pytest.mark.contract
def test_every_zone_of_xeros_description_is_known() -> None:
    if not contract.FOLDER.is_dir():
        pytest.skip("The providers' descriptions are not on this machine.")
    described = json.loads(contract._text("xero_accounting.yaml"))["components"]["schemas"]["TimeZone"]["enum"]
    assert sorted(set(described) - set(IANA)) == []


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Pacific/Auckland", date(2026, 11, 23)), ("America/New_York", date(2026, 11, 22)), ("", date(2026, 11, 22))],
)
def test_today_is_a_day_of_the_organisation(zone: str, day: date) -> None:
    assert today_in(zone, datetime(2026, 11, 22, 12, 0, tzinfo=UTC)) == day
