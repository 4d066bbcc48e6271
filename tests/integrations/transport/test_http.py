"""What the client makes of every outcome on the wire: a Response, or one of the five errors."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from integrations.core.errors import (
    Hold,
    IntegrationError,
    OutcomeUnknownError,
    ReconnectError,
    RejectedError,
    TemporaryError,
)
from integrations.models import CallBudget, Connection
from integrations.transport import http, token_refresh
from integrations.transport.call_budget import Limits
from integrations.transport.http import ApiClient, Request, Response
from tests.base import Cast, make_connection
from tests.integrations.scripted import ScriptedProvider, json_answer, running_provider

WRITE = Request.of_json("POST", "/things", {"amount": Decimal("1.10")})


class PlainClient(ApiClient):
    """A client without manners of its own."""

    provider_name = "Plain"
    address = ""

    def base(self, path: str) -> str:
        return self.address

    def limits(self) -> Limits:
        return Limits(per_minute=0, at_once=0, per_day=0)

    def refusal(self, response: Response) -> IntegrationError:
        if response.status == 401:
            return ReconnectError("Reconnect Plain.")
        return RejectedError(f"No: {response.text}", status=response.status)


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with running_provider() as running:
        yield running


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Hands out token-1, token-2 and so on; the list holds what each was asked to replace."""
    asked: list[str | None] = []

    def access_token(grant_id: int, *, unless: str | None = None) -> str:
        asked.append(unless)
        return "token-1" if unless is None else "token-2"

    monkeypatch.setattr(token_refresh, "access_token", access_token)
    return asked


@pytest.fixture
def api(cast: Cast, provider: ScriptedProvider, tokens: list[str | None]) -> PlainClient:
    client = PlainClient(make_connection(cast.team, "plain"))
    client.address = provider.url
    return client


def read_error(api: ApiClient) -> IntegrationError:
    with pytest.raises(IntegrationError) as caught:
        api.read("/things")
    return caught.value


def write_error(api: ApiClient) -> IntegrationError:
    with pytest.raises(IntegrationError) as caught:
        api.write(WRITE)
    return caught.value


# --- the ordinary case ------------------------------------------------------------------------------------------------


def test_an_answer_comes_back_with_exact_numbers_and_lower_case_headers(
    api: PlainClient, provider: ScriptedProvider
) -> None:
    provider.says(json_answer(200, '{"total": 0.1}', X_Thing="1"))
    response = api.read("/things", {"page": "2", "where": 'a=="b c"'}, {"If-Modified-Since": "x"})
    assert response.json() == {"total": Decimal("0.1")}
    assert response.headers["x-thing"] == "1"
    (sent,) = provider.requests
    head = sent.decode().split("\r\n")
    assert head[0] == "GET /things?page=2&where=a%3D%3D%22b+c%22 HTTP/1.1"
    assert "Authorization: Bearer token-1" in head
    assert "If-Modified-Since: x" in head
    assert "Accept: application/json" in head


def test_a_write_sends_the_very_bytes_and_its_key(api: PlainClient, provider: ScriptedProvider) -> None:
    provider.says(json_answer(201))
    assert api.write(WRITE, idempotency_key="k-1").status == 201
    (sent,) = provider.requests
    assert sent.endswith(b'\r\n\r\n{"amount":1.10}')
    assert b"Idempotency-Key: k-1\r\n" in sent
    assert b"Content-Type: application/json\r\n" in sent


# --- outcomes ---------------------------------------------------------------------------------------------------------

READ = [
    (400, RejectedError),
    (403, RejectedError),
    (404, RejectedError),
    (409, RejectedError),
    (412, RejectedError),
    (408, TemporaryError),
    (301, TemporaryError),
    (500, TemporaryError),
    (501, TemporaryError),
    (503, TemporaryError),
]


@pytest.mark.parametrize(("status", "error"), READ)
def test_what_a_status_means_for_a_read(
    api: PlainClient, provider: ScriptedProvider, status: int, error: type[IntegrationError]
) -> None:
    provider.says(json_answer(status, "why"))
    caught = read_error(api)
    assert type(caught) is error
    assert caught.response is not None
    assert caught.response.status == status
    assert len(provider.requests) == 1


WRITTEN = [
    (400, RejectedError),
    (403, RejectedError),
    (404, RejectedError),
    (409, RejectedError),
    (422, RejectedError),
    (408, OutcomeUnknownError),
    (302, OutcomeUnknownError),
    (500, OutcomeUnknownError),
    (502, OutcomeUnknownError),
    (503, OutcomeUnknownError),
]


