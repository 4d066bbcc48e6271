"""Several fixed choices at once: ticked in the trigger's form, stored, said, and cleaned."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from integrations.core.errors import InvalidInputError
from integrations.framework import registry
from integrations.framework.choices import ChoiceList
from tests.base import Cast
from tests.world import CONTACT, World, make_world
from workflows.definitions import compiler
from workflows.definitions.description import describe

QUOTE = registry.trigger("xero.new_quote")


@pytest.fixture
def world(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> World:
    choices = [(CONTACT, "Bayside Club")]
    monkeypatch.setattr("workflows.views.common.choices_for", lambda *args, **kwargs: ChoiceList(choices=choices))
    return make_world(cast)


def test_several_statuses_are_ticked_stored_shown_and_said(client: Client, cast: Cast, world: World) -> None:
    client.force_login(cast.builder)
    page = reverse("workflow_trigger", args=[world.workflow.pk]) + "?trigger=xero.new_quote"
    fresh = client.get(page).content.decode()
    assert fresh.count('type="checkbox" name="in.status"') == 5
    assert 'value="SENT" checked' not in fresh
    posted = {"connection": world.xero.pk, "interval_minutes": "5", "in.status": ["SENT", "ACCEPTED"]}
    assert client.post(page, posted).status_code == 302
    world.workflow.refresh_from_db()
    assert world.workflow.trigger_inputs == {"status": "SENT,ACCEPTED"}
    again = client.get(page).content.decode()
    assert 'value="SENT" checked' in again
    assert 'value="ACCEPTED" checked' in again
    assert 'value="DRAFT" checked' not in again
    assert "Sent, Accepted" in client.get(reverse("workflow", args=[world.workflow.pk])).content.decode()
    assert 'Status = "Sent, Accepted"' in describe(compiler.compile_plan(world.workflow))


def test_without_a_tick_nothing_is_stored(client: Client, cast: Cast, world: World) -> None:
    client.force_login(cast.builder)
    page = reverse("workflow_trigger", args=[world.workflow.pk]) + "?trigger=xero.new_quote"
    assert client.post(page, {"connection": world.xero.pk, "interval_minutes": "5"}).status_code == 302
    world.workflow.refresh_from_db()
    assert world.workflow.trigger_inputs == {}


@pytest.mark.parametrize(
    ("given", "picked"),
    [
        ("SENT,ACCEPTED", ["SENT", "ACCEPTED"]),
        (["sent", "Accepted", "SENT"], ["SENT", "ACCEPTED"]),
        ("SENT", ["SENT"]),
        ("any", []),
        ("", []),
        ([], []),
    ],
)
def test_picks_are_cleaned_however_they_are_written(given: object, picked: list[str]) -> None:
    assert QUOTE.Inputs.clean({"status": given}).status == picked  # type: ignore[attr-defined]


@pytest.mark.parametrize("given", ["SENT,LOST", {"a": 1}, 5, ["SENT", {}]])
def test_what_is_no_pick_is_refused_with_a_sentence(given: object) -> None:
    with pytest.raises(InvalidInputError) as caught:
        QUOTE.Inputs.clean({"status": given})
    assert "Status" in caught.value.problems["status"]


def test_the_schema_lists_the_picks() -> None:
    told = QUOTE.Inputs.json_schema()["properties"]["status"]
    assert told["type"] == "array"
    assert told["items"] == {"type": "string", "enum": ["DRAFT", "SENT", "ACCEPTED", "DECLINED", "INVOICED"]}
