"""Sign-in with the company's own accounts, against a real OpenID Connect server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import time_machine
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from integrations.audit.actions import Audited
from integrations.models import AuditEntry, Membership, Role
from tests.base import Cast
from tests.pinxero.oidc_server import CLIENT, SECRET, Company, running_company
from workflows.models import ApiToken

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
LOGIN = "/accounts/oidc/company/login/"
NORA = {"sub": "248289761001", "email": "nora@acme.example", "email_verified": True, "preferred_username": "nora"}


@pytest.fixture
def company(cast: Cast, settings: Any) -> Iterator[Company]:
    cache.clear()
    with running_company() as server:
        settings.OIDC_SERVER_URL, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = server.url, CLIENT, SECRET
        settings.OIDC_NAME = "Acme"
        settings.OIDC_GROUPS = [
            {"group": "finance-approvers", "team": cast.team.name, "role": "approver"},
            {"group": "finance", "team": cast.team.name, "role": "builder"},
            {"group": "audit", "team": cast.team.name, "role": "auditor"},
        ]
        server.claims = {**NORA, "groups": ["finance"]}
        yield server


def back(client: Client, **posted: str) -> str:
    """Through the company's server; gives the address to which it leads back."""
    response = client.post(LOGIN, posted)
    assert response.status_code == 302
    there = requests.get(response["Location"], allow_redirects=False, timeout=10).headers["Location"]
    parts = urlsplit(there)
    return f"{parts.path}?{parts.query}"


def come_in(client: Client, **posted: str) -> Any:
    return client.get(back(client, **posted), follow=True)


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def roles(user: User) -> list[tuple[str, str]]:
    return [(each.team.name, each.role) for each in user.memberships.all()]


def test_somebody_new_gets_an_account_and_the_role_of_their_group(company: Company, cast: Cast, client: Client) -> None:
    assert "Sign in with Acme" in client.get(reverse("account_login")).content.decode()
    page = come_in(client, next="/runs/?status=failed")
    assert page.request["PATH_INFO"] == "/runs/"
    made = User.objects.get(username="nora")
    assert (made.email, made.has_usable_password(), made.is_superuser) == ("nora@acme.example", False, False)
    assert roles(made) == [(cast.team.name, Role.BUILDER)]
    entry = AuditEntry.objects.get(action=Audited.MEMBER_ADDED)
    assert (entry.reason, entry.after["Role"]) == ("By the groups of the company's directory.", "Builder")
    assert AuditEntry.objects.filter(action=Audited.SIGNED_IN, person=made.pk).count() == 1
    assert not SocialToken.objects.exists()
    assert {"/.well-known/openid-configuration", "/authorize", "/token", "/userinfo"} <= set(company.asked)


def test_the_same_person_comes_in_again_and_other_groups_are_another_role(
    company: Company, cast: Cast, client: Client
) -> None:
    come_in(client)
    company.claims = {**NORA, "email": "nora.new@acme.example", "groups": ["finance", "finance-approvers"]}
    come_in(Client())
    made = User.objects.get(username="nora")
    assert roles(made) == [(cast.team.name, Role.APPROVER)]
    assert SocialAccount.objects.count() == 1
    entry = AuditEntry.objects.get(action=Audited.MEMBER_CHANGED)
    assert (entry.before, entry.after) == ({"Role": "Builder"}, {"Role": "Approver"})


def test_whose_groups_are_gone_is_removed_and_not_let_in(company: Company, cast: Cast, client: Client) -> None:
    come_in(client)
    company.claims = {**NORA, "groups": []}
    other = Client()
    page = come_in(other)
    assert "belongs to no group that is let in here" in page.content.decode()
    assert not is_in(other)
    assert not Membership.objects.filter(user__username="nora").exists()
    assert client.get("/runs/").status_code != 200


def test_a_stranger_without_a_group_leaves_nothing_behind(company: Company, client: Client) -> None:
    company.claims = {**NORA, "groups": ["gardeners"]}
    before = User.objects.count()
    come_in(client)
    assert not is_in(client)
    assert (User.objects.count(), SocialAccount.objects.count()) == (before, 0)


@pytest.mark.parametrize("verified", [False, "true", "false", None, 1])
def test_an_address_that_is_not_verified_takes_no_account_over(
    company: Company, cast: Cast, client: Client, verified: Any
) -> None:
    company.claims = {**NORA, "email": "Builder@acme.example", "email_verified": verified, "groups": ["finance"]}
    page = come_in(client)
    assert "cannot be taken over so" in page.content.decode()
    assert not is_in(client)
    assert not SocialAccount.objects.exists()
    assert not User.objects.filter(username="nora").exists()


def test_a_verified_address_takes_the_account_with_it(company: Company, cast: Cast, client: Client) -> None:
    company.claims = {**NORA, "email": "Builder@acme.example", "groups": ["audit"]}
    come_in(client)
    assert client.session["_auth_user_id"] == str(cast.builder.pk)
    assert roles(cast.builder) == [(cast.team.name, Role.AUDITOR)]


