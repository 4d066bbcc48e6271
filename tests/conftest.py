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
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import TransactionTestCase

from pinxero.development.chromium import find_chromium
from pinxero.development.emptying import unprotected
from tests import migrated
from tests.base import Cast, make_cast
from tests.exchanges import _as_described
from tests.flushing import delete_rows
from tests.provider import sandbox, sandbox_server

__all__ = ["_as_described", "sandbox", "sandbox_server"]

# A busy machine is slow without being wrong.
hypothesis.settings.register_profile("pinxero", deadline=None)
hypothesis.settings.load_profile("pinxero")

#: What `make check` runs: folders of tests that need no database.
_FAST = (
    "tests/workflows/language/",
    "tests/integrations/core/",
    "tests/integrations/schema/",
    "tests/test_architecture.py",
)
#: Tests of processes that open the database by themselves: they need it though they ask for no fixture of it.
_WITH_PROCESSES = ("tests/pinxero/", "tests/workflows/worker/", "tests/workflows/runtime/", "tests/test_canaries.py")
#: Tests that ask for this fixture run their processes on a SQLite database of their own, whatever DATABASE_URL says.
_ON_ITS_OWN_SQLITE = "worker"
_LOCAL = {"127.0.0.1", "127.0.0.2", "::1", "localhost"}


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


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: Any
) -> Iterator[None]:
    """The test database begins migrated: on SQLite where an earlier run has kept one."""
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), migrated.from_template(connection):
            yield
        return
    kept = migrated.kept_file()
    if connection.vendor == "sqlite" and kept.is_file():
        with migrated.from_kept_file(connection, kept):
            yield
    else:
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """The database as migrated is kept for the next run."""
    kept = migrated.kept_file()
    if connection.vendor == "sqlite" and not kept.is_file():
        with django_db_blocker.unblock():
            migrated.keep(connection, kept)


@pytest.fixture(autouse=True, scope="session")
def _audit_trail_ends_with_its_test() -> Iterator[None]:
    """The database refuses to delete the audit trail, also when a transactional test empties it at its end."""
    patch = pytest.MonkeyPatch()
    empty = TransactionTestCase._fixture_teardown

    def unprotected_empty(self: TransactionTestCase) -> None:
        with unprotected():
            empty(self)

    patch.setattr(TransactionTestCase, "_fixture_teardown", unprotected_empty)
    if connection.vendor == "postgresql":
        patch.setattr(DatabaseOperations, "sql_flush", delete_rows)
    yield
    patch.undo()


@pytest.fixture
def cast(db: None) -> Cast:
    """The team with builder, approver and auditor, and the outsider."""
    return make_cast()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what touches no database, and what of it is fast by where it stands: a test of many examples is not."""
    for item in items:
        place = item.nodeid.replace("\\", "/")
        fixtures = {"db", "transactional_db", "cast"} & set(getattr(item, "fixturenames", ()))
        if fixtures or item.get_closest_marker("django_db"):
            continue
        if place.startswith(_WITH_PROCESSES) and _ON_ITS_OWN_SQLITE not in getattr(item, "fixturenames", ()):
            continue
        item.add_marker(pytest.mark.no_database)
        if place.startswith(_FAST) and not hasattr(getattr(item, "obj", None), "hypothesis"):
            item.add_marker(pytest.mark.fast)


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
