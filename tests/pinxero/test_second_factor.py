"""Who needs a second factor, and that nothing opens to them without one."""

from __future__ import annotations

import re
from importlib import import_module
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet
from django.apps import apps
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from integrations.models import Membership, Role
from integrations.teams.second_factor_seeds import with_seeds
from tests.base import PASSWORD, Cast
from tests.integrations.teams.test_signin import code_of
from workflows.api import tokens

SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def _as_in_production(db: None, settings: Any) -> None:
    cache.clear()
    settings.SECOND_FACTOR_FOR = ["superuser", "approver"]
    settings.SECOND_FACTOR_GRACE_DAYS = 0


def signed_in(name: str) -> Client:
    client = Client()
    client.post(reverse("account_login"), {"login": name, "password": PASSWORD})
    return client


def led_to(client: Client, address: str = "/runs/") -> str:
    """Where the address leads; empty where it opens."""
    response = client.get(address)
    if response.status_code == 200:
        return ""
    assert response.status_code == 302
    return urlsplit(response["Location"]).path


def test_those_whose_role_needs_none_go_on_as_before(cast: Cast) -> None:
    assert [led_to(signed_in(name)) for name in ("builder", "auditor", "outsider")] == ["", "", ""]


def test_an_approver_can_open_nothing_before_setting_it_up(cast: Cast) -> None:
    client = signed_in("approver")
    enrol = reverse("mfa_activate_totp")
    for address in ("/runs/", "/admin/", "/workflows/", "/connections/", "/api-tokens/", "/admin/workflows/run/"):
        assert led_to(client, address) == enrol
    assert client.post(reverse("choose_team"), {"team": cast.team.pk})["Location"] == enrol
    page = client.get("/runs/", follow=True).content.decode()
    assert "Your role in Pinxero needs two-factor sign-in. Set it up to go on." in page
    assert "Sign out" in page


def test_it_is_set_up_in_one_go_after_signing_in_and_then_everything_opens(cast: Cast) -> None:
    client = signed_in("approver")
    page = client.get("/runs/", follow=True)
    secret = re.search(r'id="authenticator_secret" value="([A-Z2-7]+)"', page.content.decode())
    assert secret is not None
    response = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret[1])}, follow=True)
    assert "Recovery codes" in response.content.decode()
    assert led_to(client) == ""
    cache.clear()
    other = signed_in("approver")
    assert led_to(other) == reverse("account_login")
    assert other.post(reverse("mfa_authenticate"), {"code": code_of(secret[1])})["Location"] == "/"
    assert led_to(other) == ""


def test_a_wrong_code_sets_up_nothing(cast: Cast) -> None:
    client = signed_in("approver")
    client.get(reverse("mfa_activate_totp"))
    assert "Incorrect code" in client.post(reverse("mfa_activate_totp"), {"code": "000000"}).content.decode()
    assert not Authenticator.objects.exists()
    assert led_to(client) == reverse("mfa_activate_totp")


def test_a_session_from_before_shows_a_code_too(cast: Cast) -> None:
    before = signed_in("approver")
    TOTP.activate(cast.approver, SECRET)
    asked = before.get("/runs/?page=2")["Location"]
    assert asked == f"{reverse('mfa_reauthenticate')}?next=%2Fruns%2F%3Fpage%3D2"
    form = {"code": code_of(SECRET), "next": "/runs/?page=2"}
    assert before.post(reverse("mfa_reauthenticate"), form)["Location"] == "/runs/?page=2"
    assert led_to(before) == ""


def test_whoever_switches_it_off_has_to_set_it_up_again(cast: Cast) -> None:
    TOTP.activate(cast.approver, SECRET)
    client = signed_in("approver")
    client.post(reverse("mfa_authenticate"), {"code": code_of(SECRET)})
    assert led_to(client) == ""
    client.post(reverse("mfa_deactivate_totp"))
    assert led_to(client) == reverse("mfa_activate_totp")


def test_a_superuser_needs_one_with_and_without_a_team(cast: Cast) -> None:
    root = User.objects.create_superuser("root", "root@acme.example", PASSWORD)
    assert led_to(signed_in("root"), "/admin/auth/user/") == reverse("mfa_activate_totp")
    Membership.objects.create(team=cast.team, user=root, role=Role.AUDITOR)
    assert led_to(signed_in("root"), "/admin/auth/user/") == reverse("mfa_activate_totp")


def test_an_approver_of_one_team_needs_one_in_every_team(cast: Cast) -> None:
    Membership.objects.create(team=cast.other_team, user=cast.builder, role=Role.APPROVER)
    assert led_to(signed_in("builder")) == reverse("mfa_activate_totp")


@pytest.mark.parametrize("wanted", [[], ["builder"], ["superuser"], ["auditor", "approver"]])
def test_the_setting_says_which_roles(wanted: list[str], cast: Cast, settings: Any) -> None:
    settings.SECOND_FACTOR_FOR = wanted
    for name in ("builder", "approver", "auditor"):
        assert led_to(signed_in(name)) == (reverse("mfa_activate_totp") if name in wanted else "")


