"""The stage, set up anew for each test."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.base import Cast
from tests.integrations.wire import sandbox_hosts
from tests.provider import Sandbox
from tests.walk.stage import TIME_SCALE, Stage

__all__ = ["sandbox_hosts"]


@pytest.fixture
def stage(cast: Cast, sandbox_hosts: Sandbox, client: Client, settings: Any) -> Stage:
    """The team, connected to the sandbox, on a clock that runs fast."""
    settings.TIME_SCALE = TIME_SCALE
    made = Stage(sandbox_hosts, cast, client)
    made.connect()
    return made
