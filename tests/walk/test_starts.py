"""Every start through its own real door: what comes in becomes a contact in the sandbox's Xero, once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from integrations.core.clock import DatabaseNow
from integrations.framework import registry
from integrations.framework.base import Start
from tests.walk.stage import Stage, step_of
from workflows.api import tokens
from workflows.definitions import editing
from workflows.models import Mapping, Run, Schedule, Step, Workflow
from workflows.publishing import activation, publish
from workflows.triggers import inbound_webhooks, schedules

NAME = "Studio Kupfer & Söhne"
FIELDS = {"fields_asked": [{"label": "Name"}]}
NONCE = "0123456789abcdef0123456789abcdef"


def workflow_on(stage: Stage, operation: str, inputs: dict[str, Any], value: str) -> Workflow:
    """An active workflow that is started so and creates a contact of that name."""
    workflow = editing.create_workflow(
        stage.cast.team, name=f"By {operation}", operation=operation, connection=None, by=stage.cast.builder
    )
    editing.set_trigger(workflow, operation=operation, connection=None, inputs=inputs, interval_minutes=5)
    draft = editing.StepDraft("Create it", "xero.create_contact", stage.connections["xero"], {"name": value})
    editing.save_step(workflow, None, draft)
    publish.publish(workflow, by=stage.cast.builder, note="First version")
    activation.activate(workflow, by=stage.cast.builder)
    return workflow


def by_schedule(stage: Stage) -> Workflow:
    workflow = workflow_on(stage, "start.schedule", {"how": "daily", "at": "09:00"}, NAME + " {{ trigger.date }}")
    Schedule.objects.update(next_at=DatabaseNow())
    assert schedules.fire_due() == 1
    assert schedules.fire_due() == 0
    return workflow


def by_address(stage: Stage) -> Workflow:
    workflow = workflow_on(stage, "start.webhook", {"dedupe": "id"}, "{{ trigger.body.customer.name }}")
    address = f"/hooks/in/{inbound_webhooks.hook_of(workflow).token}/"
    body = json.dumps({"id": 7, "customer": {"name": NAME}})
    answers = [Client().post(address, body, content_type="application/json").status_code for _ in range(2)]
    assert answers == [202, 200]
    return workflow


def by_hand(stage: Stage) -> Workflow:
    workflow = workflow_on(stage, "start.manual", FIELDS, "{{ trigger.name }}")
    stage.client.force_login(stage.cast.builder)
    for _ in range(2):
        answer = stage.client.post(f"/workflows/{workflow.pk}/start/", {"nonce": NONCE, "in.name": NAME})
        assert answer.status_code == 302
    return workflow


def by_file(stage: Stage) -> Workflow:
    workflow = workflow_on(stage, "start.csv", FIELDS, "{{ trigger.name }}")
    stage.client.force_login(stage.cast.builder)
    for status in (302, 200):
        file = SimpleUploadedFile("names.csv", f"Name\n{NAME}\n".encode())
        preview: Any = stage.client.post(f"/workflows/{workflow.pk}/rows/", {"file": file})
        assert stage.client.post(preview.url, {}).status_code == status
    return workflow


def by_workflow(stage: Stage) -> Workflow:
    called = workflow_on(stage, "start.call", FIELDS, "{{ trigger.name }}")
    caller = editing.create_workflow(
        stage.cast.team, name="The caller", operation="start.manual", connection=None, by=stage.cast.builder
    )
    step = Step.objects.create(
        workflow=caller, key="call", name="Call it", kind="call", position=1,
        settings={"workflow": called.pk, "waits": True},
    )  # fmt: skip
    Mapping.objects.create(step=step, input="name", value=NAME)
    publish.publish(caller, by=stage.cast.builder)
    activation.activate(caller, by=stage.cast.builder)
    stage.client.force_login(stage.cast.builder)
    assert stage.client.post(f"/workflows/{caller.pk}/start/", {"nonce": NONCE}).status_code == 302
    calling = Run.objects.get(workflow=caller)
    stage.settle(calling)
    assert (calling.status, calling.error) == ("succeeded", "")
    assert Run.objects.get(workflow=called).called_by == calling
    return called


def by_api(stage: Stage) -> Workflow:
    workflow = workflow_on(stage, "start.api", FIELDS, "{{ trigger.name }}")
    _, token = tokens.make(stage.cast.team, stage.cast.builder, name="Shop", scope="start", days=None)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "order-7"}
    for _ in range(2):
        answer = Client().post(
            f"/api/workflows/{workflow.pk}/start/",
            json.dumps({"name": NAME}),
            content_type="application/json",
            headers=headers,
        )
        assert answer.status_code == 202
    return workflow


STARTED = {
    "start.schedule": by_schedule,
    "start.webhook": by_address,
    "start.manual": by_hand,
    "start.csv": by_file,
    "start.call": by_workflow,
    "start.api": by_api,
}


def test_every_start_has_a_way_here() -> None:
    assert set(STARTED) == {each.full_key for each in registry.triggers() if isinstance(each, Start)}


@pytest.mark.parametrize("key", sorted(STARTED))
def test_what_comes_in_is_written_once(key: str, stage: Stage) -> None:
    mark = stage.mark()
    workflow = STARTED[key](stage)
    run = Run.objects.get(workflow=workflow)
    stage.settle(run)
    assert (run.status, run.error) == ("succeeded", "")
    assert step_of(run).inputs["name"].startswith(NAME)
    assert len(stage.written(mark)) == 1
    page = stage.page(run)
    assert registry.trigger(key).name in page
    assert "Studio Kupfer &amp; Söhne" in page
