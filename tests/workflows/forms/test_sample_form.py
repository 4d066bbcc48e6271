"""A sample edited by hand comes back as what it holds, or says what is wrong with which value."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.forms.sample_form import fields_of, read, shape_of

DATA: dict[str, Any] = {
    "title": "Oak table",
    "text": "Two\nlines",
    "amount": Decimal("1250.50"),
    "count": 5,
    "is_new": True,
    "nothing": None,
    "Contact": {"Name": "Jane", "Address": {"City": "Wellington", "Geo": {"lat": "1"}}},
    "lines": [{"price": Decimal("1.10")}],
    "odd": {},
}


def typed(**changes: str) -> dict[str, str]:
    """What a form posts whose labelled fields were changed."""
    return {each.name: changes.get(each.label, each.value) for each in fields_of(DATA)}


def test_each_value_has_a_field_of_its_kind_and_groups_are_opened() -> None:
    assert [(each.label, each.kind) for each in fields_of(DATA)] == [
        ("Title", "text"),
        ("Text", "long_text"),
        ("Amount", "number"),
        ("Count", "number"),
        ("Is new", "yes_no"),
        ("Nothing", "text"),
        ("Contact · name", "text"),
        ("Contact · address · city", "text"),
        ("Contact · address · geo", "json"),
        ("Lines", "json"),
        ("Odd", "json"),
    ]


def test_what_is_not_changed_stays_what_it_is() -> None:
    made, fields = read(DATA, typed())
    assert made == {**DATA, "nothing": ""}
    assert str(made["amount"]) == "1250.50"
    assert not any(each.error for each in fields)


def test_what_is_typed_becomes_a_value_of_its_kind() -> None:
    changes = {"Amount": "3.10", "Count": "7", "Is new": "no", "Lines": '[{"price": 2.20}]', "Contact · name": "Ann"}
    made, _ = read(DATA, typed(**changes))
    assert (made["amount"], made["count"], made["is_new"]) == (Decimal("3.10"), 7, False)
    assert (made["lines"], made["Contact"]["Name"]) == ([{"price": Decimal("2.20")}], "Ann")
    assert DATA["Contact"]["Name"] == "Jane"


@pytest.mark.parametrize(
    ("label", "text", "words"),
    [
        ("Amount", "1,250.50", "Amount takes a number such as 1250.50; this is “1,250.50”."),
        ("Amount", "NaN", "takes a number"),
        ("Count", "1e999999999", "takes a number"),
        ("Lines", "[1,", "Lines takes JSON, and this cannot be read: "),
        ("Lines", "NaN", "NaN is not a number"),
        ("Lines", "12", "Lines takes a list in [ ] or a group in { }"),
        ("Lines", "[" * 60 + "]" * 60, "nested more than 50 deep"),
        ("Lines", "[" * 100_000, "nested too deeply"),
        ("Text", "x" * 200_001, "at most 200,000 characters"),
    ],
)
def test_what_does_not_fit_says_so_at_its_field(label: str, text: str, words: str) -> None:
    _, fields = read(DATA, typed(**{label: text}))
    [wrong] = [each for each in fields if each.error]
    assert (wrong.label, wrong.value) == (label, text)
    assert words in wrong.error


def test_an_empty_number_is_nothing() -> None:
    assert read(DATA, typed(Amount=" "))[0]["amount"] is None


def test_another_sample_has_another_shape() -> None:
    assert shape_of(DATA) == shape_of({**DATA, "title": "Other"})
    assert shape_of(DATA) != shape_of({**DATA, "amount": "text"})


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), _VALUES, max_size=6))
def test_whatever_the_sample_holds_its_form_gives_it_back(data: dict[str, Any]) -> None:
    made, fields = read(data, {each.name: each.value for each in fields_of(data)})
    assert not any(each.error for each in fields)
    assert _told(made) == _told(data)


def _told(value: Any) -> Any:
    """The value with what no form tells apart: nothing and an empty text, kinds of line ends."""
    if isinstance(value, dict):
        return {name: _told(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_told(each) for each in value]
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\0", "\ufffd")
    return "" if value is None else value
