"""A preview of every operation: it writes nothing, and shows the very bytes that a run then sends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integrations.framework import registry
from integrations.framework.base import Action
from integrations.sandbox.exchange.fault_dial import WRITES
from tests.integrations.framework.test_registry import name_of, paths
from tests.walk.recipes import has_provider
from tests.walk.stage import Stage, step_of
from tests.walk.test_actions import begin, is_read
from workflows.models import Event, Preview, PreviewStep, Run, StepRun
from workflows.preview.service import preview

pytestmark = pytest.mark.parametrize("action", list(filter(has_provider, registry.actions())), ids=name_of)


def previewed(stage: Stage, run: Run) -> PreviewStep:
    """The one step of a preview of what the run does."""
    made = preview(run.workflow, run.version.plan, run.event.data, by=stage.cast.builder)
    assert (made.status, made.message) == ("done", "")
    return made.steps.get()


def unmarked(request: dict[str, Any], marker: str) -> dict[str, Any]:
    """The request without its marker; the back link ends in it."""
    return json.loads(json.dumps(request, default=str).replace(marker, "MARKER"))


def writes(stage: Stage, since: int) -> list[str]:
    """Every write that reached the sandbox, whatever became of it, but for what was asked of its token endpoints."""
    rows = stage.sandbox.ledger(after=since)
    return [row["path"] for row in rows if row["method"] in WRITES and not row["path"].endswith("/token")]


def test_a_preview_sends_no_write_and_stores_no_run(action: Action, stage: Stage) -> None:
    run = begin(stage, action)
    mark, runs = stage.mark(), Run.objects.count()
    step = previewed(stage, run)
    assert writes(stage, mark) == []
    assert (Run.objects.count(), StepRun.objects.count(), Event.objects.count()) == (runs, 0, 1)
    assert step.state == ("succeeded" if is_read(action) else "written")
    assert set(paths(action.sample)) - set(paths(step.output)) == set()
    assert Preview.objects.get().writes == (0 if is_read(action) else 1)


def test_its_bytes_are_those_of_the_run_that_follows(action: Action, stage: Stage) -> None:
    run = begin(stage, action)
    shown = previewed(stage, run)
    stage.settle(run)
    sent = step_of(run)
    assert run.status == "succeeded", run.error
    if is_read(action):
        assert shown.output == sent.output
        return
    assert shown.marker.startswith("PX-")
    assert shown.marker != sent.marker
    assert unmarked(shown.request, shown.marker) == unmarked(sent.request, sent.marker)
    assert (shown.outcome or {}).get("document") == (sent.outcome or {}).get("document")