@pytest.mark.parametrize(("status", "error"), WRITTEN)
def test_what_a_status_means_for_a_write(
    api: PlainClient, provider: ScriptedProvider, status: int, error: type[IntegrationError]
) -> None:
    provider.says(json_answer(status, "why"))
    caught = write_error(api)
    assert type(caught) is error
    assert len(provider.requests) == 1, "the client itself never sends twice"


@pytest.mark.parametrize("body", ["<html>Welcome</html>", "", "{", "NaN", "[" * 100_000])
def test_a_200_that_is_no_json_is_a_temporary_error_for_a_read(
    api: PlainClient, provider: ScriptedProvider, body: str
) -> None:
    provider.says(json_answer(200, body))
    caught = read_error(api)
    assert type(caught) is TemporaryError
    assert caught.message == "Plain answered with something that is not JSON."


def test_silence_after_a_write_leaves_the_outcome_unknown(api: PlainClient, provider: ScriptedProvider) -> None:
    api.longest = 1
    provider.says(20.0)
    began = time.monotonic()
    assert write_error(api).message == "Plain gave no answer; whether it wrote is not known."
    assert type(read_error(api)) is TemporaryError
    assert time.monotonic() - began < 15, "it was given up before the provider hung up"


def test_a_closed_connection_after_a_write_leaves_the_outcome_unknown(
    api: PlainClient, provider: ScriptedProvider
) -> None:
    provider.says(None)
    assert type(write_error(api)) is OutcomeUnknownError
    assert type(read_error(api)) is TemporaryError


def test_an_answer_cut_short_is_no_answer(api: PlainClient, provider: ScriptedProvider) -> None:
    provider.says(json_answer(200, '{"a":1}').replace(b"Content-Length: 7", b"Content-Length: 70"))
    assert type(write_error(api)) is OutcomeUnknownError
    assert read_error(api).message == "Plain gave no answer."


def test_an_answer_whose_headers_contradict_each_other_leaves_the_outcome_unknown(
    api: PlainClient, provider: ScriptedProvider
) -> None:
    provider.says(json_answer(200, '{"a":1}', **{"content_length": "3"}))  # beside the right one
    assert type(write_error(api)) is OutcomeUnknownError
    assert read_error(api).message == "Plain gave no answer."


def test_a_refused_connection_is_certainly_not_sent(api: PlainClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]
    api.address = f"http://127.0.0.1:{free}"
    for caught in (write_error(api), read_error(api)):
        assert type(caught) is TemporaryError
        assert caught.message == "Plain could not be reached; nothing was sent."


@pytest.mark.parametrize("address", ["no-scheme", "http://", "http://[::1", "ftp://127.0.0.1"])
def test_an_impossible_address_is_certainly_not_sent(api: PlainClient, address: str) -> None:
    api.address = address
    caught = write_error(api)
    assert type(caught) in {TemporaryError, RejectedError}
    assert "nothing was sent" in caught.message


