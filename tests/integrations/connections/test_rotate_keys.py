"""Rotating the keys of stored tokens."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection

from integrations.core.encryption import UndecryptableError
from integrations.management.commands import rotate_keys
from integrations.models import Grant, Team


def raw(column: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM integrations_grant ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def make_grants(count: int, *, start: int = 0) -> None:
    team, _ = Team.objects.get_or_create(name="Acme Finance")
    for number in range(start, start + count):
        Grant.objects.create(
            team=team,
            provider="xero",
            external_user_id=f"person {number}",
            access_token=f"access {number}",
            refresh_token=f"refresh {number}",
        )


def rotate(**options: Any) -> str:
    out = StringIO()
    call_command("rotate_keys", stdout=out, **options)
    return out.getvalue()


@pytest.mark.django_db
def test_after_rotation_the_new_key_alone_opens_everything(settings: Any) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.TOKEN_KEYS = [old]
    make_grants(7)
    settings.TOKEN_KEYS = [new, old]
    assert rotate(batch=3) == "Re-encrypted 14, already under the first key 0.\n"
    settings.TOKEN_KEYS = [new]
    assert [(each.access_token, each.refresh_token) for each in Grant.objects.order_by("pk")] == [
        (f"access {number}", f"refresh {number}") for number in range(7)
    ]
    assert [each.refreshed_at for each in Grant.objects.all()] == [None] * 7


@pytest.mark.django_db
def test_an_interrupted_rotation_goes_on_where_it_stopped(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.TOKEN_KEYS = [old]
    make_grants(3)
    settings.TOKEN_KEYS = [new, old]
    turn_over, done = rotate_keys._turn_over, []

    def and_stop(*args: Any) -> str:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(turn_over(*args))
        return done[-1]

    with monkeypatch.context() as patch:
        patch.setattr(rotate_keys, "_turn_over", and_stop)
        with pytest.raises(KeyboardInterrupt):
            rotate()
    assert rotate() == "Re-encrypted 4, already under the first key 2.\n"
    before = raw("access_token")
    assert rotate() == "Re-encrypted 0, already under the first key 6.\n"
    assert raw("access_token") == before


@pytest.mark.django_db
def test_rows_that_no_key_opens_are_named_and_left_and_the_others_are_done(settings: Any) -> None:
    old, lost, new = (Fernet.generate_key().decode() for _ in range(3))
    settings.TOKEN_KEYS = [lost]
    make_grants(1)
    settings.TOKEN_KEYS = [old]
    make_grants(1, start=1)
    before = raw("access_token")
    settings.TOKEN_KEYS = [new, old]
    first, second = Grant.objects.order_by("pk").values_list("pk", flat=True)
    with pytest.raises(CommandError) as caught:
        rotate()
    assert f"integrations.Grant {first} (access_token), integrations.Grant {first} (refresh_token)" in str(caught.value)
    assert str(caught.value).startswith("2 values open with none of the keys")
    assert f"Grant {second}" not in str(caught.value)
    assert raw("access_token")[0] == before[0]
    settings.TOKEN_KEYS = [new]
    assert Grant.objects.get(pk=second).access_token == "access 1"


@pytest.mark.django_db
def test_a_token_that_is_renewed_meanwhile_is_not_overwritten(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.TOKEN_KEYS = [old]
    make_grants(1)
    settings.TOKEN_KEYS = [new, old]
    opens = rotate_keys._opens

    def and_renew(key: Fernet, ciphertext: str) -> bool:
        monkeypatch.setattr(rotate_keys, "_opens", opens)
        Grant.objects.update(access_token="renewed meanwhile")
        return opens(key, ciphertext)

    monkeypatch.setattr(rotate_keys, "_opens", and_renew)
    rotate()
    assert Grant.objects.get().access_token == "renewed meanwhile"


@pytest.mark.django_db
def test_without_keys_nothing_is_touched(settings: Any) -> None:
    make_grants(1)
    before = raw("access_token")
    for keys, message in ([], "TOKEN_KEYS is empty"), (["not a key"], "not a Fernet key"):
        settings.TOKEN_KEYS = keys
        with pytest.raises(CommandError, match=message):
            rotate()
    assert raw("access_token") == before


@pytest.mark.django_db
def test_a_wrong_key_fails_closed_and_never_gives_ciphertext(settings: Any) -> None:
    make_grants(1)
    settings.TOKEN_KEYS = [Fernet.generate_key().decode()]
    grant = Grant.objects.get()
    with pytest.raises(UndecryptableError):
        assert grant.access_token
    assert Grant.objects.defer("access_token", "refresh_token").get().external_user_id == "person 0"


def one_with_second_factor() -> tuple[TOTP, RecoveryCodes]:
    user = User.objects.create_user("builder")
    return TOTP.activate(user, "JBSWY3DPEHPK3PXP"), RecoveryCodes.activate(user)


@pytest.mark.django_db
def test_second_factors_are_turned_over_too(settings: Any) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.TOKEN_KEYS = [old]
    _, codes = one_with_second_factor()
    printed = codes.get_unused_codes()
    assert codes.validate_code(printed[0])
    settings.TOKEN_KEYS = [new, old]
    assert rotate() == "Re-encrypted 2, already under the first key 0.\n"
    assert rotate() == "Re-encrypted 0, already under the first key 2.\n"
    settings.TOKEN_KEYS = [new]
    app, kept = Authenticator.objects.order_by("pk")
    assert get_adapter().decrypt(app.data["secret"]) == "JBSWY3DPEHPK3PXP"
    assert kept.wrap().get_unused_codes() == printed[1:]


@pytest.mark.django_db
def test_a_recovery_code_that_is_used_meanwhile_stays_used(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.TOKEN_KEYS = [old]
    _, codes = one_with_second_factor()
    printed = codes.get_unused_codes()
    settings.TOKEN_KEYS = [new, old]
    with_seeds = rotate_keys.with_seeds

    def and_use(*args: Any) -> Any:
        turned = with_seeds(*args)
        if "seed" in turned:
            Authenticator.objects.get(type="recovery_codes").wrap().validate_code(printed[0])
        return turned

    monkeypatch.setattr(rotate_keys, "with_seeds", and_use)
    rotate()
    settings.TOKEN_KEYS = [new]
    assert Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes() == printed[1:]


@pytest.mark.django_db
def test_a_second_factor_that_no_key_opens_is_named_and_left(settings: Any) -> None:
    app, codes = one_with_second_factor()
    before = list(Authenticator.objects.order_by("pk").values_list("data", flat=True))
    settings.TOKEN_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError) as caught:
        rotate()
    assert f"mfa.Authenticator {app.instance.pk} (data), mfa.Authenticator {codes.instance.pk} (data)" in str(
        caught.value
    )
    assert list(Authenticator.objects.order_by("pk").values_list("data", flat=True)) == before
