"""A table input in a step's form: one line a row, the rest folded away, and what it comes to with the sample."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations.framework.choices import ChoiceList
from integrations.framework.registry import operation
from tests.base import Cast
from tests.workflows.hostile import EXPRESSIONS
from tests.world import CONTACT, World, make_world
from workflows.forms.schema_form import change_rows

CHOICES = [(CONTACT, "Bayside Club"), ("200", "200 Sales"), ("OUTPUT2", "15% GST")]
DETAILS = {
    "currency": "NZD",
    "accounts": {"200": {"name": "Sales", "class": "REVENUE", "tax_type": "OUTPUT2"}},
    "tax_rates": {"OUTPUT2": {"name": "15% GST", "rate": "15", "classes": ["REVENUE"]}},
}
MARKUP = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onfocus=alert(1) autofocus x='",
    "</textarea><svg/onload=alert(1)>",
    "</select><b>bold</b>",
    "{% include 'x' %}<i>",
    "<!--",
    "&lt;b&gt;<b>",
]
FORM = {"name": "Write it", "on_error": "stop", "max_attempts": "5"}


@pytest.fixture
def world(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("workflows.views.common.choices_for", lambda *args, **kwargs: ChoiceList(choices=CHOICES))
    made = make_world(cast)
    made.xero.details = DETAILS
    made.xero.save()
    return made


def _path(world: World) -> str:
    return reverse("new_step", args=[world.draft.pk]) + "?operation=xero.create_invoice"


def _typed(world: World, *rows: dict[str, str], **more: str) -> dict[str, Any]:
    cells = {f"in.lines.{n}.{column}": source for n, row in enumerate(rows) for column, source in row.items()}
    lines = [str(n) for n in range(len(rows))]
    return {**FORM, "connection": str(world.xero.pk), "in.lines~row": lines, **cells, **more}


def _controls(builder: Client, world: World, typed: dict[str, Any]) -> Any:
    return {each.path: each for each in builder.post(_path(world), {**typed, "_reload": "1"}).context["controls"]}


def _totals(builder: Client, world: World, *rows: dict[str, str], **more: str) -> str:
    answer = builder.post(_path(world), {**_typed(world, *rows, **more), "_totals": "1"})
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())).strip()


def test_a_row_shows_the_usual_columns_and_folds_the_others_away(builder: Client, world: World) -> None:
    (row,) = _controls(builder, world, _typed(world, {"description": "Oak"}))["lines"].rows
    assert [cell.label for cell in row.usual] == ["Description", "Quantity", "Unit price", "Account", "Tax rate"]
    assert "Item" in [cell.label for cell in row.more]
    assert (row.filled, row.is_more_open) == (0, False)


@pytest.mark.parametrize(("column", "source"), [("item_code", "{{ trigger.id }}"), ("discount_rate", "no number")])
def test_what_is_folded_away_is_open_where_it_is_filled_in_or_wrong(
    builder: Client, world: World, column: str, source: str
) -> None:
    typed = _typed(world, {"description": "Oak"}, {"description": "Ash", column: source})
    first, second = _controls(builder, world, typed)["lines"].rows
    assert (first.is_more_open, second.is_more_open, second.filled) == (False, True, 1)
    text = builder.post(_path(world), typed).content.decode()
    assert 'id="id_in-lines-more-1" open' in text
    assert 'id="id_in-lines-more-0">' in text


def test_a_table_whose_columns_are_all_alike_shows_them_all(builder: Client, world: World) -> None:
    kind = reverse("new_step", args=[world.draft.pk]) + "?kind=format"
    table = next(each for each in builder.get(kind).context["controls"] if each.widget == "rows")
    assert all(column.is_usual for column in table.columns)
    assert all(row.more == [] for row in table.rows)


@pytest.mark.parametrize(
    ("lists", "taken"),
    [([], ""), ([("{{ trigger.lines }}", "Lines")], "{{ trigger.lines }}"), ([("{{ a }}", "A"), ("{{ b }}", "B")], "")],
)
def test_a_row_per_item_takes_the_only_list_there_is(lists: list[tuple[str, str]], taken: str) -> None:
    rows: list[dict[str, str]] = []
    assert change_rows(
        operation("xero.create_invoice").Inputs, {"lines": rows}, QueryDict("_add_each=lines"), lists=lists
    )
    assert rows == [{**dict.fromkeys(rows[0], ""), "quantity": "1", "~each": taken}]


def test_the_totals_are_those_of_the_document_with_the_sample(builder: Client, world: World) -> None:
    told = _totals(
        builder,
        world,
        {"description": "{{ trigger.name }}", "quantity": "2", "unit_amount": "10.10", "account_code": "200"},
        {"description": "By hand", "quantity": "1", "unit_amount": "5", "account_code": "200", "tax_type": "OUTPUT2"},
    )
    assert told == "With this invented sample, in NZD Subtotal 25.20 Tax 3.78 Total 28.98 20.20 5.00"


def test_the_totals_need_nothing_but_the_rows_and_follow_the_prices_and_the_currency(
    builder: Client, world: World
) -> None:
    row = {"quantity": "1", "unit_amount": "115", "account_code": "200"}
    told = _totals(
        builder,
        world,
        row,
        **{"in.line_amount_types": "Inclusive", "in.currency": "EUR", "in.due_date": "{{ nonsense", "in.status": "X"},
    )
    assert told == "With this invented sample, in EUR Subtotal 100.00 Tax 15.00 Total 115.00 115.00"


def test_what_is_not_known_is_said_instead_of_a_total(builder: Client, world: World) -> None:
    told = _totals(builder, world, {"item_code": "OAK", "quantity": "2"})
    assert "Xero fills it in, so the totals are not known yet." in told
    assert "Total " not in told


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("ten", 'Line 3: Unit price takes a number such as 1250.50; this is "ten".'),
        ("{{ trigger.nothing_of_the_kind }}", "Line 3, unit price: "),
    ],
)
def test_a_row_that_cannot_be_worked_out_is_named_as_the_form_counts(
    builder: Client, world: World, source: str, said: str
) -> None:
    rows = [{"description": "One", "unit_amount": "1"}, {"description": ""}, {"unit_amount": source}]
    told = _totals(builder, world, *rows).replace("&quot;", '"').replace("&#x27;", "'")
    assert said in told


def test_an_empty_form_comes_to_nothing(builder: Client, world: World) -> None:
    assert _totals(builder, world, {"description": " ", "quantity": "1"}) == ""
    assert _totals(builder, world) == ""


def test_asking_for_the_totals_saves_nothing_and_sends_no_page(builder: Client, world: World) -> None:
    answer = builder.post(_path(world), {**_typed(world, {"unit_amount": "1"}), "_totals": "1"})
    assert "<form" not in answer.content.decode()
    assert 'id="px-totals"' in answer.content.decode()
    assert not world.draft.steps.exists()


def test_only_who_may_build_may_ask_for_the_totals(client: Client, cast: Cast, world: World) -> None:
    client.force_login(cast.auditor)
    assert client.post(_path(world), {**_typed(world, {"unit_amount": "1"}), "_totals": "1"}).status_code == 403


@pytest.mark.parametrize("text", MARKUP)
def test_hostile_text_in_a_row_stays_text(builder: Client, world: World, text: str) -> None:
    typed = _typed(world, {"description": text, "unit_amount": text, "item_code": text})
    for answer in (builder.post(_path(world), typed), builder.post(_path(world), {**typed, "_totals": "1"})):
        assert answer.status_code == 200
        assert text not in answer.content.decode()


def test_hostile_expressions_in_a_row_are_answered_with_a_sentence(builder: Client, world: World) -> None:
    for source in EXPRESSIONS[::12]:
        told = _totals(builder, world, {"description": source, "unit_amount": "1"})
        assert "Line 1" in told or "With this invented sample" in told


def test_twenty_rows_cost_no_more_queries_than_one(builder: Client, world: World) -> None:
    def queries(count: int, **more: str) -> int:
        rows = [{"description": "{{ trigger.name }}", "unit_amount": "1", "account_code": "200"}] * count
        typed = _typed(world, *rows, **more)
        with CaptureQueriesContext(connection) as found:
            assert builder.post(_path(world), typed).status_code == 200
        return len(found)

    queries(1, _reload="1")
    assert queries(20, _reload="1") == queries(1, _reload="1")
    assert queries(20, _totals="1") == queries(1, _totals="1") <= 14
