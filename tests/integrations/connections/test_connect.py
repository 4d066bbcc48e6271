"""From the button through the provider's consent page to the connection, and what can go wrong on the way."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection as database
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.models import Connection, Grant, Role, Team
from tests.base import Cast
from tests.integrations.consenting import begin, come_back, connect, consent, give, signed_in, world
from tests.provider import DEMO, NORTHWIND, Sandbox

__all__ = ["world"]

pytestmark = pytest.mark.django_db

XERO_USER = "1f6c0b6e-6f0d-4f5e-9a57-0c0f5b1c7a11"
PINTEREST_USER = "783612114631173151"


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


# --- the good way ---------------------------------------------------------------------------------------------------


def test_the_button_leads_to_the_consent_page_with_what_the_settings_say(cast: Cast, world: Sandbox) -> None:
    address = urlsplit(begin(signed_in(cast.builder), "xero"))
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{world.url}/identity/connect/authorize"
    query = {name: values[0] for name, values in parse_qs(address.query).items()}
    state = query.pop("state")
    assert len(state) == 43
    assert query == {
        "client_id": "sandbox-xero",
        "redirect_uri": "http://127.0.0.1:8000/accounts/xero/login/callback/",
        "scope": "openid profile email offline_access accounting.contacts accounting.invoices accounting.payments "
        "accounting.banktransactions accounting.attachments accounting.settings accounting.reports.balancesheet.read "
        "accounting.reports.profitandloss.read projects",
        "response_type": "code",
    }


def test_nothing_in_the_request_changes_what_is_asked_for(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    plain = parse_qs(urlsplit(begin(client, "pinterest")).query)
    evil = "?scope=ads:write&process=login&auth_params=prompt%3Dnone&next=https://evil.example&action=reauthenticate"
    bent = parse_qs(urlsplit(begin(client, "pinterest", evil, scope="ads:write", process="login")).query)
    del plain["state"], bent["state"]
    assert bent == plain
    assert bent["scope"] == [
        "user_accounts:read boards:read boards:write pins:read pins:write "
        "boards:read_secret boards:write_secret pins:read_secret pins:write_secret"
    ]


def test_the_redirect_address_ignores_the_host_header(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    response = client.post(reverse("connect", args=["xero"]), headers={"host": "localhost:9999"})
    query = parse_qs(urlsplit(response["Location"]).query)
    assert query["redirect_uri"] == ["http://127.0.0.1:8000/accounts/xero/login/callback/"]


def test_a_person_connects_the_organisation_they_pick(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    grant = give(client, "xero", [DEMO, NORTHWIND])
    assert (grant.team, grant.provider, grant.external_user_id) == (cast.team, "xero", XERO_USER)
    assert grant.label == "Robin Ledger (robin.ledger@pinworks.example)"
    assert grant.connected_by == cast.builder
    assert set(grant.scopes) >= {"offline_access", "accounting.invoices", "accounting.contacts"}
    assert Connection.objects.count() == 0
    page = client.get(reverse("choose_accounts", args=[grant.pk]))
    for fact in ("Demo Company (NZ)", "Books: Demo company", "Northwind Ltd", "Books: Live", "Currency: GBP", "NZ"):
        assert fact in text(page)
    response = client.post(reverse("choose_accounts", args=[grant.pk]), {"account": [NORTHWIND]}, follow=True)
    made = Connection.objects.get()
    assert (made.team, made.grant, made.external_id, made.name) == (cast.team, grant, NORTHWIND, "Northwind Ltd")
    assert made.provider_connection_id != ""
    assert made.status == Connection.Status.CONNECTED
    assert (made.details["currency"], made.details["country"], made.details["is_demo"]) == ("GBP", "GB", False)
    assert made.details_at is not None
    assert "is_new" not in made.details
    for shown in ("Northwind Ltd is connected.", "Robin Ledger", "Currency", "GBP", "of 1000", "renews itself"):
        assert shown in text(response)


def test_pinterest_is_connected_after_a_page_that_names_the_account(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    grant = give(client, "pinterest")
    assert grant.external_user_id == PINTEREST_USER
    assert grant.refresh_expires_at is not None
    assert timedelta(days=59) < grant.refresh_expires_at - timezone.now() <= timedelta(days=60)
    page = client.get(reverse("choose_accounts", args=[grant.pk]))
    assert "Pinworks" in text(page)
    client.post(reverse("choose_accounts", args=[grant.pk]), {"account": [PINTEREST_USER]})
    assert Connection.objects.get().name == "Pinworks"


def test_picking_nothing_or_something_else_connects_nothing(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    grant = give(client, "xero", [DEMO])
    for picked in ([], [NORTHWIND], ["nonsense"]):
        response = client.post(reverse("choose_accounts", args=[grant.pk]), {"account": picked})
        assert response.status_code == 400
        assert "Tick at least one organisation, or withdraw the consent." in text(response)
    assert Connection.objects.count() == 0


def test_several_people_and_several_teams_may_connect_the_same_organisation(cast: Cast, world: Sandbox) -> None:
    connect(signed_in(cast.builder), "xero", [DEMO])
    connect(signed_in(cast.outsider), "xero", [DEMO])
    assert list(Connection.objects.order_by("pk").values_list("team_id", "external_id", "status")) == [
        (cast.team.pk, DEMO, "connected"),
        (cast.other_team.pk, DEMO, "connected"),
    ]
    assert Grant.objects.count() == 2


def test_the_callback_is_kept_out_of_stores_and_referrers(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    for response in (come_back(client, consent(begin(client, "xero"))), client.get(reverse("xero_callback"))):
        assert (response["Referrer-Policy"], response["Cache-Control"]) == ("strict-origin", "no-store")


# --- where tokens may not be ----------------------------------------------------------------------------------------


def _dump() -> str:
    """Every value of every table, as it stands in the database."""
    with database.cursor() as cursor:
        rows = []
        for table in database.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {database.ops.quote_name(table)}")
            rows += cursor.fetchall()
    return repr(rows)


@pytest.mark.parametrize("provider", ["xero", "pinterest"])
def test_tokens_are_nowhere_in_clear(
    cast: Cast, world: Sandbox, provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = signed_in(cast.builder)
    grant = connect(client, provider, [DEMO if provider == "xero" else PINTEREST_USER])
    assert len(grant.access_token) > 40
    dump = _dump()
    sessions = [session.get_decoded() for session in Session.objects.all()]
    pages = [client.get(reverse(name, args=args)).content.decode() for name, args in (
        ("connections", []), ("connection", [Connection.objects.get().pk]), ("choose_accounts", [grant.pk])
    )]  # fmt: skip
    assert grant.label in dump  # the dump sees what is there
    for secret in (grant.access_token, grant.refresh_token):
        assert secret not in dump
        assert secret not in caplog.text
        assert secret not in repr(sessions)
        assert not [page for page in pages if secret in page]
    assert "sandbox-xero-secret" not in dump + caplog.text
    assert (SocialAccount.objects.count(), SocialToken.objects.count(), SocialApp.objects.count()) == (0, 0, 0)
    assert User.objects.count() == len(Role) + 1  # the cast


# --- consents that come to nothing ----------------------------------------------------------------------------------


def test_a_denied_consent_is_a_clear_page(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    response = come_back(client, consent(begin(client, "xero"), decision="deny"))
    assert response.status_code == 200
    assert "You did not give access to Xero" in text(response)
    assert Grant.objects.count() == 0


def test_a_consent_without_any_organisation_is_a_clear_page_with_a_way_out(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    grant = give(client, "xero", [])
    page = text(client.get(reverse("choose_accounts", args=[grant.pk])))
    assert "This consent covers no organisation" in page
    response = client.post(reverse("withdraw_grant", args=[grant.pk]), follow=True)
    assert "The consent at Xero was withdrawn and its access destroyed." in text(response)
    grant.refresh_from_db()
    assert (grant.status, grant.access_token, grant.refresh_token) == ("revoked", "", "")
    assert [row["outcome"] for row in world.ledger(path="/connect/revocation")] == ["revoked the grant"]


def test_a_provider_that_is_down_is_a_clear_page_and_nothing_is_kept(cast: Cast, world: Sandbox, settings: Any) -> None:
    client = signed_in(cast.builder)
    for provider, name in (("xero", "Xero"), ("pinterest", "Pinterest")):
        location = consent(begin(client, provider))
        world.faults(p_token_500=1)
        response = come_back(client, location)
        assert response.status_code == 502
        assert f"{name} is not answering as it should" in text(response)
        world.faults(p_token_500=0)
    settings.XERO_IDENTITY_BASE = "http://127.0.0.1:1"
    response = come_back(client, consent(begin(client, "xero")))
    assert response.status_code == 502
    assert "Xero could not be reached." in text(response)
    assert Grant.objects.count() == 0


def test_a_list_of_organisations_that_cannot_be_read_keeps_the_consent_for_a_second_try(
    cast: Cast, world: Sandbox
) -> None:
    client = signed_in(cast.builder)
    location = consent(begin(client, "xero"))
    world.faults(p_html_503=1, only_path="/connections")
    response = come_back(client, location)
    assert response.status_code == 302
    page = client.get(response["Location"])
    assert page.status_code == 502
    assert "What this consent covers could not be read." in text(page)
    world.faults(p_html_503=0)
    assert "Demo Company (NZ)" in text(client.get(response["Location"]))


def test_an_account_that_cannot_be_read_is_a_clear_page(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    location = consent(begin(client, "pinterest"))
    world.faults(p_html_503=1)
    response = come_back(client, location)
    assert response.status_code == 502
    assert "Pinterest is not answering as it should" in text(response)
    assert Grant.objects.count() == 0


def test_a_code_that_is_used_or_unknown_is_a_clear_page(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    location = consent(begin(client, "xero"))
    code = parse_qs(urlsplit(location).query)["code"][0]
    response = come_back(client, location.replace(code, "somebody-elses"))
    assert response.status_code == 502
    assert "Xero did not accept the consent" in text(response)
    assert "http://127.0.0.1:8000/accounts/xero/login/callback/" in text(response)


def test_a_wrong_secret_names_the_settings_to_look_at(cast: Cast, world: Sandbox, settings: Any) -> None:
    settings.XERO_CLIENT_SECRET = "wrong"
    client = signed_in(cast.builder)
    response = come_back(client, consent(begin(client, "xero")))
    assert response.status_code == 502
    assert "Xero does not accept this installation" in text(response)
    assert "XERO_CLIENT_ID and XERO_CLIENT_SECRET" in text(response)


def test_an_app_that_is_not_set_up_names_the_missing_settings(cast: Cast, world: Sandbox, settings: Any) -> None:
    settings.XERO_CLIENT_SECRET = ""
    client = signed_in(cast.builder)
    response = client.post(reverse("connect", args=["xero"]))
    assert response.status_code == 503
    assert "Missing in the settings: XERO_CLIENT_SECRET." in text(response)
    assert "http://127.0.0.1:8000/accounts/xero/login/callback/" in text(response)
    assert "XERO_CLIENT_SECRET is not set" in text(client.get(reverse("connections")))


def test_a_permission_that_the_provider_does_not_know_is_a_clear_page(
    cast: Cast, world: Sandbox, settings: Any
) -> None:
    settings.XERO_SCOPES = ["openid", "offline_access", "accounting.everything"]
    client = signed_in(cast.builder)
    back = requests.get(begin(client, "xero"), allow_redirects=False, timeout=10).headers["Location"]
    response = come_back(client, back)
    assert response.status_code == 502
    assert "Xero does not know one of the permissions" in text(response)
    assert "accounting.everything" in text(response)


def test_a_consent_without_lasting_access_is_refused(cast: Cast, world: Sandbox, settings: Any) -> None:
    settings.XERO_SCOPES = ["openid", "accounting.contacts"]
    client = signed_in(cast.builder)
    response = come_back(client, consent(begin(client, "xero")))
    assert response.status_code == 502
    assert "Xero gave no lasting access" in text(response)
    assert Grant.objects.count() == 0


def test_a_consent_to_less_than_was_asked_for_says_what_is_missing(cast: Cast, world: Sandbox, settings: Any) -> None:
    client = signed_in(cast.builder)
    asked = settings.XERO_SCOPES
    settings.XERO_SCOPES = ["openid", "offline_access", "accounting.settings", "accounting.contacts"]
    grant = connect(client, "xero", [DEMO])
    settings.XERO_SCOPES = asked
    assert "accounting.invoices" not in grant.scopes
    for name, pk in (("choose_accounts", grant.pk), ("connection", Connection.objects.get().pk)):
        page = text(client.get(reverse(name, args=[pk])))
        assert "accounting.invoices, accounting.payments" in page


def test_a_provider_that_there_is_not_is_not_found(cast: Cast, world: Sandbox) -> None:
    assert signed_in(cast.builder).post(reverse("connect", args=["quickbooks"])).status_code == 404


def test_provider_words_are_never_markup(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    state = parse_qs(urlsplit(begin(client, "xero")).query)["state"][0]
    query = f"state={state}&error=server_error&error_description=<script>alert(1)</script>"
    response = client.get(f"{reverse('xero_callback')}?{query}")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text(response)
    assert "<script>alert" not in text(response)


def test_nobody_signs_in_or_up_by_a_provider(cast: Cast, world: Sandbox) -> None:
    visitor = Client()
    for provider in ("xero", "pinterest"):
        assert visitor.get(f"/accounts/{provider}/login/?process=login").status_code == 404
        assert visitor.post(f"/accounts/{provider}/login/?process=connect&scope=all").status_code == 404
    people = set(User.objects.values_list("username", flat=True))
    response = come_back(visitor, consent(begin(signed_in(cast.builder), "xero")))
    assert response["Location"].startswith("/accounts/login/")
    assert "_auth_user_id" not in visitor.session
    assert set(User.objects.values_list("username", flat=True)) == people


def test_a_team_without_members_changes_nothing_for_others(cast: Cast, world: Sandbox) -> None:
    Team.objects.create(name="Empty")
    person = User.objects.create_user("nobody", password="correct horse battery staple")
    response = signed_in(person).post(reverse("connect", args=["xero"]))
    assert response.status_code == 403
