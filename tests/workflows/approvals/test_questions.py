"""The step Approval: a question that people decide, with the run waiting for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from pinxero.development.emptying import unprotected
from tests.base import Cast, sign_in_recently
from tests.workflows.conftest import Make, drain, start, the_run
from tests.workflows.scripted.connector import Provider
from workflows.approvals import deciding
from workflows.approvals.inbox import waiting
from workflows.definitions import editing, validation
from workflows.definitions.description import describe
from workflows.models import ApprovalRequest, Run, StepRun, Workflow
from workflows.publishing import publish
from workflows.publishing.activation import NotAllowedNowError
from workflows.runs import decisions

from .conftest import the_request

pytestmark = pytest.mark.django_db
ASKED = "Is {{ trigger.title }} a customer of ours?"


def _begin(provider: Provider, make_workflow: Make, cast: Cast, **settings: Any) -> Run:
    """A run of a workflow that asks before it writes."""

    def make(**options: Any) -> Workflow:
        workflow: Workflow = make_workflow(**options)
        write = workflow.steps.get()
        editing.save_kind(
            workflow, None, kind="approval", name="Ask", settings=settings, sources={"message": ASKED},
            place=editing.Place(None, write),
        )  # fmt: skip
        publish.publish(workflow, by=cast.builder, note="Ask first")
        return workflow

    start(provider, make)
    drain()
    return the_run()


def _decide(cast: Cast, *, agrees: bool, reason: str = "") -> None:
    request = the_request()
    if agrees:
        deciding.approve(request, by=cast.approver, shown=request.fingerprint, reason=reason)
    else:
        deciding.refuse(request, by=cast.approver, shown=request.fingerprint, reason=reason)
    drain()


def test_the_run_waits_until_somebody_has_approved(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    run = _begin(provider, make_workflow, cast)
    assert [run.status, run.wait_reason, provider.sent] == ["waiting", "approval", []]
    request = the_request()
    assert [request.kind, request.message] == ["question", "Is Thing 1 a customer of ours?"]
    assert [each.is_mine for each in waiting(cast.team, cast.approver)] == [True]
    _decide(cast, agrees=True, reason="Since 2020")
    assert [the_run().status, len(provider.sent), ApprovalRequest.objects.count()] == ["succeeded", 1, 1]
    output = StepRun.objects.get(kind="approval").output
    assert output == {"decision": "approved", "by": "approver", "reason": "Since 2020"}


def test_who_built_it_does_not_answer(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    _begin(provider, make_workflow, cast)
    request = the_request()
    with pytest.raises(NotAllowedNowError, match="You may not decide on this"):
        deciding.approve(request, by=cast.builder, shown=request.fingerprint)


def test_a_refusal_fails_the_step_and_trying_again_asks_anew(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    _begin(provider, make_workflow, cast)
    _decide(cast, agrees=False, reason="Never heard of them")
    run = the_run()
    assert [run.status, provider.sent] == ["failed", []]
    assert "approver refused it: Never heard of them" in run.error
    decisions.retry(run, by=cast.builder)
    drain()
    assert [the_run().status, ApprovalRequest.objects.count(), the_request().status] == ["waiting", 2, "open"]
    _decide(cast, agrees=True)
    assert [the_run().status, len(provider.sent)] == ["succeeded", 1]


def test_where_the_run_goes_on_the_decision_can_be_looked_at(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    _begin(provider, make_workflow, cast, refused="go_on")
    _decide(cast, agrees=False, reason="No")
    assert the_run().status == "succeeded"
    assert StepRun.objects.get(kind="approval").output["decision"] == "refused"


def test_nobody_deciding_in_time_is_a_refusal(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    run = _begin(provider, make_workflow, cast)
    with unprotected():
        ApprovalRequest.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    Run.objects.filter(pk=run.pk).update(status="queued", wait_reason="")
    drain()
    assert [the_run().status, the_request().status, provider.sent] == ["failed", "expired", []]


def test_a_worker_that_looks_again_asks_only_once(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    run = _begin(provider, make_workflow, cast)
    Run.objects.filter(pk=run.pk).update(status="queued", wait_reason="")
    drain()
    assert [the_run().status, ApprovalRequest.objects.count()] == ["waiting", 1]


def test_it_is_described_and_checked(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    run = _begin(provider, make_workflow, cast, people=2, who="administrator")
    said = describe(run.version.plan)
    assert "Ask 2 administrators: Is " in said
    assert "if it is refused, the step fails" in said
    step = run.workflow.steps.get(kind="approval")
    step.settings = {"people": 9}
    step.save()
    found = [each.message for each in validation.problems(run.workflow)]
    assert any("from 1 to 5" in each for each in found), found


def test_its_page_shows_the_question_and_no_document(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    _begin(provider, make_workflow, cast)
    client = Client()
    sign_in_recently(client, cast.approver)
    page = client.get(f"/approvals/{the_request().pk}/").content.decode()
    assert "Is Thing 1 a customer of ours?" in page
    assert "What would be written" not in page
