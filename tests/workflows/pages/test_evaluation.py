"""What a form's fields give while they are filled in: nothing is stored, and other teams are told nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.world import World
from workflows.models import Mapping, Step

pytestmark = pytest.mark.django_db


def _given(client: Client, world: World, *sources: str, each: str = "", query: str = "") -> list[dict[str, Any]]:
    path = reverse("evaluate_values", args=[world.workflow.pk]) + query
    answer = client.post(path, {"source": list(sources), "each": [each] * len(sources)})
    assert answer.status_code == 200
    return list(answer.json()["given"])


def test_each_field_gets_its_value_its_kind_or_its_error(builder: Client, world: World) -> None:
    title, number, wrong, broken = _given(
        builder,
        world,
        "For {{ trigger.title }}",
        "{{ 1 + 1 }}",
        "{{ trigger.nothing }}",
        "{{ trigger.title | upperr }}",
    )
    assert title["value"].startswith("For ")
    assert title["kind"] == "text"
    assert title["error"] == ""
    assert (number["value"], number["kind"]) == ("2", "number")
    assert wrong["value"] == ""
    assert "nothing" in wrong["error"]
    assert "upper" in broken["error"]


def test_a_rows_field_may_use_the_first_item_of_its_list(builder: Client, world: World) -> None:
    [item] = _given(builder, world, "{{ item }}!", each='{{ ["oak", "ash"] }}')
    assert item["value"] == "oak!"
    [without] = _given(builder, world, "{{ item }}!")
    assert without["error"]
    [no_list] = _given(builder, world, "{{ item }}!", each="{{ nothing.there }}")
    assert no_list["error"]


def test_nothing_is_stored_and_many_fields_are_answered_up_to_a_limit(builder: Client, world: World) -> None:
    before = (Step.objects.count(), Mapping.objects.count())
    assert len(_given(builder, world, *["{{ 1 }}"] * 90)) == 60
    assert (Step.objects.count(), Mapping.objects.count()) == before


def test_what_would_take_too_much_is_refused_in_words(builder: Client, world: World) -> None:
    [given] = _given(builder, world, "{{ " + "(" * 40 + "1" + ")" * 40 + " }}")
    assert "brackets" in given["error"]


def test_a_place_of_another_workflow_is_not_there(builder: Client, world: World) -> None:
    path = reverse("evaluate_values", args=[world.workflow.pk])
    for query in ("?step=999999", "?step=x", "?before=999999"):
        assert builder.post(path + query, {"source": "{{ 1 }}"}).status_code == 404
