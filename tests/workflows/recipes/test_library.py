"""The recipes as files: complete, honest about their gaps, and filled in without becoming syntax."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.core.errors import InvalidInputError
from workflows.definitions.export_import import Portable
from workflows.recipes import making
from workflows.recipes.library import GAP, Recipe, find, places, recipes
from workflows.recipes.making import GapForm

each_recipe = pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.key)


def gaps_in(file: Portable) -> set[str]:
    return set(GAP.findall(json.dumps(file.plan)))


def connectors_of(recipe: Recipe) -> list[str]:
    """The keys of the connectors, in the order of the steps."""
    return [place["operation"].partition(".")[0] for place in places(recipe.file.plan)]


def recipe(key: str) -> Recipe:
    found = find(key)
    assert found is not None
    return found


def test_there_are_recipes_in_both_directions_with_schedules_and_files() -> None:
    starts = {connectors_of(each)[0] for each in recipes()}
    assert len(recipes()) >= 15
    assert starts == {"pinterest", "xero", "start"}
    ways = {(connectors_of(each)[0], connectors_of(each)[-1]) for each in recipes()}
    assert {("pinterest", "xero"), ("xero", "pinterest"), ("start", "mail"), ("start", "xero")} <= ways


@each_recipe
def test_every_gap_of_a_file_is_asked_for_and_nothing_else_is(recipe: Recipe) -> None:
    assert {gap.name for gap in recipe.gaps} == gaps_in(recipe.file)
    assert len({gap.name for gap in recipe.gaps}) == len(recipe.gaps)
    used = {place["connection"] for place in places(recipe.file.plan) if place["connection"]}
    assert set(recipe.file.connections) == used
    for gap in recipe.gaps:
        assert gap.connection in {*recipe.file.connections, ""}
        assert bool(gap.connection) == (gap.declared.dynamic_choices is not None)


@each_recipe
def test_a_recipe_says_what_it_does_in_sentences(recipe: Recipe) -> None:
    assert re.fullmatch(r"(When|On|Each|Somebody) .{20,160}\.", recipe.sentence)
    assert recipe.file.description.endswith(".")
    assert len(recipe.name) <= 60
    assert recipe.connectors
    for gap in recipe.gaps:
        assert gap.declared.label
        assert not gap.declared.help or gap.declared.help.endswith(".")


def test_names_and_keys_are_used_once() -> None:
    assert len({each.name for each in recipes()}) == len({each.order for each in recipes()}) == len(recipes())


@pytest.mark.parametrize("text", ["{{ trigger.title }}", "a {% if %}", "{# b #}", "x {{"])
def test_a_gap_takes_no_syntax(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        GapForm(recipe("new-credit-notes-to-the-team")).clean({"to": text})
    assert refused.value.problems["to"].startswith("Send it to takes a fixed value here.")


def test_addresses_are_read_with_commas_or_semicolons_and_wrong_ones_are_named() -> None:
    form = GapForm(recipe("new-credit-notes-to-the-team"))
    assert form.clean({"to": " a@acme.example;b@acme.example "}) == {"to": "a@acme.example, b@acme.example"}
    with pytest.raises(InvalidInputError) as refused:
        form.clean({"to": "a@acme.example, jane"})
    assert refused.value.problems == {"to": "“jane” is no e-mail address such as jane@example.com."}


def test_what_the_trigger_would_refuse_is_said_at_once_and_at_its_gap() -> None:
    form = GapForm(recipe("month-end-profit-and-loss"))
    with pytest.raises(InvalidInputError) as refused:
        form.clean({"to": "a@acme.example", "at": "noon"})
    assert list(refused.value.problems) == ["at"]
    assert "09:00" in refused.value.problems["at"]
    with pytest.raises(InvalidInputError) as refused:
        GapForm(recipe("overdue-invoices-to-the-team")).clean({"to": "a@acme.example", "days": "soon"})
    assert list(refused.value.problems) == ["days"]


def test_what_is_needed_and_missing_is_named() -> None:
    with pytest.raises(InvalidInputError) as refused:
        GapForm(recipe("pins-to-draft-invoices")).clean({})
    assert refused.value.problems == {
        "board_id": "Board is needed.", "contact_id": "Customer is needed.", "account_code": "Sales account is needed.",
    }  # fmt: skip


@given(st.text(max_size=60).filter(lambda text: not any(mark in text for mark in ("{{", "{%", "{#"))))
def test_a_value_is_put_in_once_and_stays_what_it_is(text: str) -> None:
    assert making._filled({"a": ["x [[one]] y"], "b": 3}, {"one": text}) == {"a": [f"x {text} y"], "b": 3}
    assert making._filled("[[one]]", {"one": "[[two]]", "two": text}) == "[[two]]"
