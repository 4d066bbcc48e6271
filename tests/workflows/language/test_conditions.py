"""Conditions: every operator, strict errors with their place, plain English, and a record with both values."""

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workflows.comparisons import CONTEXT, DATA, comparison, passes
from workflows.language.conditions import OPERATORS, ConditionError, check, describe, evaluate


def refusal(tree: Any, data: dict[str, Any] | None = None) -> str:
    with pytest.raises(ConditionError) as caught:
        evaluate(tree, DATA if data is None else data, CONTEXT)
    return str(caught.value)


SUMMER = comparison("text", "title", "contains", "Summer")
PRICEY = comparison("number", "price", "at_least", "100")
OFFICE = comparison("text", "board.name", "equals", "Office styling")
YES, NO = SUMMER, PRICEY


@pytest.mark.parametrize(
    ("group", "items", "expected"),
    [
        ("all", [YES, OFFICE], True), ("all", [YES, NO], False), ("all", [NO], False),
        ("any", [NO, YES], True), ("any", [NO, NO], False), ("any", [YES], True),
        ("not", [NO], True), ("not", [YES], False), ("not", [NO, YES], False), ("not", [NO, NO], True),
    ],
)  # fmt: skip
def test_groups(group: str, items: list[Any], expected: bool) -> None:
    assert passes({"group": group, "items": items}) is expected


def test_groups_nest() -> None:
    tree = {"group": "all", "items": [YES, {"group": "not", "items": [{"group": "any", "items": [NO, NO]}]}]}
    assert passes(tree)


def test_a_condition_is_said_in_plain_english() -> None:
    tree = {"group": "all", "items": [SUMMER, {"group": "any", "items": [PRICEY, OFFICE]}]}
    assert describe(tree) == ('title contains "Summer" and (price is at least 100 or board name is "Office styling")')


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (
            comparison("number", "price", "between", "1", "{{ steps.invoice.Total }}"),
            "price is between 1 and Total of invoice",
        ),
        (comparison("text", "title", "is_in", "a, b"), 'title is one of "a", "b"'),
        (comparison("date", "day", "in_last_days", "7"), "day is in the last 7 days"),
        (comparison("date", "day", "on", "2026-11-21"), "day is on 2026-11-21"),
        (comparison("yes_no", "is_public", "is_true"), "is public is yes"),
        (
            comparison("existence", "price", "was_changed", "{{ trigger.old_price }}"),
            "price was changed from old price",
        ),
        (comparison("list", "tags", "length_above", "3"), "tags has more than 3 items"),
        (comparison("number", "{{ trigger.price * 2 }}", "equals", "190"), "trigger.price * 2 is 190"),
        (comparison("text", "{{ trigger.lines[0].amount }}", "equals", ""), 'lines #1 amount is ""'),
        (comparison("text", "{{ run.id }}", "equals", "7"), 'run id is "7"'),
        (comparison("text", "a {{ run.id }}", "equals", "7"), '"a {{ run.id }}" is "7"'),
        (
            {"group": "not", "items": [SUMMER, OFFICE]},
            'not (title contains "Summer" or board name is "Office styling")',
        ),
        (
            {"group": "all", "items": [{"group": "not", "items": [SUMMER]}, OFFICE]},
            'not (title contains "Summer") and board name is "Office styling"',
        ),
        ({"group": "any", "items": [SUMMER]}, 'title contains "Summer"'),
    ],
)
def test_each_kind_of_condition_reads_well(tree: dict[str, Any], expected: str) -> None:
    assert describe(tree) == expected


def test_a_failed_condition_is_explained_by_what_failed_with_both_values() -> None:
    tree = {
        "group": "all",
        "items": [SUMMER, comparison("number", "price", "at_least", "{{ steps.invoice.Total }}"), PRICEY],
    }
    outcome = evaluate(tree, DATA, CONTEXT)
    assert not outcome.passed
    assert outcome.explanation == (
        "price is at least Total of invoice: no, price is 95.00 and Total of invoice is 120.00. "
        "price is at least 100: no, price is 95.00."
    )


