"""The page of a run with branches and loops: the way it took, its turns by pages, and one turn alone."""

from __future__ import annotations

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations.core.errors import RejectedError
from tests.base import Cast
from tests.workflows.conftest import drain, settle
from tests.workflows.planting import MakeTree, begin, branch, delay, keep_if, loop, named, over, path, stop, write
from tests.workflows.scripted.connector import Provider
from workflows.models import Run
from workflows.runs import decisions

pytestmark = pytest.mark.django_db

LINES = "{{ trigger.lines }}"
WORDS = "{{ trigger.words }}"


@pytest.fixture
def client(cast: Cast) -> Client:
    signed_in = Client()
    signed_in.force_login(cast.builder)
    return signed_in


def shown(client: Client, run: Run) -> str:
    response = client.get(reverse("run", args=[run.pk]))
    assert response.status_code == 200
    return response.content.decode()


def test_the_path_that_was_taken_is_shown_with_its_steps_and_the_others_with_why_not(
    provider: Provider, make_tree: MakeTree, client: Client
) -> None:
    price = "{{ trigger.price }}"
    workflow = make_tree(
        branch(
            "size",
            path("large", over(price, 100), write("write_large")),
            path("middle", over(price, 10), write("write_middle")),
            path("rest", None, write("write_rest")),
        )
    )
    run = begin(workflow, price=50)
    settle()
    text = shown(client, run)
    assert text.index("Not met") < text.index(">Taken<") < text.index("Not checked")
    assert "Write middle" in text
    assert "Write large" not in text
    assert "Write rest" not in text


def test_a_loop_shows_its_counts_and_its_turns_lead_to_pages_of_their_own(
    provider: Provider, make_tree: MakeTree, client: Client
) -> None:
    steps = (keep_if("f", over("{{ item.price }}", 2)), write("w", "{{ item.name }}"))
    run = begin(
        make_tree(loop("each", LINES, *steps, on_item_error="go_on")),
        lines=[{"name": f"Line {n}", "price": n} for n in range(1, 5)],
    )
    provider.script = ["behave", RejectedError("The name is taken.")]
    settle()
    text = shown(client, run)
    assert "4 items: 2 done, <strong>1 failed</strong>, 1 ended by a filter." in text
    assert "W: The name is taken." in text
    turn = client.get(reverse("run_turn", args=[run.pk, "each", "1"])).content.decode()
    assert "Iteration 1 of 4: Line 1" in turn
    assert "Ended by a filter" in turn
    assert "Not reached" in turn
    third = client.get(reverse("run_turn", args=[run.pk, "each", "3"])).content.decode()
    assert "The name is taken." in third
    assert reverse("run_turn", args=[run.pk, "each", "4"]) in third


def test_loops_in_loops_have_turns_in_turns(provider: Provider, make_tree: MakeTree, client: Client) -> None:
    inner = loop("parts", "{{ item.parts }}", write("w", "{{ item }}"))
    run = begin(make_tree(loop("orders", LINES, inner)), lines=[{"name": "A", "parts": ["x", "y"]}])
    settle()
    turn = client.get(reverse("run_turn", args=[run.pk, "orders", "1"])).content.decode()
    assert reverse("run_turn", args=[run.pk, "parts", "1.2"]) in turn
    inside = client.get(reverse("run_turn", args=[run.pk, "parts", "1.2"])).content.decode()
    assert "Iteration 2 of 2: y" in inside
    listed = client.get(reverse("run_turns", args=[run.pk, "parts"]), {"within": "1"}).content.decode()
    assert "Iteration 2" in listed


