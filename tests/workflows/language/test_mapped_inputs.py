"""Inputs as their mappings give them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from integrations.schema.schema import Schema, field
from workflows.language.mapped_inputs import mapped
from workflows.language.values import MappingContext

AUCKLAND = MappingContext(timezone="Pacific/Auckland")


class Row(Schema):
    what: str = field("What")
    price: Decimal | None = field("Price", default=None)


class Inputs(Schema):
    day: date | None = field("Day", default=None)
    rows: list[Row] = field("Rows")


def test_repeated_rows_are_written_out_and_counted_and_each_problem_has_the_path_of_its_row() -> None:
    data = {"trigger": {"lines": [{"name": "Oak", "price": "3"}, {"name": "Ash"}], "when": "2026-10-31T22:00:00Z"}}
    sources = {
        "day": "{{ trigger.when }}",
        "rows": [
            {"what": "Fixed", "price": "{{ trigger.gone }}"},
            {"~each": "{{ trigger.lines }}", "what": "{{ item.name }}", "price": "{{ item.price }}"},
        ],
    }
    found = mapped(sources, Inputs.fields(), data, AUCKLAND)
    assert found.values == {
        "day": "2026-11-01",
        "rows": [
            {"what": "Fixed", "price": None},
            {"what": "Oak", "price": "3"},
            {"what": "Ash", "price": None},
        ],
    }
    assert found.repeats == {"rows": [1, 2]}
    assert sorted(found.problems) == ["rows.0.price", "rows.2.price"]


def test_a_list_that_is_none_is_the_problem_of_the_table() -> None:
    found = mapped({"rows": [{"~each": "text", "what": "x"}]}, Inputs.fields(), {}, AUCKLAND)
    assert found.values == {"rows": []}
    assert found.problems == {"rows": 'One row per item needs a list, but "text" is none.'}
