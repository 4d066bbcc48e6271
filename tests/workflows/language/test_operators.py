"""Every operator of conditions, both ways."""

import time
from typing import Any

import pytest

from tests.workflows.comparisons import DATA, comparison, passes
from workflows.language.conditions import OPERATORS, TYPE_LABELS, evaluate

CASES: list[tuple[str, str, str, Any, Any, bool]] = [
    # type, left, operator, right, until, passes
    ("text", "title", "equals", "summer sale", None, True),
    ("text", "title", "equals", "Summer", None, False),
    ("text", "description", "equals", "", None, True),
    ("text", "price", "equals", "95.00", None, True),
    ("text", "title", "not_equals", "Summer", None, True),
    ("text", "title", "not_equals", "SUMMER SALE", None, False),
    ("text", "title", "contains", "MER S", None, True),
    ("text", "title", "contains", "winter", None, False),
    ("text", "description", "contains", "x", None, False),
    ("text", "title", "not_contains", "winter", None, True),
    ("text", "title", "not_contains", "sale", None, False),
    ("text", "title", "starts_with", "summer", None, True),
    ("text", "title", "starts_with", "sale", None, False),
    ("text", "title", "not_starts_with", "sale", None, True),
    ("text", "title", "not_starts_with", "summer", None, False),
    ("text", "title", "ends_with", "SALE", None, True),
    ("text", "title", "ends_with", "summer", None, False),
    ("text", "title", "not_ends_with", "summer", None, True),
    ("text", "title", "not_ends_with", "sale", None, False),
    ("text", "title", "is_in", "Winter sale, summer sale", None, True),
    ("text", "title", "is_in", "Winter, one\nSummer, two", None, False),
    ("text", "board.name", "is_in", "{{ ['office styling'] }}", None, True),
    ("text", "title", "not_in", "Winter sale,Autumn", None, True),
    ("text", "title", "not_in", "summer sale", None, False),
    ("text", "title", "matches", "^s.*e$", None, True),
    ("text", "title", "matches", "{{ trigger.pattern }}", None, True),
    ("text", "title", "matches", "^sale", None, False),
    ("text", "title", "not_matches", "[0-9]", None, True),
    ("text", "title", "not_matches", "sale", None, False),
    ("text", "email", "is_email", None, None, True),
    ("text", "title", "is_email", None, None, False),
    ("text", "title", "length_equals", "11", None, True),
    ("text", "title", "length_equals", "10", None, False),
    ("text", "title", "length_above", "10", None, True),
    ("text", "title", "length_above", "11", None, False),
    ("text", "title", "length_at_least", "11", None, True),
    ("text", "title", "length_at_least", "12", None, False),
    ("text", "title", "length_below", "12", None, True),
    ("text", "title", "length_below", "11", None, False),
    ("text", "title", "length_at_most", "11", None, True),
    ("text", "title", "length_at_most", "10", None, False),
    ("number", "price", "equals", "95", None, True),
    ("number", "float", "equals", "0.1", None, True),
    ("number", "price_text", "equals", "1095.5", None, True),
    ("number", "price", "equals", "95.01", None, False),
    ("number", "price", "not_equals", "95.01", None, True),
    ("number", "price", "not_equals", "95", None, False),
    ("number", "price", "greater_than", "94.99", None, True),
    ("number", "price", "greater_than", "95", None, False),
    ("number", "price", "at_least", "95", None, True),
    ("number", "price", "at_least", "95.01", None, False),
    ("number", "price", "less_than", "95.01", None, True),
    ("number", "price", "less_than", "95", None, False),
    ("number", "price", "at_most", "{{ steps.invoice.Total }}", None, True),
    ("number", "price", "at_most", "94.99", None, False),
    ("number", "price", "between", "95", "1,000", True),
    ("number", "price", "between", "90", "94.99", False),
    ("number", "price", "not_between", "90", "94.99", True),
    ("number", "price", "not_between", "95", "95", False),
    ("number", "price", "divisible_by", "5", None, True),
    ("number", "price", "divisible_by", "0.1", None, True),
    ("number", "{{ 9e29 }}", "divisible_by", "{{ 1e-40 }}", None, True),
    ("number", "price", "divisible_by", "10", None, False),
    ("date", "day", "before", "2026-11-22", None, True),
    ("date", "day", "before", "2026-11-21", None, False),
    ("date", "day", "after", "2026-11-20", None, True),
    ("date", "day", "after", "2026-11-21", None, False),
    ("date", "moment", "on", "today", None, True),
    ("date", "moment", "on", "2026-11-22", None, False),
    ("date", "day", "on_or_before", "2026-11-21", None, True),
    ("date", "day", "on_or_before", "2026-11-20", None, False),
    ("date", "day", "on_or_after", "2026-11-21", None, True),
    ("date", "day", "on_or_after", "2026-11-22", None, False),
    ("date", "day", "between", "2026-11-21", "2026-11-21", True),
    ("date", "day", "between", "2026-11-22", "2026-12-31", False),
    ("date", "day", "in_last_days", "2", None, True),
    ("date", "day", "in_last_days", "1", None, False),
    ("date", "{{ 'tomorrow' }}", "in_last_days", "5", None, False),
    ("date", "{{ 'tomorrow' }}", "in_next_days", "1", None, True),
    ("date", "{{ 'today' }}", "in_next_days", "0", None, True),
    ("date", "day", "in_next_days", "5", None, False),
    ("date", "day", "is_weekend", None, None, True),
    ("date", "moment", "is_weekend", None, None, False),
    ("date", "locked_day", "in_locked_period", None, None, True),
    ("date", "day", "in_locked_period", None, None, False),
    ("date", "day", "same_month", "2026-11-01", None, True),
    ("date", "day", "same_month", "2025-11-21", None, False),
    ("yes_no", "is_public", "is_true", None, None, True),
    ("yes_no", "is_public_text", "is_true", None, None, False),
    ("yes_no", "is_public_text", "is_false", None, None, True),
    ("yes_no", "is_public", "is_false", None, None, False),
    ("list", "tags", "contains", "oak", None, True),
    ("list", "tags", "contains", "5.0", None, True),
    ("list", "tags", "contains", "oa", None, False),
    ("list", "tags", "not_contains", "pine", None, True),
    ("list", "tags", "not_contains", "table", None, False),
    ("list", "tags", "any_equals", "TABLE", None, True),
    ("list", "tags", "any_equals", "pine", None, False),
    ("list", "{{ ['a', 'A'] }}", "all_equal", "a", None, True),
    ("list", "tags", "all_equal", "oak", None, False),
    ("list", "none", "all_equal", "oak", None, False),
    ("list", "none", "none_equals", "oak", None, True),
    ("list", "tags", "none_equals", "oak", None, False),
    ("list", "tags", "any_contains", "abl", None, True),
    ("list", "tags", "any_contains", "xyz", None, False),
    ("list", "{{ ['oak', 'oaken'] }}", "all_contain", "oak", None, True),
    ("list", "tags", "all_contain", "a", None, False),
    ("list", "tags", "none_contains", "xyz", None, True),
    ("list", "tags", "none_contains", "oa", None, False),
    ("list", "none", "is_empty", None, None, True),
    ("list", "description", "is_empty", None, None, True),
    ("list", "tags", "is_empty", None, None, False),
    ("list", "lines", "is_not_empty", None, None, True),
    ("list", "none", "is_not_empty", None, None, False),
    ("list", "tags", "length_equals", "4", None, True),
    ("list", "tags", "length_equals", "3", None, False),
    ("list", "tags", "length_above", "3", None, True),
    ("list", "tags", "length_above", "4", None, False),
    ("list", "tags", "length_at_least", "4", None, True),
    ("list", "tags", "length_at_least", "5", None, False),
    ("list", "tags", "length_below", "5", None, True),
    ("list", "tags", "length_below", "4", None, False),
    ("list", "tags", "length_at_most", "4", None, True),
    ("list", "tags", "length_at_most", "3", None, False),
    ("existence", "title", "exists", None, None, True),
    ("existence", "description", "exists", None, None, True),
    ("existence", "nothing.at.all", "exists", None, None, False),
    ("existence", "nothing", "not_exists", None, None, True),
    ("existence", "title", "not_exists", None, None, False),
    ("existence", "nothing", "is_empty", None, None, True),
    ("existence", "empty", "is_empty", None, None, True),
    ("existence", "none", "is_empty", None, None, True),
    ("existence", "{{ 0 }}", "is_empty", None, None, False),
    ("existence", "price", "is_not_empty", None, None, True),
    ("existence", "description", "is_not_empty", None, None, False),
    ("existence", "description", "is_null", None, None, True),
    ("existence", "nothing", "is_null", None, None, False),
    ("existence", "empty", "is_null", None, None, False),
    ("existence", "price", "was_changed", "{{ steps.invoice.Total }}", None, True),
    ("existence", "price", "was_changed", "{{ trigger.old_price }}", None, False),
    ("existence", "price", "was_changed", "{{ trigger.nothing }}", None, True),
    ("existence", "nothing", "was_changed", "{{ trigger.nothing }}", None, False),
    ("existence", "lines", "was_changed", "{{ trigger.lines }}", None, False),
    ("text", "title", "is_not_email", None, None, True),
    ("text", "email", "is_not_email", None, None, False),
    ("text", "title", "length_not_equals", "10", None, True),
    ("text", "title", "length_not_equals", "11", None, False),
    ("list", "tags", "length_not_equals", "3", None, True),
    ("list", "tags", "length_not_equals", "4", None, False),
    ("date", "day", "not_on", "2026-11-22", None, True),
    ("date", "moment", "not_on", "today", None, False),
    ("date", "day", "not_between", "2026-11-22", "2026-12-31", True),
    ("date", "day", "not_between", "2026-11-21", "2026-11-21", False),
    ("date", "moment", "earlier", "2026-11-22T12:30:01Z", None, True),
    ("date", "moment", "earlier", "2026-11-23T01:30:00", None, False),
    ("date", "moment", "earlier", "2026-11-23T01:30:01", None, True),
    ("date", "moment", "later", "2026-11-23", None, True),
    ("date", "moment", "later", "2026-11-22T13:30:00+01:00", None, False),
    ("date", "moment", "is_working_day", None, None, True),
    ("date", "day", "is_working_day", None, None, False),
    ("date", "day", "not_in_locked_period", None, None, True),
    ("date", "locked_day", "not_in_locked_period", None, None, False),
    ("date", "day", "not_same_month", "2025-11-21", None, True),
    ("date", "day", "not_same_month", "2026-11-01", None, False),
    ("items", "rows", "any_equals", "account.code", "sales", True),
    ("items", "rows", "any_equals", "sku", "oak", False),
    ("items", "rows", "all_equals", "unit", "PIECE", True),
    ("items", "none", "all_equals", "unit", "piece", False),
    ("items", "rows", "none_equals", "sku", "oak", True),
    ("items", "rows", "none_equals", "amount", "100", False),
    ("items", "rows", "any_contains", "sku", "ash", True),
    ("items", "rows", "any_contains", "sku", "elm", False),
    ("items", "rows", "all_contains", "unit", "ie", True),
    ("items", "rows", "all_contains", "sku", "oak", False),
    ("items", "rows", "none_contains", "sku", "elm", True),
    ("items", "rows", "none_contains", "nothing", "x", True),
    ("items", "rows", "none_contains", "sku", "ASH", False),
    ("items", "rows", "any_above", "amount", "99.99", True),
    ("items", "rows", "any_above", "amount", "100", False),
    ("items", "rows", "all_above", "amount", "99", True),
    ("items", "rows", "all_above", "amount", "99.90", False),
    ("items", "rows", "none_above", "amount", "100", True),
    ("items", "rows", "none_above", "amount", "99.99", False),
    ("items", "rows", "any_at_least", "amount", "100.00", True),
    ("items", "rows", "any_at_least", "amount", "100.01", False),
    ("items", "rows", "all_at_least", "amount", "99.9", True),
    ("items", "rows", "all_at_least", "missing", "0", False),
    ("items", "rows", "none_at_least", "amount", "100.01", True),
    ("items", "numbers", "none_at_least", "", "2.5", False),
    ("items", "rows", "any_below", "amount", "100", True),
    ("items", "rows", "any_below", "amount", "99.90", False),
    ("items", "rows", "all_below", "amount", "101", True),
    ("items", "rows", "all_below", "amount", "100", False),
    ("items", "rows", "none_below", "amount", "99.90", True),
    ("items", "rows", "none_below", "amount", "100", False),
    ("items", "rows", "any_at_most", "amount", "99.90", True),
    ("items", "rows", "any_at_most", "amount", "99.89", False),
    ("items", "rows", "all_at_most", "amount", "100", True),
    ("items", "rows", "all_at_most", "amount", "99.99", False),
    ("items", "rows", "none_at_most", "amount", "99.89", True),
    ("items", "rows", "none_at_most", "amount", "99.90", False),
    ("existence", "price", "was_not_changed", "{{ trigger.old_price }}", None, True),
    ("existence", "price", "was_not_changed", "{{ steps.invoice.Total }}", None, False),
    ("lookup", "title", "in_table", "Seasons", None, True),
    ("lookup", "board.name", "in_table", "Seasons", None, False),
    ("lookup", "description", "in_table", "Seasons", None, False),
    ("lookup", "board.name", "not_in_table", "Seasons", None, True),
    ("lookup", "title", "not_in_table", "{{ 'Seasons' }}", None, False),
]


