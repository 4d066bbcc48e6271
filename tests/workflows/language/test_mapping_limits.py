"""The mapping language at its limits: whatever the expression and the data, plain bounded values or a clear error."""

import time
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workflows.language.mapping import (
    MappingContext,
    MappingError,
    MappingLimitError,
    MappingTypeError,
    MissingPathError,
    evaluate,
)
from workflows.language.values import ITEMS_LIMIT, TEXT_LIMIT, TOTAL_TEXT_LIMIT

CONTEXT = MappingContext(timezone="Pacific/Auckland", today=date(2026, 11, 23))
DATA: dict[str, Any] = {"trigger": {"title": "Oak table", "price": Decimal("99.99")}}

LIMITS = [
    "x" * 2001,
    "{{ " + "(" * 16 + "1" + ")" * 16 + " }}",
    "{{ " + "(" * 900 + "1" + ")" * 900 + " }}",
    "{{ " + "[" * 900 + "]" * 900 + " }}",
    "{{ " + "not " * 450 + "true }}",
    "{{ " + "-" * 1900 + "1 }}",
    "{{ " + "+".join(["1"] * 900) + " }}",
    "{{ " + "1 if 1 else " * 150 + "1 }}",
    "{{ 1 " + "| round" * 250 + " }}",
    "{{ 1e999999 }}",
    "{{ 1e-999999 }}",
    "{{ 1e30 }}",
    "{{ " + "9" * 1900 + " }}",
    "{{ 0." + "9" * 1900 + " }}",
    "{{ 1e29 * 10 }}",
    "{{ 1e29 / 0.01 }}",
    "{{ 'x' | truncate(1000001) }}",
    "{{ '2026-01-01' | add_years(9000) }}",
]


@pytest.mark.parametrize("source", LIMITS)
def test_what_is_too_large_is_refused_at_once(source: str) -> None:
    started = time.perf_counter()
    with pytest.raises((MappingLimitError, MappingTypeError)):
        evaluate(source, DATA, CONTEXT)
    assert time.perf_counter() - started < 0.5  # 0.05 on an idle machine; the bound is for a busy one


def test_sixty_additions_are_within_the_limits() -> None:
    assert evaluate("{{ " + "+".join(["1"] * 60) + " }}", {}) == 60


