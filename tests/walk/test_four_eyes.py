"""Fourteen ways round the approval of a second person, against the real sandbox: none of them writes a document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.models import Membership, Role
from tests.base import Cast, sign_in_recently
from tests.walk.stage import Stage, step_of
from tests.workflows.approvals.conftest import ONE_APPROVER, put_in_force
from workflows.api import tokens
from workflows.approvals import deciding
from workflows.definitions import editing
from workflows.models import Approval, ApprovalRequest, Event, Run, Workflow, WorkflowVersion
from workflows.publishing import publish
from workflows.publishing.activation import NotAllowedNowError
from workflows.runs import decisions

_FORGED = {"status": "granted", "state": "sent", "needed": "0", "stages": "[]", "decision": "approve", "by": "1"}


@dataclass
class Scene:
    """A bill that waits for an approver, and the place in the sandbox's ledger at which it began to."""

    stage: Stage
    cast: Cast
    run: Run
    mark: int

    @property
    def request(self) -> ApprovalRequest:
        """The newest request."""
        return ApprovalRequest.objects.latest("pk")

    def insist_nothing_is_written(self) -> None:
        """However often the engine takes the runs up."""
        for run in Run.objects.filter(status__in=Run.OPEN).order_by("pk"):
            Run.objects.filter(pk=run.pk).update(status="queued", wait_reason="", wake_at=None)
            self.stage.settle(run)
        assert self.stage.written(self.mark) == []

    def client(self, user: User) -> Client:
        client = Client()
        sign_in_recently(client, user)
        return client


@pytest.fixture
def scene(stage: Stage, cast: Cast) -> Iterator[Scene]:
    put_in_force(cast, ONE_APPROVER)
    xero = stage.connections["xero"]
    workflow = editing.create_workflow(
        cast.team, name="Bills", operation="pinterest.new_board", connection=stage.connections["pinterest"],
        by=cast.builder,
    )  # fmt: skip
    line = {"description": "{{ trigger.name }}", "quantity": "1", "unit_amount": "120.50", "account_code": "400"}
    sources: editing.Sources = {"contact_id": stage.sandbox.contacts()[0]["id"], "lines": [line], "bill_number": "B-1"}
    sources["bill_date"] = timezone.localdate().isoformat()  # else it is another bill on the next day
    editing.save_step(workflow, None, editing.StepDraft("Bill", "xero.create_bill", xero, sources))
    mark = stage.mark()
    run = stage.settle(stage.set_off(workflow))
    assert [run.status, run.wait_reason] == ["waiting", "approval"], run.error
    made = Scene(stage, cast, run, mark)
    yield made
    made.insist_nothing_is_written()


def _token(cast: Cast, user: User, scope: str) -> str:
    return tokens.make(cast.team, user, name="Shop", scope=scope, days=None)[1]


def test_1_a_state_that_is_patched_by_the_api(scene: Scene) -> None:
    header = {"HTTP_AUTHORIZATION": f"Bearer {_token(scene.cast, scene.cast.builder, 'start')}"}
    for path in (f"/api/runs/{scene.run.pk}/", "/api/runs/", f"/approvals/{scene.request.pk}/"):
        for method in ("patch", "put", "post", "delete"):
            answer = getattr(Client(), method)(path, json.dumps(_FORGED), "application/json", **header)
            assert answer.status_code in (302, 403, 404, 405), (method, path, answer.status_code)
    assert scene.request.status == "open"


def test_2_more_fields_than_a_form_has(scene: Scene) -> None:
    builder = scene.client(scene.cast.builder)
    asked = {**_FORGED, "shown": scene.request.fingerprint}
    for do in ("approve", "break_glass", "grant", ""):
        builder.post(f"/approvals/{scene.request.pk}/", {**asked, "do": do, "reason": "Quick"})
    for way in ("retry", "mark_done", "send_again", "release", "skip"):
        builder.post(f"/runs/{scene.run.pk}/{way}/", {**asked, "reason": "Quick"})
    builder.post("/approvals/several/", {**asked, "approval": [scene.request.pk], "confirmed": "yes"})
    assert [scene.request.status, Approval.objects.count()] == ["open", 0]


@pytest.fixture
def root(scene: Scene) -> Client:
    user = User.objects.create_superuser("root", "root@acme.example", "a quite different sentence")
    return scene.client(user)


def test_3_an_action_of_the_admin(scene: Scene, root: Client) -> None:
    for model, model_admin in admin.site._registry.items():
        if model._meta.app_label != "workflows":
            continue
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        rows = list(model._default_manager.values_list("pk", flat=True)[:20])
        for action in [*(model_admin.actions or []), "delete_selected", "approve", "release"]:
            name = action if isinstance(action, str) else action.__name__
            if model is Workflow or name == "delete_selected":
                continue
            root.post(address, {"action": name, "_selected_action": rows, "post": "yes"})
    assert scene.request.status == "open"


@pytest.mark.parametrize("model", ["run", "steprun", "workflowversion", "decision"])
def test_4_and_5_a_form_or_a_list_of_the_admin(scene: Scene, root: Client, model: str) -> None:
    """Django's own forms, inlines and editable lists."""
    rows = {"run": scene.run.pk, "steprun": step_of(scene.run).pk, "workflowversion": scene.run.version_id}
    pk = rows.get(model, 1)
    inline = {"steps-TOTAL_FORMS": "1", "steps-INITIAL_FORMS": "1", "steps-0-id": pk, "steps-0-state": "sent"}
    listed = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": pk, "form-0-status": "succeeded"}
    root.post(f"/admin/workflows/{model}/{pk}/change/", {**_FORGED, **inline})
    root.post(f"/admin/workflows/{model}/", {**_FORGED, **listed, "form-0-state": "sent", "_save": "Save"})
    root.post(f"/admin/workflows/{model}/add/", _FORGED)
    assert [scene.request.status, step_of(scene.run).state] == ["open", "pending"]


