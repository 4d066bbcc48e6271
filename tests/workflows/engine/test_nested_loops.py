"""Loops within loops: retries, skips and waits come back to the right iteration, whichever worker has the run."""

from __future__ import annotations

import pytest

from integrations.core.errors import RejectedError, TemporaryError
from tests.base import Cast
from tests.workflows.conftest import drain, settle
from tests.workflows.planting import (
    MakeTree,
    Spec,
    begin,
    branch,
    keep_if,
    loop,
    named,
    over,
    path,
    state_of,
    step,
    turns,
    write,
)
from tests.workflows.scripted.connector import Provider
from workflows.engine.kinds import loop as loops
from workflows.models import Run, StepRun
from workflows.runs import decisions

pytestmark = pytest.mark.django_db

ORDERS = [{"name": "A", "parts": ["x", "y"]}, {"name": "B", "parts": ["z", "u"]}]
WRITTEN = ["A x", "A y", "A whole", "B z", "B u", "B whole"]


def orders(*, inner: str = "stop", outer: str = "stop") -> Spec:
    parts = loop("parts", "{{ item.parts }}", write("w", "{{ steps.order.name }} {{ item }}"), on_item_error=inner)
    inside = branch("b", path("p", None, parts))
    return loop(
        "orders",
        "{{ trigger.lines }}",
        named("order", name="{{ item.name }}"),
        inside,
        write("sum", "{{ steps.order.name }} whole"),
        on_item_error=outer,
    )


def names(provider: Provider) -> list[str]:
    return [book["name"] for book in provider.books]


def test_a_retry_finds_the_turn_within_the_turn(provider: Provider, make_tree: MakeTree, cast: Cast) -> None:
    run = begin(make_tree(orders()), lines=ORDERS)
    provider.script = ["behave", "behave", "behave", "behave", RejectedError("No.")]
    settle()
    run.refresh_from_db()
    assert [run.status, run.error] == ["failed", "Orders, iteration 2: Parts, iteration 2: W: No."]
    assert [step(run, "orders").state, step(run, "parts", "2").state] == ["failed", "failed"]
    decisions.retry(run, by=cast.builder)
    settle()
    assert state_of(run) == "succeeded"
    assert names(provider) == WRITTEN
    assert turns(run, "parts") == [(place, "succeeded") for place in ("1.1", "1.2", "2.1", "2.2")]
    output = step(run, "orders").output
    assert [turn["parts"]["items"][1]["w"]["id"] for turn in output["items"]] == ["T2", "T5"]
    assert [turn["sum"]["id"] for turn in output["items"]] == ["T3", "T6"]


def test_a_skip_finds_the_turn_within_the_turn(provider: Provider, make_tree: MakeTree, cast: Cast) -> None:
    run = begin(make_tree(orders()), lines=ORDERS)
    provider.script = ["behave", RejectedError("No.")]
    settle()
    decisions.skip(run, by=cast.builder, reason="Not this part.")
    settle()
    assert state_of(run) == "succeeded"
    assert names(provider) == [name for name in WRITTEN if name != "A y"]
    assert step(run, "w", "1.2").state == "skipped"
    assert step(run, "parts", "1").output["done"] == 2


def test_what_an_inner_loop_passed_over_can_be_done_later(provider: Provider, make_tree: MakeTree, cast: Cast) -> None:
    run = begin(make_tree(orders(inner="go_on")), lines=ORDERS)
    provider.script = ["behave", RejectedError("No.")]
    settle()
    assert state_of(run) == "succeeded"
    assert names(provider) == [name for name in WRITTEN if name != "A y"]
    decisions.retry(run, by=cast.builder)
    settle()
    assert state_of(run) == "succeeded"
    assert names(provider)[-1] == "A y"
    assert len(names(provider)) == len(WRITTEN)
    assert step(run, "parts", "1").output["done"] == 2


def test_an_outer_loop_passes_over_what_an_inner_one_could_not(provider: Provider, make_tree: MakeTree) -> None:
    run = begin(make_tree(orders(outer="go_on")), lines=ORDERS)
    provider.script = ["behave", RejectedError("No.")]
    settle()
    run.refresh_from_db()
    assert run.status == "succeeded"
    assert names(provider) == ["A x", "B z", "B u", "B whole"]
    assert turns(run, "orders") == [("1", "failed"), ("2", "succeeded")]
    assert turns(run, "parts") == [("1.1", "succeeded"), ("1.2", "failed"), ("2.1", "succeeded"), ("2.2", "succeeded")]


def test_a_worker_that_is_left_after_every_turn_writes_the_same(
    provider: Provider, make_tree: MakeTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "SLICE_SECONDS", 0.0)
    run = begin(make_tree(orders()), lines=ORDERS)
    settle()
    run.refresh_from_db()
    assert run.status == "succeeded"
    assert run.claims > 3
    assert names(provider) == WRITTEN


def test_waits_in_inner_turns_repeat_nothing(provider: Provider, make_tree: MakeTree) -> None:
    later = TemporaryError("Later.", retry_after=30)
    run = begin(make_tree(orders()), lines=ORDERS)
    provider.script = [later, "behave", later, "behave", later, "behave", later, "behave", "behave", later, "behave"]
    settle()
    assert state_of(run) == "succeeded"
    assert names(provider) == WRITTEN
    assert StepRun.objects.filter(run=run, step="order").count() == 2


def test_a_filter_in_an_inner_loop_ends_the_inner_turn_only(provider: Provider, make_tree: MakeTree) -> None:
    inner = loop("parts", "{{ item.parts }}", keep_if("f", over("{{ item }}", 2)), write("w", "{{ item }}"))
    run = begin(
        make_tree(loop("orders", "{{ trigger.lines }}", inner, write("sum", "sum"))), lines=[{"parts": [1, 2, 3]}]
    )
    drain()
    assert state_of(run) == "succeeded"
    assert names(provider) == ["2", "3", "sum"]
    assert Run.objects.count() == 1