def test_a_passed_condition_is_explained_by_what_passed() -> None:
    outcome = evaluate({"group": "any", "items": [PRICEY, SUMMER]}, DATA, CONTEXT)
    assert outcome.passed
    assert outcome.explanation == 'title contains "Summer": yes, title is "Summer Sale".'
    refused = evaluate({"group": "not", "items": [PRICEY, SUMMER]}, DATA, CONTEXT)
    assert refused.explanation == 'title contains "Summer": yes, title is "Summer Sale".'


def test_the_record_is_json_and_holds_every_comparison() -> None:
    outcome = evaluate({"group": "any", "items": [SUMMER, PRICEY]}, DATA, CONTEXT)
    record = json.loads(json.dumps(outcome.to_dict()))
    assert record == {
        "passed": True,
        "explanation": 'title contains "Summer": yes, title is "Summer Sale".',
        "tree": {
            "group": "any",
            "passed": True,
            "items": [
                {
                    "left_source": "{{ trigger.title }}",
                    "left_value": "Summer Sale",
                    "left_exists": True,
                    "type": "text",
                    "operator": "contains",
                    "right_value": "Summer",
                    "right_until_value": None,
                    "passed": True,
                    "sentence": 'title contains "Summer": yes, title is "Summer Sale".',
                },
                {
                    "left_source": "{{ trigger.price }}",
                    "left_value": "95.00",
                    "left_exists": True,
                    "type": "number",
                    "operator": "is at least",
                    "right_value": "100",
                    "right_until_value": None,
                    "passed": False,
                    "sentence": "price is at least 100: no, price is 95.00.",
                },
            ],
        },
    }


def test_a_missing_value_is_recorded_as_not_there() -> None:
    outcome = evaluate(comparison("existence", "nothing", "exists"), DATA, CONTEXT)
    assert outcome.explanation == "nothing exists: no, nothing is not there."
    assert outcome.tree["left_value"] is None
    assert outcome.tree["left_exists"] is False


def test_long_values_are_shortened_in_the_record() -> None:
    data = {"trigger": {"x": "y" * 1_000, "l": list(range(100)), "t": {str(n): n for n in range(100)}}}
    assert len(evaluate(comparison("text", "x", "is_email"), data).tree["left_value"]) == 500
    assert len(evaluate(comparison("list", "l", "is_empty"), data).tree["left_value"]) == 21
    assert len(evaluate(comparison("existence", "t", "exists"), data).tree["left_value"]) == 20


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (comparison("number", "title", "at_least", "1"), 'title is at least 1: "Summer Sale" is not a number.'),
        (comparison("number", "description", "at_least", "1"), "description is at least 1: empty is not a number."),
        (comparison("number", "is_public", "equals", "1"), "is public is 1: true is not a number."),
        (
            comparison("number", "price", "equals", "{{ trigger.title }}"),
            'price is title: "Summer Sale" is not a number.',
        ),
        (comparison("number", "price", "between", "9", "1"), "The first bound, 9, is above the second, 1."),
        (comparison("number", "price", "divisible_by", "{{ 1 - 1 }}"), "Nothing can be divided by zero."),
        (comparison("number", "{{ 1 / 0 }}", "equals", "1"), "1 cannot be divided by zero."),
        (comparison("date", "title", "before", "2026-01-01"), 'A date is needed here, but "Summer Sale" is not one.'),
        (
            comparison("date", "day", "in_last_days", "{{ 1.5 }}"),
            "A whole number from 0 to 100,000 is needed, not 1.5.",
        ),
        (comparison("yes_no", "title", "is_true"), 'title is yes: "Summer Sale" is neither yes nor no.'),
        (comparison("yes_no", "price", "is_true"), "95.00 is neither yes nor no."),
        (comparison("list", "title", "contains", "x"), 'A list is needed, but "Summer Sale" is not one.'),
        (comparison("list", "lines", "contains", "x"), "The list holds a group of fields, which cannot be compared"),
        (comparison("text", "tags", "contains", "x"), "A list cannot stand in a text."),
        (comparison("text", "title", "matches", "{{ '(' }}"), 'The pattern "(" cannot be read: missing ): (.'),
        (comparison("text", "title", "is_in", "{{ ' , ' }}"), "The list of values is empty."),
        (comparison("text", "nothing", "equals", "x"), 'There is no "nothing" in trigger. It has: board,'),
    ],
)
def test_a_value_that_does_not_fit_is_an_error_naming_it(tree: dict[str, Any], message: str) -> None:
    assert message in refusal(tree)


