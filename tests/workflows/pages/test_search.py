"""One search from everywhere: what was written, runs and workflows of one's own team."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.base import Cast, make_connection, sign_in_recently
from tests.workflows.pages.test_documents_page import post
from tests.world import LOOPED, World, make_looped_run, make_world
from workflows.models import Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(cast: Cast) -> World:
    made = make_world(cast)
    make_looped_run(made)
    return made


def _search(client: Client, text: str) -> str:
    answer: Any = client.get("/search/", {"q": text})
    assert answer.status_code == 200
    return str(answer.content.decode())


def _as(user: Any) -> Client:
    client = Client()
    sign_in_recently(client, user)
    return client


def test_it_finds_a_run_by_its_number_and_its_title_and_a_workflow_by_its_name(world: World, cast: Cast) -> None:
    client, looped = _as(cast.auditor), Run.objects.get(title=LOOPED)
    for text in (f"#{looped.pk}", LOOPED):
        assert f'href="/runs/{looped.pk}/"' in _search(client, text)
    assert f'href="/workflows/{world.workflow.pk}/"' in _search(client, world.workflow.name[:8].upper())


@pytest.mark.parametrize("text", ["INV-0007", "bayside", "Pin 12", "1,234.50", "Summer bundle"])
def test_it_finds_a_document_of_a_loop_in_a_second_organisation(world: World, cast: Cast, text: str) -> None:
    run = Run.objects.get(title=LOOPED)
    inside = run.version.plan["steps"][0]["steps"][-1]["key"]
    other = make_connection(cast.team, "xero", name="Second organisation", external_id="second")
    wanted = post(
        world, 7, run=run, step=inside, iteration="1", connection=other, amount=Decimal("1234.5000"),
        reference="Pin 12", described="Summer bundle",
    )  # fmt: skip
    page = _search(_as(cast.auditor), text)
    assert f"/runs/{wanted.run_id}/turns/" in page
    assert "Second organisation" in page


def test_another_team_finds_nothing_and_nothing_is_a_sentence(world: World, cast: Cast) -> None:
    assert "Nothing has “" in _search(_as(cast.outsider), LOOPED)
    assert "Such as INV-0007" in _search(_as(cast.auditor), "")
    assert "&lt;script&gt;" in _search(_as(cast.auditor), "<script>")
    assert "Nothing has" in _search(_as(cast.auditor), "\x00%_'\"")


def test_it_costs_the_same_however_much_is_found(world: World, cast: Cast) -> None:
    client = _as(cast.auditor)

    def cost(text: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            _search(client, text)
        return len(queries)

    cost("e")
    assert abs(cost("e") - cost(LOOPED)) <= 3
    assert cost("e") <= 25
