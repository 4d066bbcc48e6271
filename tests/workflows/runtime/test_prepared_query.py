"""A query that is worded once gives what Django gives that words it each time."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from integrations.core.clock import DatabaseNow
from tests.workflows.conftest import Make, start
from tests.workflows.scripted.connector import Provider
from workflows.engine import lease
from workflows.models import Run
from workflows.runtime.prepared_query import Prepared, prepared

pytestmark = pytest.mark.django_db


def queryset() -> Any:
    found = Run.objects.filter(status="queued").order_by("id").select_related("event", "workflow")
    return found.annotate(now=DatabaseNow(), plan_sha256=F("version__plan_sha256"))


def test_it_gives_the_same_row_with_everything_that_comes_with_it(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow)
    expected, found = queryset().first(), Prepared(queryset()).first()
    for field in Run._meta.concrete_fields:
        assert getattr(found, field.attname) == getattr(expected, field.attname), field.name
    assert type(found.now) is type(expected.now)
    assert found.plan_sha256 == expected.plan_sha256
    with CaptureQueriesContext(connection) as caught:
        assert found.event.data == expected.event.data
        assert found.workflow.name == expected.workflow.name
    assert len(caught) == 0
    found.title = "changed"
    found.save()
    assert Run.objects.get().title == "changed"


def test_it_sees_what_has_changed_since_it_was_worded(provider: Provider, make_workflow: Make) -> None:
    query = Prepared(queryset())
    assert query.first() is None
    start(provider, make_workflow)
    first = query.first()
    assert first is not None
    Run.objects.update(status="succeeded")
    assert query.first() is None


def test_it_is_worded_once_per_connection() -> None:
    worded = []

    def build() -> Any:
        worded.append(1)
        return queryset()

    with transaction.atomic():
        assert prepared("a test", build) is prepared("a test", build)
    assert worded == [1]


def test_a_claim_reads_a_run_in_one_query_worded_before(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow)
    claimed = lease.claim()
    assert claimed is not None
    run, _ = claimed
    with CaptureQueriesContext(connection) as caught:
        assert run.event.data["title"]
        assert run.workflow.name
        assert run.version.plan["steps"]
    assert len(caught) == 0
