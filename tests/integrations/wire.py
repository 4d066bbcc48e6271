"""Connections to the sandbox, and a record of every exchange with it, checked against the providers' descriptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from integrations.framework import registry
from integrations.models import Connection
from integrations.transport import http
from integrations.transport.call_budget import Purpose
from integrations.transport.http import ApiClient, Response
from tests.base import Cast, make_connection
from tests.integrations.sandbox import contract
from tests.provider import DEMO, NORTHWIND, Sandbox

__all__ = ["Exchange", "Wire", "demo", "northwind", "pinterest", "sandbox_hosts", "wire"]

DETAILS = {
    DEMO: {"name": "Demo Company (NZ)", "timezone": "Pacific/Auckland", "short_code": "!Dm0Nz", "currency": "NZD"},
    NORTHWIND: {"name": "Northwind Ltd", "timezone": "Europe/London", "short_code": "!Nw7Gb", "currency": "GBP"},
}


@dataclass(frozen=True)
class Exchange:
    """One request as it was sent, and the status that came back."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    token: str
    status: int


@dataclass
class Wire:
    """Every exchange of the test, oldest first."""

    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def calls(self) -> list[str]:
        """Method and path of each."""
        return [f"{one.method} {one.path}" for one in self.exchanges]

    def clear(self) -> None:
        self.exchanges.clear()


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Records what goes out. Where the providers' descriptions are at hand, each exchange must agree with them."""
    seen, send = Wire(), http._send

    def recorded(
        method: str, url: str, token: str, *, headers: Mapping[str, str], body: bytes, **more: float
    ) -> Response:
        response = send(method, url, token, headers=headers, body=body, **more)
        parts = urlsplit(url)
        seen.exchanges.append(
            Exchange(method, parts.path, dict(parse_qsl(parts.query)), dict(headers), body, token, response.status)
        )
        if contract.FOLDER.is_dir():
            contract.validate_exchange(method, url, headers, body, response.status, response.headers, response.body)
        return response

    monkeypatch.setattr(http, "_send", recorded)
    return seen


@pytest.fixture
def sandbox_hosts(sandbox: Sandbox, settings: Any) -> Sandbox:
    """The product's provider hosts, pointed at the sandbox."""
    for name, value in sandbox.settings().items():
        setattr(settings, name, value)
    for limit in (each.name for declared in settings.CONNECTOR_SETTINGS for each in declared.settings):
        if limit.endswith(("_MINUTE_LIMIT", "_DAY_LIMIT")):
            setattr(settings, limit, 0)
    settings.FILE_LINK_HOSTS = settings.OUTSIDE_PRIVATE_HOSTS = [sandbox.url]
    return sandbox


def connected(sandbox: Sandbox, cast: Cast, provider: str, external_id: str, **details: Any) -> Connection:
    """A connection whose grant holds tokens that the sandbox gave."""
    name = str(details.pop("name"))
    connection = make_connection(cast.team, provider, external_id=external_id, name=name, **details)
    tokens = sandbox.tokens(provider)
    grant = connection.grant
    grant.access_token, grant.refresh_token = tokens["access_token"], tokens["refresh_token"]
    grant.save()
    return connection


def client_for(connection: Connection, purpose: Purpose = Purpose.RUN) -> ApiClient:
    return registry.connector(connection.provider).client_class(connection, purpose=purpose)


@pytest.fixture
def demo(cast: Cast, sandbox_hosts: Sandbox, wire: Wire) -> Any:
    """A client of the organisation Demo Company (NZ)."""
    return client_for(connected(sandbox_hosts, cast, "xero", DEMO, **DETAILS[DEMO]))


@pytest.fixture
def northwind(cast: Cast, sandbox_hosts: Sandbox, wire: Wire) -> Any:
    """A client of the organisation Northwind Ltd, which has lock dates."""
    return client_for(connected(sandbox_hosts, cast, "xero", NORTHWIND, **DETAILS[NORTHWIND]))


@pytest.fixture
def pinterest(cast: Cast, sandbox_hosts: Sandbox, wire: Wire) -> Any:
    """A client of the Pinterest account."""
    return client_for(connected(sandbox_hosts, cast, "pinterest", "783612114631173151", name="Pinworks"))