@pytest.mark.parametrize(("type_", "left", "operator", "right", "until", "expected"), CASES)
def test_the_operator_answers(type_: str, left: str, operator: str, right: Any, until: Any, expected: bool) -> None:
    assert passes(comparison(type_, left, operator, right, until)) is expected


def test_every_operator_is_tested_both_ways_and_says_what_it_is() -> None:
    declared = {(type_, key) for type_, operators in OPERATORS.items() for key in operators}
    for expected in (True, False):
        assert {(case[0], case[2]) for case in CASES if case[5] is expected} == declared
    for type_, operators in OPERATORS.items():
        assert TYPE_LABELS[type_]
        for key, operator in operators.items():
            assert operator.key == key
            assert operator.label
            assert operator.summary.endswith(".")
            assert ("{right}" in operator.english, "{until}" in operator.english) == (
                operator.operands > 0,
                operator.operands > 1,
            )


@pytest.mark.parametrize(
    ("operator", "right"),
    [("equals", "summer sale"), ("contains", "sum"), ("starts_with", "s"), ("ends_with", "E"), ("is_in", "summer sale"),
     ("matches", "^s")],
)  # fmt: skip
def test_case_matters_only_when_asked(operator: str, right: str) -> None:
    assert passes(comparison("text", "title", operator, right, case_sensitive=False))
    assert not passes(comparison("text", "title", operator, right, case_sensitive=True))