@pytest.mark.parametrize(
    "held",
    [
        "x" * (TEXT_LIMIT + 1),
        ["x"] * (ITEMS_LIMIT + 1),
        ["x" * TEXT_LIMIT] * (TOTAL_TEXT_LIMIT // TEXT_LIMIT + 1),
        10**400,
        10**4400,
        Decimal("1e999999"),
        Decimal("1e-999999"),
        Decimal("0." + "1" * 100),
    ],
    ids=["text", "items", "total text", "int", "huge int", "exponent", "small exponent", "digits"],
)
def test_data_that_is_too_large_is_refused(held: Any) -> None:
    with pytest.raises(MappingLimitError):
        evaluate("{{ trigger.held }}", {"trigger": {"held": held}})


@pytest.mark.parametrize("held", [float("nan"), float("inf"), Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity")])
def test_numbers_that_are_no_numbers_are_refused(held: Any) -> None:
    for source in ("{{ trigger.held }}", "{{ trigger.held + 1 }}", "{{ trigger.held == 1 }}", "{{ not trigger.held }}"):
        with pytest.raises(MappingTypeError):
            evaluate(source, {"trigger": {"held": held}})


@pytest.mark.parametrize("held", ["a\x00b", "a\ud800b", ["\x00"], {"\ud800": 1}])
def test_text_that_no_database_can_hold_is_refused(held: Any) -> None:
    with pytest.raises(MappingTypeError, match="holds a character that cannot be stored"):
        evaluate("{{ trigger.held }}", {"trigger": {"held": held}})


def test_messages_can_be_stored_whatever_the_data_holds() -> None:
    with pytest.raises(MissingPathError) as caught:
        evaluate("{{ trigger.x }}", {"trigger": {"a\ud800\x00": 1}})
    assert caught.value.message == 'There is no "x" in trigger. It has: a��.'


def test_data_nested_within_itself_is_refused() -> None:
    held: list[Any] = []
    held.append(held)
    for source in ("{{ trigger.held }}", "{{ trigger.held == trigger.held }}"):
        with pytest.raises(MappingLimitError):
            evaluate(source, {"trigger": {"held": held}})


def test_no_function_passes_a_giant_text_on() -> None:
    with pytest.raises(MappingLimitError):
        evaluate("{{ trigger.x | upper | length }}", {"trigger": {"x": "ß" * 60_000}})


@pytest.mark.parametrize("source", ["{{ 1e3 }}", "{{ trigger.x }}", "{{ trigger.x | round }}", "{{ trigger.x * 1 }}"])
def test_numbers_are_spelled_without_exponent(source: str) -> None:
    assert str(evaluate(source, {"trigger": {"x": Decimal("1E+3")}})) == "1000"


def test_a_zero_with_a_giant_exponent_is_just_zero() -> None:
    assert str(evaluate("{{ trigger.x }}", {"trigger": {"x": Decimal("0e-999999")}})) == "0"


# -- properties ---------------------------------------------------------------------------------------------------

_keys = st.sampled_from(["title", "price", "lines", "0", "x", "é", "__class__"])
_numbers = st.one_of(
    st.integers(),
    st.integers(min_value=-(10**40), max_value=10**40),
    st.decimals(),
    st.floats(),
)
_any_text = st.text(st.characters(exclude_categories=()), max_size=20)  # lone surrogates too
_data = st.recursive(
    st.one_of(st.none(), st.booleans(), _numbers, _any_text, st.dates(), st.datetimes()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_keys, inner, max_size=4)),
    max_leaves=12,
)
_function_calls = st.sampled_from(
    [
        "upper", "lower", "title", "trim", "text", "number", "number(',')", "length", "first", "last", "round",
        "round(2)", "round(2, 'half_even')", "round(mode='up')", "default(0)", "default('x')", "default(none)",
        "replace('a', 'bb')", "truncate(3)", "split", "split('a')", "join", "join('-')", "extract_number",
        "url_part('host')", "url_part('query', 'q')", "to_date", "to_date('D/M/YYYY')", "format_date",
        "format_date('D MMM YYYY HH:mm')", "add_days(1)", "add_days(1000000)", "add_working_days(-7)",
        "add_months(14)", "add_years(1)", "start_of_month", "end_of_month", "days_between('2026-01-01')",
    ]
)  # fmt: skip
_leaves = st.one_of(
    st.sampled_from(
        ["trigger", "steps.a.x", "run.id", "nowhere", "none", "true", "'2026-02-29'", "'today'", "'1,234.5'"]
    ),
    st.builds("trigger.{}".format, _keys),
    st.builds("trigger.{}.{}".format, _keys, _keys),
    st.integers(min_value=0).map(str),
    st.decimals(min_value=0, allow_nan=False, allow_infinity=False).map(lambda number: f"{number:f}"[:60]),
    st.sampled_from(["1e5", "1e25", "1e-25", "0.1", "0"]),
    st.text(alphabet="abc 1.-/é{}%", max_size=8).map(lambda text: f"'{text}'"),
)


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    arithmetic = ("+", "-", "*", "/", "~", "**", "//", "%")
    signs = st.sampled_from((*arithmetic, "==", "!=", "<", "<=", ">", ">=", "and", "or", "in", "not in"))
    return st.one_of(
        st.builds("{} {} {}".format, inner, signs, inner),
        st.builds("({})".format, inner),
        st.builds("-{}".format, inner),
        st.builds("not {}".format, inner),
        st.builds("{} | {}".format, inner, _function_calls),
        st.builds("({}).{}".format, inner, _keys),
        st.builds("{} if {} else {}".format, inner, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
    )


_expressions = st.recursive(_leaves, _grow, max_leaves=12)
_sources = st.one_of(
    st.builds("{{{{ {} }}}}".format, _expressions),
    st.builds("{}{{{{ {} }}}}{{{{ {} }}}}".format, st.text(max_size=5), _expressions, _expressions),
    st.text(st.characters(exclude_categories=()), max_size=60),
    st.text(alphabet="{}%#|.()[]'\"\\ abctriger0123456789+-*/~=<>!,:_e", max_size=60).map(
        lambda text: f"{{{{{text}}}}}"
    ),
)


def parts(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from parts(item)
    if isinstance(value, list):
        for item in value:
            yield from parts(item)


def assert_plain_and_bounded(result: Any) -> None:
    found = list(parts(result))
    assert {type(part) for part in found} <= {str, int, Decimal, bool, type(None), list, dict}
    assert len(found) <= 2 * ITEMS_LIMIT
    assert sum(len(part) for part in found if isinstance(part, str)) <= TOTAL_TEXT_LIMIT
    for number in (part for part in found if isinstance(part, Decimal)):
        assert number.is_finite()
        assert len(str(number)) <= 80
    for text in (part for part in found if isinstance(part, str)):
        text.encode()


@settings(max_examples=800, deadline=None)
@given(source=_sources, trigger=_data)
@example(source="{{ trigger.price * 1.1 | round(2) }}", trigger={"price": 0.1})
def test_any_expression_over_any_data_gives_plain_bounded_values_or_a_mapping_error(source: str, trigger: Any) -> None:
    data = {"trigger": trigger, "steps": {"a": {"x": Decimal("1.10")}}, "run": {"id": 1}}
    try:
        result = evaluate(source, data, CONTEXT)
    except MappingError:
        return
    assert_plain_and_bounded(result)


@settings(max_examples=200, deadline=None)
@given(st.decimals(min_value=-(10**12), max_value=10**12, places=4), st.decimals(min_value=0, max_value=100, places=4))
def test_money_is_calculated_as_decimal_does(amount: Decimal, rate: Decimal) -> None:
    data = {"trigger": {"amount": amount}}
    assert evaluate(f"{{{{ trigger.amount * {rate:f} }}}}", data) == amount * rate
    assert evaluate(f"{{{{ trigger.amount - {rate:f} }}}}", data) == amount - rate
    assert evaluate("{{ trigger.amount }}", data) == amount


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=100))
def test_text_without_braces_is_itself(text: str) -> None:
    plain = text.replace("{", "").replace("\x00", "").replace("\r", "")
    assert evaluate(plain, {}) == plain
