"""What runs have written, on the pages of runs: found by its words and amounts, listed, and shown by iteration."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.base import Cast, make_connection
from tests.workflows.pages.test_documents_page import post
from tests.world import World, make_event, make_looped_run, make_run
from workflows.models import Batch, Posting, Run, StepRun
from workflows.runs import bulk_actions
from workflows.runs.search import Filter

RUNS = "/runs/"


def found(client: Client, text: str, **query: Any) -> set[int]:
    return {run.pk for run in client.get(RUNS, {"q": text, **query}).context["runs"]}


def looped(world: World) -> tuple[Run, str]:
    """A run with a loop, and the key of a step inside it."""
    run = make_looped_run(world)
    return run, run.version.plan["steps"][0]["steps"][-1]["key"]


# --- search -----------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["few fit", "very many fit"])
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fits few runs and what fits very many is looked for in two ways, which find the same."""
    if request.param == "very many fit":
        monkeypatch.setattr("workflows.runs.search._MANY", 0)


@pytest.mark.usefixtures("_both_ways")
@pytest.mark.parametrize(
    "text",
    ["INV-0007", "inv-0007", "v-0007", "Bayside", "bayside club", "Pin 12", "1234.50", "1,234.50", "Summer bundle"],
)
def test_a_run_is_found_by_what_it_wrote(builder: Client, world: World, text: str) -> None:
    wanted = post(world, 7, amount=Decimal("1234.5000"), reference="Pin 12", described="Summer bundle")
    post(world, 8, contact="Somebody else")
    assert found(builder, text) == {wanted.run_id}


def test_a_run_is_found_by_a_document_from_its_loop_and_in_the_second_organisation(
    builder: Client, world: World, cast: Cast
) -> None:
    run, inside = looped(world)
    post(world, 7, run=run, step=inside, iteration="1")
    post(world, 8, run=run, step=inside, iteration="2")
    second = post(world, 9, connection=make_connection(cast.team, "xero", name="Second Ltd", external_id="2"))
    assert found(builder, "INV-0008") == {run.pk}
    assert found(builder, "INV-0009") == {second.run_id}


@pytest.mark.usefixtures("_both_ways")
def test_a_run_is_found_by_its_title_result_number_and_workflow(builder: Client, world: World) -> None:
    run = make_run(world.workflow, world.version, make_event(world.state, "x"), world.xero, title="Birch stool")
    under_way = make_run(
        world.workflow, world.version, make_event(world.state, "y"), world.xero, title="Birch desk", status="queued"
    )
    assert found(builder, "birch") == {run.pk, under_way.pk}
    assert found(builder, "birch desk") == {under_way.pk}
    assert found(builder, f"#{run.pk}") == {run.pk}
    assert found(builder, str(run.pk)) >= {run.pk}
    assert found(builder, world.workflow.name.upper()) >= {run.pk, under_way.pk}


def test_a_search_keeps_to_the_rest_of_the_filter_and_to_the_team(client: Client, cast: Cast, world: World) -> None:
    posting = post(world, 7)
    client.force_login(cast.builder)
    assert found(client, "INV-0007", status="succeeded") == {posting.run_id}
    assert found(client, "INV-0007", status="failed") == set()
    client.force_login(cast.outsider)
    assert found(client, "INV-0007") == set()


@pytest.mark.usefixtures("_both_ways")
@pytest.mark.parametrize("text", ["%", "_", "\\", "x' OR 1=1", "INV-0007%", "\x00", "9" * 40, "1e9999", "NaN", "-"])
def test_no_search_breaks_the_list_or_finds_what_it_does_not_name(builder: Client, world: World, text: str) -> None:
    posting = post(world, 7)
    assert posting.run_id not in found(builder, text) or text in ("-", "\x00")


@pytest.mark.usefixtures("_both_ways")
def test_many_runs_are_decided_about_by_what_they_wrote(builder: Client, world: World, cast: Cast) -> None:
    failed = make_run(world.workflow, world.version, make_event(world.state, "x"), world.xero, status="failed")
    post(world, 7, run=failed)
    chosen = Filter(q="INV-0007", status="failed")
    assert list(bulk_actions.fitting(cast.team, Batch.What.RETRY, chosen).values_list("pk", flat=True)) == [failed.pk]


