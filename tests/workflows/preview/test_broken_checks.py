"""A check that breaks hides nothing: the write is shown, with a warning that it is not known to be right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from integrations.framework.checks import CHECK_FAILED, Finding, warns
from integrations.models import Connection
from tests.base import Cast
from tests.workflows.planting import made, write
from tests.workflows.preview.test_walk import shown, step
from tests.workflows.scripted.connector import WriteThing
from workflows.preview.fitting import is_clean
from workflows.preview.limits import Limits

pytestmark = pytest.mark.django_db


@pytest.fixture
def build(cast: Cast, connection: Connection) -> Any:
    return lambda *specs, **more: made(cast, connection, *specs, **more)


def checking(monkeypatch: pytest.MonkeyPatch, checks: Any) -> None:
    monkeypatch.setattr(WriteThing, "checks", lambda self, facts, inputs, found: checks(facts))


def test_checks_that_break_are_said_with_what_was_found_before(
    build: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(facts: Any) -> Iterator[Finding]:
        yield warns("odd", "name", "This is odd.")
        raise KeyError("secret-value")

    checking(monkeypatch, breaks)
    found = shown(build(write("a")))
    assert (found.status, found.stops, found.warns, found.unchecked) == ("done", 0, 2, 1)
    odd, broken = step(found, "a").findings
    assert odd["message"] == "This is odd."
    assert (broken["level"], broken["code"]) == ("warns", CHECK_FAILED)
    assert broken["message"] == (
        "Not checked: what would keep “Write thing” from being written. The check itself failed, so this is not known "
        "to be right."
    )
    assert not is_clean(found)
    assert "The checks of scripted.write_thing failed." in caplog.text
    assert step(found, "a").request is not None


def test_one_question_that_breaks_is_named(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    checking(monkeypatch, lambda facts: facts.tried("whether the account is active", lambda: iter([1 / 0])))
    found = shown(build(write("a")))
    assert found.unchecked == 1
    assert step(found, "a").findings[0]["message"].startswith("Not checked: whether the account is active. The check")
    assert not is_clean(found)


def test_a_preview_whose_checks_all_work_is_clean(build: Any) -> None:
    found = shown(build(write("a")))
    assert (found.unchecked, is_clean(found)) == (0, True)


def test_a_check_that_the_time_ends_is_no_broken_one(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(facts: Any) -> Iterator[Finding]:
        facts.api.before_call.__self__.walk.began -= 60
        yield from facts.tried("whether it fits", lambda: facts.ask("it", lambda api: api.before_call()))

    checking(monkeypatch, slow)
    found = shown(build(write("a"), write("b")), limits=Limits(seconds=20))
    assert (found.status, found.unchecked) == ("unfinished", 0)
    assert found.message.startswith("The preview ended after 20 seconds")
