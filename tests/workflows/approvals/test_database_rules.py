"""What the database itself refuses, whoever asks: it holds past every page, service and shell."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from tests.base import Cast
from tests.workflows.approvals.conftest import the_request
from tests.workflows.conftest import Make, drain, start, the_write
from tests.workflows.scripted.connector import Provider
from workflows.approvals import deciding
from workflows.models import Approval, ApprovalExclusion, ApprovalRequest, PolicyVersion, Run, StepRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(provider: Provider, make_workflow: Make, policy: PolicyVersion) -> ApprovalRequest:
    start(provider, make_workflow)
    drain()
    return the_request()


def _forged(request: ApprovalRequest, by: int) -> Approval:
    return Approval(
        request=request,
        by_id=by,
        decision="approve",
        fingerprint=request.fingerprint,
        at=timezone.now(),
        seal="0" * 64,
    )


def test_a_step_is_not_marked_as_sent_while_its_request_is_open(asked: ApprovalRequest) -> None:
    with pytest.raises(DatabaseError, match="not approved"), transaction.atomic():
        StepRun.objects.filter(pk=the_write().pk).update(state="sent")
    assert the_write().state == "pending"


def test_a_request_is_not_granted_without_its_approvals(asked: ApprovalRequest) -> None:
    with pytest.raises(DatabaseError, match="granted by its approvals"), transaction.atomic():
        ApprovalRequest.objects.filter(pk=asked.pk).update(status="granted")


def test_who_is_excluded_gives_no_approval(asked: ApprovalRequest, cast: Cast) -> None:
    with pytest.raises(DatabaseError, match="may not decide"), transaction.atomic():
        _forged(asked, cast.builder.pk).save()


def test_only_a_superuser_breaks_the_glass(asked: ApprovalRequest, cast: Cast) -> None:
    forged = _forged(asked, cast.approver.pk)
    forged.method, forged.reason = "break_glass", "Quick."
    with pytest.raises(DatabaseError, match="may not decide"), transaction.atomic():
        forged.save()


def test_an_approval_without_its_seal_sends_nothing(asked: ApprovalRequest, cast: Cast, provider: Provider) -> None:
    _forged(asked, cast.approver.pk).save()
    ApprovalRequest.objects.filter(pk=asked.pk).update(status="granted")
    Run.objects.update(status="queued", wait_reason="")
    drain()
    assert provider.sent == []
    assert [the_request().status, the_request().pk == asked.pk] == ["open", False]


@pytest.mark.parametrize("model", [ApprovalRequest, Approval, ApprovalExclusion])
def test_nothing_of_it_is_deleted(asked: ApprovalRequest, cast: Cast, model: type) -> None:
    deciding.approve(asked, by=cast.approver, shown=asked.fingerprint)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        model.objects.all()._raw_delete("default")  # type: ignore[attr-defined]


def test_what_was_asked_stays_as_it_was(asked: ApprovalRequest) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ApprovalRequest.objects.filter(pk=asked.pk).update(fingerprint="1" * 64)
