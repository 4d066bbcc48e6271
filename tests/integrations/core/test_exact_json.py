"""JSON in the database: every digit of a number survives, and nothing that is not a number passes for one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.core.exact_json import ExactJSONField, dumps, loads, loads_answer
from integrations.models import Connection
from tests.base import Cast, make_connection

_numbers = st.decimals(allow_nan=False, allow_infinity=False) | st.integers()
_json = st.recursive(
    st.none() | st.booleans() | _numbers | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


def alike(one: Any, other: Any) -> bool:
    """Equal, and no number turned into a float on the way."""
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(alike(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(alike, one, other))
    return bool(one == other) and not isinstance(other, float)


@given(_json)
def test_whatever_is_written_is_read_back_exactly(value: Any) -> None:
    again = loads(dumps(value))
    assert alike(value, again)
    assert dumps(again) == dumps(value)


@given(_json)
def test_the_field_gives_back_what_it_was_given(value: Any) -> None:
    field = ExactJSONField()
    assert alike(value, field.from_db_value(field.get_prep_value(value), None, None))


def test_trailing_zeros_of_money_survive_a_row(cast: Cast) -> None:
    connection = make_connection(cast.team, "xero", amount=Decimal("10.10"), rates=[Decimal("0.1"), 3])
    stored = Connection.objects.get(pk=connection.pk).details
    assert str(stored["amount"]) == "10.10"
    assert stored["rates"] == [Decimal("0.1"), 3]
    assert all(type(rate) is not float for rate in stored["rates"])


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", '{"a":NaN}', "", "{", "[" * 100_000, b"\xff"])
def test_what_is_not_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        loads(text)


@pytest.mark.parametrize("number", [Decimal("NaN"), Decimal("Infinity"), float("nan"), float("inf")])
def test_what_is_no_number_is_never_written(number: Any) -> None:
    with pytest.raises(ValueError):
        dumps({"amount": number})


def test_text_from_outside_that_no_column_can_hold_is_replaced() -> None:
    body = b'{"ti\\u0000tle":["Chair\\u0000","cut \\uD83D","whole \\ud83e\\ude91"],"price":1.10}'
    value = loads_answer(body)
    assert value == {"ti\ufffdtle": ["Chair\ufffd", "cut \ufffd", "whole \U0001fa91"], "price": Decimal("1.10")}
    assert dumps(value).encode()
