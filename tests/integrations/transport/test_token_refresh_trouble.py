"""Renewals whose answer is lost, odd or a refusal: nothing is lost, and a person is asked only when one is needed."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone

from integrations.core.errors import ReconnectError, TemporaryError
from integrations.models import Connection, Grant
from integrations.transport import token_refresh
from tests.integrations.renewing import make_grant, read, refreshes, works, world
from tests.provider import Sandbox

__all__ = ["world"]


# --- answers that are lost or odd -----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_lost_answer_keeps_the_old_token_which_then_works_again(world: Sandbox) -> None:
    grant = make_grant(world)
    world.faults(p_refresh_silence=1)
    with pytest.raises(TemporaryError) as caught:
        token_refresh.access_token(grant.pk)
    assert caught.value.message == "Xero gave no answer when asked for access."
    kept = read(grant)
    assert (kept.refresh_token, kept.status) == (grant.refresh_token, Grant.Status.ACTIVE)
    assert refreshes(world) == 1  # the provider did rotate
    world.faults(p_refresh_silence=0)
    token = token_refresh.access_token(grant.pk)
    assert works(world, token)
    assert read(grant).refresh_token != grant.refresh_token
    assert refreshes(world) == 2


@pytest.mark.django_db
def test_a_renewal_without_an_outcome_is_taken_up_by_the_minute_task_before_the_grace_is_over(world: Sandbox) -> None:
    now = timezone.now()
    grant = make_grant(world, expires_at=now + timedelta(seconds=4), refreshed_at=now - timedelta(minutes=30))
    world.faults(p_refresh_silence=1)
    assert token_refresh.access_token(grant.pk) == grant.access_token  # it still lives
    world.faults(p_refresh_silence=0)
    assert token_refresh.finish_refreshes() == 1
    assert read(grant).refresh_token != grant.refresh_token
    assert token_refresh.finish_refreshes() == 0
    assert refreshes(world) == 2


class Oddity(threading.Thread):
    """A token endpoint that answers one thing only; with a pause, a byte of the body at a time."""

    def __init__(self, answer: bytes, pause: float = 0) -> None:
        super().__init__(daemon=True)
        self.answer = answer
        self.pause = pause
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def run(self) -> None:
        while True:
            try:
                visitor, _ = self.socket.accept()
            except OSError:
                return
            with visitor:
                visitor.recv(65536)
                head, body = (self.answer, b"") if not self.pause else self._apart()
                visitor.sendall(head)
                with contextlib.suppress(OSError):
                    for byte in body:
                        visitor.sendall(bytes([byte]))
                        time.sleep(self.pause)

    def _apart(self) -> tuple[bytes, bytes]:
        head, end, body = self.answer.partition(b"\r\n\r\n")
        return head + end, body


@pytest.fixture
def oddity(settings: Any) -> Iterator[Any]:
    started: list[Oddity] = []

    def start(status: str, body: bytes, *headers: str, pause: float = 0) -> None:
        head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers])
        server = Oddity(head.encode() + b"\r\n\r\n" + body, pause)
        server.start()
        started.append(server)
        settings.XERO_IDENTITY_BASE = server.url

    yield start
    for server in started:
        server.socket.close()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        ("500 Server Error", b'{"error": "server_error"}', []),
        ("503 Unavailable", b"<html>Down for maintenance</html>", []),
        ("200 OK", b"<html>Welcome</html>", []),
        ("200 OK", b'{"access_token": 5}', []),
        ("200 OK", b'{"access_token": "", "refresh_token": "r"}', []),
        ("200 OK", b'["access_token"]', []),
        ("200 OK", b'{"access_token": "new", "refresh_token": "r"}' + b" " * 300_000, []),
        ("302 Found", b"", ["Location: http://127.0.0.1:1/elsewhere"]),
        ("429 Too Many", b'{"error": "slow_down"}', []),
        ("400 Bad Request", b"<html>Bad</html>", []),
    ],
)
def test_an_odd_answer_keeps_the_old_token_and_says_try_again(
    world: Sandbox, oddity: Any, status: str, body: bytes, headers: list[str]
) -> None:
    grant = make_grant(world)
    oddity(status, body, *headers)
    with pytest.raises(TemporaryError):
        token_refresh.access_token(grant.pk)
    kept = read(grant)
    assert (kept.access_token, kept.refresh_token) == (grant.access_token, grant.refresh_token)
    assert kept.status == Grant.Status.ACTIVE
    assert kept.lease_holder != ""  # the outcome is open: the minute task comes back to it
    assert kept.lease_until is not None
    assert kept.lease_until <= timezone.now() + timedelta(seconds=0.1)


@pytest.mark.django_db
@pytest.mark.parametrize("lifetime", [b"1e999", b"99999999999999999999", b"-5", b'"soon"'])
def test_a_lifetime_that_makes_no_sense_does_not_lose_the_token(world: Sandbox, oddity: Any, lifetime: bytes) -> None:
    grant = make_grant(world)
    oddity("200 OK", b'{"access_token": "new", "refresh_token": "r", "expires_in": ' + lifetime + b"}")
    assert token_refresh.access_token(grant.pk) == "new"
    kept = read(grant)
    assert (kept.access_token, kept.refresh_token, kept.lease_holder) == ("new", "r", "")


@pytest.mark.django_db
def test_a_token_endpoint_that_drips_is_given_up_before_the_lease_ends(world: Sandbox, oddity: Any) -> None:
    grant = make_grant(world)
    oddity("200 OK", b'{"access_token": "new", "refresh_token": "r"}' + b" " * 20, pause=0.1)  # six seconds in all
    began = time.monotonic()
    with pytest.raises(TemporaryError, match="gave no answer"):
        token_refresh.access_token(grant.pk)
    assert time.monotonic() - began < token_refresh._lease_seconds()
    assert read(grant).access_token == grant.access_token


@pytest.mark.django_db
def test_a_token_endpoint_that_cannot_be_reached_leaves_nothing_open(world: Sandbox, settings: Any) -> None:
    grant = make_grant(world)
    settings.XERO_IDENTITY_BASE = "http://127.0.0.1:1"
    with pytest.raises(TemporaryError) as caught:
        token_refresh.access_token(grant.pk)
    assert caught.value.message == "Xero could not be reached."
    kept = read(grant)
    assert (kept.lease_holder, kept.lease_until, kept.last_error) == ("", None, "Xero could not be reached.")


@pytest.mark.django_db
def test_an_installation_that_the_provider_refuses_does_not_lose_the_consent(world: Sandbox, settings: Any) -> None:
    grant = make_grant(world)
    settings.XERO_CLIENT_SECRET = "a wrong one"
    with pytest.raises(TemporaryError) as caught:
        token_refresh.access_token(grant.pk)
    assert caught.value.message == "Xero refused to give access: invalid_client"
    assert read(grant).status == Grant.Status.ACTIVE
    settings.XERO_CLIENT_SECRET = "sandbox-xero-secret"
    assert works(world, token_refresh.access_token(grant.pk))


# --- when a person is needed ----------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("provider", "name"), [("xero", "Xero"), ("pinterest", "Pinterest")])
def test_a_consent_that_is_not_accepted_any_more_flags_all_its_connections(
    world: Sandbox, provider: str, name: str
) -> None:
    grant = make_grant(world, provider)
    other = Connection.objects.create(team=grant.team, grant=grant, provider=provider, external_id="two", name="Two")
    over = Connection.objects.create(
        team=grant.team, grant=grant, provider=provider, external_id="three", name="Three", status="disconnected"
    )
    world.revoke(provider=provider)
    message = f"{name} does not accept the stored consent any more. Reconnect."
    for _ in range(2):
        with pytest.raises(ReconnectError) as caught:
            token_refresh.access_token(grant.pk)
        assert caught.value.message == message
    stored = read(grant)
    assert (stored.status, stored.last_error, stored.lease_holder) == ("needs_reconnect", message, "")
    other.refresh_from_db()
    over.refresh_from_db()
    assert (other.status, other.last_error) == ("needs_reconnect", message)
    assert over.status == "disconnected"
    asked = [row for row in world.ledger() if row["path"].endswith("/token")]
    assert len(asked) == 1  # never again after a clear no


@pytest.mark.django_db
def test_a_reconnection_during_a_refused_renewal_is_not_undone(world: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    grant = make_grant(world)
    world.revoke(provider="xero")
    ask = token_refresh._ask

    def and_meanwhile(*args: Any) -> Any:
        fresh = world.tokens("xero")
        Grant.objects.filter(pk=grant.pk).update(
            access_token=fresh["access_token"],
            refresh_token=fresh["refresh_token"],
            expires_at=timezone.now() + timedelta(minutes=30),
            lease_holder="",
            lease_until=None,
        )
        return ask(*args)

    monkeypatch.setattr(token_refresh, "_ask", and_meanwhile)
    assert works(world, token_refresh.access_token(grant.pk))
    assert read(grant).status == Grant.Status.ACTIVE
    assert set(Connection.objects.values_list("status", flat=True)) == {"connected"}


@pytest.mark.django_db
def test_a_reconnection_during_a_renewal_that_succeeds_is_not_overwritten(
    world: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = make_grant(world)
    fresh = world.tokens("xero")
    ask = token_refresh._ask

    def and_meanwhile(*args: Any) -> Any:
        answer = ask(*args)
        Grant.objects.filter(pk=grant.pk).update(
            access_token=fresh["access_token"],
            refresh_token=fresh["refresh_token"],
            expires_at=timezone.now() + timedelta(minutes=30),
            lease_holder="",
            lease_until=None,
        )
        return answer

    monkeypatch.setattr(token_refresh, "_ask", and_meanwhile)
    assert token_refresh.access_token(grant.pk) == fresh["access_token"]
    assert read(grant).refresh_token == fresh["refresh_token"]


@pytest.mark.django_db
def test_a_missing_or_withdrawn_grant_needs_a_person(world: Sandbox) -> None:
    grant = make_grant(world, status=Grant.Status.REVOKED)
    with pytest.raises(ReconnectError):
        token_refresh.access_token(grant.pk)
    with pytest.raises(ReconnectError):
        token_refresh.access_token(grant.pk + 1000)
    assert refreshes(world) == 0


@pytest.mark.django_db
def test_tokens_that_no_key_opens_are_never_sent_and_wait_for_the_key(world: Sandbox, settings: Any) -> None:
    grant = make_grant(world)
    right = settings.TOKEN_KEYS
    settings.TOKEN_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(TemporaryError, match="cannot be opened with the keys in TOKEN_KEYS"):
        token_refresh.access_token(grant.pk)
    assert world.ledger() == []
    settings.TOKEN_KEYS = right
    assert works(world, token_refresh.access_token(grant.pk))