def test_an_answer_larger_than_the_cap_is_not_read_to_its_end(
    api: PlainClient, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_BODY_BYTES", 1000)
    provider.says(json_answer(200, '"' + "x" * 999 + '"'))
    assert read_error(api).message == "Plain gave an answer that is too large."
    assert type(write_error(api)) is OutcomeUnknownError
    provider.says(json_answer(200, '"' + "x" * 998 + '"'))
    assert len(api.read("/things").json()) == 998


def test_the_cap_is_ten_megabytes() -> None:
    assert http.MAX_BODY_BYTES == 10 * 1024 * 1024


def test_an_answer_that_drips_is_given_up(api: PlainClient) -> None:
    api.longest = 1
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                while not stop.wait(0.2):
                    try:
                        connection.sendall(b" ")
                    except OSError:
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        api.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        began = time.monotonic()
        assert read_error(api).message == "Plain gave no answer."
        assert time.monotonic() - began < 15, "dripping would take 200 s"
        stop.set()
        thread.join(5)


@pytest.mark.parametrize(
    "path",
    [
        "@evil.example/x", ".evil.example/x", ":1@evil.example/", "evil", "/a/../b", "/..", "/a/%2e%2E/b", "/%2e",
        "/a/..%2Fb", "/a/%5c..%5cb", "/a?b=1", "/a#b", "/a\\b", "/a b", "/a\r\nb",
    ],
)  # fmt: skip
def test_a_call_to_another_host_is_refused_and_nothing_is_sent(
    api: PlainClient, provider: ScriptedProvider, path: str
) -> None:
    with pytest.raises(RejectedError) as caught:
        api.read(path)
    assert caught.value.message == "A call to Plain would have gone to another address; nothing was sent."
    assert provider.requests == []


# --- 401 and 429 ------------------------------------------------------------------------------------------------------


def test_a_stale_token_is_refreshed_once_and_the_same_bytes_go_out_once_more(
    api: PlainClient, provider: ScriptedProvider, tokens: list[str | None]
) -> None:
    provider.says(json_answer(401), json_answer(201))
    assert api.write(WRITE, idempotency_key="k-1").status == 201
    first, second = provider.requests
    assert b"Bearer token-1" in first
    assert first.replace(b"token-1", b"token-2") == second
    assert tokens == [None, "token-1"]


def test_a_401_after_a_refresh_needs_a_person(api: PlainClient, provider: ScriptedProvider) -> None:
    provider.says(json_answer(401))
    assert type(read_error(api)) is ReconnectError
    assert len(provider.requests) == 2
    with pytest.raises(ReconnectError):
        api.write(Request("PUT", "/things"), idempotency_key="key")
    assert len(provider.requests) == 4


def test_a_write_without_a_key_is_not_sent_again_on_a_401(
    api: PlainClient, provider: ScriptedProvider, tokens: list[str | None]
) -> None:
    provider.says(json_answer(401), json_answer(200))
    caught = write_error(api)
    assert type(caught) is TemporaryError
    assert caught.response is not None
    assert caught.response.status == 401
    assert tokens == [None, "token-1"], "the next call has a fresh token"
    assert len(provider.requests) == 1


def test_a_401_that_no_token_cures_is_not_refreshed(
    api: PlainClient, provider: ScriptedProvider, tokens: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PlainClient, "is_stale_token", lambda self, response: False)
    provider.says(json_answer(401))
    assert type(read_error(api)) is ReconnectError
    assert tokens == [None]


def test_each_sending_takes_a_place_of_its_own(
    api: PlainClient, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PlainClient, "limits", lambda self: Limits(per_minute=10, at_once=5, per_day=100))
    provider.says(json_answer(401), json_answer(200))
    api.read("/things")
    budget = CallBudget.objects.get()
    assert budget.day_used == 2
    assert budget.in_flight == {}


def test_a_429_is_a_wait_and_blocks_the_connection_for_everybody(api: PlainClient, provider: ScriptedProvider) -> None:
    provider.says(json_answer(429))
    caught = write_error(api)
    assert isinstance(caught, TemporaryError)
    assert (caught.retry_after, caught.hold) == (60, Hold.BUDGET)
    second = read_error(api)
    assert isinstance(second, TemporaryError)
    assert second.message == "No call was made: Plain asked for a pause (429)."
    assert 55 < (second.retry_after or 0) <= 60
    assert len(provider.requests) == 1


def test_a_place_is_given_back_whatever_happens(api: PlainClient, provider: ScriptedProvider) -> None:
    for answer in (None, json_answer(500), json_answer(404), json_answer(200)):
        provider.says(answer)
        with contextlib.suppress(IntegrationError):
            api.write(WRITE)
        assert CallBudget.objects.get().in_flight == {}


def test_the_answer_of_a_write_survives_a_budget_that_cannot_be_stored(
    api: PlainClient, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    from integrations.transport import call_budget

    def broken(*args: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(call_budget, "_give_back", broken)
    provider.says(json_answer(201))
    assert api.write(WRITE).status == 201


def test_a_connection_remembers_when_it_was_used_last(api: PlainClient, provider: ScriptedProvider) -> None:
    provider.says(json_answer(200))
    api.read("/things")
    first = Connection.objects.get().last_used_at
    assert first is not None
    assert timezone.now() - first < timedelta(seconds=30)
    api.read("/things")
    assert Connection.objects.get().last_used_at == first, "one row change a minute is enough"
    Connection.objects.update(last_used_at=first - timedelta(minutes=2))
    PlainClient.read(_again(api), "/things")
    assert Connection.objects.get().last_used_at > first  # type: ignore[operator]


def _again(api: PlainClient) -> PlainClient:
    client = PlainClient(Connection.objects.get())
    client.address = api.address
    return client


def test_environment_proxies_are_not_used(
    api: PlainClient, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    provider.says(json_answer(200))
    assert api.read("/things").status == 200
