"""When somebody's access ends, what they held ends with it, for good: sessions and API tokens."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from integrations.models import Membership, Role, Team
from tests.base import PASSWORD, Cast, sign_in_recently
from tests.integrations.teams.test_signin import code_of
from workflows.api import tokens
from workflows.models import ApiToken
from workflows.worker import housekeeping

NEW = "a quite different sentence"
SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def root(cast: Cast) -> Client:
    """A superuser's browser."""
    client = Client()
    sign_in_recently(client, User.objects.create_superuser("root", "root@acme.example", PASSWORD))
    return client


@pytest.fixture
def token(cast: Cast) -> str:
    return tokens.make(cast.team, cast.builder, name="Shop", scope="start", days=None)[1]


@pytest.fixture
def browser(cast: Cast) -> Client:
    return signed_in("builder")


def signed_in(name: str, password: str = PASSWORD) -> Client:
    client = Client()
    client.post(reverse("account_login"), {"login": name, "password": password})
    return client


def opens(token: str) -> bool:
    status = Client().get("/api/workflows/", headers={"Authorization": f"Bearer {token}"}).status_code
    assert status in (200, 401)
    return bool(status == 200)


def is_in(client: Client) -> bool:
    status = client.get(reverse("workflows")).status_code
    assert status in (200, 302)
    return bool(status == 200)


def save_person(root: Client, user: User, **changed: Any) -> None:
    form = {"username": user.username, "email": user.email, "first_name": "", "last_name": "", "is_active": "on"}
    data = {key: value for key, value in {**form, **changed}.items() if value}
    assert root.post(reverse("admin:auth_user_change", args=[user.pk]), data).status_code == 302


# --- a password -------------------------------------------------------------------------------------------------------


def test_changing_ones_password_ends_other_browsers_and_all_tokens(cast: Cast, token: str, browser: Client) -> None:
    others = tokens.make(cast.team, cast.approver, name="Theirs", scope="read", days=None)[1]
    elsewhere = signed_in("builder")
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    page = browser.post(reverse("account_change_password"), form, follow=True).content.decode()
    assert "Your other browsers are signed out, and your API tokens are revoked." in page
    assert (is_in(browser), is_in(elsewhere), opens(token), opens(others)) == (True, False, False, True)
    assert ApiToken.objects.get(name="Shop").revoked_at is not None


def test_a_password_that_is_refused_ends_nothing(cast: Cast, token: str, browser: Client) -> None:
    form = {"oldpassword": PASSWORD, "password1": "short", "password2": "short"}
    browser.post(reverse("account_change_password"), form)
    browser.post(reverse("account_change_password"), {"oldpassword": "wrong", "password1": NEW, "password2": NEW})
    assert (is_in(browser), opens(token)) == (True, True)


def test_a_password_set_by_a_link_in_a_mail_ends_both(
    cast: Cast, token: str, browser: Client, mailoutbox: list[Any]
) -> None:
    visitor = Client()
    visitor.post(reverse("account_reset_password"), {"email": cast.builder.email})
    link = re.search(r"(/accounts/password/reset/key/\S+)", mailoutbox[-1].body)
    assert link is not None
    form = visitor.get(link[1], follow=True).redirect_chain[-1][0]
    visitor.post(form, {"password1": NEW, "password2": NEW})
    assert (is_in(browser), opens(token)) == (False, False)


def test_a_password_set_by_an_administrator_ends_both(cast: Cast, root: Client, token: str, browser: Client) -> None:
    address = reverse("admin:auth_user_password_change", args=[cast.builder.pk])
    assert root.post(address, {"password1": NEW, "password2": NEW, "usable_password": "true"}).status_code == 302
    assert (is_in(browser), opens(token)) == (False, False)


def test_a_password_set_by_a_command_ends_both(
    cast: Cast, token: str, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda **options: NEW)
    call_command("changepassword", "builder")
    assert (is_in(browser), opens(token)) == (False, False)


def test_a_hash_that_is_renewed_at_sign_in_ends_no_token(cast: Cast, token: str, settings: Any) -> None:
    before = cast.builder.password
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", *settings.PASSWORD_HASHERS]
    assert is_in(signed_in("builder"))
    cast.builder.refresh_from_db()
    assert cast.builder.password != before
    assert opens(token)


def test_a_sign_in_that_waits_for_its_code_ends_with_the_old_password(cast: Cast) -> None:
    TOTP.activate(cast.builder, SECRET)
    half_way = signed_in("builder")
    assert "One more step" in half_way.get(reverse("mfa_authenticate")).content.decode()
    cast.builder.set_password(NEW)
    cast.builder.save()
    assert half_way.post(reverse("mfa_authenticate"), {"code": code_of(SECRET)})["Location"] == "/accounts/login/"
    assert not is_in(half_way)


# --- an account -------------------------------------------------------------------------------------------------------


