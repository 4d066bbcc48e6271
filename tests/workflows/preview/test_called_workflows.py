"""A workflow that a step calls is previewed inside, and no run of it is started."""

from __future__ import annotations

import pytest

from integrations.models import Connection
from tests.base import Cast
from tests.workflows.engine.test_calls import called, provider
from tests.workflows.planting import call, made, stop, write
from tests.workflows.preview.test_walk import shown, states, step
from tests.workflows.scripted.connector import Provider
from workflows.definitions.kinds import MOST_CALLS
from workflows.models import Run, Workflow, WorkflowVersion

__all__ = ["provider"]

pytestmark = pytest.mark.django_db


def test_it_is_previewed_inside_and_starts_no_run(provider: Provider, connection: Connection, cast: Cast) -> None:
    below = called(cast, connection, write("inner", "Called with {{ trigger.title }}"))
    found = shown(made(cast, connection, call("ask", below, title="{{ trigger.title }}"), write("a")))
    assert states(found) == [("ask", "", "succeeded"), ("a", "", "written")]
    inner = step(found, "ask").called
    assert inner is not None
    assert (inner.called_by, inner.workflow, inner.status, inner.writes) == (found, below, "done", 1)
    assert '"Called with Oak"' in inner.steps.get().request["body"]
    assert found.writes == 2
    assert (Run.objects.count(), provider.sent) == (0, [])


def test_what_it_is_given_of_a_prediction_is_predicted_inside(
    provider: Provider, connection: Connection, cast: Cast
) -> None:
    below = called(cast, connection, write("inner", "{{ trigger.title }}"))
    found = shown(made(cast, connection, write("a"), call("ask", below, title="{{ steps.a.id }}")))
    inner = step(found, "ask").called
    assert inner is not None
    assert inner.steps.get().predicted["inputs"] == ["name"]


def test_its_failure_fails_the_step_that_waits_for_it(provider: Provider, connection: Connection, cast: Cast) -> None:
    below = called(cast, connection, write("inner", "x"), stop("end", "failed", "Not today"))
    found = shown(made(cast, connection, call("ask", below, title="x"), write("a")))
    assert (found.status, states(found)) == ("failed", [("ask", "", "failed")])
    assert step(found, "ask").error == "The run of “Called” would end as failed: Not today"
    on = shown(made(cast, connection, call("ask", below, waits=False, title="x"), write("a")))
    assert (on.status, step(on, "a").state) == ("done", "written")


def test_one_that_is_switched_off_is_previewed_and_said(provider: Provider, connection: Connection, cast: Cast) -> None:
    below = called(cast, connection, write("inner"))
    Workflow.objects.filter(pk=below.pk).update(status=Workflow.Status.PAUSED)
    found = shown(made(cast, connection, call("ask", below, title="x")))
    assert (found.stops, step(found, "ask").findings[0]["code"]) == (1, "called_is_off")


def test_workflows_that_call_each_other_in_a_circle_end(provider: Provider, connection: Connection, cast: Cast) -> None:
    below = called(cast, connection, write("inner", "x"))
    assert below.published is not None
    again = {"key": "again", "name": "Again", "kind": "call", "workflow": below.pk, "waits": True}
    plan = {**below.published.plan, "steps": [*below.published.plan["steps"], {**again, "inputs": {"title": "x"}}]}
    version = WorkflowVersion.objects.create(workflow=below, number=2, plan=plan, plan_sha256="circle")
    Workflow.objects.filter(pk=below.pk).update(published=version)
    found = shown(made(cast, connection, call("ask", below, title="x")))
    assert found.status == "failed"
    assert "call each other in a circle" in found.message
    assert found.writes == MOST_CALLS
