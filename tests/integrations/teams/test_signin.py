"""Signing in to Pinxero: one door, no way round it, and no page of it that looks like somebody else's."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.contrib.auth.models import User
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from pinxero.sign_in import urls
from tests.base import PASSWORD, Cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_memory_of_other_tests(db: None) -> None:
    cache.clear()


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def sign_in(client: Client, login: str = "builder", password: str = PASSWORD, **more: str) -> Any:
    return client.post(reverse("account_login"), {"login": login, "password": password, **more})


def confirm(client: Client) -> None:
    """Say once more who one is, as changes of the second factor want it."""
    assert client.post(reverse("account_reauthenticate"), {"password": PASSWORD}).status_code == 302


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def code_of(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time()))))


# --- the door -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("login", ["builder", "builder@acme.example", "Builder@Acme.example"])
def test_a_person_signs_in_by_name_or_address(cast: Cast, login: str) -> None:
    client = Client()
    response = sign_in(client, login)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert is_in(client)


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(cast: Cast) -> None:
    pages = []
    for login, password in (("builder", "wrong"), ("nobody", PASSWORD)):
        client = Client()
        response = sign_in(client, login, password)
        assert response.status_code == 200
        assert not is_in(client)
        pages.append(re.sub(r'(value|csrfmiddlewaretoken)="[^"]*"', "", text(response)))
    assert "That username or that password is not right." in pages[0]
    assert pages[0] == pages[1]


def test_somebody_switched_off_does_not_get_in(cast: Cast) -> None:
    User.objects.filter(username="builder").update(is_active=False)
    client = Client()
    response = client.post(reverse("account_login"), {"login": "builder", "password": PASSWORD}, follow=True)
    assert not is_in(client)
    assert "This account is switched off" in text(response) or "is not right" in text(response)


def test_the_admins_door_leads_to_the_same_page(cast: Cast) -> None:
    client = Client()
    for address in (reverse("admin:index"), reverse("admin:login"), reverse("admin:auth_user_changelist")):
        response = client.get(address, follow=True)
        assert response.redirect_chain[-1][0].startswith("/accounts/login/?next=")
    posted = client.post(reverse("admin:login"), {"username": "builder", "password": PASSWORD})
    assert posted.status_code == 302
    assert not is_in(client)


def test_after_signing_in_one_is_taken_on_inside_pinxero_and_nowhere_else(cast: Cast) -> None:
    assert sign_in(Client(), next="/connections/")["Location"] == "/connections/"
    for evil in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        assert sign_in(Client(), next=evil)["Location"] == "/"


@pytest.mark.parametrize("address", ["/accounts/login/", "/admin/login/?next=/admin/"])
def test_guessing_is_slowed_down_across_processes_at_both_doors(cast: Cast, address: str) -> None:
    target = Client().get(address, follow=True).redirect_chain
    door = target[-1][0] if target else address
    answers = [
        Client().post(door, {"login": "builder", "password": f"guess {number}"}).content.decode() for number in range(8)
    ]
    assert ["Too many failed attempts" in answer for answer in answers] == [False] * 5 + [True] * 3
    right = Client()
    right.post(door, {"login": "builder", "password": PASSWORD})
    assert not is_in(right)  # for the moment even the right one
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM pinxero_cache")
        assert cursor.fetchone()[0] > 0  # the counters are in the shared table


def test_many_other_counters_do_not_push_out_those_of_a_name(cast: Cast) -> None:
    def guess() -> str:
        return Client().post("/accounts/login/", {"login": "builder", "password": "a guess"}).content.decode()

    assert "Too many failed attempts" in [guess() for _ in range(6)][-1]
    cache.set_many({f"of-somebody-else-{number}": 1 for number in range(400)})
    assert "Too many failed attempts" in guess()


def test_signing_out_takes_a_form(cast: Cast) -> None:
    client = Client()
    sign_in(client)
    assert "Sign out?" in text(client.get(reverse("account_logout")))
    assert is_in(client)
    assert client.post(reverse("account_logout"))["Location"] == "/accounts/login/"
    assert not is_in(client)


def test_a_session_ends_with_the_browser_and_after_eight_hours(cast: Cast) -> None:
    client = Client()
    response = sign_in(client)
    assert response.cookies["sessionid"]["max-age"] == ""
    assert response.cookies["sessionid"]["httponly"]
    assert client.session.get_expiry_age() == 8 * 3600


# --- what there is not ----------------------------------------------------------------------------------------------

SHUT = [
    "/accounts/signup/",
    "/accounts/email/",
    "/accounts/confirm-email/",
    "/accounts/confirm-email/abc:def/",
    "/accounts/password/set/",
    "/accounts/login/code/",
    "/accounts/login/code/confirm/",
    "/accounts/3rdparty/",
    "/accounts/3rdparty/signup/",
    "/accounts/3rdparty/login/cancelled/",
    "/accounts/3rdparty/login/error/",
    "/accounts/social/signup/",
    "/accounts/social/connections/",
    "/accounts/xero/login/",
    "/accounts/pinterest/login/",
]


@pytest.mark.parametrize("address", SHUT)
def test_nobody_signs_up_or_comes_in_by_another_way(cast: Cast, address: str) -> None:
    visitor, member = Client(), Client()
    member.force_login(cast.builder)
    form = {"username": "intruder", "email": "i@x.example", "password1": PASSWORD, "password2": PASSWORD}
    for client in (visitor, member):
        assert client.get(address).status_code == 404
        assert client.post(address, form).status_code == 404
    assert not User.objects.filter(username="intruder").exists()


def _names(patterns: list[Any]) -> set[str]:
    found: set[str] = set()
    for each in patterns:
        if isinstance(each, URLResolver):
            found |= _names(each.url_patterns)
        elif isinstance(each, URLPattern) and each.name:
            found.add(each.name)
    return found


def test_every_address_of_allauth_is_either_ours_to_show_or_shut(cast: Cast, settings: Any) -> None:
    shown = {
        "account_login", "account_logout", "account_inactive", "account_reauthenticate", "account_change_password",
        "account_reset_password", "account_reset_password_done", "account_reset_password_from_key",
        "account_reset_password_from_key_done", "mfa_index", "mfa_authenticate", "mfa_reauthenticate",
        "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_download_recovery_codes", "mfa_activate_totp",
        "mfa_deactivate_totp", "xero_callback", "pinterest_callback", "openid_connect_login",
        "openid_connect_callback", "account_confirm_at_company",
    }  # fmt: skip
    shut = {each.name for each in urls.urlpatterns if getattr(each, "callback", None) is urls.shut}
    assert _names(urls.urlpatterns) == shown | shut
    import allauth.urls

    assert _names(allauth.urls.urlpatterns) <= shown | shut
    assert not [each for each in _names(get_resolver().url_patterns) if each.startswith("socialaccount")] or shut


def test_every_page_at_the_door_is_in_our_own_look(cast: Cast) -> None:
    visitor, member = Client(), Client()
    sign_in(member)
    confirm(member)
    pages = [
        (visitor, "account_login"), (visitor, "account_reset_password"), (visitor, "account_reset_password_done"),
        (visitor, "account_inactive"), (visitor, "account_reset_password_from_key_done"),
        (member, "account_logout"), (member, "account_change_password"), (member, "account_reauthenticate"),
        (member, "mfa_index"), (member, "mfa_activate_totp"),
    ]  # fmt: skip
    responses = [client.get(reverse(name)) for client, name in pages]
    responses.append(visitor.get(reverse("account_reset_password_from_key", args=["1", "set-password"])))
    responses.append(visitor.get("/accounts/password/reset/key/zz-bad/"))
    for response in responses:
        assert response.status_code == 200
        assert "unfold/css/styles.css" in text(response)
        assert "pinxero/pages.css" in text(response)
        assert "Menu:" not in text(response)
        assert "sign up" not in text(response).lower()
        assert response["Content-Security-Policy"]
        assert "<script>" not in text(response)


# --- passwords ------------------------------------------------------------------------------------------------------


def test_a_forgotten_password_is_set_anew_by_a_link_from_the_base_address(cast: Cast, mailoutbox: list[Any]) -> None:
    visitor = Client()
    ask = {"email": "builder@acme.example"}
    response = visitor.post(reverse("account_reset_password"), ask, headers={"host": "localhost"}, follow=True)
    assert "Check your mail" in text(response)
    [sent] = mailoutbox
    assert sent.subject == "Set a new password for Pinxero"
    assert sent.to == ["builder@acme.example"]
    assert "!" not in sent.body
    link = re.search(r"http://127\.0\.0\.1:8000(/accounts/password/reset/key/\S+)", sent.body)
    assert link is not None
    form = visitor.get(link[1], follow=True)
    assert "Set a new password" in text(form)
    new = "a quite different sentence"
    done = visitor.post(form.redirect_chain[-1][0], {"password1": new, "password2": new}, follow=True)
    assert "Your password is set" in text(done)
    assert not is_in(visitor)
    assert sign_in(visitor, password=new).status_code == 302
    assert "This link does not work any more" in text(Client().get(link[1], follow=True))


def test_asking_for_an_unknown_address_sends_nothing_and_looks_the_same(cast: Cast, mailoutbox: list[Any]) -> None:
    response = Client().post(reverse("account_reset_password"), {"email": "nobody@acme.example"}, follow=True)
    assert "Check your mail" in text(response)
    assert mailoutbox == []


def test_a_mail_server_that_is_down_changes_no_page(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> int:
        raise ConnectionRefusedError("no mail server")

    monkeypatch.setattr(mail.EmailMessage, "send", fail)
    response = Client().post(reverse("account_reset_password"), {"email": "builder@acme.example"}, follow=True)
    assert "Check your mail" in text(response)


def test_a_password_is_changed_with_the_old_one_and_other_browsers_are_signed_out(
    cast: Cast, mailoutbox: list[Any]
) -> None:
    here, elsewhere = Client(), Client()
    sign_in(here)
    sign_in(elsewhere)
    new = "a quite different sentence"
    form = {"oldpassword": "wrong", "password1": new, "password2": new}
    assert here.post(reverse("account_change_password"), form).status_code == 200
    assert here.post(reverse("account_change_password"), {**form, "oldpassword": PASSWORD}).status_code == 302
    assert here.get(reverse("connections")).status_code == 200
    assert elsewhere.get(reverse("connections")).status_code == 302
    assert "If that was not you, tell your administrator at once." in mailoutbox[-1].body


def test_a_short_password_is_refused(cast: Cast) -> None:
    client = Client()
    sign_in(client)
    form = {"oldpassword": PASSWORD, "password1": "short", "password2": "short"}
    assert "at least 12 characters" in text(client.post(reverse("account_change_password"), form))


# --- the second factor ----------------------------------------------------------------------------------------------


def test_a_person_sets_up_an_app_and_then_needs_its_code_to_sign_in(cast: Cast) -> None:
    client = Client()
    sign_in(client)
    confirm(client)
    page = client.get(reverse("mfa_activate_totp"))
    secret = re.search(r'id="authenticator_secret" value="([A-Z2-7]+)"', page.content.decode())
    assert secret is not None
    response = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret[1])}, follow=True)
    assert "Recovery codes" in text(response)
    assert set(Authenticator.objects.values_list("type", flat=True)) == {"totp", "recovery_codes"}
    assert "Signing in asks for a code." in text(client.get(reverse("mfa_index")))
    cache.clear()  # the same code again within its half minute

    other = Client()
    assert sign_in(other)["Location"] == reverse("mfa_authenticate")
    assert not is_in(other)
    assert "One more step" in text(other.get(reverse("mfa_authenticate")))
    assert "Incorrect code" in text(other.post(reverse("mfa_authenticate"), {"code": "000000"}))
    assert other.post(reverse("mfa_authenticate"), {"code": code_of(secret[1])}).status_code == 302
    assert is_in(other)


def test_the_second_factor_holds_at_the_admins_door_too(cast: Cast) -> None:
    TOTP.activate(cast.builder, "JBSWY3DPEHPK3PXP")
    client = Client()
    door = client.get(reverse("admin:login"), follow=True).redirect_chain[-1][0]
    client.post(door, {"login": "builder", "password": PASSWORD})
    assert not is_in(client)
    assert client.get(reverse("admin:index"))["Location"].startswith("/a")


def test_a_recovery_code_lets_in_once(cast: Cast) -> None:
    TOTP.activate(cast.builder, "JBSWY3DPEHPK3PXP")
    code = RecoveryCodes.activate(cast.builder).get_unused_codes()[0]
    answers = []
    for _ in range(2):
        client = Client()
        sign_in(client)
        client.post(reverse("mfa_authenticate"), {"code": code})
        answers.append(is_in(client))
    assert answers == [True, False]


def test_switching_the_second_factor_off_asks_once_more_who_it_is(cast: Cast) -> None:
    client = Client()
    sign_in(client)
    TOTP.activate(cast.builder, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(cast.builder)
    for name in ("mfa_deactivate_totp", "mfa_generate_recovery_codes", "mfa_view_recovery_codes"):
        response = client.get(reverse(name), follow=True)
        assert "Confirm that it is you" in text(response)
    client.post(reverse("mfa_deactivate_totp"))
    assert Authenticator.objects.filter(type="totp").exists()
    client.post(reverse("mfa_reauthenticate"), {"code": code_of("JBSWY3DPEHPK3PXP")})
    client.post(reverse("mfa_deactivate_totp"))
    assert not Authenticator.objects.exists()
