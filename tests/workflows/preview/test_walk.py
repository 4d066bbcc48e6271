"""A preview walks as a run does: filters, branches, loops, error paths; and writes, waits and starts nothing."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.core.errors import Hold, ReconnectError, TemporaryError
from integrations.core.messages import Request
from integrations.models import Connection
from tests.base import Cast
from tests.workflows.planting import (
    branch,
    delay,
    keep_if,
    loop,
    made,
    over,
    path,
    read,
    stop,
    write,
)
from tests.workflows.scripted.connector import Provider, WriteThing
from workflows.definitions.compiler import compile_plan
from workflows.models import Event, Preview, PreviewStep, Run, StepRun, Workflow
from workflows.preview.limits import Limits
from workflows.preview.service import preview

pytestmark = pytest.mark.django_db

DATA = {"id": "1", "title": "Oak", "price": 10, "lines": [{"name": "A", "price": 1}, {"name": "B", "price": 2}]}


@pytest.fixture
def build(cast: Cast, connection: Connection) -> Any:
    return lambda *specs, **more: made(cast, connection, *specs, **more)


def shown(workflow: Workflow, data: dict[str, Any] | None = None, **options: Any) -> Preview:
    return preview(workflow, compile_plan(workflow), DATA if data is None else data, by=None, **options)


def states(made: Preview) -> list[tuple[str, str, str]]:
    rows = made.steps.exclude(kind="turn")
    return [(row.step, row.iteration, row.state) for row in rows]


def step(made: Preview, key: str, iteration: str = "") -> PreviewStep:
    found: PreviewStep = made.steps.exclude(kind="turn").get(step=key, iteration=iteration)
    return found


def test_a_write_stops_after_its_request_and_later_steps_go_on(build: Any, provider: Provider) -> None:
    found = shown(build(write("a"), write("b", "Again {{ steps.a.name }}")))
    assert (found.status, found.message, found.writes) == ("done", "", 2)
    assert states(found) == [("a", "", "written"), ("b", "", "written")]
    assert '"Again Oak"' in step(found, "b").request["body"]
    assert provider.sent == []
    assert (Run.objects.count(), StepRun.objects.count(), Event.objects.count()) == (0, 0, 0)


def test_a_filter_that_is_not_met_ends_it_with_both_values(build: Any) -> None:
    found = shown(build(keep_if("dear", over("{{ trigger.price }}", 1000)), write("a")))
    assert (found.status, found.writes) == ("filtered", 0)
    assert states(found) == [("dear", "", "filtered")]
    tree = step(found, "dear").outcome["tree"]["items"][0]
    assert (str(tree["left_value"]), str(tree["right_value"])) == ("10", "1000")


def test_a_branch_takes_the_path_that_a_run_would_take(build: Any) -> None:
    paths = (path("high", over("{{ trigger.price }}", 100), write("a")), path("low", None, write("b")))
    assert states(shown(build(branch("which", *paths)))) == [("which", "", "succeeded"), ("b", "", "written")]


def test_a_loop_takes_every_item_up_to_the_limit_and_says_so(build: Any) -> None:
    workflow = build(loop("each", "{{ trigger.lines }}", write("a", "{{ item.name }}")), write("after"))
    found = shown(workflow)
    assert [line for line in states(found) if line[0] == "a"] == [("a", "1", "written"), ("a", "2", "written")]
    assert (found.notes, found.writes) == ([], 3)
    few = shown(workflow, limits=Limits(iterations=1))
    assert [line for line in states(few) if line[0] == "a"] == [("a", "1", "written")]
    assert few.notes == ["A loop has 2 items. The preview shows the first 1; a run takes all of them."]
    assert (few.status, step(few, "after").state) == ("done", "written")


def test_a_delay_is_passed_without_waiting(build: Any) -> None:
    found = shown(build(delay("pause", how="for", amount="30", unit="days"), write("a")))
    assert states(found) == [("pause", "", "passed"), ("a", "", "written")]


def test_a_stop_ends_it_as_it_ends_a_run(build: Any) -> None:
    found = shown(build(stop("end", "failed", "No more of {{ trigger.title }}"), write("a")))
    assert (found.status, found.message) == ("failed", "No more of Oak")
    assert states(found) == [("end", "", "failed")]


def test_a_step_taken_as_failed_shows_its_error_path(build: Any, provider: Provider) -> None:
    workflow = build(write("a", on_error="error_path", error=[write("tell", "{{ error.step }} failed")]), write("b"))
    assert [line[0] for line in states(shown(workflow))] == ["a", "b"]
    found = shown(workflow, fail_step="a")
    assert states(found) == [("a", "", "failed"), ("tell", "", "written"), ("b", "", "written")]
    assert (found.status, found.notes) == ("done", ["A run would go on over what fails: A."])
    assert step(found, "a").error == "Taken as failed, to see what happens then."
    assert '"A failed"' in step(found, "tell").request["body"]
    assert provider.sent == []


def test_a_step_taken_as_failed_ends_it_where_a_failure_ends_a_run(build: Any) -> None:
    found = shown(build(write("a"), write("b")), fail_step="a")
    assert (found.status, states(found)) == ("failed", [("a", "", "failed")])


def test_up_to_here_ends_after_the_step_and_keeps_what_is_before(build: Any) -> None:
    inner = loop("each", "{{ trigger.lines }}", write("a", "{{ item.name }}"), write("b"))
    workflow = build(write("first"), branch("which", path("only", None, inner, write("c"))), write("last"))
    keys = [line[0] for line in states(shown(workflow, upto="a"))]
    assert keys == ["first", "which", "each", "a", "a"]


def test_up_to_a_step_of_an_error_path_takes_the_step_before_as_failed(build: Any) -> None:
    workflow = build(write("a", on_error="error_path", error=[write("tell"), write("more")]), write("b"))
    assert states(shown(workflow, upto="tell")) == [("a", "", "failed"), ("tell", "", "written")]


def test_a_step_that_cannot_be_worked_out_fails_and_the_steps_before_are_shown(build: Any) -> None:
    found = shown(build(write("a"), write("b", "{{ trigger.nothing }}"), write("c")))
    assert found.status == "failed"
    assert states(found) == [("a", "", "written"), ("b", "", "failed")]
    assert 'There is no "nothing" in trigger' in step(found, "b").error


def test_a_step_without_connection_or_operation_fails_and_nothing_breaks(build: Any) -> None:
    workflow = build(write("a"))
    workflow.steps.update(connection=None)
    assert "no longer exists" in step(shown(workflow), "a").error
    workflow.steps.update(operation="")
    assert "not available here any more" in step(shown(workflow), "a").error


def test_a_bug_in_a_step_fails_the_step_and_says_so(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WriteThing, "request", lambda self, inputs, writing: {}["x"])
    found = shown(build(write("a")))
    assert (found.status, step(found, "a").state) == ("failed", "failed")
    assert "Pinxero itself failed" in step(found, "a").error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            TemporaryError("No calls are left.", retry_after=60, hold=Hold.BUDGET),
            "No calls are left.",
        ),
        (TemporaryError("It is down.", hold=Hold.DOWN), "It is down."),
        (ReconnectError("Access was refused."), "Access was refused."),
    ],
)
def test_where_a_run_would_wait_it_ends_and_says_for_what(
    build: Any, provider: Provider, error: Any, words: str
) -> None:
    provider.reads.append(error)
    found = shown(build(write("a"), read("b"), write("c")))
    assert found.status == "unfinished"
    assert found.message == f"B: a run would wait here and go on by itself. {words}"
    assert states(found) == [("a", "", "written"), ("b", "", "pending")]


def test_a_connection_that_needs_reconnecting_ends_it_before_anything_is_read(
    build: Any, connection: Connection, provider: Provider
) -> None:
    Connection.objects.filter(pk=connection.pk).update(status=Connection.Status.NEEDS_RECONNECT)
    found = shown(build(write("a")))
    assert (found.status, states(found)) == ("unfinished", [("a", "", "pending")])
    assert "needs reconnecting" in found.message


def test_a_frozen_connection_is_previewed_and_said(build: Any, connection: Connection) -> None:
    Connection.objects.filter(pk=connection.pk).update(frozen_at="2026-11-01T00:00:00Z", freeze_reason="Audit")
    found = shown(build(write("a")))
    assert (found.status, found.warns, step(found, "a").state) == ("done", 1, "written")
    assert "it is frozen (Audit)" in step(found, "a").findings[0]["message"]


def test_it_ends_after_its_steps_and_its_time_and_says_so(build: Any) -> None:
    workflow = build(write("a"), write("b"), write("c"))
    few = shown(workflow, limits=Limits(steps=2))
    assert (few.status, [line[0] for line in states(few)]) == ("unfinished", ["a", "b"])
    assert few.message == "The preview ended after 2 steps; what follows was not reached. A run has no such limit."
    late = shown(workflow, limits=Limits(seconds=-1))
    assert (late.status, late.writes) == ("unfinished", 0)


def test_the_client_of_a_preview_cannot_write(build: Any, monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    sends = Request("PUT", "/things")
    monkeypatch.setattr(WriteThing, "prepare", lambda self, api, inputs: api.write(sends))
    found = shown(build(write("a")))
    assert (found.status, provider.sent) == ("failed", [])