def test_case_matters_in_lists_only_when_asked() -> None:
    assert passes(comparison("list", "tags", "contains", "oak"))
    assert not passes(comparison("list", "tags", "contains", "oak", case_sensitive=True))


@pytest.mark.parametrize("address", ["a@b.co", "first.last+tag@sub.example.org", "é@example.com"])
def test_e_mail_addresses(address: str) -> None:
    assert evaluate(comparison("text", "{{ trigger.x }}", "is_email"), {"trigger": {"x": address}}).passed


@pytest.mark.parametrize(
    "text", ["", "a@b", "a b@c.de", "@b.co", "a@@b.co", "a@b..co", "a@b.co.", "<a@b.co>", "a@b.co" * 60]
)
def test_what_is_no_e_mail_address(text: str) -> None:
    assert not evaluate(comparison("text", "{{ trigger.x }}", "is_email"), {"trigger": {"x": text}}).passed


def test_without_lock_dates_nothing_is_locked() -> None:
    assert not evaluate(comparison("date", "locked_day", "in_locked_period"), DATA).passed


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*a){20}", "(x*)*y", "^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_no_pattern_stalls(pattern: str) -> None:
    started = time.process_time()
    tree = comparison("text", "x", "matches", pattern, case_sensitive=True)
    evaluate(tree, {"trigger": {"x": "a" * 50_000 + "!"}})
    assert time.process_time() - started < 1
