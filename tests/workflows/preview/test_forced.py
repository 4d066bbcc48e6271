"""A preview that a filter, a stop or a branch keeps from going on can be forced to, and says so all the way."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.models import Connection
from tests.base import Cast
from tests.workflows.engine.test_calls import called, provider
from tests.workflows.planting import branch, call, keep_if, loop, made, over, path, stop, write
from tests.workflows.preview.test_walk import shown, states, step
from tests.workflows.scripted.connector import Provider
from workflows.models import Preview

__all__ = ["provider"]

pytestmark = pytest.mark.django_db

DEAR = over("{{ trigger.price }}", 1000)
LINES = {"title": "Oak", "price": 10, "lines": [{"name": "A", "price": 1}, {"name": "B", "price": 9}]}


@pytest.fixture
def build(cast: Cast, connection: Connection) -> Any:
    return lambda *specs, **more: made(cast, connection, *specs, **more)


def forced(preview: Preview) -> list[str]:
    return [f"{row.step}@{row.iteration}".rstrip("@") for row in preview.steps.exclude(kind="turn") if row.is_forced]


def test_it_goes_on_as_if_a_filter_were_met_and_marks_all_that_follows(build: Any, provider: Provider) -> None:
    workflow = build(write("a"), keep_if("dear", DEAR), write("b"), write("c"))
    assert (shown(workflow).status, shown(workflow).forced) == ("filtered", None)
    found = shown(workflow, force={"dear"})
    assert (found.status, found.writes, found.forced) == ("done", 3, ["dear"])
    assert states(found) == [("a", "", "written"), ("dear", "", "filtered"), ("b", "", "written"), ("c", "", "written")]
    assert forced(found) == ["dear", "b", "c"]
    assert step(found, "dear").outcome["passed"] is False
    assert provider.sent == []


def test_a_filter_that_is_met_anyway_forces_nothing(build: Any) -> None:
    found = shown(build(keep_if("cheap", over("{{ trigger.price }}", 1)), write("a")), force={"cheap"})
    assert (found.status, found.forced, forced(found)) == ("done", None, [])


def test_only_the_filter_that_is_named_is_gone_past(build: Any) -> None:
    workflow = build(keep_if("dear", DEAR), write("a"), keep_if("dearer", DEAR), write("b"))
    found = shown(workflow, force={"dear"})
    assert (found.status, states(found)[-1]) == ("filtered", ("dearer", "", "filtered"))
    both = shown(workflow, force={"dear", "dearer"})
    assert (both.status, both.forced, both.writes) == ("done", ["dear", "dearer"], 2)


@pytest.mark.parametrize("how", ["succeeded", "failed", "filtered"])
def test_it_goes_on_as_if_a_stop_did_not_stop(build: Any, how: str) -> None:
    found = shown(build(stop("end", how, "No more"), write("a")), force={"end"})
    assert (found.status, found.message, found.notes) == ("done", "", [])
    assert states(found) == [("end", "", "passed"), ("a", "", "written")]
    assert (forced(found), found.forced) == (["end", "a"], ["end"])
    assert step(found, "end").outcome["explanation"] == "No more"


def test_a_path_is_taken_as_if_its_conditions_were_met(build: Any) -> None:
    paths = (path("high", DEAR, write("a")), path("low", None, write("b")))
    workflow = build(branch("which", *paths), write("after"))
    found = shown(workflow, force={"high"})
    assert [line[0] for line in states(found)] == ["which", "a", "after"]
    assert (forced(found), found.forced) == (["which", "a", "after"], ["high"])
    as_it_is = shown(workflow, force={"low"})
    assert (forced(as_it_is), as_it_is.forced) == ([], None)


def test_a_filter_in_a_loop_is_forced_for_the_items_that_do_not_meet_it(build: Any) -> None:
    inside = (keep_if("big", over("{{ item.price }}", 5)), write("a", "{{ item.name }}"))
    workflow = build(loop("each", "{{ trigger.lines }}", *inside), write("after"))
    found = shown(workflow, LINES, force={"big"})
    assert [line for line in states(found) if line[0] == "a"] == [("a", "1", "written"), ("a", "2", "written")]
    # The second item meets it; what is after the loop may use what the first one gave.
    assert forced(found) == ["each", "big@1", "a@1", "after"]


def test_a_stop_in_a_loop_would_end_the_run_so_all_after_it_is_forced(build: Any) -> None:
    stops = branch("which", path("cheap", over("1", "{{ item.price }}"), stop("end")))
    workflow = build(loop("each", "{{ trigger.lines }}", stops, write("a", "{{ item.name }}")), write("after"))
    assert [line[0] for line in states(shown(workflow, LINES))] == ["each", "which", "end"]
    found = shown(workflow, LINES, force={"end"})
    assert forced(found) == ["each", "end@1", "a@1", "which@2", "a@2", "after"]


def test_a_workflow_that_is_called_after_that_is_marked_inside(
    provider: Provider, connection: Connection, cast: Cast
) -> None:
    below = called(cast, connection, write("inner", "x"))
    found = shown(made(cast, connection, keep_if("dear", DEAR), call("ask", below, title="x")), force={"dear"})
    inner = step(found, "ask").called
    assert inner is not None
    assert (inner.steps.get().is_forced, inner.forced) == (True, None)
