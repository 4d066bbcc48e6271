"""Secrets of HTTP requests: on the wire to their own host, and nowhere else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integrations.connectors.web.client import WebClient
from integrations.core.errors import IntegrationError, RejectedError
from integrations.core.exact_json import dumps
from integrations.transport.header_secrets import stand_in
from integrations.transport.http import Request
from tests.integrations.outside import Host, Start, start
from tests.integrations.web import host, listed, problems, read, request, send

__all__ = ["host", "start"]

BEARER = "Bearer 4f1a-very-secret"


@pytest.fixture
def secret(host: Host, settings: Any) -> list[dict[str, str]]:
    """A header with a secret that an administrator keeps for the host."""
    settings.HTTP_REQUEST_SECRETS = {
        "erp": {"host": host.rule, "value": BEARER},
        "other": {"host": "api.example.com", "value": "elsewhere"},
    }
    return [{"name": "Authorization", "secret": "erp"}]


def test_a_secret_is_on_the_wire_and_nowhere_else(host: Host, secret: list[dict[str, str]]) -> None:
    made = request(host.url(), headers=secret)
    assert BEARER not in repr(made) + dumps(made.to_dict())
    assert dict(made.headers)["Authorization"] == stand_in("erp")
    send(host.url(), headers=secret)
    read(host.url(), headers=secret)
    assert [f"Authorization: {BEARER}".encode() in heard for heard in host.heard] == [True, True]


@pytest.mark.parametrize("status", ["200 OK", "403 Forbidden", "500 Oops"])
def test_an_answer_that_repeats_a_secret_has_it_taken_out(
    start: Start, settings: Any, secret: list[dict[str, str]], status: str
) -> None:
    token = BEARER.split()[1]
    body = json.dumps({"you sent": BEARER, "token": token}).encode()
    headers = {"Content-Type": "application/json", "X-Echo": BEARER}
    made = listed(start, settings, body, status=status, headers=headers)
    settings.HTTP_REQUEST_SECRETS = {"erp": {"host": made.rule, "value": BEARER}}
    told = outcome(made, secret)
    assert token not in told
    assert "[secret]" in told


def outcome(made: Host, headers: list[dict[str, str]]) -> str:
    """All that is known of a call: its output, or its error with everything in it."""
    try:
        return repr(send(made.url(), headers=headers))
    except IntegrationError as error:
        return repr((error.message, error.response, vars(error)))


def test_a_secret_goes_to_its_own_host_only(host: Host, secret: list[dict[str, str]]) -> None:
    found = problems(host.url(), headers=[{"name": "X-Key", "secret": "other"}])
    assert "is kept for another host than" in found["headers.0.secret"]
    made = Request("POST", host.url(), headers=(("X-Key", stand_in("other")),))
    with pytest.raises(RejectedError, match="is kept for another host"):
        WebClient(None).write(made)
    assert host.connections == 0


def test_an_unknown_secret_and_two_values_are_told(host: Host, secret: list[dict[str, str]]) -> None:
    found = problems(host.url(), headers=[{"name": "X-Key", "secret": "none"}])
    assert "There is no secret called 'none'. Ask an administrator" in found["headers.0.secret"]
    found = problems(host.url(), headers=[{"name": "X-Key", "secret": "erp", "value": "a"}])
    assert found == {"headers.0.secret": "Give a value or a secret, not both."}


def test_data_cannot_ask_for_a_secret(host: Host, secret: list[dict[str, str]]) -> None:
    assert "headers.0.name" in problems(host.url(), headers=[{"name": "X-Key", "value": stand_in("erp")}])


@pytest.mark.parametrize(
    "name", ["Authorization", "authorization", "Cookie", "X-Api-Key", "apikey", "X-Auth-Token", "X_Secret", "Password"]
)
def test_a_password_does_not_stand_in_a_workflow(host: Host, name: str) -> None:
    found = problems(host.url(), headers=[{"name": name, "value": "abc"}])
    assert "HTTP_REQUEST_SECRETS" in found["headers.0.value"]
    assert "abc" not in found["headers.0.value"]


def test_names_that_only_look_like_it_are_fine(host: Host) -> None:
    for name in ("Idempotency-Key", "X-Keyboard", "X-Authority", "X-Tokenizer"):
        assert request(host.url(), headers=[{"name": name, "value": "a"}])
