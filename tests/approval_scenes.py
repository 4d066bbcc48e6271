"""What is recorded about policies, guards and approvals: for each action, the way in which it comes to be."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from integrations.audit.actions import Audited
from integrations.core.messages import Request
from integrations.framework import registry
from workflows.approvals import asking, controls, deciding, delegating, policy, publication
from workflows.approvals.rules import Rule, Stage, Then
from workflows.engine.lease import Lease
from workflows.engine.run_context import RunContext
from workflows.engine.waits import WaitError
from workflows.engine.writes.gates import Intent
from workflows.guards import settings
from workflows.models import ApprovalDelegation, ApprovalRequest, PolicyVersion, PublicationRequest, Run, StepRun

WHY = "Because the month ends"
_RULES = [Rule(then=Then.APPROVAL, stages=(Stage(),))]


def propose(scene: Any) -> PolicyVersion:
    return policy.propose(scene.cast.team, _RULES, by=scene.by, note=WHY)


def _root() -> User:
    return User.objects.create_superuser("root", "root@acme.example", "a quite different sentence")


def ask(scene: Any) -> ApprovalRequest:
    """A step that would write, held back by a policy of two people."""
    policy.decide(propose(scene), by=scene.cast.approver, agrees=True)
    run = scene.run("running", lease_token=1)
    step_run = StepRun.objects.select_related("connection").get(run=run, step="create_invoice")
    action = registry.action(step_run.operation)
    context = RunContext(run, Lease(run.pk, 1), {}, {}, {})
    request = Request.from_dict(step_run.request)
    intent = Intent(context, {}, step_run, action, None, None, request, False)  # type: ignore[arg-type]
    with pytest.raises(WaitError):
        asking.gate(intent)
    return ApprovalRequest.objects.get()


def approve(scene: Any) -> None:
    request = ask(scene)
    deciding.approve(request, by=scene.cast.approver, shown=request.fingerprint, reason=WHY)


def refuse(scene: Any) -> None:
    request = ask(scene)
    deciding.refuse(request, by=scene.cast.approver, shown=request.fingerprint, reason=WHY)


def break_glass(scene: Any) -> None:
    request = ask(scene)
    deciding.break_glass(request, by=_root(), shown=request.fingerprint, reason=WHY)


def expire(scene: Any) -> None:
    request = ask(scene)
    assert request.expires_at > timezone.now() + timedelta(days=6)
    asking.expire(request)


def withdraw(scene: Any) -> None:
    deciding.withdraw(Run.objects.get(pk=ask(scene).run_id or 0))


def _controls(scene: Any, **values: Any) -> Any:
    now = controls.of_team(scene.cast.team)
    every = {"second_person_publishes": now.second_person_publishes, "builders_release": now.builders_release}
    given = {**every, "approval_days": now.approval_days, **values}
    return controls.change(scene.cast.team, given, by=scene.by, reason=WHY)


def _delegate(scene: Any) -> ApprovalDelegation:
    today = timezone.localdate()
    cast = scene.cast
    return delegating.make(cast.team, away=cast.approver, stand_in=cast.auditor, first=today, last=today, by=scene.by)


def _publication(scene: Any) -> PublicationRequest:
    return publication.ask(scene.world.workflow, by=scene.by, note=WHY)


def set_guards(scene: Any) -> None:
    settings.save(scene.cast.team, settings.Settings(duplicates="hold"), by=scene.by)


SCENES = {
    Audited.GUARDS_CHANGED: set_guards,
    Audited.POLICY_PROPOSED: propose,
    Audited.POLICY_AGREED: lambda scene: policy.decide(propose(scene), by=scene.cast.approver, agrees=True),
    Audited.POLICY_REFUSED: lambda scene: policy.decide(
        propose(scene), by=scene.cast.approver, agrees=False, reason=WHY
    ),
    Audited.POLICY_WITHDRAWN: lambda scene: policy.withdraw(propose(scene), by=scene.by),
    Audited.POLICY_BREAK_GLASS: lambda scene: policy.break_glass(propose(scene), by=_root(), reason=WHY),
    Audited.CONTROLS_CHANGED: lambda scene: _controls(scene, approval_days=3),
    Audited.CONTROLS_PROPOSED: lambda scene: _controls(scene, approval_days=30),
    Audited.CONTROLS_REFUSED: lambda scene: controls.withdraw(_controls(scene, approval_days=30), by=scene.by),
    Audited.CONTROLS_BREAK_GLASS: lambda scene: controls.break_glass(
        _controls(scene, approval_days=30), by=_root(), reason=WHY
    ),
    Audited.DELEGATION_MADE: _delegate,
    Audited.DELEGATION_ENDED: lambda scene: delegating.end(_delegate(scene), by=scene.by),
    Audited.PUBLICATION_ASKED: _publication,
    Audited.PUBLICATION_REFUSED: lambda scene: publication.refuse(
        _publication(scene), by=scene.cast.approver, reason=WHY
    ),
    Audited.PUBLICATION_WITHDRAWN: lambda scene: publication.withdraw(_publication(scene), by=scene.by),
    Audited.PUBLICATION_BREAK_GLASS: lambda scene: publication.break_glass(_publication(scene), by=_root(), reason=WHY),
    Audited.APPROVAL_ASKED: ask,
    Audited.APPROVAL_GIVEN: approve,
    Audited.APPROVAL_REFUSED: refuse,
    Audited.APPROVAL_EXPIRED: expire,
    Audited.APPROVAL_VOID: withdraw,
    Audited.APPROVAL_BREAK_GLASS: break_glass,
}
