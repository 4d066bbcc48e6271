"""What the proof of undos takes for a proof."""

from __future__ import annotations

from typing import Any

import pytest

from bench.cases.undo import case as undo

TAKEN_BACK = {
    "asked_for": 40,
    "documents": 70,
    "taken_back": 67,
    "left_alone": 3,
    "bystanders": 10,
    "doubled": 0,
    "lost": 0,
    "trampled": 0,
    "invented": 0,
    "misreported": 0,
    "open_runs": 0,
    "needs_review": 0,
    "not_succeeded": 0,
    "faults": 8,
    "kills": 30,
    "whole_kills": 1,
}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, []),
        ({"doubled": 1}, ["doubled is 1"]),
        ({"misreported": 2}, ["misreported is 2"]),
        (
            {"trampled": 1, "left_alone": 2},
            ["trampled is 1", "not every document is taken back or left alone"],
        ),
        ({"whole_kills": 0}, ["whole_kills is 0, so nothing was proved"]),
        ({"left_alone": 0, "taken_back": 70}, ["left_alone is 0, so nothing was proved"]),
        ({"asked_for": 8, "kills": 0, "whole_kills": 0, "faults": 0}, []),
    ],
)
def test_a_proof_of_undos_tells_what_went_wrong_and_what_was_not_tried(
    changed: dict[str, Any], told: list[str]
) -> None:
    assert undo.shortcomings({**TAKEN_BACK, **changed}) == told


def test_its_control_is_caught_by_what_it_tramples_on() -> None:
    assert undo.caught({**TAKEN_BACK, "trampled": 3}, "overwrites") == "3 changed documents taken back"
    assert undo.caught(TAKEN_BACK, "overwrites") == ""
