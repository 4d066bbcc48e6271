"""Conditions against a simple model of their own: the answer, the words, and what is said to have decided it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflows.comparisons import CONTEXT, DATA, comparison
from workflows.language.conditions import OPERATORS, ConditionError, check, describe, evaluate

# Each is (type, operator, left value, right values, what a person would answer), worked out by other means than ours.
_CENTS = st.integers(-10_000, 10_000)
_TODAY = date(2026, 11, 23)
_DAYS = st.integers(-800, 800)
_LETTERS = st.text("abAB ", max_size=4)


def _money(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


@st.composite
def _numbers(draw: st.DrawFn) -> tuple[str, str, Any, list[str], bool]:
    left, right = draw(_CENTS), draw(_CENTS)
    answers = {
        "equals": left == right, "not_equals": left != right, "greater_than": left > right, "at_least": left >= right,
        "less_than": left < right, "at_most": left <= right,
    }  # fmt: skip
    operator = draw(st.sampled_from([*answers, "between", "not_between"]))
    if operator in answers:
        return "number", operator, _money(left), [str(_money(right))], answers[operator]
    low, high = sorted([right, draw(_CENTS)])
    is_within = left in range(low, high + 1)
    return (
        "number", operator, _money(left), [str(_money(low)), str(_money(high))], is_within == (operator == "between"),
    )  # fmt: skip


@st.composite
def _texts(draw: st.DrawFn) -> tuple[str, str, Any, list[str], bool]:
    left, right = draw(_LETTERS), draw(_LETTERS)
    a, b = left.lower(), right.lower()
    answers = {
        "equals": a == b, "contains": len(a.split(b)) > 1 if b else True, "starts_with": a[: len(b)] == b,
        "ends_with": b == "" or a[-len(b) :] == b,
    }  # fmt: skip
    operator = draw(st.sampled_from(list(answers)))
    if draw(st.booleans()):
        negated = {"equals": "not_equals"}.get(operator, f"not_{operator}")
        return "text", negated, left, [right], not answers[operator]
    return "text", operator, left, [right], answers[operator]


@st.composite
def _dates(draw: st.DrawFn) -> tuple[str, str, Any, list[str], bool]:
    left, right = draw(_DAYS), draw(_DAYS)
    one, other = _TODAY + timedelta(left), _TODAY + timedelta(right)
    within = draw(st.integers(0, 400))
    answers: dict[str, tuple[list[str], bool]] = {
        "before": ([str(other)], left < right),
        "after": ([str(other)], left > right),
        "on": ([str(other)], left == right),
        "on_or_before": ([str(other)], left <= right),
        "on_or_after": ([str(other)], left >= right),
        "in_last_days": ([str(within)], left in range(-within, 1)),
        "in_next_days": ([str(within)], left in range(within + 1)),
        "same_month": ([str(other)], str(one)[:7] == str(other)[:7]),
        "is_weekend": ([], one.strftime("%w") in "06"),
        "in_locked_period": ([], str(one) <= "2026-06-30"),
    }
    operator = draw(st.sampled_from(list(answers)))
    rights, answer = answers[operator]
    return "date", operator, str(one), rights, answer


@st.composite
def _items(draw: st.DrawFn) -> tuple[str, str, Any, list[str], bool]:
    cents, limit = draw(st.lists(_CENTS | st.none(), max_size=4)), draw(_CENTS)
    rows = [{} if each is None else {"amount": _money(each)} for each in cents]
    operator = draw(st.sampled_from(["above", "at_least", "below", "at_most", "equals"]))
    holds = [each is not None and {
        "above": each > limit, "at_least": each >= limit, "below": each < limit, "at_most": each <= limit,
        "equals": each == limit,
    }[operator] for each in cents]  # fmt: skip
    which = draw(st.sampled_from(["any", "all", "none"]))
    answer = {"any": True in holds, "all": bool(holds) and False not in holds, "none": True not in holds}[which]
    return "items", f"{which}_{operator}", rows, ["amount", str(_money(limit))], answer


_CASES = _numbers() | _texts() | _dates() | _items()


@st.composite
def _trees(draw: st.DrawFn, depth: int = 3) -> tuple[dict[str, Any], dict[str, Any], bool]:
    """(condition, data, answer)"""
    if depth == 0 or draw(st.booleans()):
        type_, operator, left, rights, answer = draw(_CASES)
        name = f"v{draw(st.integers(0, 10**9))}"
        right, until = [*rights, None, None][:2]
        return comparison(type_, f"{{{{ trigger.{name} }}}}", operator, right, until), {name: left}, answer
    parts = draw(st.lists(_trees(depth=depth - 1), min_size=1, max_size=3))
    group = draw(st.sampled_from(["all", "any", "not"]))
    data: dict[str, Any] = {}
    for _, its, _ in parts:
        if set(data) & set(its):
            return parts[0]
        data |= its
    count = sum(answer for _, _, answer in parts)
    answer = {"all": count == len(parts), "any": count > 0, "not": count == 0}[group]
    return {"group": group, "items": [tree for tree, _, _ in parts]}, data, answer


@given(_trees())
def test_the_answer_is_that_of_a_simple_model_and_is_told(made: tuple[dict[str, Any], dict[str, Any], bool]) -> None:
    tree, data, answer = made
    check(tree)
    outcome = evaluate(tree, {"trigger": data}, CONTEXT)
    assert outcome.passed is answer
    assert describe(tree)


_SOURCES = st.sampled_from(
    ["{{ trigger.title }}", "{{ trigger.rows }}", "{{ trigger.day }}", "{{ trigger.nothing }}", "fixed", "", "{{ 1 }}",
     "7", "2026-11-23", "a{{ trigger.price }}b", "{{ trigger.rows | sum('amount') * 2 }}", "\x00", "{{", "x" * 400]
)  # fmt: skip


@st.composite
def _any_tree(draw: st.DrawFn, depth: int = 4) -> dict[str, Any]:
    if depth == 0 or draw(st.booleans()):
        type_ = draw(st.sampled_from(list(OPERATORS)))
        operator = draw(st.sampled_from(list(OPERATORS[type_])))
        return {
            "left": draw(_SOURCES),
            "type": type_,
            "operator": operator,
            "right": draw(_SOURCES),
            "right_until": draw(_SOURCES),
            "case_sensitive": draw(st.booleans()),
        }
    items = draw(st.lists(_any_tree(depth=depth - 1), min_size=1, max_size=3))
    return {"group": draw(st.sampled_from(["all", "any", "not"])), "items": items}


@given(_any_tree())
def test_whatever_can_be_read_can_be_said_and_nothing_but_a_condition_error_comes(tree: dict[str, Any]) -> None:
    try:
        check(tree)
    except ConditionError:
        pass
    else:
        assert describe(tree).strip()
    try:
        outcome = evaluate(tree, DATA, CONTEXT)
    except ConditionError:
        return
    assert isinstance(outcome.passed, bool)


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        (
            {
                "group": "all",
                "items": [
                    comparison("text", "title", "contains", "Oak"),
                    {
                        "group": "any",
                        "items": [
                            comparison("items", "lines", "any_at_least", "unit_amount", "100"),
                            {"group": "not", "items": [comparison("lookup", "contact", "in_table", "Watch-list")]},
                        ],
                    },
                ],
            },
            'title contains "Oak" and (lines has an item whose unit amount is at least 100 or '
            'not (contact is in the lookup table "Watch-list"))',
        ),
        (comparison("date", "date", "in_locked_period"), "date is in a locked period"),
        (comparison("items", "numbers", "all_above", "", "0"), "numbers has only items whose own value is more than 0"),
    ],
)
def test_nested_groups_are_said_in_plain_english(tree: dict[str, Any], said: str) -> None:
    assert describe(tree) == said


def test_membership_in_a_lookup_table_tells_the_version_that_was_asked() -> None:
    outcome = evaluate(comparison("lookup", "title", "in_table", "Seasons"), DATA, CONTEXT)
    assert outcome.explanation == (
        'title is in the lookup table "Seasons": yes, title is "Summer Sale" and the table is in version 3.'
    )
    assert outcome.tree["table_version"] == 3


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        (comparison("lookup", "title", "in_table", "Nope"), 'There is no lookup table called "Nope"'),
        (comparison("lookup", "tags", "in_table", "Seasons"), "A single value is needed"),
        (comparison("items", "title", "any_equals", "a", "b"), "A list is needed"),
        (comparison("items", "rows", "any_above", "sku", "1"), '"Oak-1" is not a number'),
    ],
)
def test_what_cannot_be_asked_is_an_error(tree: dict[str, Any], said: str) -> None:
    with pytest.raises(ConditionError) as caught:
        evaluate(tree, DATA, CONTEXT)
    assert said in str(caught.value)


def test_an_unnamed_table_is_found_before_anything_runs() -> None:
    with pytest.raises(ConditionError) as caught:
        check(comparison("lookup", "title", "in_table", " "))
    assert "Name the lookup table" in str(caught.value)
