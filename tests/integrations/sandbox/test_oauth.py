"""Consent, tokens, rotation, revocation."""

import base64
import json
import urllib.parse
from typing import Any

import pytest
import requests

from tests.integrations.sandbox.conftest import Caller, Xero
from tests.provider import CLIENTS, DEMO, NORTHWIND, Sandbox

RETURN_TO = "http://localhost:8000/accounts/xero/login/callback/"
PAGES = {"xero": "/identity/connect/authorize", "pinterest": "/oauth/"}
TOKEN_PATHS = {"xero": "/connect/token", "pinterest": "/v5/oauth/token"}
SCOPES = {"xero": "openid email offline_access accounting.contacts", "pinterest": "boards:read,pins:read"}
PROVIDERS = pytest.mark.parametrize("provider", ["xero", "pinterest"])


def ask(sandbox: Sandbox, provider: str, **changes: str | None) -> requests.Response:
    """Open the authorization page."""
    return sandbox.session.get(sandbox.url + PAGES[provider], params=asked(provider, **changes), allow_redirects=False)


def asked(provider: str, **changes: str | None) -> dict[str, str]:
    values: dict[str, str | None] = {
        "response_type": "code",
        "client_id": CLIENTS[provider][0],
        "redirect_uri": RETURN_TO,
        "scope": SCOPES[provider],
        "state": "s p&c=1",
        **changes,
    }
    return {name: value for name, value in values.items() if value is not None}


def decide(
    sandbox: Sandbox, provider: str, decision: str = "accept", tenants: tuple[str, ...] = (), **changes: str
) -> dict[str, str]:
    """Press a button on the consent page; what comes back to the app."""
    form: dict[str, Any] = {**asked(provider, **changes), "decision": decision, "tenant": list(tenants)}
    response = sandbox.session.post(sandbox.url + PAGES[provider], data=form, allow_redirects=False)
    assert response.status_code == 302, response.text
    place = urllib.parse.urlsplit(response.headers["Location"])
    assert f"{place.scheme}://{place.netloc}{place.path}" == RETURN_TO
    return dict(urllib.parse.parse_qsl(place.query))


def fetch(sandbox: Sandbox, provider: str, auth: tuple[str, str] | None = None, **form: str) -> requests.Response:
    return sandbox.session.post(
        sandbox.url + TOKEN_PATHS[provider], data=form, auth=auth or CLIENTS[provider], timeout=10
    )


def redeem(sandbox: Sandbox, provider: str, code: str) -> requests.Response:
    return fetch(sandbox, provider, grant_type="authorization_code", code=code, redirect_uri=RETURN_TO)


def refresh(sandbox: Sandbox, provider: str, token: str) -> requests.Response:
    return fetch(sandbox, provider, grant_type="refresh_token", refresh_token=token)


def claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


@PROVIDERS
def test_the_consent_page_names_the_app_and_every_scope(sandbox: Sandbox, provider: str) -> None:
    page = ask(sandbox, provider)
    assert page.status_code == 200
    assert "Pinxero (local)" in page.text
    for scope in SCOPES[provider].replace(",", " ").split():
        assert f">{scope}<" in page.text


def test_the_consent_page_of_xero_offers_both_organisations_ticked(sandbox: Sandbox) -> None:
    page = ask(sandbox, "xero").text
    assert page.count('name="tenant"') == page.count("checked") == 2
    assert "Demo Company (NZ)" in page
    assert "Northwind Ltd" in page


def test_the_consent_page_escapes_what_the_address_holds(sandbox: Sandbox) -> None:
    page = ask(sandbox, "xero", state='"><script>alert(1)</script>').text
    assert "<script>" not in page
    assert "&quot;&gt;&lt;script&gt;" in page


@PROVIDERS
def test_accepting_sends_back_a_code_and_the_state_untouched(sandbox: Sandbox, provider: str) -> None:
    back = decide(sandbox, provider)
    assert back["state"] == "s p&c=1"
    assert len(back["code"]) > 20
    assert "error" not in back


