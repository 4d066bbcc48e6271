"""Inputs are named as their form names them, wherever a sentence is said about one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from integrations.core.errors import InvalidInputError
from integrations.schema.fields import place_of, prefix_at
from integrations.schema.schema import Schema, field


class Line(Schema):
    account_code: str = field("Account", max_length=3)
    sku: str | None = field("SKU", default=None)


class Header(Schema):
    name: str = field("Name")


class Inputs(Schema):
    due: str = field("Due date")
    amount: Decimal | None = field("Amount", default=None, minimum=1)
    lines: list[Line] = field("Line items", row_label="Line")
    headers: list[Header] = field("Headers", default=[])


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("due", "Due date"),
        ("lines", "Line items"),
        ("lines.0", "Line 1"),
        ("lines.0.account_code", "Line 1, account"),
        ("lines.11.sku", "Line 12, SKU"),
        ("lines.account_code", "Line items, account"),
        ("lines.0.~each", "Line 1, list"),
        ("headers.1.name", "Headers, row 2, name"),
        ("lines.0.gone_column", "Line 1, gone column"),
        ("gone_input", "Gone input"),
        ("gone_rows.3.cell", "Gone rows, row 4, cell"),
    ],
)
def test_a_path_is_named_as_the_form_names_it(path: str, said: str) -> None:
    assert place_of(Inputs.fields(), path) == said


def test_a_sentence_that_names_its_input_is_not_given_the_name_twice() -> None:
    assert prefix_at(Inputs.fields(), "lines.0.account_code", "Account is needed.") == "Line 1"
    assert prefix_at(Inputs.fields(), "lines.0.account_code", "It is archived.") == "Line 1, account"
    assert prefix_at(Inputs.fields(), "due", "It is past.") == ""


def test_what_does_not_fit_is_told_by_places_and_never_by_paths() -> None:
    with pytest.raises(InvalidInputError) as refused:
        Inputs.clean({"amount": "0", "lines": [{"account_code": "200"}, {"account_code": "2000"}, {}], "colour": "red"})
    assert refused.value.message == (
        "Colour: This operation has no such input. Remove it from the step. "
        "Due date is needed, but nothing was given. "
        "Amount must be at least 1; this is 0. "
        "Line 2: Account takes at most 3 characters; this has 4. "
        "Line 3: Account is needed, but nothing was given."
    )
    assert "lines.1.account_code" in refused.value.problems
