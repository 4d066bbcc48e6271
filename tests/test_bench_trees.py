"""What the proofs of trees and versions take for a proof, and that they ask for what they say."""

from __future__ import annotations

from typing import Any

import pytest

from bench.books import compare
from bench.cases.branches_and_loops import case as loops
from bench.cases.branches_and_loops import labels, split_up
from bench.cases.edits import case as edits
from bench.cases.edits import says

LOOPED = {
    "asked_for": 200,
    "turns": 200,
    "invoices": 100,
    "quotes": 80,
    "passed_over": 20,
    "duplicates": 0,
    "lost": 0,
    "invented": 0,
    "wrong_outputs": 0,
    "open_runs": 0,
    "needs_review": 0,
    "not_succeeded": 0,
    "writes_committed": 180,
    "faults": 20,
    "kills": 40,
    "whole_kills": 1,
}
EDITED = {
    "asked_for": 60,
    "runs": 60,
    "invoices": 60,
    "quotes": 60,
    "edits": 6,
    "overtaken": 40,
    "versions_run": 6,
    "duplicates": 0,
    "lost": 0,
    "invented": 0,
    "mixed": 0,
    "not_pinned": 0,
    "open_runs": 0,
    "needs_review": 0,
    "not_succeeded": 0,
}


@pytest.mark.parametrize("turns", [1, 9, 10, 11, 55, 3000])
def test_pins_come_to_as_many_turns_as_asked_for_and_no_two_are_called_alike(turns: int) -> None:
    counts = split_up(turns)
    every = [each for what, of_it in counts.items() for each in labels(what, of_it)]
    assert len(every) == len(set(every)) == turns


def test_every_fifth_item_of_an_offer_is_left_out_and_none_of_an_order() -> None:
    assert [each.endswith("left-out") for each in labels("offer", {10: 1})] == [False] * 4 + [True] + [False] * 4 + [
        True
    ]
    assert not any(each.endswith("left-out") for each in labels("order", {10: 3}))


def test_the_books_are_compared_by_what_each_paper_says() -> None:
    from collections import Counter

    found = Counter(["one", "two", "two", "stray"])
    assert compare(["one", "two", "three"], found) == {"duplicates": 1, "lost": 1, "invented": 1}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, []),
        ({"duplicates": 1}, ["duplicates is 1"]),
        ({"wrong_outputs": 1}, ["wrong_outputs is 1"]),
        ({"turns": 190}, ["200 turns were asked for, 190 were put in"]),
        ({"writes_committed": 181}, ["the ledger tells of 181 papers, the books of 180"]),
        ({"whole_kills": 0}, ["whole_kills is 0, so nothing was proved"]),
        ({"passed_over": 0}, ["passed_over is 0, so nothing was proved"]),
        ({"asked_for": 20, "turns": 20, "kills": 0, "whole_kills": 0, "faults": 0}, []),
    ],
)
def test_a_proof_of_loops_tells_what_went_wrong_and_what_was_not_tried(
    changed: dict[str, Any], told: list[str]
) -> None:
    assert loops.shortcomings({**LOOPED, **changed}) == told


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, []),
        ({"mixed": 1}, ["mixed is 1"]),
        ({"overtaken": 0}, ["overtaken is 0, so nothing was proved"]),
        ({"versions_run": 1}, ["all runs were of one version, so nothing was proved"]),
        ({"quotes": 61}, ["60 pins were asked for, 60 runs, 60 invoices and 61 quotes made"]),
    ],
)
def test_a_proof_of_edits_tells_what_went_wrong_and_what_was_not_tried(
    changed: dict[str, Any], told: list[str]
) -> None:
    assert edits.shortcomings({**EDITED, **changed}) == told


def test_their_controls_are_caught_by_what_they_break() -> None:
    assert loops.caught({**LOOPED, "duplicates": 2}, "no_intent") == "2 duplicates"
    assert loops.caught(LOOPED, "no_intent") == ""
    assert edits.caught({**EDITED, "mixed": 2}, "unpinned") == "2 runs of two versions"
    assert edits.caught(EDITED, "unpinned") == ""


def test_a_version_says_its_number_in_its_text_and_by_the_engine() -> None:
    assert says(7) == "Text 7 of version {{ workflow.version }}"
