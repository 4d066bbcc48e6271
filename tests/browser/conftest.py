"""Fixtures of the browser tests: a stage and a browser per file, a person per test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pinxero.development import chromium
from tests.browser.person import Person
from tests.browser.stage import Stage, running_stage

_MILLISECONDS = 30_000


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Pinxero, its worker and the sandbox, for the tests of one file."""
    with running_stage(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium for the tests of one file: Playwright's loop must be gone before other tests use the database."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find_chromium(), args=chromium.ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def person_at(stage: Stage, browser: Any) -> Iterator[Callable[..., Person]]:
    """Somebody new at a browser; whatever the browser complains of fails the test."""
    people: list[Person] = []

    def arrive(**options: Any) -> Person:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        context.set_default_timeout(_MILLISECONDS)
        people.append(Person(context, stage.url))
        return people[-1]

    yield arrive
    complaints = [said for person in people for said in person.complaints]
    for person in people:
        person.context.close()
    assert complaints == []
