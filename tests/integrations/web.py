"""Steps of the connector web, called as the engine calls them, and a host that an administrator has listed."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from integrations.connectors.web.client import WebClient
from integrations.core.errors import InvalidInputError
from integrations.framework import registry
from integrations.framework.base import Writing
from integrations.transport.http import Request
from tests.integrations.outside import Host, Start, answer

MARKER = "PX-00112233aabbccdd"


@pytest.fixture
def host(start: Start, settings: Any) -> Host:
    """A host that an administrator has listed; it thanks for everything."""
    made = start(lambda peer, heard: made_answer(peer, heard))
    settings.HTTP_REQUEST_HOSTS = [made.rule]
    return made


def made_answer(peer: socket.socket, heard: bytes) -> None:
    answer(b'{"id": 7, "total": 120.50}', headers={"Content-Type": "application/json", "X-Rate": "3"})(peer, heard)


def listed(start: Start, settings: Any, *args: Any, **options: Any) -> Host:
    made = start(answer(*args, **options))
    settings.HTTP_REQUEST_HOSTS = [made.rule]
    return made


def read(url: str, **values: Any) -> dict[str, Any]:
    action: Any = registry.action("web.http_read")
    found: dict[str, Any] = action.run(WebClient(None), action.Inputs.clean({"url": url, **values}))
    return found


def request(url: str, **values: Any) -> Request:
    action: Any = registry.action("web.http_send")
    made: Request = action.request(action.Inputs.clean({"url": url, **values}), Writing(marker=MARKER, back_link=""))
    return made


def send(url: str, **values: Any) -> dict[str, Any]:
    action: Any = registry.action("web.http_send")
    found: dict[str, Any] = action.output(WebClient(None).write(request(url, **values)))
    return found


def problems(url: str, *, key: str = "http_send", **values: Any) -> dict[str, str]:
    with pytest.raises(InvalidInputError) as refused:
        registry.action(f"web.{key}").Inputs.clean({"url": url, **values})
    return refused.value.problems
