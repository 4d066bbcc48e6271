"""A run under way is cancelled: it ends before its next write, and what it has sent is found out and recorded."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integrations.core.errors import Hold, IntegrationError, TemporaryError
from integrations.core.exact_json import dumps
from integrations.transport.http import Response
from tests.workflows.conftest import Make, drain, settle, start, the_run, unknown
from tests.workflows.scripted.connector import Provider
from workflows.models import Decision, Run, StepRun
from workflows.runs import available_actions, decisions

pytestmark = pytest.mark.django_db

TWO = ("write_thing", "write_thing")


def pressing(provider: Provider, answer: IntegrationError | None) -> Callable[[], Response]:
    """A person presses Cancel while the provider has a write, which is then booked, or answered by that error."""

    def press() -> Response:
        run = the_run()
        assert [way.key for way in available_actions.available_actions(run)] == ["cancel"]
        decisions.cancel(run, by=None, reason="Wrong month")
        assert [run.status, available_actions.available_actions(run)] == ["running", []]
        if answer is not None:
            raise answer
        thing = {"id": "T1", "name": "Thing 1", "marker": StepRun.objects.get(state="sent").marker}
        provider.books.append(thing)
        return Response(200, {"content-type": "application/json"}, dumps(thing).encode())

    return press


def states() -> list[tuple[str, str]]:
    return list(StepRun.objects.order_by("position").values_list("state", "provider_id"))


def test_a_run_under_way_ends_before_its_next_write(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow, actions=TWO)
    provider.script = [pressing(provider, None)]
    settle()
    run = the_run()
    assert [run.status, run.error, run.wait_reason, run.lease_until] == ["cancelled", "", "", None]
    assert run.finished_at is not None
    assert states() == [("succeeded", "T1")]
    assert len(provider.sent) == len(provider.books) == 1
    assert list(Decision.objects.values_list("what", "reason")) == [("cancel", "Wrong month")]


def test_what_may_have_been_written_is_found_out_before_the_run_ends(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow, actions=TWO)
    provider.script = [pressing(provider, unknown())]
    drain()
    assert [the_run().status, the_run().wait_reason] == ["waiting", "uncertain"]
    settle()
    assert the_run().status == "cancelled"
    assert states() == [("succeeded", "T1")]
    assert provider.sent[0] == provider.sent[1]
    assert [len(provider.sent), len(provider.books)] == [2, 1]


def test_a_run_that_would_wait_ends_at_once(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow, actions=TWO)
    pause = TemporaryError("Too many calls.", retry_after=86_400, hold=Hold.BUDGET)
    provider.script = [pressing(provider, pause)]
    drain()
    run = the_run()
    assert [run.status, run.wait_reason, run.wake_at] == ["cancelled", "", None]
    assert states() == [("pending", "")]
    assert provider.books == []


def test_a_run_whose_worker_died_ends_when_it_is_taken_up(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow, actions=TWO)
    Run.objects.update(status=Run.Status.RUNNING, lease_until="2026-01-01T00:00Z")
    decisions.cancel(the_run(), by=None, reason="Wrong month")
    drain()
    assert the_run().status == "cancelled"
    assert provider.sent == []


def test_it_is_asked_for_once_and_a_retry_goes_on(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow)
    Run.objects.update(status=Run.Status.RUNNING, lease_until="2126-01-01T00:00Z")
    decisions.cancel(the_run(), by=None, reason="Wrong month")
    with pytest.raises(decisions.NotAllowedNowError, match="ends already"):
        decisions.cancel(the_run(), by=None, reason="Again")
    assert Decision.objects.count() == 1
    Run.objects.update(status=Run.Status.CRASHED, lease_until=None)
    decisions.retry(the_run(), by=None)
    settle()
    assert the_run().status == "succeeded"
    assert len(provider.books) == 1
