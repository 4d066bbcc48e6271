"""Renewing tokens against the sandbox: one refresh however many want it, and nothing lost when an answer is."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from django.db import connection, transaction
from django.utils import timezone

from integrations.core.errors import TemporaryError
from integrations.models import Connection, Grant
from integrations.transport import token_refresh
from tests.integrations.renewing import make_grant, read, refreshes, works, world
from tests.provider import Sandbox

__all__ = ["world"]

ROOT = Path(__file__).resolve().parents[3]


# --- a token when one is wanted -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_token_that_is_good_is_given_without_asking_anybody(world: Sandbox) -> None:
    grant = make_grant(world, expires_at=timezone.now() + timedelta(minutes=20))
    assert token_refresh.access_token(grant.pk) == grant.access_token
    assert refreshes(world) == 0


@pytest.mark.django_db
def test_a_token_that_expires_soon_is_renewed_and_both_new_ones_are_stored(world: Sandbox) -> None:
    grant = make_grant(world, expires_at=timezone.now() + timedelta(seconds=5), last_error="Xero gave no answer.")
    before = timezone.now()
    token = token_refresh.access_token(grant.pk)
    stored = read(grant)
    assert token == stored.access_token != grant.access_token
    assert stored.refresh_token not in ("", grant.refresh_token)
    assert works(world, token)
    assert stored.expires_at is not None
    assert before + timedelta(seconds=1795) < stored.expires_at < timezone.now() + timedelta(seconds=1801)
    assert (stored.lease_holder, stored.lease_until, stored.last_error) == ("", None, "")
    assert stored.refreshed_at is not None
    assert stored.refreshed_at > before - timedelta(seconds=1)
    assert refreshes(world) == 1


@pytest.mark.django_db
def test_a_short_lived_token_is_renewed_in_its_last_quarter_and_not_at_every_call(world: Sandbox) -> None:
    now = timezone.now()
    grant = make_grant(world, expires_at=now + timedelta(seconds=4), refreshed_at=now - timedelta(seconds=2))
    assert token_refresh.access_token(grant.pk) == grant.access_token
    Grant.objects.filter(pk=grant.pk).update(
        expires_at=now + timedelta(seconds=1), refreshed_at=now - timedelta(seconds=9)
    )
    assert token_refresh.access_token(grant.pk) != grant.access_token


@pytest.mark.django_db
def test_a_token_that_was_refused_is_renewed_although_it_looks_good(world: Sandbox) -> None:
    grant = make_grant(world, expires_at=timezone.now() + timedelta(minutes=20))
    fresh = token_refresh.access_token(grant.pk, unless=grant.access_token)
    assert fresh != grant.access_token
    assert token_refresh.access_token(grant.pk, unless=grant.access_token) == fresh
    assert refreshes(world) == 1


@pytest.mark.django_db
def test_pinterest_is_asked_for_lasting_tokens_and_their_end_is_kept(world: Sandbox, settings: Any) -> None:
    asked: list[Any] = []
    post = requests.Session.post
    grant = make_grant(world, "pinterest")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.Session, "post", lambda *args, **kw: asked.append(kw) or post(*args, **kw))
        token_refresh.access_token(grant.pk)
    assert asked[0]["data"]["continuous_refresh"] == "true"
    assert asked[0]["allow_redirects"] is False
    stored = read(grant)
    assert stored.refresh_expires_at is not None
    assert timedelta(days=59) < stored.refresh_expires_at - timezone.now() <= timedelta(days=60)
    assert stored.scopes == ["user_accounts:read", "boards:read", "boards:write", "pins:read", "pins:write"]


@pytest.mark.django_db(transaction=True)
def test_a_renewal_inside_a_transaction_is_refused_before_anything_is_sent(world: Sandbox) -> None:
    grant = make_grant(world)
    with pytest.raises(RuntimeError, match="inside a transaction"), transaction.atomic():
        token_refresh.access_token(grant.pk)
    assert refreshes(world) == 0


# --- many at once ---------------------------------------------------------------------------------------------------


def _database_url(folder: Path) -> str:
    """The tests' database for processes of their own: SQLite's is in memory, so they get a copy in a file."""
    if connection.vendor == "sqlite":
        path = folder / "copy.sqlite3"
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(path)])
        return f"sqlite:///{path}"
    base, _, _ = os.environ["DATABASE_URL"].partition("?")
    return f"{base.rpartition('/')[0]}/{connection.settings_dict['NAME']}"


def _race(world: Sandbox, settings: Any, folder: Path, *arguments: str) -> list[list[str]]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.endswith("_BASE")},
        **world.settings(),
        "DJANGO_SETTINGS_MODULE": "pinxero.settings",
        "PINXERO_ENV_FILE": "",
        "PINXERO_MODE": "development",
        "SECRET_KEY": settings.SECRET_KEY,
        "TOKEN_KEYS": ",".join(settings.TOKEN_KEYS),
        "DATABASE_URL": _database_url(folder),
        "LOG_LEVEL": "WARNING",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.integrations.refreshers", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: list[list[str]] = json.loads(done.stdout)
    return answers


@pytest.mark.django_db(transaction=True)
def test_eight_workers_and_fifty_expiries_make_fifty_refreshes_and_no_invalid_grant(
    world: Sandbox, settings: Any, tmp_path: Path
) -> None:
    world.faults(refresh_grace_seconds=0)  # a second refresh with the same token would be fatal
    grant = make_grant(world)
    answers = _race(world, settings, tmp_path, str(grant.pk), "8", "50")
    assert [len(set(tokens)) for tokens in answers] == [1] * 50
    assert len({tokens[0] for tokens in answers}) == 50
    assert not [token for tokens in answers for token in tokens if "Error" in token]
    assert works(world, answers[-1][0])
    assert [row["outcome"] for row in world.ledger(path="/connect/token")] == ["tokens for refresh_token"] * 50


@pytest.mark.django_db(transaction=True)
def test_eight_workers_whose_token_was_refused_refresh_once(world: Sandbox, settings: Any, tmp_path: Path) -> None:
    world.faults(refresh_grace_seconds=0)
    grant = make_grant(world, expires_at=timezone.now() + timedelta(minutes=25))
    answers = _race(world, settings, tmp_path, str(grant.pk), "8", "5", "--refused")
    assert [len(set(tokens)) for tokens in answers] == [1] * 5
    assert [row["outcome"] for row in world.ledger(path="/connect/token")] == ["tokens for refresh_token"] * 5


@pytest.mark.django_db
def test_while_somebody_else_renews_a_token_that_still_lives_is_used(world: Sandbox) -> None:
    soon = timezone.now() + timedelta(seconds=5)
    grant = make_grant(
        world, expires_at=soon, lease_holder="another worker", lease_until=timezone.now() + timedelta(seconds=30)
    )
    assert token_refresh.access_token(grant.pk) == grant.access_token
    assert refreshes(world) == 0


@pytest.mark.django_db
def test_while_somebody_else_renews_a_dead_token_the_caller_waits_a_little_and_gives_up(world: Sandbox) -> None:
    grant = make_grant(world, lease_holder="another worker", lease_until=timezone.now() + timedelta(seconds=30))
    started = time.monotonic()
    with pytest.raises(TemporaryError) as caught:
        token_refresh.access_token(grant.pk)
    assert 0.9 < time.monotonic() - started < 3
    assert caught.value.message == "The access to Xero is being renewed; no call was made."
    assert caught.value.retry_after == 2
    assert refreshes(world) == 0


@pytest.mark.django_db
def test_when_the_one_who_renewed_has_died_the_lease_runs_out_and_the_old_token_is_tried_again(world: Sandbox) -> None:
    grant = make_grant(world, lease_holder="dead worker", lease_until=timezone.now() + timedelta(seconds=0.5))
    token = token_refresh.access_token(grant.pk)
    assert works(world, token)
    assert refreshes(world) == 1


# --- the daily task -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_idle_grants_are_renewed_before_they_die_and_the_others_are_left_alone(world: Sandbox, settings: Any) -> None:
    settings.TIME_SCALE = 1
    now = timezone.now()
    day = timedelta(days=1)
    rows = {
        "unused for 31 days": {"refreshed_at": now - 31 * day, "expires_at": now - 30 * day},
        "used yesterday": {"refreshed_at": now - day, "expires_at": now - day + timedelta(minutes=30)},
        "refresh token ends in 29 days": {
            "refreshed_at": now - 29.5 * day, "expires_at": now + 28 * day, "refresh_expires_at": now + 29 * day
        },
        "refresh token ends in 58 days": {
            "refreshed_at": now - 2 * day, "expires_at": now + 28 * day, "refresh_expires_at": now + 58 * day
        },
        "access token ends in 6 days": {"refreshed_at": now - 24 * day, "expires_at": now + 6 * day},
        "unused, but nobody needs it": {"refreshed_at": now - 31 * day, "expires_at": now - 30 * day},
    }  # fmt: skip
    grants = {name: make_grant(world, external_user_id=name, **values) for name, values in rows.items()}
    Connection.objects.filter(grant=grants["unused, but nobody needs it"]).update(status="disconnected")
    assert token_refresh.refresh_idle_grants() == 3
    renewed = {name for name, grant in grants.items() if read(grant).refresh_token != grant.refresh_token}
    assert renewed == {"unused for 31 days", "refresh token ends in 29 days", "access token ends in 6 days"}


@pytest.mark.django_db
def test_an_idle_grant_that_cannot_be_renewed_does_not_stop_the_others(world: Sandbox, settings: Any) -> None:
    settings.TIME_SCALE = 1
    old = {"refreshed_at": timezone.now() - timedelta(days=40)}
    make_grant(world, external_user_id="dead", refresh_token="unknown", **old)
    alive = make_grant(world, external_user_id="alive", **old)
    assert token_refresh.refresh_idle_grants() == 1
    assert read(alive).refresh_token != alive.refresh_token


@pytest.mark.django_db
def test_no_token_and_no_secret_gets_into_the_log(world: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    grant = make_grant(world)
    token_refresh.access_token(grant.pk)
    stored = read(grant)
    world.faults(p_token_500=1)
    with pytest.raises(TemporaryError):
        token_refresh.access_token(grant.pk, unless=stored.access_token)
    for secret in (grant.access_token, grant.refresh_token, stored.access_token, stored.refresh_token):
        assert secret not in caplog.text
    assert "sandbox-xero-secret" not in caplog.text
    assert f"Renewed the access of grant {grant.pk}." in caplog.text
