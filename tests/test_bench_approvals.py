"""What the proof of approvals takes for a proof."""

from __future__ import annotations

from typing import Any

import pytest

from bench.cases.approvals import case as approvals

HELD = {
    "asked_for": 40,
    "approved": 23,
    "written": 23,
    "refused": 13,
    "void": 9,
    "cancelled": 4,
    "unapproved": 0,
    "doubled": 0,
    "lost": 0,
    "otherwise": 0,
    "quotes": 40,
    "faults": 3,
    "open_runs": 0,
    "needs_review": 0,
    "forced": 0,
    "tried": 45,
    "kills": 42,
    "whole_kills": 1,
}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, []),
        ({"unapproved": 1}, ["unapproved is 1"]),
        ({"lost": 1}, ["lost is 1"]),
        ({"otherwise": 2}, ["otherwise is 2"]),
        ({"forced": 1}, ["forced is 1"]),
        ({"quotes": 39}, ["39 quotes are written, which need nobody, of 40"]),
        ({"void": 0}, ["void is 0, so nothing was proved"]),
        ({"asked_for": 8, "quotes": 8, "kills": 0, "whole_kills": 0, "faults": 0}, []),
    ],
)
def test_a_proof_of_approvals_tells_what_went_wrong_and_what_was_not_tried(
    changed: dict[str, Any], told: list[str]
) -> None:
    assert approvals.shortcomings({**HELD, **changed}) == told


def test_its_control_is_caught_by_what_nobody_approved() -> None:
    assert approvals.caught({**HELD, "unapproved": 3}, "no_gate") == "3 invoices without an approval"
    assert approvals.caught(HELD, "no_gate") == ""
