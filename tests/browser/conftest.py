"""Fixtures of the browser tests: the servers and a browser for all, a stage per file, a person per test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pinxero.development import chromium
from tests.browser.person import Person
from tests.browser.stage import Stage, running_stage

_MILLISECONDS = 30_000


@pytest.fixture(scope="package")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Pinxero and the sandbox, started once for all files: a start takes ten seconds of a processor."""
    with running_stage(tmp_path_factory.mktemp("stage"), has_worker=False) as stage:
        yield stage


@pytest.fixture(scope="module")
def stage_without_worker(servers: Stage) -> Stage:
    """For the tests of one file: nothing has happened yet, and nothing happens by itself."""
    servers.begin_anew()
    return servers


@pytest.fixture(scope="module")
def stage(stage_without_worker: Stage) -> Iterator[Stage]:
    """For the tests of one file: nothing has happened yet, and a worker is at work."""
    with stage_without_worker.worker():
        yield stage_without_worker


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """A Chromium for all files here: Playwright's loop must be gone before tests elsewhere use the database."""
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
        if not options.get("java_script_enabled", True):
            # Chromium sometimes begins a page before it has heard that it is to run no scripts.
            context.route("**/*.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
        people.append(Person(context, stage.url))
        return people[-1]

    yield arrive
    complaints = [said for person in people for said in person.complaints]
    for person in people:
        person.context.close()
    assert complaints == []
