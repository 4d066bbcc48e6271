"""Functions for lists, texts and any value, each against what plain Python says of the same data."""

from __future__ import annotations

import hashlib
import json
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.language.mapping import MappingContext, MappingError, evaluate
from workflows.language.values import equal

ROWS = [
    {"sku": "Oak", "n": Decimal("10.50"), "account": {"code": "200"}},
    {"sku": "ash", "n": 2, "account": {"code": "205"}},
    {"sku": "oak", "n": "1,000.00", "account": {"code": "200"}},
    {"sku": None, "account": {}},
]


def value(source: str, **trigger: Any) -> Any:
    return evaluate(source, {"trigger": trigger}, MappingContext())


def refusal(source: str, **trigger: Any) -> str:
    with pytest.raises(MappingError) as caught:
        value(source, **trigger)
    return caught.value.message


def skus(source: str) -> list[Any]:
    found: list[Any] = value(f'{{{{ trigger.rows | {source} | pluck("sku") }}}}', rows=ROWS)
    return found


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('filter("sku", "is", "OAK")', ["Oak", "oak"]),
        ('filter("sku", "is not", "OAK")', ["ash", None]),
        ('filter("sku", "contains", "a")', ["Oak", "ash", "oak"]),
        ('filter("sku", "is one of", "ash, elm")', ["ash"]),
        ('filter("sku", "is one of", ["ash", none])', ["ash", None]),
        ('filter("n", "more than", 2)', ["Oak", "oak"]),
        ('filter("n", "at least", 2)', ["Oak", "ash", "oak"]),
        ('filter("n", "less than", "10.50")', ["ash"]),
        ('filter("n", "at most", 10.5)', ["Oak", "ash"]),
        ('filter("n", "is", 1000)', ["oak"]),
        ('filter("account.code", "is", "205")', ["ash"]),
        ('filter("sku")', ["Oak", "ash", "oak"]),
        ('filter("account.code", "is empty")', [None]),
        ('sort("sku")', ["ash", "Oak", "oak", None]),
        ('sort("sku", true)', ["oak", "Oak", "ash", None]),
        ('unique("sku")', ["Oak", "ash", "oak", None]),
        ('unique("account.code")', ["Oak", "ash", None]),
        ("take(2)", ["Oak", "ash"]),
        ("take(-1)", [None]),
        ("reverse | take(1)", [None]),
    ],
)
def test_lists_of_rows(source: str, expected: list[Any]) -> None:
    assert skus(source) == expected


def test_groups_keep_the_order_and_all_items() -> None:
    groups = value('{{ trigger.rows | group("account.code") }}', rows=ROWS)
    assert [(each["key"], each["count"]) for each in groups] == [("200", 2), ("205", 1), (None, 1)]
    assert [item for each in groups for item in each["items"]] == [ROWS[0], ROWS[2], ROWS[1], ROWS[3]]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('{{ trigger.rows | filter("n", "above", 1) }}', 'There is no test "above". There are: is, is not'),
        ('{{ trigger.rows | filter("sku", "more than", 1) }}', 'Item 1: "Oak" is not a number'),
        ('{{ trigger.rows | sort("n") }}', "cannot be put in one order"),
        ("{{ trigger.rows | sort }}", "cannot be put in one order"),
        ('{{ trigger.rows | sort("sku", "yes") }}', "true or false is needed here"),
        ('{{ [[1, 2], [3]] | zip("a, b") }}', "differ in length (1, 2)"),
        ('{{ [[1], [2]] | zip("a") }}', "2 lists, but 1 names"),
        ('{{ [[1], [2]] | zip("a, a") }}', "a name of its own"),
        ('{{ [1, 2] | zip("a, b") }}', "has to be a list"),
        ("{{ 'abc' | first }}", "A list is needed"),
    ],
)
def test_what_cannot_be_done_with_a_list_is_said(source: str, said: str) -> None:
    assert said in refusal(source, rows=ROWS)


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.decimals(-9, 9, places=1) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xy"), inner, max_size=2),
    max_leaves=6,
)


