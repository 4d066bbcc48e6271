"""How a step ends is final, whenever its worker dies; and what may have been written never ends as a failure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import OperationalError

from integrations.core.errors import ReconnectError, RejectedError, TemporaryError
from integrations.models import Connection
from integrations.transport.http import Response
from tests.base import Cast
from tests.workflows.conftest import Make, drain, said, settle, start, the_run, the_write, thing, unknown
from tests.workflows.scripted.connector import Provider, WriteThing
from workflows.models import Run, StepRun
from workflows.publishing import activation
from workflows.runs import decisions
from workflows.triggers import polling
from workflows.worker.sweeper import sweep

pytestmark = pytest.mark.django_db


@pytest.fixture
def die_between(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let the worker die after a step's end is written down and before the run's is; then give the run out again."""

    def do() -> None:
        with monkeypatch.context() as dying:
            dying.setattr("workflows.engine.execute._finish", lambda *args, **kwargs: None)
            drain()
        assert the_run().status == "running"
        Run.objects.update(lease_until="2020-01-01T00:00:00Z")

    return do


def test_a_filter_that_was_not_met_holds_after_its_worker_died(
    provider: Provider, make_workflow: Make, die_between: Callable[[], None]
) -> None:
    condition = {"left": "{{ trigger.price }}", "type": "number", "operator": "greater_than", "right": "10"}
    start(provider, make_workflow, condition=condition)
    die_between()
    drain()
    run = the_run()
    assert run.status == "filtered"
    assert run.result.startswith("Not met: ")
    assert provider.sent == []


def test_a_refused_write_is_not_sent_again_after_its_worker_died(
    provider: Provider, make_workflow: Make, die_between: Callable[[], None]
) -> None:
    start(provider, make_workflow)
    provider.script = [RejectedError("The name is taken.")]
    die_between()
    settle()
    assert [the_run().status, the_run().error] == ["failed", "Write thing: The name is taken."]
    assert len(provider.sent) == 1


def test_a_write_that_waits_for_a_person_is_not_sent_again_after_its_worker_died(
    provider: Provider, make_workflow: Make, die_between: Callable[[], None]
) -> None:
    start(provider, make_workflow, actions=("write_unsurely",))
    provider.script = ["commit and be silent"]
    drain()
    StepRun.objects.update(look_ups=2, last_sent_at="2020-01-01T00:00:00Z", looked_up_at="2020-01-01T00:00:00Z")
    Run.objects.update(wake_at="2020-01-01T00:00:00Z")
    provider.hidden = 1
    die_between()
    assert the_write().state == "needs_review"
    settle()
    assert the_run().status == "needs_review"
    assert "was not found" in the_run().error
    assert len(provider.sent) == len(provider.books) == 1


def test_an_uncertain_write_whose_connection_is_deleted_goes_to_a_person(
    provider: Provider, make_workflow: Make, connection: Connection
) -> None:
    start(provider, make_workflow, on_error="go_on")
    provider.script = ["commit and be silent"]
    drain()
    assert the_write().state == "uncertain"
    connection.delete()
    settle()
    assert [the_run().status, the_write().state] == ["needs_review", "needs_review"]
    assert "connection no longer exists" in the_run().error
    assert len(provider.sent) == 1


def test_an_uncertain_write_whose_inputs_fit_no_more_goes_to_a_person(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow)
    provider.script = ["commit and be silent"]
    drain()
    StepRun.objects.filter(kind="action").update(inputs={"name": "n" * 51})
    settle()
    assert the_run().status == "needs_review"
    assert "do not fit this version" in the_run().error


def test_a_run_whose_connection_is_deleted_while_it_waits_for_it_ends(
    provider: Provider, make_workflow: Make, connection: Connection
) -> None:
    start(provider, make_workflow)
    provider.script = [ReconnectError("Access was withdrawn.")]
    drain()
    connection.delete()
    sweep()
    settle()
    assert the_run().status == "failed"
    assert "no longer exists" in the_run().error


def test_a_retry_begins_its_lookups_anew(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    start(provider, make_workflow)
    answered = unknown()
    answered.response = Response(500, body=b"stored error")
    refused = RejectedError("Not on a Sunday.")
    refused.response = Response(400, body=b"{}")
    provider.script = [answered, refused]
    settle()
    assert the_run().status == "failed"
    assert [line for line in said(the_write()) if line[0] == "look up"] == [("look up", "not found")] * 3
    decisions.retry(the_run(), by=cast.builder)
    # The provider is slow: the first lookup does not show what was written, the second does.
    provider.script = ["commit and be silent", answered]
    provider.hidden = 1
    settle()
    assert the_run().status == "succeeded"
    assert len(provider.books) == 1


def test_a_retry_leaves_alone_what_was_passed_over(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    workflow = make_workflow(actions=("write_thing", "write_unsurely"), is_active=False)
    workflow.steps.filter(position=2).update(on_error="go_on")
    from workflows.publishing import publish

    publish.publish(workflow, by=cast.builder, note="Go on after the first")
    activation.activate(workflow, by=cast.builder)
    drain()
    provider.items = [thing(1)]
    provider.script = [RejectedError("No."), RejectedError("Nor this.")]
    workflow.refresh_from_db()
    assert workflow.listens_to is not None
    polling.poll_now(workflow.listens_to)
    settle()
    assert the_run().status == "failed"
    decisions.retry(the_run(), by=cast.builder)
    settle()
    assert the_run().status == "succeeded"
    assert len(provider.sent) == 3


def test_a_database_in_trouble_does_not_crash_the_run(
    provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(provider, make_workflow)

    def locked(*args: object) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as trouble:
        trouble.setattr(WriteThing, "prepare", locked)
        with pytest.raises(OperationalError):
            drain()
    assert the_run().status == "running"
    Run.objects.update(lease_until="2020-01-01T00:00:00Z")
    settle()
    assert the_run().status == "succeeded"


def test_the_date_of_a_run_is_the_day_where_the_books_are(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow, inputs={"name": "{{ run.date }}"})
    Run.objects.update(created_at=datetime(2026, 11, 23, 20, 0, tzinfo=UTC))
    settle()
    assert [book["name"] for book in provider.books] == ["2026-11-24"]


def test_a_failure_after_many_tries_is_not_tried_once_more_after_its_worker_died(
    provider: Provider, make_workflow: Make, die_between: Callable[[], None]
) -> None:
    start(provider, make_workflow)
    provider.script = [TemporaryError("The provider answered 503.", retry_after=6000)]
    drain()
    StepRun.objects.update(tries=4)
    Run.objects.update(wake_at="2020-01-01T00:00:00Z")
    provider.script = [TemporaryError("The provider answered 503.")]
    die_between()
    settle()
    assert the_run().status == "failed"
    assert len(provider.sent) == 2