def test_a_thousand_turns_come_by_pages_and_cost_what_ten_do(
    provider: Provider, make_tree: MakeTree, client: Client
) -> None:
    def queries(count: int) -> tuple[int, int, str]:
        values = named("v", a="{{ item }}")
        tree = make_tree(loop("each", LINES, values, limit=1000), write("last"))
        run = begin(tree, lines=list(range(1, count + 1)))
        settle(60)
        with CaptureQueriesContext(database) as seen:
            text = shown(client, run)
        with CaptureQueriesContext(database) as listed:
            address = reverse("run_turns", args=[run.pk, "each"])
            page = client.get(address, {"from": "6"}).content.decode()
        assert text.count('data-label="Iteration"') <= 12
        return len(seen), len(listed), page

    few, many = queries(10), queries(1000)
    assert many[0] == few[0]
    assert many[1] <= few[1]
    assert many[2].count('data-label="Iteration"') == 50
    assert "from=56" in many[2]


def test_a_delay_says_until_when_in_the_organisations_time_zone(
    provider: Provider, make_tree: MakeTree, client: Client
) -> None:
    run = begin(make_tree(delay("d", how="until", moment="2026-12-24T17:30"), write("w")))
    from datetime import UTC, datetime
    from unittest.mock import patch

    from django.test import override_settings

    with (
        override_settings(TIME_SCALE=1),
        patch("workflows.engine.kinds.delay.database_now", lambda: datetime(2026, 11, 23, tzinfo=UTC)),
    ):
        drain()
    assert "Waits until Thursday, 24 December 2026, 17:30 (Pacific/Auckland)." in shown(client, run)


def test_a_stop_and_an_error_path_are_told(provider: Provider, make_tree: MakeTree, client: Client) -> None:
    workflow = make_tree(
        write("first", on_error="error_path", error=[write("tell", "{{ error.message }}")]),
        stop("halt", "filtered", "Nothing more to do for {{ trigger.title }}"),
    )
    run = begin(workflow)
    provider.script = [RejectedError("No.")]
    settle()
    text = shown(client, run)
    assert "It failed, so this was done" in text
    assert "Nothing more to do for Thing 1" in text


def test_a_failed_step_can_be_skipped_from_its_page(
    provider: Provider, make_tree: MakeTree, client: Client, cast: Cast
) -> None:
    run = begin(make_tree(loop("each", WORDS, write("w", "{{ item }}"))), words=["a", "b"])
    provider.script = [RejectedError("No.")]
    settle()
    address = reverse("way_out", args=[run.pk, "skip"])
    assert address in shown(client, run)
    asked = client.get(address)
    assert asked.context["step"].step == "w"
    response = client.post(address, {"reason": "Not ours"})
    assert response.status_code == 302
    settle()
    run.refresh_from_db()
    assert run.status == "succeeded"
    assert [book["name"] for book in provider.books] == ["b"]
    assert run.decisions.get().reason == "Not ours"


@pytest.mark.parametrize("iteration", ["0", "4", "x", "1.1", "99999999", "3.", "-1"])
def test_a_turn_that_is_not_there_is_not_found(
    provider: Provider, make_tree: MakeTree, client: Client, iteration: str
) -> None:
    run = begin(make_tree(loop("each", WORDS, write("w", "{{ item }}"))), words=["a", "b", "c"])
    settle()
    assert client.get(reverse("run_turn", args=[run.pk, "each", iteration])).status_code == 404
    assert client.get(reverse("run_turn", args=[run.pk, "w", "1"])).status_code == 404


def test_the_page_changes_with_the_turns(provider: Provider, make_tree: MakeTree, client: Client, cast: Cast) -> None:
    run = begin(make_tree(loop("each", WORDS, write("w", "{{ item }}"), on_item_error="go_on")), words=["a", "b"])
    provider.script = [RejectedError("No.")]
    settle()
    first = client.get(reverse("run", args=[run.pk])).context["state"]
    assert client.get(reverse("run", args=[run.pk]), {"seen": first}).status_code == 204
    decisions.retry(run, by=cast.builder)
    settle()
    assert client.get(reverse("run", args=[run.pk]), {"seen": first}).status_code == 200