@given(st.lists(_PLAIN, max_size=12))
def test_what_is_unique_and_grouped_is_what_compares_as_equal(items: list[Any]) -> None:
    expected: list[Any] = []
    for item in items:
        if not any(equal(item, each) for each in expected):
            expected.append(item)
    assert value("{{ trigger.items | unique }}", items=items) == value("{{ trigger.e }}", e=expected)
    groups = value('{{ trigger.rows | group("v") }}', rows=[{"v": item} for item in items])
    assert len(groups) == len(expected)
    assert sum(each["count"] for each in groups) == len(items)


@given(st.lists(st.decimals(-99, 99, places=2) | st.none(), max_size=12), st.booleans())
def test_numbers_are_sorted_by_size_and_what_is_missing_comes_last(numbers: list[Any], descending: bool) -> None:
    there = sorted((each for each in numbers if each is not None), reverse=descending)
    flag = "true" if descending else "false"
    assert value(f'{{{{ trigger.n | sort("", {flag}) }}}}', n=numbers) == there + [None] * numbers.count(None)


@given(st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=5))
def test_lists_within_a_list_become_one(lists: list[list[int]]) -> None:
    assert value("{{ trigger.x | flatten }}", x=lists) == [each for inner in lists for each in inner]


@given(st.integers(1, 6), st.integers(1, 5))
def test_rows_are_made_of_lists_and_taken_apart_again(length: int, width: int) -> None:
    lists = [[f"{column}-{row}" for row in range(length)] for column in range(width)]
    names = [f"c{column}" for column in range(width)]
    rows = value("{{ trigger.lists | zip(trigger.names) }}", lists=lists, names=names)
    assert len(rows) == length
    for name, its in zip(names, lists, strict=True):
        assert value("{{ trigger.rows | pluck(trigger.name) }}", rows=rows, name=name) == its


# --- any value ------------------------------------------------------------------------------------------------------


@given(_PLAIN)
def test_json_is_read_back_as_it_was_written(data: Any) -> None:
    assert equal(value("{{ trigger.x | json | parse_json }}", x=data), value("{{ trigger.x }}", x=data))


@given(st.text(max_size=60))
def test_any_text_is_json_or_a_clear_refusal(text: str) -> None:
    try:
        json.loads(text, parse_constant=lambda _: 1 / 0)
    except (ValueError, ZeroDivisionError):
        with pytest.raises(MappingError):
            value("{{ trigger.x | parse_json }}", x=text)


@pytest.mark.parametrize("text", ["[" * 50_000, "NaN", "[Infinity]", "1" * 5_000, '{"a":1e999}', ""])
def test_json_that_is_too_much_is_refused(text: str) -> None:
    assert refusal("{{ trigger.x | parse_json }}", x=text)


def test_a_number_in_json_keeps_every_digit() -> None:
    found = value("{{ trigger.x | parse_json }}", x='{"total": 0.10, "big": 12345678901234567890}')
    assert found == {"total": Decimal("0.10"), "big": 12345678901234567890}
    assert str(found["total"]) == "0.10"


@pytest.mark.parametrize(
    ("path", "expected"), [("0.sku", "Oak"), ("1.account.code", "205"), ("2.n", "1,000.00"), ("3.sku", None)]
)
def test_a_path_leads_into_data(path: str, expected: Any) -> None:
    assert value("{{ trigger.rows | get(trigger.path) }}", rows=ROWS, path=path) == expected
    assert value("{{ trigger.rows | get('9.sku') | default('none') }}", rows=ROWS) == "none"
    assert 'There is no "price" in the value.0' in refusal("{{ trigger.rows | get('0.price') }}", rows=ROWS)


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=40))
def test_fingerprints_are_those_of_the_standard_library(text: str) -> None:
    raw = text.encode()
    assert value("{{ trigger.x | hash }}", x=text) == hashlib.sha256(raw).hexdigest()
    assert value('{{ trigger.x | hash("md5") }}', x=text) == hashlib.md5(raw).hexdigest()


