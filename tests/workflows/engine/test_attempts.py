"""A step's attempts: what it was told in vain again and again is one line, and nothing else is left out."""

from __future__ import annotations

import pytest

from integrations.core.errors import Hold, TemporaryError
from integrations.transport.http import Response
from tests.workflows.conftest import Make, drain, settle, start, the_run, the_write
from tests.workflows.scripted.connector import Provider
from workflows.engine.step_support import attempt
from workflows.models import Run, StepRun

FULL, BUSY = "The limit of 60 calls a minute is reached.", "5 calls are under way at once."


@pytest.fixture(autouse=True)
def database(db: None) -> None:
    """Attempts are dated by the database's clock."""


def told(step_run: StepRun) -> list[tuple[str, str, str, int]]:
    return [
        (line["what"], line["outcome"], line.get("message", ""), line.get("times", 1)) for line in step_run.attempts
    ]


def test_what_was_told_in_vain_is_told_once_with_how_often() -> None:
    step_run = StepRun()
    for message in (FULL, BUSY, FULL, FULL, BUSY):
        attempt(step_run, "send", "not now", message=message)
    assert told(step_run) == [("send", "not now", FULL, 3), ("send", "not now", BUSY, 2)]
    assert [line["at"] for line in step_run.attempts] == sorted(line["at"] for line in step_run.attempts)


def test_what_was_sent_or_answered_keeps_a_line_of_its_own() -> None:
    step_run = StepRun()
    refusal = Response(429, {}, b"", took=5)
    for _ in range(2):
        attempt(step_run, "send", "not now", message=FULL)
        attempt(step_run, "send", "not now", response=refusal, message=FULL)
        attempt(step_run, "send", "unknown", message="No answer came.")
        attempt(step_run, "look up", "not now", message=FULL)
    assert len(step_run.attempts) == 8
    assert [line.get("times") for line in step_run.attempts] == [None] * 8


def test_a_run_that_waits_long_for_room_does_not_grow(provider: Provider, make_workflow: Make) -> None:
    provider.script += [TemporaryError(FULL, hold=Hold.BUDGET, retry_after=1)] * 12
    start(provider, make_workflow)
    drain()
    for _ in range(12):
        settle()
    assert the_run().status == Run.Status.SUCCEEDED
    assert told(the_write()) == [("send", "not now", FULL, 12), ("send", "done", "", 1)]


def test_a_write_that_was_refused_its_token_says_so_at_its_next_send(provider: Provider, make_workflow: Make) -> None:
    """Without that a write without a key would be refused and its token be renewed again and again."""
    for _ in range(2):
        refused = TemporaryError("It did not take the access token; it was renewed.", retry_after=0)
        refused.response = Response(401, {}, b"", took=5)
        provider.script.append(refused)
    start(provider, make_workflow)
    drain()
    for _ in range(4):
        settle()
    assert the_run().status == Run.Status.SUCCEEDED
    assert provider.had_401 == [False, True, True]
    assert len(provider.books) == 1
