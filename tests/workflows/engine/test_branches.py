"""Branches: the first path whose conditions are met is taken, once and for ever in a run."""

from __future__ import annotations

import pytest

from integrations.core.errors import RejectedError, TemporaryError
from tests.base import Cast
from tests.workflows.conftest import drain, settle
from tests.workflows.planting import (
    MakeTree,
    begin,
    branch,
    keep_if,
    named,
    over,
    path,
    ran,
    read,
    state_of,
    step,
    stop,
    write,
)
from tests.workflows.scripted.connector import Provider
from workflows.models import Run, StepRun
from workflows.runs import decisions

pytestmark = pytest.mark.django_db

PRICE = "{{ trigger.price }}"


@pytest.mark.parametrize(
    ("price", "taken", "written"),
    [(500, "large", ["Large"]), (100, "large", ["Large"]), (50, "middle", ["Middle"]), (5, "rest", ["Small"])],
)
def test_the_first_path_whose_conditions_are_met_is_taken_and_the_steps_after_the_branch_follow(
    provider: Provider, make_tree: MakeTree, price: int, taken: str, written: list[str]
) -> None:
    workflow = make_tree(
        branch(
            "size",
            path("large", over(PRICE, 100), write("write_large", "Large")),
            path("middle", over(PRICE, 10), write("write_middle", "Middle")),
            path("rest", None, write("write_rest", "Small")),
        ),
        write("last", "Last, {{ steps.size.path }}"),
    )
    run = begin(workflow, price=price)
    settle()
    assert state_of(run) == "succeeded"
    assert [book["name"] for book in provider.books] == [*written, f"Last, {taken}"]
    assert step(run, "size").output == {"path": taken}


def test_without_an_else_the_run_goes_past_where_no_path_fits(provider: Provider, make_tree: MakeTree) -> None:
    workflow = make_tree(branch("size", path("large", over(PRICE, 100), write("w", "Large"))), write("last", "Last"))
    run = begin(workflow, price=1)
    settle()
    assert ran(run) == ["size", "last"]
    assert step(run, "size").output == {"path": None}
    [looked_at] = step(run, "size").outcome["paths"]
    assert looked_at["passed"] is False
    assert "price" in looked_at["explanation"]


def test_branches_nest(provider: Provider, make_tree: MakeTree) -> None:
    inner = branch("b2", path("p3", over(PRICE, 500), write("w3", "Three")), path("p4", None, write("w4", "Four")))
    workflow = make_tree(branch("b1", path("p1", over(PRICE, 100), inner), path("p2", None, write("w2", "Two"))))
    for price, expected in ((600, "Three"), (200, "Four"), (1, "Two")):
        provider.books.clear()
        begin(workflow, price=price)
        settle()
        assert [book["name"] for book in provider.books] == [expected]


