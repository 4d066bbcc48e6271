"""The gallery of recipes and the form of one."""

from __future__ import annotations

from html import escape
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations.framework.choices import ChoiceList
from integrations.models import Connection
from tests.base import Cast, make_connection
from tests.world import BOARD, CONTACT, World, make_world
from workflows.definitions import compiler
from workflows.models import Preview, Workflow
from workflows.recipes.library import recipes

HOSTILE = "<script>alert(1)</script>{{ trigger.id }}\u202e"
PINS = "pins-to-draft-invoices"


@pytest.fixture
def world(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> World:
    choices = [(CONTACT, HOSTILE), ("200", "200 Sales"), (BOARD, "Summer")]
    monkeypatch.setattr("workflows.views.common.choices_for", lambda *args, **kwargs: ChoiceList(choices=choices))
    return make_world(cast)


def page(client: Client, recipe: str = PINS) -> str:
    return client.get(reverse("recipe", args=[recipe])).content.decode()


def filled(world: World, **changes: str) -> dict[str, Any]:
    return {
        "connection.pinterest": str(world.pinterest.pk),
        "connection.xero": str(world.xero.pk),
        "in.board_id": BOARD,
        "in.contact_id": CONTACT,
        "in.account_code": "200",
        "name": "Pins of summer",
        **changes,
    }


def post(client: Client, values: dict[str, Any], recipe: str = PINS) -> Any:
    return client.post(reverse("recipe", args=[recipe]), values)


def test_the_gallery_shows_every_recipe_with_its_sentence(builder: Client, world: World) -> None:
    text = builder.get(reverse("recipes")).content.decode()
    for recipe in recipes():
        assert escape(recipe.name) in text
        assert escape(recipe.sentence) in text
        assert reverse("recipe", args=[recipe.key]) in text


def test_the_gallery_is_searched_and_filtered(builder: Client, world: World) -> None:
    def names(**query: str) -> list[str]:
        text = builder.get(reverse("recipes"), query).content.decode()
        return [recipe.key for recipe in recipes() if reverse("recipe", args=[recipe.key]) in text]

    assert names(q="last working DAY") == ["month-end-profit-and-loss"]
    assert set(names(app="mail")) > {"month-end-profit-and-loss", "overdue-invoices-to-the-team"}
    assert PINS not in names(app="mail")
    assert names(app="mail", q="pins") == ["monthly-list-of-pins"]
    assert names(q="no such thing") == []
    assert len(names(app="no-such-app")) == len(recipes())


def test_a_search_is_shown_as_text(builder: Client, world: World) -> None:
    text = builder.get(reverse("recipes"), {"q": HOSTILE}).content.decode()
    assert "Nothing found" in text
    assert "<script>alert" not in text


def test_an_auditor_reads_the_gallery_and_makes_nothing(client: Client, cast: Cast, world: World) -> None:
    client.force_login(cast.auditor)
    text = client.get(reverse("recipes")).content.decode()
    assert "Pins to draft invoices" in text
    assert reverse("recipe", args=[PINS]) not in text
    assert post(client, filled(world)).status_code == 403
    assert not Workflow.objects.filter(name="Pins of summer").exists()


def test_a_filled_recipe_is_a_draft_of_the_team_and_nothing_is_switched_on(builder: Client, world: World) -> None:
    response = post(builder, filled(world))
    made = Workflow.objects.get(name="Pins of summer")
    shown = Preview.objects.get(workflow=made)
    assert response["Location"] == reverse("preview", args=[made.pk, shown.pk])
    assert (shown.by, shown.title) == (made.created_by, "Oak table")
    assert (made.team, made.status, made.published) == (world.team, Workflow.Status.DRAFT, None)
    assert (made.trigger_connection, made.trigger_inputs) == (world.pinterest, {"board_id": BOARD})
    invoice = compiler.compile_plan(made)["steps"][-1]
    assert (invoice["connection"], invoice["inputs"]["contact_id"]) == (world.xero.pk, CONTACT)
    assert invoice["inputs"]["lines"][0]["account_code"] == "200"


def test_the_form_asks_only_for_the_gaps_and_shows_labels_as_text(builder: Client, world: World) -> None:
    text = page(builder)
    assert text.count('name="in.') == 3
    for label in ("Board", "Customer", "Sales account"):
        assert label in text
    assert "<script>alert(1)" not in text
    assert f'<option value="{world.pinterest.pk}" selected>' in text


def test_what_is_missing_is_marked_and_what_was_typed_is_still_there(builder: Client, world: World) -> None:
    text = post(builder, filled(world, **{"in.contact_id": "", "name": "My own name"})).content.decode()
    assert "Customer is needed." in text
    assert 'value="My own name"' in text
    assert not Workflow.objects.filter(name="My own name").exists()


def test_a_name_that_is_taken_is_refused_and_the_first_one_offered_is_free(builder: Client, world: World) -> None:
    post(builder, filled(world, name=""))
    assert Workflow.objects.filter(name="Pins to draft invoices").exists()
    assert 'value="Pins to draft invoices (copy)"' in page(builder)
    text = post(builder, filled(world, name="Pins to draft invoices")).content.decode()
    assert "There is already a workflow called Pins to draft invoices." in text


def test_hostile_names_stay_text(builder: Client, world: World) -> None:
    answer = builder.post(reverse("recipe", args=[PINS]), filled(world, name=HOSTILE), follow=True)
    assert Workflow.objects.filter(name=HOSTILE[:120]).exists()
    assert "<script>alert(1)" not in answer.content.decode()


def test_the_connection_of_another_team_is_not_taken(builder: Client, world: World, cast: Cast) -> None:
    theirs = make_connection(cast.other_team, "xero", name="Theirs")
    text = post(builder, filled(world, **{"connection.xero": str(theirs.pk)})).content.decode()
    assert "Choose a connection." in text
    assert "Theirs" not in text
    assert not Workflow.objects.filter(name="Pins of summer").exists()


def test_without_an_account_it_is_said_where_to_connect_it(client: Client, cast: Cast) -> None:
    client.force_login(cast.outsider)
    text = page(client)
    assert "Pinterest is not connected yet." in text
    assert "Xero is not connected yet." in text


def test_an_organisation_is_never_chosen_among_several(builder: Client, world: World, cast: Cast) -> None:
    make_connection(cast.team, "xero", external_id="another", name="Acme Two")
    assert f'<option value="{world.xero.pk}" selected>' not in page(builder)
    values = {name: value for name, value in filled(world).items() if name != "connection.xero"}
    assert "Choose a connection." in post(builder, values).content.decode()


def test_another_connection_only_shows_its_lists(builder: Client, world: World) -> None:
    answer = post(builder, {**filled(world), "_reload": "1"})
    assert answer.status_code == 200
    assert "Not created yet" not in answer.content.decode()
    assert not Workflow.objects.filter(name="Pins of summer").exists()


def test_missing_permissions_are_named(builder: Client, world: World) -> None:
    Connection.objects.get(pk=world.xero.pk).grant.__class__.objects.filter(pk=world.xero.grant_id).update(scopes=["x"])
    assert "was connected without a permission this needs: accounting.invoices" in page(builder)


def test_a_recipe_that_is_not_there_is_not_found(builder: Client, world: World) -> None:
    assert builder.get(reverse("recipe", args=["no-such-recipe"])).status_code == 404


def test_the_gallery_asks_the_database_no_more_for_more_recipes(builder: Client, world: World) -> None:
    builder.get(reverse("recipes"))
    with CaptureQueriesContext(database) as seen:
        builder.get(reverse("recipes"))
    with CaptureQueriesContext(database) as filtered:
        builder.get(reverse("recipes"), {"q": "last working day"})
    assert len(seen) == len(filtered) <= 12


def test_the_empty_list_of_workflows_leads_to_the_recipes(client: Client, cast: Cast) -> None:
    client.force_login(cast.outsider)
    for name in ("workflows", "new_workflow", "admin:index"):
        assert reverse("recipes") in client.get(reverse(name)).content.decode()
