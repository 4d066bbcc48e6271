"""Every trigger through a published workflow against the sandbox: what it starts, and what stops or delays it."""

from __future__ import annotations

from html import escape

import pytest

from integrations.framework import registry
from integrations.framework.base import Trigger
from integrations.models import Connection
from tests.integrations.framework.test_registry import name_of, paths
from tests.walk.recipes import REFUSED_FOR_NO_REASON, Noticed, has_provider, noticed
from tests.walk.stage import Stage, step_of
from workflows.models import Run, Workflow

pytestmark = pytest.mark.parametrize("trigger", list(filter(has_provider, registry.triggers())), ids=name_of)


def listening(stage: Stage, trigger: Trigger) -> tuple[Workflow, str]:
    """An active workflow past its baseline, and the id of what has come since."""
    recipe: Noticed = noticed(trigger)
    before = recipe.before(stage.sandbox)
    workflow = stage.listen(trigger, dict(recipe.inputs))
    return workflow, recipe.cause(stage.sandbox, before)


def insist_starts_one_run(stage: Stage, trigger: Trigger, workflow: Workflow, key: str) -> Run:
    """The item starts one run with its data, now and for ever."""
    stage.look(workflow)
    stage.look(workflow)
    assert stage.state(workflow).last_error == ""
    run = Run.objects.get(workflow=workflow)
    assert set(paths(trigger.sample)) - set(paths(run.event.data)) == set()
    assert key in run.event.key
    stage.settle(run)
    assert (run.status, run.error) == ("succeeded", "")
    return run


def test_what_it_notices_starts_one_run_with_its_data(trigger: Trigger, stage: Stage) -> None:
    workflow, key = listening(stage, trigger)
    run = insist_starts_one_run(stage, trigger, workflow, key)
    first = next(iter(trigger.sample))
    assert step_of(run).inputs["value"] == run.event.data[first]
    page = stage.page(run)
    assert escape(trigger.name) in page
    assert escape(str(run.event.data[first])) in page


def test_a_refusal_is_shown_in_the_providers_own_words_and_nothing_is_lost(trigger: Trigger, stage: Stage) -> None:
    workflow, key = listening(stage, trigger)
    insist_fault_delays(stage, trigger, workflow, "400")
    assert REFUSED_FOR_NO_REASON in stage.state(workflow).last_error
    assert escape(stage.state(workflow).last_error) in stage.workflow_page(workflow)
    insist_starts_one_run(stage, trigger, workflow, key)


def insist_fault_delays(stage: Stage, trigger: Trigger, workflow: Workflow, fault: str) -> None:
    stage.sandbox.faults(next=[fault], only_provider=trigger.connector.key, only_path=_API[trigger.connector.key])
    stage.look(workflow)
    state = stage.state(workflow)
    assert state.failures == 1
    assert state.last_error
    assert not Run.objects.exists()
    stage.make_room(trigger)


_API = {"pinterest": "/v5/", "xero": ".xro/"}


@pytest.mark.parametrize("fault", ["429", "500", "html_200", "empty_200"])
def test_trouble_delays_it_and_nothing_is_lost_or_doubled(trigger: Trigger, stage: Stage, fault: str) -> None:
    workflow, key = listening(stage, trigger)
    insist_fault_delays(stage, trigger, workflow, fault)
    insist_starts_one_run(stage, trigger, workflow, key)


def test_a_401_flags_the_connection_and_after_reconnecting_nothing_is_lost(trigger: Trigger, stage: Stage) -> None:
    workflow, key = listening(stage, trigger)
    stage.sandbox.revoke(provider=trigger.connector.key)
    insist_flags(stage, trigger, workflow)
    stage.reconnect(trigger)
    insist_starts_one_run(stage, trigger, workflow, key)


def insist_flags(stage: Stage, trigger: Trigger, workflow: Workflow) -> None:
    stage.look(workflow)
    connection = stage.connection(trigger)
    assert connection.status == Connection.Status.NEEDS_RECONNECT
    assert not Run.objects.exists()
    assert escape(connection.last_error) in stage.workflow_page(workflow)


def test_a_403_is_told_and_when_the_access_is_back_nothing_is_lost(trigger: Trigger, stage: Stage) -> None:
    workflow, key = listening(stage, trigger)
    if trigger.connector.key == "xero":
        stage.sandbox.revoke(tenant=stage.connection(trigger).external_id)
        insist_flags(stage, trigger, workflow)
    else:
        stage.lose_permissions(trigger)
        stage.look(workflow)
        assert "You are not permitted to access that resource." in stage.workflow_page(workflow)
        assert not Run.objects.exists()
    stage.reconnect(trigger)
    insist_starts_one_run(stage, trigger, workflow, key)
