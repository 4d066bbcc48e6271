"""A worker next to a database that a newer Pinxero has migrated begins nothing, fails nothing, and goes on later."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tests.workflows.conftest import Make, start, the_run
from tests.workflows.scripted.connector import Provider
from workflows.engine.work_loop import drain
from workflows.runtime import schema_version

pytestmark = pytest.mark.django_db

NEWER = "9999_something_of_the_next_version"


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    schema_version.forget()
    yield
    schema_version.forget()


def test_nothing_is_begun_while_the_database_is_newer_and_everything_is_done_afterwards(
    provider: Provider, make_workflow: Make
) -> None:
    start(provider, make_workflow)
    MigrationRecorder(connection).record_applied("workflows", NEWER)
    assert drain(longest=5) == 0
    assert the_run().status == "queued"
    assert provider.sent == []
    MigrationRecorder(connection).record_unapplied("workflows", NEWER)
    schema_version.forget()
    assert drain(longest=20) > 0
    assert the_run().status == "succeeded"


def test_what_is_newer_is_named_and_other_applications_do_not_count(provider: Provider) -> None:
    assert schema_version.unknown_migrations() == []
    schema_version.forget()
    MigrationRecorder(connection).record_applied("auth", NEWER)
    MigrationRecorder(connection).record_applied("integrations", NEWER)
    assert schema_version.unknown_migrations() == [f"integrations.{NEWER}"]
