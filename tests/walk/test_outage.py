"""Xero is down, over real HTTP: runs wait, nobody hammers it, and everything is written once when it is back."""

from __future__ import annotations

import time

import pytest

from integrations.framework import registry
from integrations.models import CallBudget
from tests.integrations.examples import example
from tests.walk.stage import Stage
from workflows.engine.execute import execute
from workflows.engine.lease import claim
from workflows.models import Notice, Run
from workflows.worker import monitors, sweeper

_LONGEST_SECONDS = 30.0


def work_until(reason_or_status: str, run: Run) -> Run:
    """The worker's turns and the sweeper's, until the run is there."""
    ends = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < ends:
        sweeper.sweep()
        if (claimed := claim()) is not None:
            execute(*claimed)
        run.refresh_from_db()
        if reason_or_status in (run.wait_reason, run.status):
            return run
        time.sleep(0.01)
    raise AssertionError(f"{run.status} {run.wait_reason}: {run.error}")


@pytest.mark.parametrize("key", ["xero.create_contact", "xero.list_accounts"])
def test_an_outage_of_xero_is_waited_out(stage: Stage, key: str) -> None:
    action = registry.action(key)
    run = stage.start(action, example(action, stage.api(action), stage.sandbox))
    stage.sandbox.faults(p_html_503=1.0, only_provider="xero")
    mark = stage.mark()
    work_until("down", run)
    assert run.waits_for == stage.connections["xero"]
    assert run.error.startswith("Xero has not answered since ")
    assert monitors.watch() >= 1
    assert Notice.objects.get(kind="down").title.endswith("Xero does not answer")
    asked = len(stage.sandbox.ledger(after=mark))
    assert asked >= 5
    CallBudget.objects.filter(connection=stage.connections["xero"]).update(probe_at="2100-01-01T00:00:00Z")
    for _ in range(20):
        sweeper.sweep()
        assert claim() is None, "until the next try is due nothing wakes"
    assert len(stage.sandbox.ledger(after=mark)) == asked
    stage.sandbox.faults(p_html_503=0.0)
    CallBudget.objects.filter(connection=stage.connections["xero"]).update(probe_at="2020-01-01T00:00:00Z")
    work_until("succeeded", run)
    assert len(stage.written(mark)) == (1 if key == "xero.create_contact" else 0)
    assert CallBudget.objects.get(connection=stage.connections["xero"]).down_since is None
    monitors.watch()
    assert Notice.objects.get(kind="down").ended_at is not None
