"""A write whose answer is lost, and time until it is looked up: for tests of what somebody does meanwhile."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from integrations.core.clock import seconds
from integrations.framework import registry
from integrations.framework.base import Action, Item
from integrations.sandbox.exchange.fault_dial import WRITES
from tests.integrations.examples import example
from tests.walk.stage import Stage
from workflows.models import Run, StepRun
from workflows.publishing import activation
from workflows.triggers import intake, polling

#: Slow enough for the provider's window of a repeated key to be open while a test acts.
SLOW, FAST = 5.0, 5000
#: The answer is lost, but the write was done; or it never got there.
LOST, NEVER = "reset_after", "reset_before"
either = pytest.mark.parametrize("fault", [LOST, NEVER], ids=["it was written", "it never arrived"])


def begin(stage: Stage, key: str, **changes: Any) -> tuple[Action, Any, Run]:
    action = registry.action(key)
    inputs = example(action, stage.api(action), stage.sandbox)
    if changes:
        inputs = replace(inputs, **changes)
    return action, inputs, stage.start(action, inputs)


def lose(stage: Stage, action: Action, run: Run, fault: str) -> None:
    """Its send gets no answer."""
    stage.sandbox.faults(next=[fault], methods=list(WRITES), only_provider=action.connector.key)
    stage.advance(run)
    assert (run.status, run.wait_reason) == ("waiting", "uncertain"), run.error


def pair(stage: Stage, settings: Any, action: Action, inputs: Any = None) -> tuple[Run, Run, Any]:
    """Two queued runs of one workflow with the same inputs."""
    inputs = inputs or example(action, stage.api(action), stage.sandbox)
    first = stage.start(action, inputs)
    activation.poll_now(first.workflow, by=stage.cast.builder)
    while (state := polling.claim()) is None:
        time.sleep(0.01)  # the lease of the first look has not ended yet
    assert intake.accept(state, [Item("2", dict(registry.trigger("pinterest.new_board").sample))]) == 1
    settings.TIME_SCALE = SLOW
    return first, Run.objects.exclude(pk=first.pk).get(workflow=first.workflow), inputs


def finish(stage: Stage, settings: Any, *runs: Run) -> None:
    """All of their waits go by."""
    settings.TIME_SCALE = FAST
    for run in runs:
        wake(run)  # it may have begun to wait on the slow clock
        stage.settle(run)


def pass_time(run: Run, real: float) -> None:
    """So many of the provider's seconds go by."""
    gone = seconds(real)
    for step in StepRun.objects.filter(run=run):
        for name in ("first_sent_at", "last_sent_at", "looked_up_at"):
            moment: datetime | None = getattr(step, name)
            setattr(step, name, moment and moment - gone)
        step.save()
    wake(run)


def wake(run: Run) -> None:
    Run.objects.filter(pk=run.pk, status="waiting", wake_at__isnull=False).update(
        wake_at=datetime.fromisoformat("2020-01-01T00:00:00Z")
    )


def within_the_window(stage: Stage, run: Run) -> None:
    """The key's window is still open when it goes on."""
    pass_time(run, 40)
    stage.advance(run)


def after_the_window(stage: Stage, run: Run) -> None:
    """The key's window is over when it goes on, and all look-ups are made."""
    pass_time(run, 400)
    stage.settle(run)