def test_a_missing_path_is_an_error_that_names_the_comparison_and_the_way_out() -> None:
    tree = {"group": "all", "items": [SUMMER, {"group": "any", "items": [YES, comparison("text", "x", "equals", "y")]}]}
    message = refusal(tree, {"trigger": {"title": "Summer"}})
    assert message == (
        'Condition 2.2: x is "y": There is no "x" in trigger. It has: title. Add | default(…) if that may happen.'
    )


def test_an_error_counts_even_where_the_other_comparisons_would_decide() -> None:
    broken = comparison("number", "title", "at_least", "1")
    for group, other in (("any", YES), ("all", NO), ("not", YES)):
        for items in ([other, broken], [broken, other]):
            assert "is not a number" in refusal({"group": group, "items": items})


def test_all_errors_are_told_at_once() -> None:
    broken = comparison("number", "title", "at_least", "1")
    message = refusal({"group": "any", "items": [broken, YES, broken]})
    assert message == (
        'Condition 1: title is at least 1: "Summer Sale" is not a number. '
        'Condition 3: title is at least 1: "Summer Sale" is not a number.'
    )


def without(tree: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in tree.items() if name != key}


MALFORMED: list[tuple[Any, str]] = [
    (None, "Condition: A condition is a comparison or a group of them."),
    ([], "Condition: A condition is a comparison or a group of them."),
    ({"group": "all", "items": []}, "Condition: The group has no conditions."),
    ({"group": "all"}, "Condition: The group has no conditions."),
    ({"group": "all", "items": {"a": 1}}, "Condition: The group has no conditions."),
    ({"group": "none", "items": [SUMMER]}, "Condition: A group is one of all, any and not."),
    ({"group": ["all"], "items": [SUMMER]}, "Condition: A group is one of all, any and not."),
    ({"group": "all", "items": [SUMMER], "x": 1}, 'Condition: A group has no "x".'),
    ({"group": "all", "items": [SUMMER, 5]}, "Condition 2: A condition is a comparison"),
    ({"group": "all", "items": [SUMMER, {"group": "any", "items": [{}]}]}, "Condition 2.1: The type is one of text,"),
    ({**SUMMER, "colour": "red"}, 'Condition: A comparison has no "colour".'),
    ({**SUMMER, "type": "texts"}, "The type is one of text, number, date, yes_no, list, items, existence, lookup."),
    ({**SUMMER, "type": ["text"]}, "The type is one of"),
    ({**SUMMER, "operator": "at_least"}, "There is no such operator for text. There are: equals,"),
    ({**SUMMER, "operator": None}, "There is no such operator"),
    ({**SUMMER, "case_sensitive": "no"}, "case_sensitive is true or false."),
    (without(SUMMER, "left"), "Fill in the left side"),
    ({**SUMMER, "left": "  "}, "Fill in the left side"),
    ({**SUMMER, "left": 5}, "Fill in the left side"),
    ({**SUMMER, "right": None}, "Fill in the right side"),
    (without(SUMMER, "right"), "Fill in the right side"),
    (comparison("number", "price", "between", "1"), "Fill in the second value"),
    ({**SUMMER, "left": "{{ trigger. }}"}, "The left side: The mapping cannot be read"),
    ({**SUMMER, "right": "{{ x | nope }}"}, 'The right side: There is no function called "nope".'),
    ({"group": "all", "items": [SUMMER] * 101}, "There are more than 100 conditions."),
    ({"group": "all", "items": [{"group": "all", "items": [SUMMER] * 51}] * 2}, "There are more than 100 conditions."),
]


