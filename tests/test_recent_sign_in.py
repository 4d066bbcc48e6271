"""Changes that a forgotten open browser must not allow, and how they go on after the person has shown who they are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from integrations.models import Connection, Membership, Team
from tests.addresses import path_of
from tests.base import PASSWORD, Cast, sign_in_recently
from tests.integrations.teams.test_signin import code_of
from tests.permission_table import ACCOUNTS, ADMIN, RECENT_SIGN_IN, RULES
from tests.test_permissions import _state_of_everything, _undone, world
from tests.world import World
from workflows.models import ApiToken
from workflows.triggers import inbound_webhooks

__all__ = ["world"]

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
SECRET = "JBSWY3DPEHPK3PXP"


def idle(user: User) -> Client:
    """A browser in which somebody signed in a while ago."""
    client = Client()
    client.force_login(user)
    return client


def confirm(client: Client, response: Any, password: str = PASSWORD) -> Any:
    """Give the password where the answer leads to, and go where that leads."""
    assert urlsplit(response["Location"]).path == reverse("account_reauthenticate")
    page = client.get(response["Location"])
    assert "Confirm that it is you" in page.content.decode()
    [there] = parse_qs(urlsplit(response["Location"]).query)["next"]
    return client.post(reverse("account_reauthenticate"), {"password": password, "next": there}, follow=True)


def test_exactly_what_the_table_names_wants_a_recent_sign_in(cast: Cast, world: World) -> None:
    root = User.objects.create_superuser("root", "root@acme.example", "x")
    Membership.objects.create(team=cast.team, user=root, role="builder")
    asking = set()
    for name in RULES:
        if name in ACCOUNTS or name in ADMIN.keys() - RECENT_SIGN_IN:
            continue
        path = path_of(name, world)
        before = _state_of_everything()
        with _undone():
            response = idle(root).post(path, {"reason": ""})
            if response.get("Location", "").startswith(reverse("account_reauthenticate")):
                asking.add(name)
                assert _state_of_everything() == before, name
    assert asking == RECENT_SIGN_IN


def test_a_sign_in_counts_for_ten_minutes(cast: Cast) -> None:
    form = {"name": "Shop", "scope": "read", "days": "0"}
    with time_machine.travel(AT, tick=False) as clock:
        client = Client()
        client.post(reverse("account_login"), {"login": "builder", "password": PASSWORD})
        clock.shift(599)
        assert client.post(reverse("api_tokens"), form).status_code == 200
        clock.shift(1)
        response = client.post(reverse("api_tokens"), form)
        assert (response.status_code, ApiToken.objects.count()) == (302, 1)
        assert confirm(client, response).status_code == 200
        assert ApiToken.objects.count() == 2
        clock.shift(599)
        assert client.post(reverse("api_tokens"), form).status_code == 200
        assert ApiToken.objects.count() == 3


def test_what_was_typed_goes_on_by_itself_at_its_own_address_and_once(cast: Cast) -> None:
    client = idle(cast.builder)
    response = client.post(reverse("api_tokens"), {"name": "Shop server", "scope": "start", "days": "90"})
    assert not ApiToken.objects.exists()
    page = confirm(client, response)
    address = page.redirect_chain[-1][0]
    assert urlsplit(address).path == reverse("api_tokens")
    assert "Shop server: copy the token now" in page.content.decode()
    made = ApiToken.objects.get()
    assert (made.name, made.scope, made.user) == ("Shop server", "start", cast.builder)
    again = client.get(address)
    assert (again.status_code, ApiToken.objects.count()) == (200, 1)
    assert "copy the token now" not in again.content.decode()


def test_a_wrong_password_does_nothing_and_the_right_one_after_it_does(cast: Cast) -> None:
    client = idle(cast.builder)
    response = client.post(reverse("api_tokens"), {"name": "Shop", "scope": "read", "days": "0"})
    assert "Incorrect password" in confirm(client, response, "not it").content.decode()
    assert not ApiToken.objects.exists()
    confirm(client, response)
    assert ApiToken.objects.count() == 1


def test_a_code_of_the_app_will_do(cast: Cast) -> None:
    TOTP.activate(cast.builder, SECRET)
    client = idle(cast.builder)
    response = client.post(reverse("api_tokens"), {"name": "Shop", "scope": "read", "days": "0"})
    [there] = parse_qs(urlsplit(response["Location"]).query)["next"]
    client.post(reverse("mfa_reauthenticate"), {"code": code_of(SECRET), "next": there}, follow=True)
    assert ApiToken.objects.count() == 1


def test_a_link_of_somebody_else_sets_nothing_off(cast: Cast, world: World) -> None:
    path = reverse("rotate_hook", args=[world.workflow.pk])
    before = inbound_webhooks.hook_of(world.workflow).token
    client = idle(cast.builder)
    response = client.post(path)
    sign_in_recently(client, cast.builder)
    for number in ("", "guessed", "é"):
        assert client.get(path, {"go_on": number}).status_code == 200
    assert inbound_webhooks.hook_of(world.workflow).token == before
    [there] = parse_qs(urlsplit(response["Location"]).query)["next"]
    other = reverse("hook_signature", args=[world.workflow.pk]) + "?" + urlsplit(there).query
    assert client.get(other).status_code == 200
    assert inbound_webhooks.hook_of(world.workflow).token == before


def test_what_was_put_aside_is_not_done_for_another_confirmation(cast: Cast, world: World) -> None:
    client = idle(cast.builder)
    client.post(reverse("disconnect", args=[world.pinterest.pk]))
    response = client.post(reverse("api_tokens"), {"name": "Shop", "scope": "read", "days": "0"})
    confirm(client, response)
    assert Connection.objects.get(pk=world.pinterest.pk).status == "connected"
    assert ApiToken.objects.filter(team=cast.team, scope="read").count() == 2


def test_what_waits_lies_in_the_session_unreadable(cast: Cast, world: World) -> None:
    client = idle(cast.builder)
    form = {"signature": "hex", "header": "X-S", "secret": "swordfish of the shop"}
    path = reverse("hook_signature", args=[world.workflow.pk])
    response = client.post(path, form)
    stored = [str(each.get_decoded()) for each in Session.objects.all()]
    assert not [each for each in stored if "swordfish" in each]
    confirm(client, response)
    assert inbound_webhooks.hook_of(world.workflow).secret == "swordfish of the shop"


def test_with_lost_keys_nothing_is_done_and_the_form_is_shown_anew(cast: Cast, settings: Any) -> None:
    client = idle(cast.builder)
    response = client.post(reverse("api_tokens"), {"name": "Shop", "scope": "read", "days": "0"})
    settings.TOKEN_KEYS = [Fernet.generate_key().decode()]
    page = confirm(client, response)
    assert (page.status_code, ApiToken.objects.count()) == (200, 0)


def test_an_administrators_changes_go_on_too(cast: Cast) -> None:
    root = User.objects.create_superuser("root", "root@acme.example", PASSWORD)
    client = idle(root)
    form = {"username": "new", "password1": "a quite different sentence", "password2": "a quite different sentence"}
    response = client.post(reverse("admin:auth_user_add"), {**form, "usable_password": "true"})
    assert not User.objects.filter(username="new").exists()
    confirm(client, response)
    assert User.objects.get(username="new").check_password("a quite different sentence")
    other = idle(root)
    response = other.post(reverse("admin:integrations_team_delete", args=[cast.other_team.pk]), {"post": "yes"})
    assert Team.objects.filter(pk=cast.other_team.pk).exists()
    confirm(other, response)
    assert not Team.objects.filter(pk=cast.other_team.pk).exists()


@pytest.mark.parametrize("name", ["connect"])
def test_connecting_goes_on_to_the_provider(name: str, cast: Cast) -> None:
    client = idle(cast.builder)
    response = client.post(reverse(name, args=["pinterest"]))
    [there] = parse_qs(urlsplit(response["Location"]).query)["next"]
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD, "next": there})
    assert client.get(there)["Location"].startswith("https://www.pinterest.com/oauth/")