def test_the_way_taken_stays_when_the_run_goes_on_later(
    provider: Provider, make_tree: MakeTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = make_tree(
        branch("size", path("large", over(PRICE, 100), write("a", "Large")), path("rest", None, write("b", "Small")))
    )
    run = begin(workflow, price=200)
    provider.script = [TemporaryError("Later.", retry_after=60)]
    drain()
    assert state_of(run) == "waiting"
    # What the branch compared is different by now; the run has chosen already.
    event = run.event
    event.data = {**event.data, "price": 1}
    event.save()
    settle()
    assert [book["name"] for book in provider.books] == ["Large"]


def test_a_filter_in_a_path_ends_the_run_as_filtered(provider: Provider, make_tree: MakeTree) -> None:
    workflow = make_tree(
        branch("size", path("all", None, keep_if("only_large", over(PRICE, 100)), write("a"))), write("last")
    )
    run = begin(workflow)
    settle()
    assert state_of(run) == "filtered"
    assert provider.sent == []


@pytest.mark.parametrize("how", ["succeeded", "failed", "filtered"])
def test_a_stop_ends_the_run_as_it_says_with_its_message(provider: Provider, make_tree: MakeTree, how: str) -> None:
    workflow = make_tree(
        branch("size", path("small", over(PRICE, 1), stop("halt", how, "Too small: {{ trigger.price }}"))),
        write("last"),
    )
    run = begin(workflow)
    settle()
    run.refresh_from_db()
    assert run.status == how
    assert (run.error if how == "failed" else run.result) == "Too small: 10"
    assert provider.sent == []


def test_a_run_that_a_stop_made_fail_can_be_tried_again_and_the_stop_skipped(
    provider: Provider, make_tree: MakeTree, cast: Cast
) -> None:
    workflow = make_tree(branch("b", path("p", over(PRICE, 1), stop("halt", "failed", "No"))), write("last"))
    run = begin(workflow)
    settle()
    decisions.retry(run, by=cast.builder)
    settle()
    assert state_of(run) == "failed"
    decisions.skip(run, by=cast.builder, reason="It may go on this once.")
    settle()
    assert state_of(run) == "succeeded"
    assert len(provider.books) == 1
    assert step(run, "halt").state == "skipped"


def test_values_can_be_named_for_later_steps(provider: Provider, make_tree: MakeTree) -> None:
    workflow = make_tree(
        named("sums", net="{{ trigger.price }}", gross="{{ trigger.price * 1.2 }}"),
        write("w", "{{ steps.sums.net }} and {{ steps.sums.gross }}"),
    )
    begin(workflow)
    settle()
    assert [book["name"] for book in provider.books] == ["10 and 12.0"]


def test_a_value_that_cannot_be_worked_out_fails_the_step_and_is_named(provider: Provider, make_tree: MakeTree) -> None:
    workflow = make_tree(named("sums", net="{{ trigger.price * 2 }}"), write("w", "{{ steps.sums.net }}"))
    run = begin(workflow, price="none")
    settle()
    run.refresh_from_db()
    assert run.status == "failed"
    assert "Sums: Some values cannot be worked out: net:" in run.error
    assert provider.sent == []


# --- error paths ----------------------------------------------------------------------------------------------------


def test_a_failed_action_takes_its_error_path_with_what_went_wrong_and_the_run_goes_on(
    provider: Provider, make_tree: MakeTree
) -> None:
    workflow = make_tree(
        write("first", on_error="error_path", error=[write("tell", "{{ error.step }}: {{ error.message }}")]),
        write("last", "Last, {{ steps.tell.id | default('nothing') }}, {{ steps.first.id | default('no first') }}"),
    )
    run = begin(workflow)
    provider.script = [RejectedError("The name is taken.")]
    settle()
    run.refresh_from_db()
    assert run.status == "succeeded"
    assert [book["name"] for book in provider.books] == ["First: The name is taken.", "Last, T1, no first"]
    assert "First failed and was passed over" in run.error


def test_an_error_path_is_not_taken_where_nothing_failed(provider: Provider, make_tree: MakeTree) -> None:
    workflow = make_tree(write("first", on_error="error_path", error=[write("tell", "Trouble")]), write("last"))
    run = begin(workflow)
    settle()
    assert ran(run) == ["first", "last"]


def test_an_error_path_that_fails_fails_the_run_and_a_retry_goes_on_inside_it(
    provider: Provider, make_tree: MakeTree, cast: Cast
) -> None:
    workflow = make_tree(write("first", on_error="error_path", error=[write("tell", "Trouble")]), write("last", "Last"))
    run = begin(workflow)
    provider.script = [RejectedError("First no."), RejectedError("Tell no.")]
    settle()
    run.refresh_from_db()
    assert [run.status, run.error] == ["failed", "Tell: Tell no."]
    decisions.retry(run, by=cast.builder)
    settle()
    assert state_of(run) == "succeeded"
    assert [book["name"] for book in provider.books] == ["Trouble", "Last"]
    assert step(run, "first").state == "failed"


def test_an_error_path_goes_on_where_it_was_after_a_wait(provider: Provider, make_tree: MakeTree) -> None:
    workflow = make_tree(
        write("first", on_error="error_path", error=[write("tell", "{{ error.message }}"), write("more", "More")])
    )
    run = begin(workflow)
    provider.script = [RejectedError("No."), "behave", TemporaryError("Later.", retry_after=30)]
    settle()
    assert state_of(run) == "succeeded"
    assert [book["name"] for book in provider.books] == ["No.", "More"]


# --- what one claim costs -------------------------------------------------------------------------------------------


def test_steps_that_send_nothing_are_stored_with_the_next_that_does(
    provider: Provider, make_tree: MakeTree, django_assert_num_queries: object
) -> None:
    workflow = make_tree(
        keep_if("f", over(PRICE, 1)),
        named("sums", net=PRICE),
        branch("b", path("p", over(PRICE, 5), read("r"))),
        write("w", "{{ steps.sums.net }}"),
    )
    run = begin(workflow)
    seen: list[list[str]] = []

    def look() -> object:
        seen.append(list(StepRun.objects.filter(run=run).order_by("pk").values_list("step", flat=True)))
        raise TemporaryError("Later.", retry_after=30)

    provider.script = [look]  # type: ignore[list-item]
    settle()
    assert seen == [["f", "sums", "b", "r", "w"]]
    assert Run.objects.get(pk=run.pk).status == "succeeded"
    assert ran(run) == ["f", "sums", "b", "r", "w"]