def test_visitors_and_programs_are_not_asked(cast: Cast) -> None:
    assert led_to(Client()) == reverse("account_login")
    token = tokens.make(cast.team, cast.approver, name="Report", scope="read", days=None)[1]
    headers = {"Authorization": f"Bearer {token}"}
    assert Client().get("/api/runs/", headers=headers).status_code == 200
    assert Client().post("/hooks/in/no-such-token/").status_code == 404


def test_an_administrator_resets_what_was_lost_with_a_phone(cast: Cast) -> None:
    TOTP.activate(cast.approver, SECRET)
    RecoveryCodes.activate(cast.approver)
    client = signed_in("approver")
    client.post(reverse("mfa_authenticate"), {"code": code_of(SECRET)})
    out = StringIO()
    call_command("reset_second_factor", "approver", stdout=out)
    assert out.getvalue() == "approver signs in by password alone now, and is signed out everywhere.\n"
    assert not Authenticator.objects.exists()
    assert led_to(client) == reverse("account_login")
    assert led_to(signed_in("approver")) == reverse("mfa_activate_totp")
    with pytest.raises(CommandError, match="has no second factor"):
        call_command("reset_second_factor", "approver")
    with pytest.raises(CommandError, match="There is nobody called nobody"):
        call_command("reset_second_factor", "nobody")


# --- its seed, encrypted ----------------------------------------------------------------------------------------------


def test_where_the_keys_are_lost_a_code_is_refused_with_the_reason(cast: Cast, settings: Any) -> None:
    TOTP.activate(cast.approver, SECRET)
    settings.TOKEN_KEYS = [Fernet.generate_key().decode()]
    client = signed_in("approver")
    answer = client.post(reverse("mfa_authenticate"), {"code": code_of(SECRET)})
    assert "This code cannot be checked, because Pinxero&#x27;s key for second factors is missing." in (
        answer.content.decode()
    )
    assert led_to(client) == reverse("account_login")


def test_where_the_keys_are_lost_the_pages_of_the_second_factor_open(cast: Cast, settings: Any) -> None:
    client = signed_in("builder")
    TOTP.activate(cast.builder, SECRET)
    RecoveryCodes.activate(cast.builder)
    client.post(reverse("mfa_reauthenticate"), {"code": code_of(SECRET)})
    settings.TOKEN_KEYS = [Fernet.generate_key().decode()]
    assert client.get(reverse("mfa_index")).status_code == 200
    for name in ("mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_download_recovery_codes"):
        page = client.get(reverse(name), follow=True)
        assert page.redirect_chain == [(reverse("mfa_index"), 302)]
        assert "put the key back into TOKEN_KEYS, or to reset your second factor." in page.content.decode()


def test_an_enrolment_whose_seed_cannot_be_opened_begins_again(cast: Cast, settings: Any) -> None:
    client = signed_in("approver")
    first = shown_secret(client.get(reverse("mfa_activate_totp")))
    settings.TOKEN_KEYS = [Fernet.generate_key().decode()]
    again = client.post(reverse("mfa_activate_totp"), {"code": code_of(first)})
    assert "Incorrect code" in again.content.decode()
    assert shown_secret(again) != first
    assert not Authenticator.objects.exists()
    client.post(reverse("mfa_activate_totp"), {"code": code_of(shown_secret(again))})
    assert Authenticator.objects.count() == 2


def test_a_seed_in_a_wrong_attempt_is_kept_for_the_next(cast: Cast) -> None:
    client = signed_in("approver")
    first = shown_secret(client.get(reverse("mfa_activate_totp")))
    assert shown_secret(client.post(reverse("mfa_activate_totp"), {"code": "000000"})) == first


def shown_secret(page: Any) -> str:
    found = re.search(r'id="authenticator_secret" value="([A-Z2-7]+)"', page.content.decode())
    assert found is not None
    return found[1]


def test_seeds_of_before_are_encrypted_by_the_migration_once_and_opened_on_the_way_back(cast: Cast) -> None:
    migration = import_module("integrations.migrations.0006_encrypt_second_factors")
    TOTP.activate(cast.approver, SECRET)
    Authenticator.objects.update(data={"secret": SECRET})
    codes = {"seed": "5eed" * 20, "used_mask": 5, "viewed_at": 1.25}
    Authenticator.objects.create(user=cast.approver, type="recovery_codes", data=codes)
    old_codes = {"migrated_codes": ["abc", "def"]}
    Authenticator.objects.create(user=cast.builder, type="recovery_codes", data=old_codes)
    for _ in range(2):
        migration.seal(apps, None)
    stored = [each.data for each in Authenticator.objects.order_by("pk")]
    assert SECRET not in str(stored)
    assert "5eed5eed" not in str(stored)
    assert "abc" not in str(stored[2])
    assert {key: stored[1][key] for key in ("used_mask", "viewed_at")} == {"used_mask": 5, "viewed_at": 1.25}
    assert [with_seeds(each, get_adapter().decrypt) for each in stored] == [{"secret": SECRET}, codes, old_codes]
    migration.open_again(apps, None)
    assert [each.data for each in Authenticator.objects.order_by("pk")] == [{"secret": SECRET}, codes, old_codes]