@PROVIDERS
def test_denying_sends_back_access_denied_and_no_code(sandbox: Sandbox, provider: str) -> None:
    back = decide(sandbox, provider, "deny")
    assert back["error"] == "access_denied"
    assert back["state"] == "s p&c=1"
    assert "code" not in back


@PROVIDERS
def test_an_unknown_scope_is_sent_back_as_invalid_scope(sandbox: Sandbox, provider: str) -> None:
    answer = ask(sandbox, provider, scope="accounting.transactions")
    assert answer.status_code == 302
    assert "error=invalid_scope" in answer.headers["Location"]


@PROVIDERS
@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "somebody-else"},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": None},
        {"redirect_uri": "http://localhost.evil.example/"},
        {"redirect_uri": "javascript:alert(1)"},
    ],
)
def test_a_wrong_client_or_return_address_is_an_error_page_and_no_redirect(
    sandbox: Sandbox, provider: str, changes: dict[str, str | None]
) -> None:
    answer = ask(sandbox, provider, **changes)
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert "Nothing was granted" in answer.text


@PROVIDERS
def test_a_code_becomes_tokens_once(sandbox: Sandbox, provider: str) -> None:
    code = decide(sandbox, provider)["code"]
    first, second = redeem(sandbox, provider, code), redeem(sandbox, provider, code)
    assert first.status_code == 200
    assert first.json()["expires_in"] == {"xero": 1800, "pinterest": 2592000}[provider]
    assert second.status_code == 400
    assert "access_token" not in second.json()


@PROVIDERS
def test_a_code_expires_after_five_minutes(sandbox: Sandbox, provider: str) -> None:
    code = decide(sandbox, provider)["code"]
    sandbox.faults(clock_offset_seconds=299)
    late = decide(sandbox, provider)["code"]
    sandbox.faults(clock_offset_seconds=301)
    assert redeem(sandbox, provider, code).status_code == 400
    assert redeem(sandbox, provider, late).status_code == 200


def test_a_code_is_good_for_its_own_return_address_only(sandbox: Sandbox) -> None:
    code = decide(sandbox, "xero")["code"]
    answer = fetch(sandbox, "xero", grant_type="authorization_code", code=code, redirect_uri=RETURN_TO + "other")
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"


@PROVIDERS
@pytest.mark.parametrize("auth", [("x", "y"), ("sandbox-xero", "wrong"), ("sandbox-pinterest", "wrong")])
def test_a_wrong_secret_is_refused_and_no_token_is_issued(
    sandbox: Sandbox, provider: str, auth: tuple[str, str]
) -> None:
    code = decide(sandbox, provider)["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": RETURN_TO}
    answer = fetch(sandbox, provider, auth, **form)
    assert answer.status_code == 401
    if provider == "xero":
        assert answer.json() == {"error": "invalid_client"}
    else:
        assert answer.json() == {"code": 2, "message": "Authentication failed."}
    assert redeem(sandbox, provider, code).status_code == 200  # the code is still unused