def test_6_a_workflow_that_is_imported(scene: Scene) -> None:
    builder = scene.client(scene.cast.builder)
    exported = json.loads(builder.get(f"/workflows/{scene.run.workflow_id}/export/").content)
    exported |= {"status": "active", "published": True, "approved": True, "policy": []}
    forged = json.dumps(exported).encode()
    builder.post("/workflows/import/", {"text": forged.decode(), "file": _file(forged)})
    assert Workflow.objects.filter(status="active").count() == 1
    assert scene.request.status == "open"


def _file(content: bytes) -> Any:

    return SimpleUploadedFile("workflow.json", content, "application/json")


def test_7_a_replay_asks_anew(scene: Scene) -> None:
    decisions.cancel(scene.run, by=scene.cast.builder, reason="")
    again = decisions.replay(scene.run, by=scene.cast.builder, reason="Once more")
    new = again if isinstance(again, Run) else Run.objects.latest("pk")
    scene.stage.settle(new)
    assert [scene.request.run_id, scene.request.status] == [new.pk, "open"]


def _approve(scene: Scene) -> None:
    request = scene.request
    assert deciding.approve(request, by=scene.cast.approver, shown=request.fingerprint)


def test_8_an_edit_after_the_approval(scene: Scene) -> None:
    _approve(scene)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        WorkflowVersion.objects.filter(pk=scene.run.version_id).update(plan={})
    event = scene.run.event
    Event.objects.filter(pk=event.pk).update(data={**event.data, "name": "For somebody else"})
    scene.stage.settle(scene.run)
    assert list(ApprovalRequest.objects.order_by("pk").values_list("status", flat=True)) == ["void", "open"]


def test_9_another_version_sent_again_after_a_timeout(scene: Scene) -> None:
    decisions.cancel(scene.run, by=scene.cast.builder, reason="")
    with pytest.raises(NotAllowedNowError):
        _approve(scene)
    workflow = Workflow.objects.get(pk=scene.run.workflow_id)
    publish.publish(workflow, by=scene.cast.builder, note="Without asking")
    decisions.replay(scene.run, by=scene.cast.builder, reason="It timed out")
    scene.stage.settle(Run.objects.latest("pk"))
    assert scene.request.status == "open"


def _second(cast: Cast, name: str, address: str) -> User:
    user = User.objects.create_user(name, address, "x", is_staff=True)
    Membership.objects.create(team=cast.team, user=user, role=Role.APPROVER)
    return user


def test_10_a_second_account_of_the_same_person(scene: Scene) -> None:
    Membership.objects.filter(user=scene.cast.builder).update(role=Role.APPROVER)
    aliases = ["Builder+two@ACME.example", "builder@acme.example"]
    seconds = [_second(scene.cast, f"second{place}", address) for place, address in enumerate(aliases)]
    # The request was asked before they came: what counts is who they are when they decide.
    for user in [*seconds, scene.cast.builder]:
        with pytest.raises(NotAllowedNowError):
            deciding.approve(scene.request, by=user, shown=scene.request.fingerprint)
    assert scene.request.status == "open"


def test_11_ones_own_request_with_an_api_token(scene: Scene) -> None:
    Membership.objects.filter(user=scene.cast.builder).update(role=Role.APPROVER)
    header = {"HTTP_AUTHORIZATION": f"Bearer {_token(scene.cast, scene.cast.builder, 'read')}"}
    asked = {"do": "approve", "shown": scene.request.fingerprint}
    assert Client().post(f"/approvals/{scene.request.pk}/", asked, **header).status_code == 302
    with pytest.raises(NotAllowedNowError):
        deciding.approve(
            scene.request, by=scene.cast.builder, shown=scene.request.fingerprint, method=Approval.Method.API
        )
    assert scene.request.status == "open"


def test_12_an_approval_after_the_time_is_over(scene: Scene) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        with pytest.raises(NotAllowedNowError, match="counts as refused"):
            _approve(scene)
        Run.objects.filter(pk=scene.run.pk).update(status="queued", wait_reason="")
        scene.stage.settle(scene.run)
    assert scene.request.status == "expired"


def test_13_an_approver_of_another_team(scene: Scene) -> None:
    Membership.objects.filter(user=scene.cast.outsider).update(role=Role.APPROVER)
    outsider = scene.client(scene.cast.outsider)
    asked = {"do": "approve", "shown": scene.request.fingerprint}
    assert outsider.post(f"/approvals/{scene.request.pk}/", asked).status_code == 404
    with pytest.raises(NotAllowedNowError):
        deciding.approve(scene.request, by=scene.cast.outsider, shown=scene.request.fingerprint)
    assert scene.request.status == "open"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE workflows_approvalrequest SET status = 'granted'",
        "UPDATE workflows_approvalrequest SET needed = 0, stages = '[]'",
        "DELETE FROM workflows_approvalrequest",
        "DELETE FROM workflows_approvalexclusion",
        "UPDATE workflows_steprun SET state = 'sent' WHERE request IS NOT NULL",
    ],
)
def test_14_statements_in_the_database(scene: Scene, statement: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert scene.request.status == "open"
    forged = Approval(
        request=scene.request, by=scene.cast.approver, decision="approve", fingerprint=scene.request.fingerprint,
        at=timezone.now(), seal="0" * 64,
    )  # fmt: skip
    forged.save()
    ApprovalRequest.objects.filter(pk=scene.request.pk).update(status="granted", decided_at=timezone.now())
