"""Loops: each item once, each iteration with a state of its own, whatever happens to the worker in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integrations.core.errors import RejectedError, TemporaryError
from tests.base import Cast
from tests.workflows.conftest import drain, settle, unknown
from tests.workflows.planting import (
    MakeTree,
    begin,
    branch,
    keep_if,
    loop,
    named,
    over,
    path,
    ran,
    read,
    state_of,
    step,
    stop,
    turns,
    write,
)
from tests.workflows.scripted.connector import Provider
from workflows.engine import lease
from workflows.engine.kinds import loop as loops
from workflows.models import Run, StepRun
from workflows.publishing import activation
from workflows.runs import available_actions
from workflows.runs import decisions as lifecycle

pytestmark = pytest.mark.django_db

LINES = "{{ trigger.lines }}"
ABC = [{"name": "A", "price": 1}, {"name": "B", "price": 2}, {"name": "C", "price": 3}]


def names(provider: Provider) -> list[str]:
    return [book["name"] for book in provider.books]


class Killed(BaseException):
    """A worker that is gone from one moment to the next: nothing below catches it."""


def test_each_item_is_done_once_and_in_order_with_its_place_in_the_list(
    provider: Provider, make_tree: MakeTree
) -> None:
    workflow = make_tree(
        loop("each", LINES, write("w", "{{ item.name }} {{ loop.index }}/{{ loop.count }}")),
        write("last", "{{ steps.each.done }} of {{ steps.each.count }}, {{ steps.each['items'][1].w.id }}"),
    )
    run = begin(workflow, lines=ABC)
    settle()
    assert state_of(run) == "succeeded"
    assert names(provider) == ["A 1/3", "B 2/3", "C 3/3", "3 of 3, T2"]
    assert turns(run, "each") == [("1", "succeeded"), ("2", "succeeded"), ("3", "succeeded")]
    output = step(run, "each").output
    assert {name: output[name] for name in ("count", "done", "failed", "skipped")} == {
        "count": 3, "done": 3, "failed": 0, "skipped": 0
    }  # fmt: skip
    assert [turn["w"]["id"] for turn in output["items"]] == ["T1", "T2", "T3"]


@pytest.mark.parametrize("lines", [[], None, ""])
def test_an_empty_list_has_no_turns(provider: Provider, make_tree: MakeTree, lines: object) -> None:
    run = begin(make_tree(loop("each", LINES, write("w"))), lines=lines)
    settle()
    assert state_of(run) == "succeeded"
    assert step(run, "each").output["count"] == 0
    assert provider.sent == []


@pytest.mark.parametrize(("lines", "words"), [("A, B", "this is text"), ({"a": 1}, "a group of fields"), (7, "number")])
def test_what_is_no_list_fails_the_loop(provider: Provider, make_tree: MakeTree, lines: object, words: str) -> None:
    run = begin(make_tree(loop("each", LINES, write("w"))), lines=lines)
    settle()
    run.refresh_from_db()
    assert run.status == "failed"
    assert words in run.error
    assert provider.sent == []


def test_a_list_that_is_too_long_fails_before_the_first_turn_and_says_both_numbers(
    provider: Provider, make_tree: MakeTree, cast: Cast
) -> None:
    run = begin(make_tree(loop("each", LINES, write("w"), limit=2)), lines=ABC)
    settle()
    run.refresh_from_db()
    assert run.status == "failed"
    assert "The list has 3 items, and the loop may take 2." in run.error
    assert provider.sent == []
    lifecycle.skip(run, by=cast.builder, reason="Not this one")
    settle()
    assert state_of(run) == "succeeded"
    assert provider.sent == []


def test_a_filter_ends_its_turn_only_and_says_why(provider: Provider, make_tree: MakeTree) -> None:
    run = begin(
        make_tree(
            loop("each", LINES, keep_if("f", over("{{ item.price }}", 2)), write("w", "{{ item.name }}")),
            write("last", "{{ steps.each.skipped }} skipped"),
        ),
        lines=ABC,
    )
    settle()
    assert names(provider) == ["B", "C", "1 skipped"]
    assert turns(run, "each") == [("1", "skipped"), ("2", "succeeded"), ("3", "succeeded")]
    turn = StepRun.objects.get(run=run, kind="turn", iteration="1")
    assert turn.outcome["explanation"].startswith("Not met: ")


def test_a_branch_in_a_loop_decides_for_each_item(provider: Provider, make_tree: MakeTree) -> None:
    workflow = make_tree(
        loop(
            "each",
            LINES,
            branch(
                "size",
                path("big", over("{{ item.price }}", 3), write("b", "big {{ item.name }}")),
                path("mid", over("{{ item.price }}", 2), keep_if("never", over("{{ item.price }}", 9)), write("m")),
                path("small", None, write("s", "small {{ item.name }}")),
            ),
            named("after", done="{{ item.name }}"),
        )
    )
    run = begin(workflow, lines=ABC)
    settle()
    assert names(provider) == ["small A", "big C"]
    # A filter in a path inside a loop ends the turn, not the run.
    assert turns(run, "each") == [("1", "succeeded"), ("2", "skipped"), ("3", "succeeded")]
    assert ran(run) == [
        "each", "size@1", "s@1", "after@1", "size@2", "never@2", "size@3", "b@3", "after@3",
    ]  # fmt: skip


def test_loops_nest_and_the_inner_item_is_the_innermost(provider: Provider, make_tree: MakeTree) -> None:
    workflow = make_tree(
        loop(
            "orders",
            LINES,
            named("order", name="{{ item.name }}"),
            loop("parts", "{{ item.parts }}", write("w", "{{ steps.order.name }}{{ item }} {{ loop.index }}")),
            write("sum", "{{ steps.order.name }}: {{ steps.parts.count }}"),
        )
    )
    run = begin(workflow, lines=[{"name": "A", "parts": ["x", "y"]}, {"name": "B", "parts": ["z"]}])
    settle()
    assert names(provider) == ["Ax 1", "Ay 2", "A: 2", "Bz 1", "B: 1"]
    assert turns(run, "parts") == [("1.1", "succeeded"), ("1.2", "succeeded"), ("2.1", "succeeded")]
    assert [turn["parts"]["count"] for turn in step(run, "orders").output["items"]] == [2, 1]


# --- what fails -----------------------------------------------------------------------------------------------------


def test_a_failing_item_stops_the_loop_and_a_retry_goes_on_in_its_turn(
    provider: Provider, make_tree: MakeTree, cast: Cast
) -> None:
    run = begin(make_tree(loop("each", LINES, read("r"), write("w", "{{ item.name }}")), write("last")), lines=ABC)
    provider.script = ["behave", RejectedError("No.")]
    settle()
    run.refresh_from_db()
    assert [run.status, run.error] == ["failed", "Each, iteration 2: W: No."]
    assert [state for _, state in turns(run, "each")] == ["succeeded", "failed"]
    lifecycle.retry(run, by=cast.builder)
    settle()
    assert state_of(run) == "succeeded"
    assert names(provider) == ["A", "B", "C", "Thing 1"]
    assert [state for _, state in turns(run, "each")] == ["succeeded"] * 3
    assert [turn["w"]["id"] for turn in step(run, "each").output["items"]] == ["T1", "T2", "T3"]


def test_a_failing_item_can_be_passed_over_and_done_later_alone(
    provider: Provider, make_tree: MakeTree, cast: Cast
) -> None:
    workflow = make_tree(loop("each", LINES, write("w", "{{ item.name }}"), on_item_error="go_on"), write("last"))
    run = begin(workflow, lines=ABC)
    provider.script = ["behave", RejectedError("No."), "behave"]
    settle()
    run.refresh_from_db()
    assert [run.status, run.error] == ["succeeded", "W failed and was passed over. "]
    assert step(run, "each").output["failed"] == 1
    assert step(run, "each").output["items"][1] == {}
    assert available_actions.available_actions(run)[0].label == "Try what failed again"
    lifecycle.retry(run, by=cast.builder)
    settle()
    run.refresh_from_db()
    assert [run.status, run.error] == ["succeeded", ""]
    assert names(provider) == ["A", "C", "Thing 1", "B"]
    assert step(run, "each").output["done"] == 3
    assert step(run, "each").output["items"][1]["w"]["id"] == "T4"
    with pytest.raises(activation.NotAllowedNowError, match="no step of it failed"):
        lifecycle.retry(run, by=cast.builder)


def test_the_policy_of_a_step_counts_before_that_of_its_loop(provider: Provider, make_tree: MakeTree) -> None:
    run = begin(
        make_tree(loop("each", LINES, write("w", "{{ item.name }}", on_error="go_on"), write("x", "{{ item.price }}"))),
        lines=ABC,
    )
    provider.script = [RejectedError("No."), "behave", RejectedError("No.")]
    settle()
    run.refresh_from_db()
    assert [run.status, run.error] == ["succeeded", "W (2 times) failed and was passed over. "]
    assert names(provider) == ["1", "2", "C", "3"]
    assert [state for _, state in turns(run, "each")] == ["succeeded"] * 3


def test_a_retry_leaves_alone_what_a_loop_passed_over(provider: Provider, make_tree: MakeTree, cast: Cast) -> None:
    workflow = make_tree(loop("each", LINES, write("w", "{{ item.name }}"), on_item_error="go_on"), write("last"))
    run = begin(workflow, lines=ABC)
    provider.script = [RejectedError("No."), "behave", "behave", RejectedError("Not last.")]
    settle()
    assert state_of(run) == "failed"
    lifecycle.retry(run, by=cast.builder)
    settle()
    assert state_of(run) == "succeeded"
    assert names(provider) == ["B", "C", "Thing 1"]
    assert [state for _, state in turns(run, "each")] == ["failed", "succeeded", "succeeded"]


def test_a_step_in_a_loop_can_be_skipped_or_settled_by_hand(
    provider: Provider, make_tree: MakeTree, cast: Cast
) -> None:
    run = begin(make_tree(loop("each", LINES, write("w", "{{ item.name }}"), read("r"))), lines=ABC)
    provider.script = [RejectedError("No A."), RejectedError("No B.")]
    settle()
    lifecycle.skip(run, by=cast.builder, reason="A is not ours.")
    settle()
    run.refresh_from_db()
    assert [run.status, run.error] == ["failed", "Each, iteration 2: W: No B."]
    lifecycle.mark_done(run, by=cast.builder, reason="Typed it in.", provider_id="T77")
    settle()
    assert state_of(run) == "succeeded"
    assert names(provider) == ["C"]
    assert [step(run, "w", number).state for number in "123"] == ["skipped", "succeeded", "succeeded"]
    assert step(run, "w", "2").provider_id == "T77"
    assert [state for _, state in turns(run, "each")] == ["succeeded"] * 3
    decisions = list(run.decisions.order_by("pk").values_list("what", "step"))
    assert decisions == [("skip", "w"), ("mark_done", "w")]


def test_only_a_write_can_have_been_done_by_hand(provider: Provider, make_tree: MakeTree, cast: Cast) -> None:
    run = begin(make_tree(named("sums", net="{{ trigger.title * 2 }}"), write("w")))
    settle()
    read_only = begin(make_tree(read("r"), write("w")))
    provider.reads = [RejectedError("No such thing.")]
    settle()
    for each in (run, read_only):
        with pytest.raises(activation.NotAllowedNowError, match="Skip it instead"):
            lifecycle.mark_done(each, by=cast.builder, reason="Did it")
        assert each.decisions.count() == 0
        assert state_of(each) == "failed"


@pytest.mark.parametrize("how", ["succeeded", "failed", "filtered"])
def test_a_stop_in_a_loop_ends_the_run_and_not_only_the_turn(provider: Provider, make_tree: MakeTree, how: str) -> None:
    halt = branch("b", path("p", over("{{ item.price }}", 2), stop("halt", how, "Enough at {{ item.name }}")))
    workflow = make_tree(loop("each", LINES, write("w", "{{ item.name }}"), halt, on_item_error="go_on"), write("last"))
    run = begin(workflow, lines=ABC)
    settle()
    run.refresh_from_db()
    assert run.status == how
    assert "Enough at B" in (run.error or run.result)
    assert names(provider) == ["A", "B"]


def test_after_a_stop_that_failed_in_a_loop_the_run_can_go_on_in_its_turn(
    provider: Provider, make_tree: MakeTree, cast: Cast
) -> None:
    halt = branch("b", path("p", over("{{ item.price }}", 2), stop("halt", "failed", "Enough")))
    run = begin(make_tree(loop("each", LINES, write("w", "{{ item.name }}"), halt)), lines=ABC[:2])
    settle()
    assert state_of(run) == "failed"
    lifecycle.skip(run, by=cast.builder, reason="Go on")
    settle()
    assert state_of(run) == "succeeded"
    assert names(provider) == ["A", "B"]


def test_an_uncertain_write_in_a_turn_is_settled_before_the_next_turn(provider: Provider, make_tree: MakeTree) -> None:
    run = begin(make_tree(loop("each", LINES, write("w", "{{ item.name }}"))), lines=ABC)
    provider.script = ["behave", "commit and be silent"]
    drain()
    run.refresh_from_db()
    assert [run.status, run.wait_reason] == ["waiting", "uncertain"]
    settle()
    assert names(provider) == ["A", "B", "C"]
    provider.script = [unknown()]


def test_a_cancelled_loop_writes_nothing_more(provider: Provider, make_tree: MakeTree, cast: Cast) -> None:
    run = begin(make_tree(loop("each", LINES, write("w", "{{ item.name }}"))), lines=ABC)
    provider.script = ["behave", TemporaryError("Later.", retry_after=600)]
    drain()
    lifecycle.cancel(run, by=cast.builder, reason="Enough")
    settle()
    assert names(provider) == ["A"]
    assert turns(run, "each") == [("1", "succeeded")]


# --- waits, kills, turns of workers ---------------------------------------------------------------------------------


def test_a_loop_goes_on_in_its_turn_after_a_wait_and_keeps_the_list_it_began_with(
    provider: Provider, make_tree: MakeTree
) -> None:
    run = begin(make_tree(loop("each", LINES, read("r"), write("w", "{{ item.name }}"))), lines=ABC)
    provider.script = ["behave", TemporaryError("Later.", retry_after=30), "behave", TemporaryError("Later.")]
    drain()
    event = run.event
    event.data = {**event.data, "lines": [{"name": "Z"}]}
    event.save()
    settle()
    assert state_of(run) == "succeeded"
    assert names(provider) == ["A", "B", "C"]
    output = step(run, "each").output
    assert [output["done"], [turn["w"]["id"] for turn in output["items"]]] == [3, ["T1", "T2", "T3"]]
    assert [turn["r"]["price"] for turn in output["items"]] == [12, 12, 12]


@pytest.mark.parametrize("killed_at", range(1, 12))
def test_a_worker_killed_at_any_moment_loses_and_doubles_nothing(
    provider: Provider, make_tree: MakeTree, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    workflow = make_tree(
        loop("each", LINES, keep_if("f", over("{{ item.price }}", 2)), read("r"), write("w", "{{ item.name }}")),
        write("last", "{{ steps.each.done }} done"),
    )
    run = begin(workflow, lines=ABC)
    moments = 0

    def kill(do: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            nonlocal moments
            moments += 1
            if moments == killed_at and not after:
                raise Killed
            answer = do(*args, **kwargs)
            if moments == killed_at:
                raise Killed
            return answer

        return wrapped

    # Before and after each transaction, and between the provider's booking and its answer.
    monkeypatch.setattr(lease.Lease, "record", kill(lease.Lease.record, after=killed_at % 2 == 0))
    monkeypatch.setattr(Provider, "write", kill(Provider.write, after=True))
    try:
        settle()
    except Killed:
        assert state_of(run) == "running"
        Run.objects.update(lease_until="2020-01-01T00:00:00Z")
    settle()
    assert state_of(run) == "succeeded"
    assert names(provider) == ["B", "C", "2 done"]
    assert turns(run, "each") == [("1", "skipped"), ("2", "succeeded"), ("3", "succeeded")]
    assert [turn.get("w", {}).get("id") for turn in step(run, "each").output["items"]] == [None, "T1", "T2"]


def test_a_long_loop_lets_other_runs_have_the_worker(
    provider: Provider, make_tree: MakeTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "SLICE_SECONDS", 0.0)
    long = begin(make_tree(loop("each", LINES, write("w", "{{ item.name }}"))), lines=ABC)
    short = begin(make_tree(write("s", "short")))
    settle()
    assert names(provider) == ["A", "short", "B", "C"]
    assert [state_of(long), state_of(short)] == ["succeeded", "succeeded"]
    assert step(long, "each").output["done"] == 3