def test_switching_somebody_off_ends_both_and_switching_on_again_revives_neither(
    cast: Cast, root: Client, token: str, browser: Client
) -> None:
    save_person(root, cast.builder, is_active="")
    assert (is_in(browser), opens(token)) == (False, False)
    save_person(root, cast.builder)
    assert User.objects.get(username="builder").is_active
    assert (is_in(browser), opens(token)) == (False, False)
    assert is_in(signed_in("builder"))


def test_nothing_is_revived_either_where_nothing_was_used_while_it_was_off(
    cast: Cast, root: Client, token: str, browser: Client
) -> None:
    save_person(root, cast.builder, is_active="")
    save_person(root, cast.builder)
    assert (is_in(browser), opens(token)) == (False, False)
    assert root.get(reverse("admin:index")).status_code == 200  # nobody else was signed out


def test_another_change_of_an_account_ends_nothing(cast: Cast, root: Client, token: str, browser: Client) -> None:
    save_person(root, cast.builder, first_name="Bea")
    assert (is_in(browser), opens(token)) == (True, True)


def test_an_account_that_was_switched_off_by_other_means_is_tidied_within_a_minute(
    cast: Cast, token: str, browser: Client
) -> None:
    User.objects.filter(pk=cast.builder.pk).update(is_active=False)
    housekeeping.do_chores()
    User.objects.filter(pk=cast.builder.pk).update(is_active=True)
    assert (is_in(browser), opens(token)) == (False, False)


# --- a membership -----------------------------------------------------------------------------------------------------


def test_leaving_a_team_ends_its_tokens_and_the_sessions_and_coming_back_revives_none(
    cast: Cast, root: Client, token: str, browser: Client
) -> None:
    Membership.objects.create(team=cast.other_team, user=cast.builder, role=Role.BUILDER)
    elsewhere = tokens.make(cast.other_team, cast.builder, name="Other", scope="read", days=None)[1]
    theirs = Membership.objects.get(team=cast.team, user=cast.builder)
    address = reverse("admin:integrations_membership_delete", args=[theirs.pk])
    assert root.post(address, {"post": "yes"}).status_code == 302
    assert (is_in(browser), opens(token), opens(elsewhere)) == (False, False, True)
    Membership.objects.create(team=cast.team, user=cast.builder, role=Role.BUILDER)
    assert (is_in(browser), opens(token)) == (False, False)
    again = signed_in("builder")
    again.post(reverse("choose_team"), {"team": cast.team.pk})
    page = again.get(reverse("api_tokens")).content.decode()
    assert "ended with the membership" in page


def test_a_member_taken_off_the_page_of_a_team_has_left_too(
    cast: Cast, root: Client, token: str, browser: Client
) -> None:
    members = list(Membership.objects.filter(team=cast.team).order_by("pk"))
    form = {
        "name": cast.team.name, "memberships-TOTAL_FORMS": "3", "memberships-INITIAL_FORMS": "3",
    }  # fmt: skip
    for number, each in enumerate(members):
        form |= {
            f"memberships-{number}-id": str(each.pk), f"memberships-{number}-team": str(cast.team.pk),
            f"memberships-{number}-user": str(each.user_id), f"memberships-{number}-role": each.role,
        }  # fmt: skip
        if each.user_id == cast.builder.pk:
            form[f"memberships-{number}-DELETE"] = "on"
    approver = signed_in("approver")
    assert root.post(reverse("admin:integrations_team_change", args=[cast.team.pk]), form).status_code == 302
    assert not Membership.objects.filter(team=cast.team, user=cast.builder).exists()
    Membership.objects.create(team=cast.team, user=cast.builder, role=Role.BUILDER)
    assert (is_in(browser), opens(token), is_in(approver)) == (False, False, True)


def test_the_end_of_a_team_ends_the_sessions_of_its_members(cast: Cast, root: Client, browser: Client) -> None:
    outsider = signed_in("outsider")
    address = reverse("admin:integrations_team_delete", args=[cast.other_team.pk])
    assert root.post(address, {"post": "yes"}).status_code == 302
    assert not Team.objects.filter(pk=cast.other_team.pk).exists()
    Membership.objects.create(team=cast.team, user=cast.outsider, role=Role.AUDITOR)
    assert (is_in(outsider), is_in(browser)) == (False, True)


def test_a_membership_cannot_be_handed_to_another_person_or_team(cast: Cast, root: Client, token: str) -> None:
    mine = Membership.objects.get(team=cast.team, user=cast.builder)
    address = reverse("admin:integrations_membership_change", args=[mine.pk])
    form = {"user": cast.outsider.pk, "team": cast.other_team.pk, "role": "auditor"}
    assert root.post(address, form).status_code == 302
    mine.refresh_from_db()
    assert (mine.user_id, mine.team_id, mine.role) == (cast.builder.pk, cast.team.pk, "auditor")
    assert opens(token)


def test_sessions_of_nobody_and_of_others_stay(cast: Cast, root: Client, browser: Client) -> None:
    Session.objects.create(session_key="x" * 32, session_data="not a session", expire_date="2099-01-01T00:00:00Z")
    before = Session.objects.count()
    save_person(root, cast.builder, is_active="")
    assert Session.objects.count() == before - 1
