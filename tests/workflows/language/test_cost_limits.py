"""Work is counted: what a value or a condition may cost is bounded by the size of its lists and by the clock."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest

from workflows.language import conditions, cost_limits
from workflows.language.mapping import MappingContext, MappingLimitError, evaluate
from workflows.language.values import ITEMS_LIMIT

LINES: list[dict[str, Any]] = [
    {"sku": f"SKU-{number}", "amount": Decimal(number), "note": "x" * 20} for number in range(ITEMS_LIMIT)
]
DATA = {"trigger": {"lines": LINES, "words": [f"word {number}" for number in range(190_000)]}}
PASS = ' | filter("note", "contains", "x")'


@pytest.fixture
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the steps count: on a busy machine the clock would come first."""
    monkeypatch.setattr(cost_limits, "EVALUATION_SECONDS", 600)


@pytest.mark.usefixtures("_unhurried")
def test_functions_over_a_long_list_are_charged_by_its_length() -> None:
    with pytest.raises(MappingLimitError, match="takes more than 20,000 steps"):
        evaluate("{{ trigger.lines" + PASS * 12 + " | count }}", DATA)


@pytest.mark.usefixtures("_unhurried")
def test_the_longest_list_goes_through_the_functions_that_a_document_needs() -> None:
    source = (
        '{{ trigger.lines | filter("amount", "at least", 1) | sort("amount", descending=true) | unique("sku") '
        '| pluck("amount") | take(3) | join(" + ") }}'
    )
    with pytest.raises(MappingLimitError, match="holds more than 20,000 values"):
        evaluate(source, DATA)
    shorter = {"trigger": {"lines": LINES[:4_000]}}
    assert evaluate(source, shorter) == "3999 + 3998 + 3997"


@pytest.mark.usefixtures("_unhurried")
def test_one_function_may_go_through_a_very_long_list() -> None:
    assert evaluate("{{ trigger.words | count }}", DATA) == 190_000


@pytest.mark.parametrize(
    "source",
    [
        '{{ trigger.words | filter("", "is one of", "a, b") | count }}',
        "{{ trigger.words | sort | count }}",
        '{{ trigger.words | pluck("x.y.z") | count }}',
    ],
)
def test_a_function_is_stopped_by_the_clock_while_it_goes_through_its_list(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cost_limits, "EVALUATION_SECONDS", 0.02)
    with pytest.raises(MappingLimitError, match=r"takes too long to work out: more than 0\.02 seconds for one value"):
        evaluate(source, DATA)


def test_the_time_of_a_step_holds_for_each_of_its_values() -> None:
    over = MappingContext(deadline=time.monotonic() - 1)
    with pytest.raises(MappingLimitError, match="or 20 for all values of the step"):
        evaluate("{{ 'a' | upper }}", {}, over)


def _of_lists(count: int, operator: str = "all_contain") -> dict[str, Any]:
    one = {"left": "{{ trigger.list }}", "type": "list", "operator": operator, "right": "word"}
    return {"group": "all", "items": [one] * count}


@pytest.mark.usefixtures("_unhurried")
def test_conditions_over_lists_are_charged_by_their_length_together() -> None:
    data = {"trigger": {"list": [f"word {number}" for number in range(19_000)]}}
    assert conditions.evaluate(_of_lists(5), data).passed is True
    with pytest.raises(conditions.ConditionError, match="takes more than 20,000 steps"):
        conditions.evaluate(_of_lists(100), data)


def test_a_tree_of_conditions_has_one_time_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost_limits, "EVALUATION_SECONDS", 0.02)
    data = {"trigger": {"list": [f"word {number}" for number in range(19_000)]}}
    with pytest.raises(conditions.ConditionError, match="takes too long to work out"):
        conditions.evaluate(_of_lists(9), data)
