"""A list in a field that holds one value is offered the ways to use it, right there."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from integrations.framework.choices import ChoiceList
from tests.base import Cast
from tests.world import CONTACT, World, make_world
from workflows.forms.list_use import is_plain, use_list


@pytest.fixture
def world(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> World:
    choices = ChoiceList(choices=[(CONTACT, "Bayside Club")])
    monkeypatch.setattr("workflows.views.common.choices_for", lambda *args, **kwargs: choices)
    return make_world(cast)


def _sources() -> Any:
    return {
        "reference": "{{ trigger.tags }}",
        "lines": [{"description": " {{ trigger.tags | sort }} ", "quantity": "1"}],
    }


@pytest.mark.parametrize(
    ("button", "reference", "row"),
    [
        ("reference:join", '{{ trigger.tags | join(", ") }}', None),
        ("reference:first", "{{ trigger.tags | first }}", None),
        ("lines.0.description:first", None, {"description": "{{ trigger.tags | sort | first }}"}),
        ("lines.0.description:rows", None, {"~each": "{{ trigger.tags | sort }}", "description": "{{ item }}"}),
    ],
)
def test_a_use_is_written_where_the_list_was(button: str, reference: str | None, row: dict[str, str] | None) -> None:
    sources = _sources()
    assert use_list(sources, _pressed(button))
    expected = _sources()
    if reference:
        expected["reference"] = reference
    if row:
        expected["lines"][0] |= row
    assert sources == expected


@pytest.mark.parametrize(
    "button", ["", "reference:away", "lines.7.description:join", "lines:join", "gone:first", "lines.x.y:rows"]
)
def test_a_button_that_is_none_changes_nothing(button: str) -> None:
    sources = _sources()
    assert not use_list(sources, _pressed(button))
    assert sources == _sources()


def _pressed(button: str) -> QueryDict:
    post = QueryDict(mutable=True)
    post["_use_list"] = button
    return post


def test_a_text_around_a_list_is_no_plain_list() -> None:
    assert not is_plain("Tags: {{ trigger.tags }}")
    assert not is_plain("{{ a }}{{ b }}")


def test_the_form_offers_the_uses_beside_the_field_and_applies_them(client: Client, cast: Cast, world: World) -> None:
    client.force_login(cast.builder)
    path = reverse("new_step", args=[world.workflow.pk]) + "?operation=xero.create_invoice"
    count = world.workflow.steps.count()
    source = '{{ "oak,ash" | split(",") }}'
    typed = {"name": "Write it", "connection": str(world.xero.pk), "in.reference": source, "_reload": "1"}
    shown = client.post(path, typed)
    control = next(each for each in shown.context["controls"] if each.path == "reference")
    assert [label for _, label in control.list_uses] == ["Join with commas", "Only the first"]
    assert 'name="_use_list" value="reference:join"' in shown.content.decode()
    del typed["_reload"]
    joined = client.post(path, {**typed, "_use_list": "reference:join"})
    control = next(each for each in joined.context["controls"] if each.path == "reference")
    assert control.value == '{{ "oak,ash" | split(",") | join(", ") }}'
    assert control.gives == "oak, ash"
    assert control.list_uses == []
    assert world.workflow.steps.count() == count


def test_the_list_that_a_row_is_repeated_for_is_left_as_it_is(client: Client, cast: Cast, world: World) -> None:
    client.force_login(cast.builder)
    path = reverse("new_step", args=[world.workflow.pk]) + "?operation=xero.create_invoice"
    source = '{{ "oak,ash" | split(",") }}'
    row = {"in.lines~row": ["0"], "in.lines.0.~each~text": source, "in.lines.0.description": source}
    typed = {"name": "Write it", "connection": str(world.xero.pk), **row, "_reload": "1"}
    controls = client.post(path, typed).context["controls"]
    (made,) = next(each for each in controls if each.path == "lines").rows
    assert made.each.list_uses == []
    assert [label for _, label in made.usual[0].list_uses][-1] == "One row for each item"
