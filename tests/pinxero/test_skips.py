"""What happens to tests that a machine cannot run."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

SOURCE = """
import pytest

@pytest.mark.browser
def test_that_needs_a_browser():
    pass
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A suite of one browser test, with the real hooks, on a machine without a Chromium."""
    hooks = (Path(__file__).resolve().parents[1] / "conftest.py").read_text()
    pytester.makeconftest(hooks)
    pytester.makepyfile(SOURCE)
    pytester.makeini("[pytest]\nmarkers =\n    browser: x\n    postgresql: x\n")
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    return pytester


def test_without_a_chromium_browser_tests_are_skipped_by_name(suite: pytest.Pytester) -> None:
    outcome = suite.runpytest_inprocess("-rs", "-p", "no:xdist")
    outcome.assert_outcomes(skipped=1)
    outcome.stdout.fnmatch_lines(
        ["SKIPPED*No Chromium found: install the package chromium, or set CHROMIUM to its path."]
    )


def test_where_browser_tests_must_run_a_skip_is_a_failure(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINXERO_MUST_RUN", "postgresql,browser")
    outcome = suite.runpytest_inprocess("-p", "no:xdist")
    outcome.assert_outcomes(errors=1)
    outcome.stdout.fnmatch_lines(["*test_that_needs_a_browser must run here and was skipped.*"])
