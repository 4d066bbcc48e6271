"""Fixtures for every test, the closed network, and what happens to tests that this machine cannot run.

Tests marked `browser` need a Chromium, tests marked `postgresql` a PostgreSQL in DATABASE_URL; without, they are
skipped and say so. PINXERO_MUST_RUN=browser,postgresql turns such a skip into a failure, as CI wants it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from django.db import connection

from pinxero.development.chromium import find_chromium
from tests.base import Cast, make_cast
from tests.exchanges import _as_described
from tests.provider import sandbox, sandbox_server

__all__ = ["_as_described", "sandbox", "sandbox_server"]

# A busy machine is slow without being wrong.
hypothesis.settings.register_profile("pinxero", deadline=None)
hypothesis.settings.load_profile("pinxero")

_LOCAL = {"127.0.0.1", "::1", "localhost"}


@pytest.fixture(autouse=True, scope="session")
def _closed_network() -> Iterator[None]:
    """An unplanned request to the outside fails the test that makes it."""
    patch = pytest.MonkeyPatch()
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in _LOCAL:
            raise AssertionError(f"A test tried to reach {address[0]}; tests stay on this machine.")
        connect(self, address)

    patch.setattr(socket.socket, "connect", guarded)
    yield
    patch.undo()


@pytest.fixture
def cast(db: None) -> Cast:
    """The team with builder, approver and auditor, and the outsider."""
    return make_cast()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip by name what this machine cannot run."""
    if item.get_closest_marker("browser") and find_chromium() is None:
        pytest.skip("No Chromium found: install the package chromium, or set CHROMIUM to its path.")
    if item.get_closest_marker("postgresql") and connection.vendor != "postgresql":
        pytest.skip("Not on PostgreSQL: set DATABASE_URL=postgres://... to run this test.")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """A test that must run, skipped for whatever reason, has failed."""
    report = yield
    must_run = filter(None, os.environ.get("PINXERO_MUST_RUN", "").split(","))
    if report.skipped and not hasattr(report, "wasxfail") and any(map(item.get_closest_marker, must_run)):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} must run here and was skipped. {reason}"
    return report
