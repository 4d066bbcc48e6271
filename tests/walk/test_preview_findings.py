"""What a preview says about a write: nothing stops one that the provider takes, and what it refuses is found before."""

from __future__ import annotations

import pytest

from integrations.framework import registry
from integrations.framework.base import Action
from tests.integrations.framework.test_registry import name_of
from tests.walk.recipes import has_provider, refused
from tests.walk.stage import Stage
from tests.walk.test_actions import begin, is_read
from tests.walk.test_previews import previewed
from workflows.models import PreviewStep
from workflows.preview.service import preview

WRITES = [each for each in registry.actions() if has_provider(each) and not is_read(each)]


@pytest.mark.parametrize("action", WRITES, ids=name_of)
def test_no_check_stops_a_write_that_the_provider_takes(action: Action, stage: Stage) -> None:
    run = begin(stage, action)

    found = previewed(stage, run).findings

    assert [each for each in found if each["level"] == "stops" or each["code"] == "not_checked"] == []


@pytest.mark.parametrize("action", [each for each in WRITES if refused(each).inputs], ids=name_of)
def test_what_the_provider_refuses_is_found_by_the_preview(action: Action, stage: Stage) -> None:
    """A check says so, or what is read beforehand fails the step."""
    run = begin(stage, action, **refused(action).inputs)

    preview(run.workflow, run.version.plan, run.event.data, by=stage.cast.builder)

    step = PreviewStep.objects.get()
    stopping = [each for each in step.findings if each["level"] == "stops"]
    assert stopping or (step.state, bool(step.error)) == ("failed", True), step.findings
    assert all(each["message"] and each["advice"] for each in stopping)
    stage.settle(run)
    assert run.status == "failed"
