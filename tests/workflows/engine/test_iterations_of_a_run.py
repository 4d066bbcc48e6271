"""The iterations of a run are limited: those of nested loops and of the workflows that it calls count too."""

from __future__ import annotations

import pytest
from django.test import Client

from integrations.models import Connection
from tests.base import Cast
from tests.workflows.conftest import settle
from tests.workflows.planting import MakeTree, begin, loop, made, state_of, write
from tests.workflows.scripted.connector import Provider
from workflows.definitions import kinds
from workflows.engine import allowance

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_most_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "MOST_ITERATIONS_OF_A_RUN", 10)


def names(provider: Provider) -> list[str]:
    return [book["name"] for book in provider.books]


def test_loops_within_loops_are_counted_together(provider: Provider, make_tree: MakeTree) -> None:
    inner = loop("inner", "{{ item.parts }}", write("w", "{{ item }}"))
    workflow = make_tree(loop("outer", "{{ trigger.lines }}", inner))
    run = begin(workflow, lines=[{"parts": ["a", "b", "c"]}, {"parts": ["d", "e", "f"]}, {"parts": ["g", "h"]}])
    settle()
    run.refresh_from_db()
    # 3 iterations of the outer one, and 3 + 3 of the inner; the last two would be the tenth and the eleventh.
    assert run.status == "failed"
    assert (
        "This run has made 9 loop iterations and calls, and 2 more would exceed the 10 that one run may make. Nothing "
        "was done for any of these. Start from shorter lists, or in several runs."
    ) in run.error
    assert names(provider) == ["a", "b", "c", "d", "e", "f"]
    assert run.turns == 9


def test_as_many_as_may_be_are_made(provider: Provider, make_tree: MakeTree) -> None:
    inner = loop("inner", "{{ item.parts }}", write("w", "{{ item }}"))
    run = begin(make_tree(loop("outer", "{{ trigger.lines }}", inner)), lines=[{"parts": list("abcd")}] * 2)
    settle()
    assert state_of(run) == "succeeded"
    assert names(provider) == list("abcdabcd")


def test_the_editor_says_how_many_turns_a_run_may_make(
    client: Client, cast: Cast, connection: Connection, provider: Provider
) -> None:
    workflow = made(cast, connection, loop("each", "{{ trigger.lines }}", write("w")))
    client.force_login(cast.builder)
    page = client.get(f"/workflows/{workflow.pk}/steps/{workflow.steps.get(key='each').pk}/")
    assert page.status_code == 200
    assert (
        "At most 10,000. All loops of a run together, with loops inside loops and those of the workflows that it "
        "calls, make at most 20,000 iterations."
    ) in page.content.decode()


def test_a_loop_may_be_allowed_ten_thousand_items(provider: Provider, make_tree: MakeTree) -> None:
    settings = {"items": "{{ trigger.lines }}", "limit": 10_000}
    assert kinds.settings_problems("loop", settings) == {}
    assert kinds.settings_problems("loop", {**settings, "limit": 10_001}) == {
        "limit": "Maximum items takes 1 to 10,000; this is 10,001."
    }