@pytest.mark.parametrize(("tree", "message"), MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_condition_is_refused_with_its_place(tree: Any, message: str) -> None:
    for act in (check, describe, lambda tree: evaluate(tree, DATA, CONTEXT)):
        with pytest.raises(ConditionError) as caught:
            act(tree)
        assert message in str(caught.value)


def test_groups_cannot_be_nested_without_end() -> None:
    tree: dict[str, Any] = SUMMER
    for _ in range(9):
        tree = {"group": "all", "items": [tree]}
    with pytest.raises(ConditionError, match="Groups are nested more than 8 levels deep"):
        check(tree)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (comparison("number", "price", "at_least", "abc"), '"abc" is not a number.'),
        (comparison("number", "price", "at_least", ""), '"" is not a number.'),
        (comparison("date", "day", "before", "31/12/2026"), "A date is needed here"),
        (comparison("date", "day", "in_last_days", "-1"), "A whole number from 0 to 100,000"),
        (comparison("text", "title", "matches", "(a"), "cannot be read"),
        (comparison("text", "title", "matches", "a" * 501), "at most 500 characters"),
        (comparison("text", "title", "is_in", " "), "The list of values is empty."),
    ],
)
def test_fixed_values_are_checked_before_there_is_data(tree: dict[str, Any], message: str) -> None:
    with pytest.raises(ConditionError, match="Condition") as caught:
        check({"group": "all", "items": [SUMMER, tree]})
    assert message in str(caught.value)
    assert caught.value.location == "condition 2"


# -- properties -----------------------------------------------------------------------------------------------------

_any_text = st.text(st.characters(exclude_categories=()), max_size=8)  # lone surrogates too
_json = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(), _any_text, st.dates(),
        st.sampled_from(["2026-11-21", "12.50", "yes", "today", "a,b"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip
_sources = st.one_of(
    _any_text,
    st.sampled_from(
        [
            "{{ trigger.a }}",
            "{{ trigger.b.c }}",
            "{{ trigger }}",
            "{{ trigger.a | number }}",
            "x",
            "",
            "5",
            "2026-01-01",
        ]
    ),
    st.sampled_from(["{{ 'today' }}", "{{ 1e29 }}", "{{ 1e-39 }}", "9999-12-31", "0001-01-01", "{{", "a, b", "yes"]),
)
_pairs = st.sampled_from([(type_, key) for type_, operators in OPERATORS.items() for key in operators])


@st.composite
def _comparisons(draw: st.DrawFn) -> dict[str, Any]:
    type_, key = draw(_pairs)
    return {
        "left": draw(_sources), "type": type_, "operator": key, "right": draw(_sources),
        "right_until": draw(_sources), "case_sensitive": draw(st.booleans()),
    }  # fmt: skip


_trees = st.recursive(
    st.one_of(_comparisons(), _json),
    lambda inner: st.fixed_dictionaries(
        {"group": st.sampled_from(["all", "any", "not", "none"]), "items": st.lists(inner, max_size=3)}
    ),
    max_leaves=5,
)


@settings(max_examples=600, deadline=None)
@given(tree=st.one_of(_comparisons(), _trees), trigger=_json)
def test_any_tree_over_any_data_gives_an_outcome_or_a_condition_error(tree: Any, trigger: Any) -> None:
    for act in (check, describe):
        with suppress(ConditionError):
            act(tree)
    try:
        outcome = evaluate(tree, {"trigger": trigger}, CONTEXT)
    except ConditionError:
        return
    assert type(outcome.passed) is bool
    assert outcome.explanation.endswith(".")
    assert json.loads(json.dumps(outcome.to_dict(), allow_nan=False))["passed"] is outcome.passed


@settings(max_examples=200, deadline=None)
@given(st.decimals(-(10**9), 10**9, places=4), st.decimals(-(10**9), 10**9, places=4))
def test_numbers_compare_as_decimals_do(left: Decimal, right: Decimal) -> None:
    data = {"trigger": {"x": left, "y": right}}
    for operator, expected in (
        ("equals", left == right),
        ("not_equals", left != right),
        ("greater_than", left > right),
        ("at_least", left >= right),
        ("less_than", left < right),
        ("at_most", left <= right),
    ):
        assert evaluate(comparison("number", "x", operator, "{{ trigger.y }}"), data).passed is expected