def test_no_address_takes_a_superuser_over(company: Company, client: Client) -> None:
    User.objects.create_superuser("root", "root@acme.example", "x")
    company.claims = {**NORA, "email": "root@acme.example", "groups": ["finance"]}
    come_in(client)
    assert not is_in(client)
    assert not SocialAccount.objects.exists()


def test_an_account_that_is_switched_off_stays_out(company: Company, client: Client) -> None:
    come_in(client)
    User.objects.filter(username="nora").update(is_active=False)
    other = Client()
    assert "switched off" in come_in(other).content.decode()
    assert not is_in(other)


@pytest.mark.parametrize(
    "wrong",
    [{"aud": "another-app"}, {"iss": "https://evil.example"}, {"exp": 1_000_000_000}, {"sub": "somebody-else"}],
    ids=["audience", "issuer", "expired", "subject"],
)
def test_a_token_for_others_of_others_or_too_old_lets_nobody_in(
    company: Company, client: Client, wrong: dict[str, Any]
) -> None:
    company.in_token = wrong
    page = come_in(client)
    assert "did not work" in page.content.decode()
    assert not is_in(client)
    assert not User.objects.filter(username="nora").exists()


def test_an_answer_counts_only_in_the_browser_that_asked_and_once(company: Company, client: Client) -> None:
    address, stranger = back(client), Client()
    stranger.get(address)
    stranger.get("/accounts/oidc/company/login/callback/?code=x")
    assert not is_in(stranger)
    client.get(address)
    assert is_in(client)
    client.post(reverse("account_logout"))
    client.get(address)
    assert not is_in(client)


def test_a_get_begins_no_sign_in_and_other_providers_are_not_to_be_had(company: Company, client: Client) -> None:
    assert client.get(LOGIN).status_code == 405
    for provider in ("pinterest", "xero", "openid_connect", "other"):
        assert client.post(f"/accounts/oidc/{provider}/login/").status_code == 404
        assert client.get(f"/accounts/oidc/{provider}/login/callback/").status_code == 404
    assert company.asked == []


def test_nothing_is_connected_to_the_account_of_whoever_is_signed_in(
    company: Company, cast: Cast, client: Client
) -> None:
    client.force_login(cast.auditor)
    response = client.post(f"{LOGIN}?process=connect")
    there = requests.get(response["Location"], allow_redirects=False, timeout=10).headers["Location"]
    parts = urlsplit(there)
    client.get(f"{parts.path}?{parts.query}")
    assert not SocialAccount.objects.exists()


def test_whoever_has_no_password_confirms_a_change_at_the_company(company: Company, cast: Cast, client: Client) -> None:
    with time_machine.travel(AT, tick=False) as clock:
        come_in(client)
        clock.shift(3600)
        asked = client.post(reverse("api_tokens"), {"name": "Shop", "scope": "read", "days": "0"})
        page = client.get(asked["Location"])
        assert "Confirm with Acme" in page.content.decode()
        company.in_token = {"auth_time": int(AT.timestamp())}
        there = parse_qs(urlsplit(asked["Location"]).query)["next"][0]
        assert "did not ask you to sign in anew" in come_in(client, next=there).content.decode()
        assert not ApiToken.objects.exists()
        company.in_token = {"auth_time": int(AT.timestamp()) + 3590}
        assert come_in(client, next=there).status_code == 200
    assert company.authorized[0].keys().isdisjoint({"prompt", "max_age"})
    assert [(each["prompt"], each["max_age"]) for each in company.authorized[1:]] == [("login", "0"), ("login", "0")]
    assert ApiToken.objects.get().name == "Shop"


def test_somebody_else_at_the_company_does_not_finish_what_was_begun(
    company: Company, cast: Cast, client: Client
) -> None:
    with time_machine.travel(AT, tick=False) as clock:
        come_in(client)
        clock.shift(3600)
        asked = client.post(reverse("api_tokens"), {"name": "Shop", "scope": "read", "days": "0"})
        company.claims = {"sub": "77", "email": "olaf@acme.example", "email_verified": True, "groups": ["finance"]}
        there = parse_qs(urlsplit(asked["Location"]).query)["next"][0]
        assert come_in(client, next=there).status_code == 200
    assert not ApiToken.objects.exists()


def test_an_account_with_nothing_to_confirm_by_is_told_what_to_do(cast: Cast, client: Client) -> None:
    cast.builder.set_unusable_password()
    cast.builder.save()
    client.force_login(cast.builder)
    page = client.get(reverse("account_confirm_at_company"), {"next": "https://elsewhere.example/"}).content.decode()
    assert "has no password" in page
    assert "elsewhere.example" not in page


def test_without_a_server_there_is_no_such_door(cast: Cast, client: Client, settings: Any) -> None:
    settings.OIDC_SERVER_URL = ""
    assert "Sign in with" not in client.get(reverse("account_login")).content.decode()
    assert client.post(LOGIN).status_code == 404


def test_the_last_administrator_stays_one_whatever_the_groups_say(company: Company, cast: Cast, client: Client) -> None:
    company.claims = {**NORA, "email": "administrator@acme.example", "groups": ["audit"]}
    come_in(client)
    assert roles(cast.administrator) == [(cast.team.name, Role.ADMINISTRATOR)]
