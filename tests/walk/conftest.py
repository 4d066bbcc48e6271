"""The stage, set up anew for each test."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.test.client import ClientHandler

from tests.base import Cast
from tests.integrations.wire import sandbox_hosts
from tests.provider import Sandbox
from tests.walk.stage import TIME_SCALE, Stage

__all__ = ["sandbox_hosts"]


@pytest.fixture(scope="session")
def handler() -> ClientHandler:
    """One for all clients: its middleware looks through all static files when it is loaded."""
    return ClientHandler(enforce_csrf_checks=False)


@pytest.fixture
def stage(cast: Cast, sandbox_hosts: Sandbox, client: Client, handler: ClientHandler, settings: Any) -> Stage:
    """The team, connected to the sandbox, on a clock that runs fast."""
    settings.TIME_SCALE = TIME_SCALE
    client.handler = handler
    made = Stage(sandbox_hosts, cast, client)
    made.connect()
    return made