# --- the list ---------------------------------------------------------------------------------------------------------


def test_the_list_shows_three_documents_of_a_run_and_where_the_others_are(builder: Client, world: World) -> None:
    run, inside = looped(world)
    for number in range(1, 11):
        post(world, number, run=run, step=inside, iteration=str(number))
    text = builder.get(RUNS).content.decode()
    assert [f"INV-{number:04}" in text for number in (1, 2, 3, 4)] == [True, True, True, False]
    assert "3.00 NZD" in text
    assert f'href="{reverse("run_turn", args=[run.pk, "each", "3"])}"' in text
    assert f'href="/documents/?run={run.pk}"' in text
    listed = builder.get("/documents/", {"run": run.pk}).context["rows"]
    assert len(listed) == 10
    assert {row.posting.run_id for row in listed} == {run.pk}


def test_a_run_without_documents_keeps_its_result(builder: Client, world: World) -> None:
    Run.objects.filter(pk=world.run.pk).update(result="Nothing to write", status="filtered")
    assert "Nothing to write" in builder.get(RUNS).content.decode()


def test_the_list_asks_as_often_for_a_hundred_documents_as_for_two(builder: Client, world: World) -> None:
    for number in (1, 2):
        post(world, number)
    builder.get(RUNS)
    with CaptureQueriesContext(database) as two:
        builder.get(RUNS)
    run, inside = looped(world)
    for number in range(3, 103):
        post(world, number, run=run if number % 2 else None, step=inside, iteration=str(number) if number % 2 else "")
    with CaptureQueriesContext(database) as many:
        builder.get(RUNS)
    assert len(many) <= len(two) + 1  # the plan that holds the loop


# --- the pages of a run -----------------------------------------------------------------------------------------------


def test_the_page_of_a_run_lists_its_documents_with_their_iterations_and_total(builder: Client, world: World) -> None:
    run, inside = looped(world)
    for number in (1, 2):
        post(world, number, run=run, step=inside, iteration=str(number))
    text = builder.get(f"/runs/{run.pk}/").content.decode()
    for part in ("INV-0001", "INV-0002", "2 × Sales invoice", "3.00 NZD", "Iteration 2"):
        assert part in text


def test_the_page_of_a_run_with_one_document_shows_it_at_its_step_alone(builder: Client, world: World) -> None:
    posting = post(world, 1)
    assert builder.get(f"/runs/{posting.run_id}/").context["written"] == {}


def test_of_very_many_documents_the_page_of_a_run_shows_twenty_and_leads_to_all(builder: Client, world: World) -> None:
    run, inside = looped(world)
    for number in range(1, 22):
        post(world, number, run=run, step=inside, iteration=str(number))
    answer = builder.get(f"/runs/{run.pk}/")
    assert len(answer.context["written"]["rows"]) == 20
    assert f'href="/documents/?run={run.pk}"' in answer.content.decode()


def test_the_iterations_of_a_loop_show_number_and_amount(builder: Client, world: World) -> None:
    run, inside = looped(world)
    loop_row = StepRun.objects.filter(run=run, step="each", iteration__gt="").order_by("position").first()
    assert loop_row is not None
    post(world, 7, run=run, step=inside, iteration=loop_row.iteration, amount=Decimal("99.9000"))
    for address in (f"/runs/{run.pk}/", f"/runs/{run.pk}/turns/each/"):
        text = builder.get(address).content.decode()
        assert "INV-0007" in text, address
        assert "99.90 NZD" in text, address


def test_the_address_in_a_document_leads_to_the_iteration_that_wrote_it(builder: Client, world: World) -> None:
    run, inside = looped(world)
    posting = post(world, 7, run=run, step=inside, iteration="2")
    StepRun.objects.filter(pk=posting.pk).update(marker="PX-00000000000000AA")
    there = builder.get("/runs/marker/PX-00000000000000AA/")
    assert there["Location"] == reverse("run_turn", args=[run.pk, "each", "2"])
    assert Posting.objects.get().iteration == "2"
