"""The proof's verdict: it fails where anything went wrong, and where nothing was put to the test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import cases
from bench.cases.kills import case as kills
from bench.cases.webhooks import case as webhooks
from bench.prove import read_options, verdict
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
    assert kills.shortcomings(PROVED) == []


@pytest.mark.parametrize("name", ["duplicates", "lost", "wrong_body", "open_runs", "needs_review", "not_succeeded"])
def test_anything_wrong_is_told(name: str) -> None:
    assert kills.shortcomings({**PROVED, name: 1}) == [f"{name} is 1"]


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
    assert kills.shortcomings({**PROVED, **changed}) == [told]


def test_a_few_runs_may_end_before_the_first_kill() -> None:
    few = {"asked_for": 30, "runs": 30, "invoices": 30, "writes_committed": 30}
    assert kills.shortcomings({**PROVED, **few, "kills": 0, "whole_kills": 0, "faults": 0}) == []


def test_a_database_that_holds_people_is_not_emptied_for_a_proof(cast: Cast, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="holds teams or people"):
        Stage(tmp_path, time_scale=1, build=kills.build)._make_database()
    assert Team.objects.filter(pk=cast.team.pk).exists()


@pytest.mark.django_db
def test_a_database_that_held_a_proof_takes_another(tmp_path: Path) -> None:
    Team.objects.create(name=TEAM)
    Stage(tmp_path, time_scale=1, build=kills.build)._refuse_foreign_data()


@pytest.mark.parametrize("name", cases.names())
def test_every_case_can_be_played_and_says_what_it_proves_and_how_it_is_seen_to_fail(name: str) -> None:
    case, options = read_options(["--case", name])
    assert (sys.modules[type(case).__module__].__doc__ or "").strip()
    assert case.controls
    assert (options.case, options.size, options.control) == (name, case.size, "")


def test_a_proof_without_a_case_is_the_one_with_kills() -> None:
    case, options = read_options(["--runs", "7", "--control", "no_intent", "--rough"])
    assert (case, options.size, options.control, options.rough) == (kills, 7, "no_intent", True)


@pytest.mark.parametrize("words", [["--case", "nothing"], ["--control", "nothing"], ["--size", "0"]])
def test_what_makes_no_sense_is_refused_before_anything_starts(words: list[str]) -> None:
    with pytest.raises(SystemExit):
        read_options(words)


def test_a_control_must_be_seen_to_fail(capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict(kills, {**PROVED, "duplicates": 3}, "no_intent") == 0
    assert capsys.readouterr().err == "The control no_intent was caught: 3 duplicates.\n"
    assert verdict(kills, PROVED, "no_intent") == 1
    assert "was not caught" in capsys.readouterr().err
    assert verdict(kills, PROVED, "") == 0


HEARD = {
    "asked_for": 400,
    "made": 400,
    "quotes": 400,
    "lost": 0,
    "twice": 0,
    "invented": 0,
    "forged": 8,
    "forged_accepted": 0,
    "with_cookies": 0,
    "with_bodies": 0,
    "not_taken": 0,
    "open_runs": 0,
    "not_succeeded": 0,
    "duplicates": 40,
    "out_of_order": 100,
    "slowest_ms": 1200.5,
}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, []),
        ({"slowest_ms": 5000.0}, ["the slowest answer took 5000.0 ms, and Xero waits for 5000"]),
        ({"forged_accepted": 1}, ["forged_accepted is 1"]),
        ({"forged": 0}, ["forged is 0, so nothing was proved"]),
        ({"asked_for": 40, "made": 40, "quotes": 40, "forged": 0, "out_of_order": 0}, []),
        (
            {"quotes": 401, "twice": 1},
            ["twice is 1", "400 notices were asked for, 400 things made and told of, 401 quotes written"],
        ),
    ],
)
def test_a_proof_of_webhooks_tells_what_went_wrong_and_what_was_not_tried(
    changed: dict[str, Any], told: list[str]
) -> None:
    assert webhooks.shortcomings({**HEARD, **changed}) == told


@pytest.mark.parametrize(
    ("control", "shown"), [("no_signature", "forged_accepted"), ("no_bell", "lost"), ("no_memory", "invented")]
)
def test_each_control_of_the_webhooks_is_caught_by_its_own_figure(control: str, shown: str) -> None:
    assert webhooks.caught({**HEARD, shown: 3}, control).startswith("3 ")
    assert webhooks.caught(HEARD, control) == ""


def test_a_control_runs_pinxeros_processes_with_settings_that_break_it() -> None:
    case, options = read_options(["--case", "webhooks", "--control", "no_bell"])
    told = case.environment(options)
    assert told["DJANGO_SETTINGS_MODULE"] == "bench.breaking"
    assert told["PINXERO_PROVE_BREAKS"] == "webhooks:no_bell"


@pytest.mark.parametrize("name", cases.names())
def test_a_proof_can_be_started_from_a_bare_process(name: str) -> None:
    """What is imported at the top must not need Django, which is set up for each case."""
    root = Path(__file__).resolve().parents[1]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("DJANGO_")}
    command = [sys.executable, "bench/prove.py", "--case", name, "--help"]
    told = subprocess.run(command, cwd=root, env=clean, capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr
    assert f"\n{name}: " in told.stdout