def test_credentials_in_the_form_do_not_count(sandbox: Sandbox) -> None:
    code = decide(sandbox, "xero")["code"]
    name, secret = CLIENTS["xero"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": RETURN_TO}
    answer = sandbox.session.post(
        sandbox.url + "/connect/token", data={**form, "client_id": name, "client_secret": secret}
    )
    assert answer.status_code == 401


def test_xeros_access_token_is_a_jwt_that_tells_user_event_and_scopes(sandbox: Sandbox) -> None:
    body = redeem(sandbox, "xero", decide(sandbox, "xero", tenants=(DEMO,))["code"]).json()
    told = claims(body["access_token"])
    assert told["xero_userid"] == "1f6c0b6e-6f0d-4f5e-9a57-0c0f5b1c7a11"
    assert told["client_id"] == "sandbox-xero"
    assert told["scope"] == SCOPES["xero"].split()
    assert body["scope"] == SCOPES["xero"]
    assert body["token_type"] == "Bearer"
    assert claims(body["id_token"])["email"] == "robin.ledger@pinworks.example"
    event = told["authentication_event_id"]
    api = Caller(sandbox, "", body["access_token"])
    assert [one["authEventId"] for one in api.get("/connections", authEventId=event).json()] == [event]


def test_without_offline_access_xero_gives_no_refresh_token(sandbox: Sandbox) -> None:
    code = decide(sandbox, "xero", scope="openid accounting.contacts")["code"]
    assert "refresh_token" not in redeem(sandbox, "xero", code).json()


def test_pinterests_tokens_look_like_pinterests(sandbox: Sandbox) -> None:
    body = redeem(sandbox, "pinterest", decide(sandbox, "pinterest")["code"]).json()
    assert body["access_token"].startswith("pina_")
    assert body["refresh_token"].startswith("pinr_")
    assert body["response_type"] == "authorization_code"
    assert body["token_type"] == "bearer"
    assert body["refresh_token_expires_in"] == 5184000
    assert body["scope"] == "boards:read pins:read"


def test_scopes_granted_before_come_along_at_the_next_consent(sandbox: Sandbox) -> None:
    decide(sandbox, "xero", scope="openid accounting.invoices")
    body = redeem(sandbox, "xero", decide(sandbox, "xero", scope="openid accounting.contacts")["code"]).json()
    assert set(body["scope"].split()) == {"openid", "accounting.contacts", "accounting.invoices"}


def test_only_ticked_organisations_are_connected(sandbox: Sandbox) -> None:
    body = redeem(sandbox, "xero", decide(sandbox, "xero", tenants=(NORTHWIND,))["code"]).json()
    names = [one["tenantName"] for one in Caller(sandbox, "", body["access_token"]).get("/connections").json()]
    assert names == ["Northwind Ltd"]


def test_a_consent_without_organisations_connects_none(sandbox: Sandbox) -> None:
    body = redeem(sandbox, "xero", decide(sandbox, "xero")["code"]).json()
    assert Caller(sandbox, "", body["access_token"]).get("/connections").json() == []


@PROVIDERS
def test_a_refresh_gives_a_new_pair_that_works(sandbox: Sandbox, provider: str) -> None:
    old = sandbox.tokens(provider)
    new = refresh(sandbox, provider, old["refresh_token"]).json()
    assert new["refresh_token"] != old["refresh_token"]
    assert new["access_token"] != old["access_token"]
    assert set(new["scope"].split()) == set(old["scope"].split())
    assert refresh(sandbox, provider, new["refresh_token"]).status_code == 200


def test_pinterest_takes_a_refresh_token_once(sandbox: Sandbox) -> None:
    old = sandbox.tokens("pinterest")["refresh_token"]
    assert refresh(sandbox, "pinterest", old).status_code == 200
    again = refresh(sandbox, "pinterest", old)
    assert again.status_code == 400
    assert set(again.json()) == {"code", "message"}


def test_xero_takes_the_previous_refresh_token_for_half_an_hour(sandbox: Sandbox) -> None:
    old = sandbox.tokens("xero")["refresh_token"]
    assert refresh(sandbox, "xero", old).status_code == 200
    sandbox.faults(clock_offset_seconds=1790)
    assert refresh(sandbox, "xero", old).status_code == 200
    sandbox.faults(clock_offset_seconds=1810)
    late = refresh(sandbox, "xero", old)
    assert late.status_code == 400
    assert late.json()["error"] == "invalid_grant"


def test_the_grace_can_be_switched_off(sandbox: Sandbox) -> None:
    sandbox.faults(refresh_grace_seconds=0)
    old = sandbox.tokens("xero")["refresh_token"]
    assert refresh(sandbox, "xero", old).status_code == 200
    sandbox.faults(clock_offset_seconds=1)
    assert refresh(sandbox, "xero", old).json()["error"] == "invalid_grant"


def test_a_repeated_refresh_makes_the_first_answers_token_stale(sandbox: Sandbox) -> None:
    old = sandbox.tokens("xero")["refresh_token"]
    first = refresh(sandbox, "xero", old).json()["refresh_token"]
    second = refresh(sandbox, "xero", old).json()["refresh_token"]
    assert refresh(sandbox, "xero", first).json()["error"] == "invalid_grant"
    assert refresh(sandbox, "xero", second).status_code == 200


def test_a_lost_refresh_answer_was_rotated_all_the_same(sandbox: Sandbox) -> None:
    old = sandbox.tokens("xero")["refresh_token"]
    sandbox.faults(p_refresh_silence=1)
    form = {"grant_type": "refresh_token", "refresh_token": old}
    with pytest.raises(requests.Timeout):
        requests.post(sandbox.url + "/connect/token", data=form, auth=CLIENTS["xero"], timeout=0.5)
    assert sandbox.ledger(path="/connect/token")[-1]["committed"] is True
    sandbox.faults(p_refresh_silence=0)
    assert refresh(sandbox, "xero", old).status_code == 200


def test_revocation_ends_the_tokens_and_the_connections(sandbox: Sandbox, xero: Xero) -> None:
    token = sandbox.tokens("xero")
    data = {"token": token["refresh_token"]}
    answer = sandbox.session.post(sandbox.url + "/connect/revocation", data=data, auth=CLIENTS["xero"])
    assert (answer.status_code, answer.content) == (200, b"")
    assert refresh(sandbox, "xero", token["refresh_token"]).json()["error"] == "invalid_grant"
    assert Caller(sandbox, "", token["access_token"]).get("/connections").status_code == 401


def test_revocation_wants_the_apps_secret(sandbox: Sandbox) -> None:
    token = sandbox.tokens("xero")
    data = {"token": token["refresh_token"]}
    answer = sandbox.session.post(sandbox.url + "/connect/revocation", data=data, auth=("sandbox-xero", "wrong"))
    assert answer.status_code == 401
    assert refresh(sandbox, "xero", token["refresh_token"]).status_code == 200


def test_userinfo_tells_who_it_is(sandbox: Sandbox) -> None:
    token = sandbox.tokens("xero")["access_token"]
    answer = Caller(sandbox, "", token).session.get(sandbox.url + "/connect/userinfo")
    assert answer.json()["xero_userid"] == "1f6c0b6e-6f0d-4f5e-9a57-0c0f5b1c7a11"
    assert answer.json()["name"] == "Robin Ledger"
    sandbox.expire(provider="xero")
    assert Caller(sandbox, "", token).session.get(sandbox.url + "/connect/userinfo").status_code == 401


def test_discovery_names_the_addresses(sandbox: Sandbox) -> None:
    found = sandbox.session.get(sandbox.url + "/.well-known/openid-configuration").json()
    assert found["token_endpoint"] == sandbox.url + "/connect/token"
    assert found["authorization_endpoint"] == sandbox.url + "/identity/connect/authorize"


def test_connections_ignore_case_and_can_be_removed(sandbox: Sandbox) -> None:
    token = sandbox.tokens("xero")["access_token"]
    api = Caller(sandbox, "", token)
    found = api.get("/Connections").json()
    assert [one["tenantName"] for one in found] == ["Demo Company (NZ)", "Northwind Ltd"]
    assert len(found[0]["createdDateUtc"].partition(".")[2]) == 7
    assert api.call("DELETE", f"/connections/{found[0]['id']}").status_code == 204
    assert [one["tenantName"] for one in api.get("/connections").json()] == ["Northwind Ltd"]
    assert api.call("DELETE", f"/connections/{found[0]['id']}").status_code == 404


def test_a_foreign_page_cannot_press_the_accept_button(sandbox: Sandbox) -> None:
    form = {**asked("xero"), "decision": "accept"}
    answer = requests.post(
        sandbox.url + PAGES["xero"], data=form, headers={"Origin": "https://evil.example"}, allow_redirects=False
    )
    assert answer.status_code == 403
    assert "Location" not in answer.headers
