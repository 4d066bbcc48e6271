"""The proof's verdict: it fails where anything went wrong, and where nothing was put to the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.prove import shortcomings
from bench.stage import TEAM, Stage
from integrations.models import Team
from tests.base import Cast

PROVED = {
    "asked_for": 200,
    "runs": 200,
    "invoices": 200,
    "duplicates": 0,
    "lost": 0,
    "wrong_body": 0,
    "open_runs": 0,
    "needs_review": 0,
    "not_succeeded": 0,
    "writes_committed": 200,
    "faults": 30,
    "kills": 25,
    "whole_kills": 1,
}


def test_a_flawless_result_is_a_proof() -> None:
    assert shortcomings(PROVED) == []


@pytest.mark.parametrize("name", ["duplicates", "lost", "wrong_body", "open_runs", "needs_review", "not_succeeded"])
def test_anything_wrong_is_told(name: str) -> None:
    assert shortcomings({**PROVED, name: 1}) == [f"{name} is 1"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"runs": 0, "invoices": 0, "writes_committed": 0}, "200 pins were asked for, 0 put in, 0 written"),
        ({"writes_committed": 201}, "the ledger tells of 201 invoices, the books of 200"),
        ({"kills": 0}, "kills is 0, so nothing was proved"),
        ({"whole_kills": 0}, "whole_kills is 0, so nothing was proved"),
        ({"faults": 0}, "faults is 0, so nothing was proved"),
    ],
)
def test_what_was_not_put_to_the_test_is_no_proof(changed: dict[str, Any], told: str) -> None:
    assert shortcomings({**PROVED, **changed}) == [told]


def test_a_few_runs_may_end_before_the_first_kill() -> None:
    few = {"asked_for": 30, "runs": 30, "invoices": 30, "writes_committed": 30}
    assert shortcomings({**PROVED, **few, "kills": 0, "whole_kills": 0, "faults": 0}) == []


def test_a_database_that_holds_people_is_not_emptied_for_a_proof(cast: Cast, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="holds teams or people"):
        Stage(tmp_path, time_scale=1)._make_database()
    assert Team.objects.filter(pk=cast.team.pk).exists()


@pytest.mark.django_db
def test_a_database_that_held_a_proof_takes_another(tmp_path: Path) -> None:
    Team.objects.create(name=TEAM)
    Stage(tmp_path, time_scale=1)._refuse_foreign_data()
