"""Calls: one workflow starts another with data, once, and goes on when it has ended."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import pytest
from django.test import override_settings

from integrations.core.errors import RejectedError
from integrations.framework import registry
from integrations.models import Connection
from tests.base import Cast
from tests.workflows.conftest import drain, settle
from tests.workflows.planting import Spec, begin, call, loop, made, named, state_of, step, told, write
from tests.workflows.scripted import connector as scripted
from tests.workflows.scripted.connector import Provider
from workflows.engine import allowance
from workflows.models import Event, Run, Step, Workflow
from workflows.publishing import activation, publish
from workflows.runs import decisions, running_again

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """The scripted provider beside the starts."""
    fresh = scripted.Provider()
    scripted.provider = fresh
    monkeypatch.setattr(registry, "_load", lru_cache(maxsize=1)(registry._load.__wrapped__))
    with override_settings(CONNECTORS=["tests.workflows.scripted", "integrations.connectors.start"], TIME_SCALE=600):
        yield fresh


ASKED = [{"label": "Title", "holds": "text"}]


def called(cast: Cast, connection: Connection, *specs: Spec, name: str = "Called") -> Workflow:
    """An active workflow that others may call with a title."""
    workflow = made(cast, connection, *specs, name=name)
    workflow.trigger_operation, workflow.trigger_connection = "start.call", None
    workflow.trigger_inputs = {"fields_asked": ASKED}
    workflow.save()
    publish.publish(workflow, by=cast.builder, note="First version")
    activation.activate(workflow, by=cast.builder)
    return workflow


def caller(cast: Cast, connection: Connection, *specs: Spec) -> Workflow:
    workflow = made(cast, connection, *specs)
    publish.publish(workflow, by=cast.builder, note="First version")
    return workflow


def test_a_called_workflow_runs_with_the_data_it_is_given_and_the_caller_waits_for_it(
    provider: Provider, connection: Connection, cast: Cast
) -> None:
    below = called(cast, connection, write("w", "Called with {{ trigger.title }}"))
    spec = call("c", below, title="{{ trigger.title }}!")
    run = begin(caller(cast, connection, spec, write("last", "{{ steps.c.status }}: {{ steps.c.result }}")))
    settle()
    assert state_of(run) == "succeeded"
    assert [book["name"] for book in provider.books] == ["Called with Thing 1!", "succeeded: Thing T1"]
    child = Run.objects.get(called_by=run)
    assert [child.depth, child.workflow_id, child.status] == [1, below.pk, "succeeded"]
    assert step(run, "c").output == {"run": child.pk, "status": "succeeded", "result": "Thing T1"}


def test_the_caller_waits_without_a_worker_and_is_woken_by_the_end(
    provider: Provider, connection: Connection, cast: Cast
) -> None:
    below = called(cast, connection, write("w", "{{ trigger.title }}"))
    run = begin(caller(cast, connection, call("c", below, title="x")))
    from workflows.engine.execute import execute
    from workflows.engine.lease import claim

    claimed = claim()
    assert claimed is not None
    execute(*claimed)
    run.refresh_from_db()
    assert [run.status, run.wait_reason, run.wake_at] == ["waiting", "call", None]
    child = Run.objects.get(called_by=run)
    claimed = claim()
    assert claimed is not None
    assert claimed[0].pk == child.pk
    execute(*claimed)
    assert state_of(run) == "queued"
    settle()
    assert state_of(run) == "succeeded"


def test_a_call_that_does_not_wait_goes_on_at_once(provider: Provider, connection: Connection, cast: Cast) -> None:
    below = called(cast, connection, write("w", "below"))
    run = begin(caller(cast, connection, call("c", below, waits=False, title="x"), write("last", "above")))
    settle()
    assert [book["name"] for book in provider.books] == ["above", "below"]
    assert step(run, "c").output["status"] == "queued"


def test_each_turn_of_a_loop_calls_once(provider: Provider, connection: Connection, cast: Cast) -> None:
    below = called(cast, connection, write("w", "{{ trigger.title }}"))
    each = loop("each", "{{ trigger.lines }}", call("c", below, title="{{ item }}"))
    run = begin(caller(cast, connection, each), lines=["a", "b", "c"])
    settle()
    assert state_of(run) == "succeeded"
    assert sorted(book["name"] for book in provider.books) == ["a", "b", "c"]
    assert Run.objects.filter(called_by=run).count() == 3


def test_a_worker_that_dies_after_the_call_does_not_call_again(
    provider: Provider, connection: Connection, cast: Cast
) -> None:
    below = called(cast, connection, write("w", "{{ trigger.title }}"))
    run = begin(caller(cast, connection, call("c", below, title="x")))
    drain()
    assert state_of(run) == "succeeded"
    # As if the last that was stored had been the step as it was before the call.
    step(run, "c").delete()
    Run.objects.filter(pk=run.pk).update(status="running", lease_until="2020-01-01T00:00:00Z")
    settle()
    assert state_of(run) == "succeeded"
    assert len(provider.books) == 1
    assert Event.objects.filter(starts=below).count() == 1


def test_a_called_run_that_fails_fails_the_step_and_a_retry_goes_on_below(
    provider: Provider, connection: Connection, cast: Cast
) -> None:
    below = called(cast, connection, write("one", "one"), write("two", "two"))
    run = begin(caller(cast, connection, call("c", below, title="x"), write("last", "last")))
    provider.script = ["behave", RejectedError("No.")]
    settle()
    run.refresh_from_db()
    assert [run.status, run.error] == ["failed", "C: The run of “Called” ended as failed: Two: No."]
    decisions.retry(run, by=cast.builder)
    settle()
    assert state_of(run) == "succeeded"
    assert [book["name"] for book in provider.books] == ["one", "two", "last"]
    assert Run.objects.filter(called_by=run).count() == 1


def test_a_called_run_that_is_cancelled_fails_the_step_and_a_retry_calls_anew(
    provider: Provider, connection: Connection, cast: Cast
) -> None:
    below = called(cast, connection, write("one", "one"))
    run = begin(caller(cast, connection, call("c", below, title="x")))
    provider.script = [RejectedError("No.")]
    from workflows.engine.execute import execute
    from workflows.engine.lease import claim

    claimed = claim()
    assert claimed is not None
    execute(*claimed)
    decisions.cancel(Run.objects.get(called_by=run), by=cast.builder, reason="Not now")
    settle()
    run.refresh_from_db()
    assert [run.status, "ended as cancelled" in run.error] == ["failed", True]
    provider.script = []
    decisions.retry(run, by=cast.builder)
    settle()
    assert state_of(run) == "succeeded"
    assert Run.objects.filter(called_by=run).count() == 2


def test_calls_in_a_circle_end_at_the_depth_limit(provider: Provider, connection: Connection, cast: Cast) -> None:
    first = called(cast, connection, write("x", "x"), name="First")
    second = called(cast, connection, call("c", first, title="x"), name="Second")
    Step.objects.filter(workflow=first).delete()
    from tests.workflows.planting import plant

    plant(first, [call("c", second, title="x")], connection)
    publish.publish(first, by=cast.builder)
    run = begin(caller(cast, connection, call("c", first, title="x")))
    settle()
    run.refresh_from_db()
    assert run.status == "failed"
    assert "Workflows have called each other 5 times in a row here" in run.error
    assert sorted(Run.objects.values_list("depth", flat=True)) == [0, 1, 2, 3, 4, 5]


def test_what_cannot_be_called_is_said_when_publishing_and_in_the_run(
    provider: Provider, connection: Connection, cast: Cast
) -> None:
    below = called(cast, connection, write("w", "x"))
    above = made(cast, connection, call("c", below, title="x"))
    assert told(above) == []
    publish.publish(above, by=cast.builder)
    activation.pause(below, by=cast.builder)
    run = begin(above)
    settle()
    run.refresh_from_db()
    assert [run.status, run.error] == ["failed", "C: Called is not switched on. Switch it on first."]
    Step.objects.filter(workflow=above).update(settings={"workflow": above.pk, "waits": True})
    assert told(above) == [("c", "workflow", "A workflow cannot call itself. Choose another one.")]
    Step.objects.filter(workflow=above).update(settings={"workflow": 999_999, "waits": True})
    assert "not there any more" in told(above)[0][2]


def test_data_that_the_called_workflow_does_not_take_fails_the_step(
    provider: Provider, connection: Connection, cast: Cast
) -> None:
    below = called(cast, connection, write("w", "x"))
    above = caller(cast, connection, call("c", below, title="x"))
    below.trigger_inputs = {"fields_asked": [{"label": "Colour", "holds": "text"}]}
    below.save()
    publish.publish(below, by=cast.builder, note="It asks for something else now")
    run = begin(above)
    settle()
    run.refresh_from_db()
    assert run.status == "failed"
    assert "“Called” does not take these values" in run.error
    assert Run.objects.filter(called_by=run).count() == 0


def test_a_loop_of_calls_counts_what_the_called_runs_do(
    provider: Provider, connection: Connection, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowance, "MOST_ITERATIONS_OF_A_RUN", 10)
    cut = named("cut", words="{{ trigger.title | split(',') }}")
    below = called(cast, connection, cut, loop("each", "{{ steps.cut.words }}", write("w", "{{ item }}")))
    run = begin(
        caller(cast, connection, loop("calls", "{{ trigger.lines }}", call("c", below, title="{{ item }}"))),
        lines=["a,b", "c,d", "e,f"],
    )
    settle(60)
    # 3 turns; then a call and two turns of it twice: 9; the third call is the tenth, and its two turns are too many.
    assert [book["name"] for book in provider.books] == ["a", "b", "c", "d"]
    last = Run.objects.filter(called_by=run).latest("pk")
    assert last.status == "failed"
    assert (
        f"Run {run.pk}, with the workflows that it called, has made 10 loop iterations and calls, and 2 more would "
        "exceed the 10 that one run may make."
    ) in last.error
    run.refresh_from_db()
    assert [run.status, run.turns] == ["failed", 10]


def test_what_a_called_workflow_wrote_would_be_written_twice_and_only_the_caller_is_run_again(
    provider: Provider, connection: Connection, cast: Cast
) -> None:
    below = called(cast, connection, write("inner"))
    top = caller(cast, connection, call("c", below, title="x"), write("last"))
    run = begin(top)
    provider.script = ["behave", RejectedError("No.")]
    settle()
    assert state_of(run) == "failed"
    assert [each.step for each in running_again.written(run)] == ["inner"]
    assert list(running_again.having_written(Run.objects.filter(pk=run.pk))) == [run]
    for each in (top, below):
        publish.publish(Workflow.objects.get(pk=each.pk), by=cast.builder, note="Again")
    child = Run.objects.get(called_by=run)
    Run.objects.filter(pk=child.pk).update(status="failed")
    assert [running_again.newer_version(Run.objects.get(pk=each.pk)) is None for each in (run, child)] == [False, True]
    assert list(running_again.fitting(Run.objects.all())) == [run]
