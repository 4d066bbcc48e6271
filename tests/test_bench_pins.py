"""What the proofs in which pins become invoices take for a proof, and how their controls are seen."""

from __future__ import annotations

from typing import Any

import pytest

from bench import cases
from bench.cases._pins import MUST_BE_NONE, PinsCase

FLAWLESS = {
    "asked_for": 60,
    "runs": 60,
    "invoices": 60,
    "writes_committed": 60,
    **dict.fromkeys(MUST_BE_NONE, 0),
}
NAMES = [name for name in cases.names() if isinstance(cases.get(name), PinsCase)]
#: Figures beside those that all of them have, as a proof gives them where all went well.
ALSO: dict[str, dict[str, Any]] = {
    "day-limit": {"day_limit": 21, "most_in_a_day": 21},
    "outage": {"minutes_down": 28.5},
}


def _case(name: str) -> PinsCase:
    case = cases.get(name)
    assert isinstance(case, PinsCase)
    return case


def _result(name: str, **changed: Any) -> dict[str, Any]:
    return {**FLAWLESS, **dict.fromkeys(_case(name).must_be_some, 3), **ALSO.get(name, {}), **changed}


@pytest.mark.parametrize("name", NAMES)
def test_a_flawless_result_is_a_proof_and_no_control(name: str) -> None:
    case = _case(name)
    assert case.must_be_some
    assert case.shortcomings(_result(name)) == []
    assert [case.caught(_result(name), control) for control in case.controls] == [""] * len(case.controls)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", MUST_BE_NONE)
def test_anything_wrong_is_told(name: str, wrong: str) -> None:
    assert _case(name).shortcomings(_result(name, **{wrong: 2})) == [f"{wrong} is 2"]


@pytest.mark.parametrize("name", NAMES)
def test_what_was_not_put_to_the_test_is_no_proof(name: str) -> None:
    case = _case(name)
    for figure in case.must_be_some:
        assert case.shortcomings(_result(name, **{figure: 0})) == [f"{figure} is 0, so nothing was proved"]
    assert case.shortcomings(_result(name, runs=59)) == ["60 pins were asked for, 59 put in, 60 written"]
    told = case.shortcomings(_result(name, writes_committed=61))
    assert told == ["the ledger tells of 61 invoices, the books of 60"]


@pytest.mark.parametrize(
    ("name", "control", "shown"),
    [
        ("revoked", "no_wake", {"open_runs": 7}),
        ("frozen", "no_intent", {"duplicates": 7}),
        ("outage", "no_breaker", {"probes": 70}),
        ("day-limit", "no_count", {"most_in_a_day": 60}),
        ("restarts", "no_intent", {"duplicates": 7}),
        ("queue", "no_sweeper", {"lost": 7}),
        ("queue", "no_sweeper", {"open_runs": 7}),
    ],
)
def test_a_control_is_caught_by_the_figure_that_it_breaks(name: str, control: str, shown: dict[str, int]) -> None:
    told = _case(name).caught(_result(name, **shown), control)
    assert str(next(iter(shown.values()))) in told


def test_a_provider_that_is_down_may_be_called_once_a_minute() -> None:
    assert _case("outage").shortcomings(_result("outage", probes=29)) == []
    told = _case("outage").shortcomings(_result("outage", probes=30))
    assert told == ["30 calls were made in 28.5 minutes of being down"]


def test_a_day_may_have_no_more_calls_than_are_allowed() -> None:
    told = _case("day-limit").shortcomings(_result("day-limit", most_in_a_day=22))
    assert told == ["22 calls were made on a day for which 21 are allowed"]
