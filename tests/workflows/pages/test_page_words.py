"""What every page says alike: the title in the browser's tab, people by their names, and the time zone."""

from __future__ import annotations

import re

import pytest
from django.test import Client, override_settings

from tests.addresses import furnish
from tests.base import Cast
from tests.world import LOOPED, World, make_world
from workflows.models import Run


@pytest.fixture
def world(cast: Cast) -> World:
    cast.builder.first_name, cast.builder.last_name = "Eva", "Holm"
    cast.builder.save()
    made = make_world(cast)
    furnish(made, cast)
    return made


def _tab(client: Client, path: str) -> str:
    found = re.search(r"<title>(.*?)</title>", client.get(path).content.decode(), re.DOTALL)
    assert found is not None
    return " ".join(found[1].split())


def test_each_page_of_a_run_has_the_runs_title_in_the_tab(cast: Cast, world: World, client: Client) -> None:
    client.force_login(cast.builder)
    run, looped = world.run.pk, Run.objects.get(title=LOOPED).pk
    assert _tab(client, f"/runs/{run}/") == f"Oak table | Run {run} | Pinxero"
    assert _tab(client, f"/runs/{run}/?seen=something-else") == f"Oak table | Run {run} | Pinxero"
    assert _tab(client, f"/runs/{run}/cancel/") == f"Oak table | Run {run} | Pinxero"
    assert _tab(client, f"/runs/{looped}/turns/each/") == f"{LOOPED} | Iterations of Each line | Pinxero"
    assert _tab(client, f"/runs/{looped}/turns/each/2/") == f"{LOOPED} | Iteration 2 of Each line | Pinxero"


def test_people_are_called_by_their_full_names(cast: Cast, world: World, client: Client) -> None:
    client.force_login(cast.auditor)
    workflow, run = world.workflow.pk, world.run.pk
    for path, words in (
        (f"/runs/{run}/", "</strong> by Eva Holm: Try once more"),
        (f"/workflows/{workflow}/versions/", "Eva Holm"),
        (f"/workflows/{workflow}/versions/1/", ", by Eva Holm"),
        ("/lookup-tables/", "version 1, Eva Holm"),
        ("/api-tokens/", "<td>Eva Holm</td>"),
    ):
        if path == "/api-tokens/":
            client.force_login(cast.builder)
        assert words in client.get(path).content.decode(), path


@pytest.mark.parametrize("path", ["/runs/", "/workflows/", "/notices/", "/admin/", "/admin/workflows/run/"])
def test_lists_say_which_time_zone_their_times_are_in(path: str, cast: Cast, world: World, client: Client) -> None:
    client.force_login(cast.builder)
    with override_settings(TIME_ZONE="America/New_York"):
        text = client.get(path).content.decode()
    assert '<span class="px-visually-hidden">Times are in </span>America/New York</span>' in text