def test_a_uuid_is_the_same_for_the_same_text_so_that_a_retry_sends_the_same() -> None:
    first = value("{{ (trigger.id ~ '-invoice') | uuid }}", id=1)
    assert first == value("{{ (trigger.id ~ '-invoice') | uuid }}", id=1)
    assert first != value("{{ (trigger.id ~ '-invoice') | uuid }}", id=2)
    assert str(uuid.UUID(first)) == first
    assert "made from something unique" in refusal("{{ '' | uuid }}")


# --- text -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ 'abcdef' | substring(1, 2) }}", "ab"),
        ("{{ 'abcdef' | substring(-2) }}", "ef"),
        ("{{ 'abcdef' | substring(-9, 2) }}", "ab"),
        ("{{ 'abc' | substring(9) }}", ""),
        ("{{ 'INV-7' | extract('[0-9]+') }}", "7"),
        ("{{ 'none' | extract('[0-9]+') | default('0') }}", "0"),
        ("{{ 'a1b22' | extract_all('[a-z]([0-9]+)') }}", ["1", "22"]),
        ("{{ 'a1b2' | replace_pattern('[0-9]', '\\\\1$1') }}", "a\\1$1b\\1$1"),
        ("{{ 'abc' | replace_pattern('', '-') }}", "-a-b-c-"),
        ("{{ 'Café Ümlaut ß & Co.' | slug }}", "cafe-umlaut-ss-co"),
        ("{{ '日本' | slug }}", ""),
        ("{{ '<b>Oak</b><br>5 < 6 &lt;b&gt;<script>x()</script><!-- no -->' | strip_html }}", "Oak\n5 < 6 <b>"),
        ("{{ '<p>a</p><p>b</p>' | strip_html }}", "a\nb"),
        ("{{ 'a <ann.lee+x@oak.example>, b@c.de' | extract_email }}", "ann.lee+x@oak.example"),
        ("{{ 7 | pad(3, '0') }}", "007"),
        ("{{ 'élan' | capitalise }}", "Élan"),
        ("{{ 'a/b c' | url_encode }}", "a%2Fb%20c"),
        ("{{ 'Hi {name} of {address.city}, {} {9}' | template(trigger.who) }}", "Hi Ann of Leeds, {} {9}"),
    ],
)
def test_text_functions(source: str, expected: Any) -> None:
    assert value(source, who={"name": "Ann", "address": {"city": "Leeds"}}) == expected


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ 'abc' | substring(0) }}", "The first character is 1"),
        ("{{ 'abc' | substring(1, -1) }}", "cannot be below 0"),
        ("{{ 'abc' | extract('(') }}", "cannot be read"),
        ("{{ 'abc' | extract('x') }}", "fits the pattern"),
        ("{{ 'abc' | pad(2000) }}", "0 to 1,000"),
        ("{{ 'abc' | pad(5, 'xy') }}", "one character"),
        ("{{ 'abc' | extract_email }}", "no e-mail address"),
        ("{{ '{x}' | template(trigger.who) }}", 'There is no "x" in the values'),
        ("{{ '{x}' | template('y') }}", "A group of fields is needed"),
        ("{{ trigger.long | replace_pattern('a', trigger.long) }}", "longer than 100,000"),
        ("{{ '{x}{x}' | template(trigger.much) }}", "longer than 100,000"),
        ("{{ trigger.long | extract_all('a') }}", "fits more than 5,000 times"),
    ],
)
def test_what_cannot_be_done_with_a_text_is_said(source: str, said: str) -> None:
    assert said in refusal(source, who={}, long="a" * 60_000, much={"x": "a" * 60_000})


@given(st.text(max_size=200), st.sampled_from(["strip_html", "slug", "capitalise", "url_encode", "uuid", "title"]))
def test_any_text_gives_a_text_or_a_refusal(text: str, name: str) -> None:
    try:
        assert isinstance(value(f"{{{{ trigger.x | {name} }}}}", x=text), str)
    except MappingError:
        assert text == "" or not text.isprintable()
