"""Inputs of an operation: cleaned exactly, refused in sentences, told as JSON Schema."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import TextChoices
from hypothesis import example, given
from hypothesis import strategies as st

from integrations.core.errors import InvalidInputError
from integrations.core.exact_json import dumps
from integrations.schema.schema import Kind, Schema, choices, field


class Colour(TextChoices):
    RED = "RED", "Bright red"
    BLUE = "BLUE", "Blue"


class Row(Schema):
    what: str = field("What", max_length=10)
    amount: Decimal | None = field("Amount", default=None, decimal_places=2)


class Sample(Schema):
    name: str = field("Name", max_length=5)
    note: str | None = field("Note", default=None, long=True)
    price: Decimal | None = field("Price", default=None, minimum=0, maximum=1000, decimal_places=4)
    count: int | None = field("Count", default=None, minimum=1)
    day: date | None = field("Day", default=None)
    moment: datetime | None = field("Moment", default=None)
    is_hot: bool = field("Hot", default=False)
    colour: Colour = field("Colour", default=Colour.RED)
    tags: list[str] = field("Tags", default=[])
    rows: list[Row] = field("Rows", default=[])


def problems(**values: Any) -> dict[str, str]:
    with pytest.raises(InvalidInputError) as caught:
        Sample.clean({"name": "N", **values})
    return caught.value.problems


def test_values_become_typed() -> None:
    cleaned = Sample.clean(
        {
            "name": 12,
            "price": "1.1000",
            "count": Decimal("3"),
            "day": "2026-11-30",
            "moment": "2026-11-30T12:00:00+13:00",
            "is_hot": "Yes",
            "colour": "blue",
            "tags": ["a", 1],
            "rows": [{"what": "x", "amount": "2.50"}, {"what": "y"}],
        }
    )
    assert cleaned.name == "12"
    assert str(cleaned.price) == "1.1000"
    assert cleaned.count == 3
    assert cleaned.day == date(2026, 11, 30)
    assert cleaned.moment == datetime(2026, 11, 29, 23, tzinfo=UTC)
    assert cleaned.is_hot is True
    assert cleaned.colour is Colour.BLUE
    assert cleaned.tags == ["a", "1"]
    assert cleaned.rows == [Row(what="x", amount=Decimal("2.50")), Row(what="y")]


def test_empty_text_and_none_count_as_not_given() -> None:
    cleaned = Sample.clean({"name": "N", "price": "", "day": None, "rows": []})
    assert (cleaned.price, cleaned.day, cleaned.rows) == (None, None, [])
    assert problems(name="") == {"name": "Name is needed, but nothing was given."}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": "Longer"}, "Name takes at most 5 characters; this has 6."),
        ({"name": ["x"]}, "Name takes text; this is a list."),
        ({"name": True}, "Name takes text; this is yes."),
        ({"name": "a\x00"}, "Name holds a character that cannot be stored."),
        ({"name": "\ud800"}, "Name holds a character that cannot be stored."),
        ({"price": "1,5"}, 'Price takes a number such as 1250.50; this is "1,5".'),
        ({"price": "2,500"}, 'Price takes a number such as 1250.50; "2,500" could be 2500 or 2.5.'),
        ({"price": "INV-7"}, 'Price takes a number such as 1250.50; this is "INV-7".'),
        ({"price": "1_5"}, 'Price takes a number such as 1250.50; this is "1_5".'),
        ({"price": "-1"}, "Price must be at least 0; this is -1."),
        ({"price": 1001}, "Price must be at most 1000; this is 1001."),
        ({"price": "1.00001"}, "Price takes at most 4 decimal places; this is 1.00001."),
        ({"price": "NaN"}, 'Price takes a number; this is "NaN".'),
        ({"price": "1e400"}, 'Price takes a number of ordinary size; this is "1e400".'),
        ({"price": {}}, "Price takes a number; this is a group of values."),
        ({"count": "1.5"}, "Count takes a whole number; this is 1.5."),
        ({"day": "30.11.2026"}, 'Day takes a date such as 2026-11-30; this is "30.11.2026".'),
        ({"day": "2026-02-30"}, 'Day takes a date such as 2026-11-30; this is "2026-02-30".'),
        ({"day": "2026-11-30Tnoon"}, 'Day takes a date such as 2026-11-30; this is "2026-11-30Tnoon".'),
        ({"day": "2026-11-30 or later"}, 'Day takes a date such as 2026-11-30; this is "2026-11-30 or later".'),
        (
            {"moment": "soon"},
            'Moment takes a date and time such as 2026-11-30T12:00:00+00:00; this is "soon".',
        ),
        ({"is_hot": "maybe"}, 'Hot takes yes or no; this is "maybe".'),
        ({"colour": "green"}, 'Colour takes one of RED, BLUE; this is "green".'),
        ({"tags": "a"}, 'Tags takes a list; this is "a".'),
        ({"rows": "a"}, 'Rows takes rows; this is "a".'),
        ({"unknown": 1}, "This operation has no such input. Remove it from the step."),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(values: dict[str, Any], sentence: str) -> None:
    assert problems(**values) == {next(iter(values)): sentence}


def test_problems_in_rows_name_the_row_and_the_column() -> None:
    assert problems(rows=[{"what": "x"}, {"what": "x", "amount": "1.005"}, "y", {"other": 1}]) == {
        "rows.1.amount": "Amount takes at most 2 decimal places; this is 1.005.",
        "rows.2": 'Row 3 of Rows is "y", not a row with named columns.',
        "rows.3.other": "This operation has no such input. Remove it from the step.",
        "rows.3.what": "What is needed, but nothing was given.",
    }


def test_a_time_without_zone_is_utc() -> None:
    assert Sample.clean({"name": "N", "moment": "2026-11-30T12:00:00"}).moment == datetime(2026, 11, 30, 12, tzinfo=UTC)


def test_inputs_that_contradict_each_other_are_told_by_check() -> None:
    class Pair(Schema):
        low: int = field("Low")
        high: int = field("High")

        def check(self) -> dict[str, str]:
            return {} if self.low < self.high else {"high": "High must be above Low."}

    assert Pair.clean({"low": 1, "high": 2}).high == 2
    with pytest.raises(InvalidInputError) as caught:
        Pair.clean({"low": 2, "high": 1})
    assert caught.value.problems == {"high": "High must be above Low."}


def test_a_cleaned_instance_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Sample.clean({"name": "N"}).name = "M"  # type: ignore[misc]


def test_the_json_schema_tells_types_limits_and_choices() -> None:
    schema = Sample.json_schema()
    assert schema["required"] == ["name"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["name"] == {"title": "Name", "type": "string", "maxLength": 5}
    assert schema["properties"]["price"] == {"title": "Price", "type": "number", "minimum": 0, "maximum": 1000}
    assert schema["properties"]["colour"] == {
        "title": "Colour",
        "type": "string",
        "enum": ["RED", "BLUE"],
        "default": "RED",
    }
    assert schema["properties"]["rows"]["items"]["required"] == ["what"]
    assert dumps(schema)


def test_choices_know_their_name_and_what_they_depend_on() -> None:
    @choices(depends_on=("name",), is_searchable=True)
    def things(api: Any, inputs: Any) -> Any:
        yield "1", "One"

    assert things.key.endswith("test_choices_know_their_name_and_what_they_depend_on.<locals>.things")
    assert (things.depends_on, things.is_searchable) == (("name",), True)

    class Picks(Schema):
        thing: str = field("Thing", choices=things)

    (declared,) = Picks.fields()
    assert (declared.kind, declared.dynamic_choices) == (Kind.CHOICE, things)


def test_a_type_that_no_form_can_show_is_refused_when_declared() -> None:
    class Odd(Schema):
        thing: dict = field("Thing")  # type: ignore[type-arg]

    with pytest.raises(TypeError, match="thing: a Schema cannot hold"):
        Odd.fields()


# --- whatever comes in ------------------------------------------------------------------------------------------------

_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=True, allow_infinity=True),
    st.text(st.characters(codec=None), max_size=20),
    st.dates(),
    st.datetimes(),
    st.sampled_from(["2026-11-30", "yes", "RED", "12.50", "1e999999", "-0", "٣"]),
)
_values = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_rows = st.lists(st.dictionaries(st.sampled_from(["what", "amount", "x"]), _leaves, max_size=3) | _leaves, max_size=3)


@given(
    st.dictionaries(st.sampled_from([*(f.name for f in Sample.fields()), "other"]), _values, max_size=6)
    | st.fixed_dictionaries({"name": _values, "rows": _rows})
)
@example({"name": Decimal("1E+999999999")})
@example({"name": 10**5000})
@example({"price": 10**5000})
@example({"price": Decimal("sNaN")})
@example({"name": Decimal("sNaN")})
def test_cleaning_gives_a_typed_instance_or_sentences_and_never_anything_else(values: dict[str, Any]) -> None:
    told: dict[str, str] = {}
    try:
        cleaned = Sample.clean(values)
    except InvalidInputError as error:
        told = error.problems
    if told:
        assert all(len(sentence) < 400 and sentence.endswith(".") for sentence in told.values())
        assert "\x00" not in "".join([*told, *told.values()])
        "".join([*told, *told.values()]).encode()
        return
    assert isinstance(cleaned.name, str)
    assert len(cleaned.name) <= 5
    assert cleaned.price is None or (isinstance(cleaned.price, Decimal) and 0 <= cleaned.price <= 1000)
    assert cleaned.count is None or (type(cleaned.count) is int and cleaned.count >= 1)
    assert all(isinstance(row, Row) for row in cleaned.rows)
    cleaned.name.encode()


@given(st.decimals(min_value=0, max_value=1000, places=4))
def test_a_decimal_stays_the_very_decimal(price: Decimal) -> None:
    for given_as in (price, str(price)):
        cleaned = Sample.clean({"name": "N", "price": given_as}).price
        assert cleaned is not None
        assert cleaned.as_tuple() == price.as_tuple()
