"""Approvals: nothing that needs one is sent without it, and what is approved is sent once and as it was approved."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from integrations.models import AuditEntry, Membership, Role
from tests.base import Cast
from tests.workflows.approvals.conftest import ONE_APPROVER, put_in_force, the_request
from tests.workflows.conftest import Make, drain, start, the_run, the_write
from tests.workflows.scripted.connector import Provider
from workflows.approvals import deciding
from workflows.models import Approval, ApprovalDelegation, ApprovalRequest, PolicyVersion, Run
from workflows.publishing.activation import NotAllowedNowError
from workflows.runs import decisions
from workflows.worker import sweeper

pytestmark = pytest.mark.django_db


def _approve(by: User) -> bool:
    request = the_request()
    return deciding.approve(request, by=by, shown=request.fingerprint)


def test_a_write_that_needs_approval_waits_and_nothing_is_sent(
    provider: Provider, make_workflow: Make, policy: PolicyVersion
) -> None:
    start(provider, make_workflow)
    drain()
    run, request = the_run(), the_request()
    assert [run.status, run.wait_reason, run.error] == ["waiting", "approval", "It waits for 1 approval."]
    assert [request.status, request.step_run_id, request.needed] == ["open", the_write().pk, 1]
    assert request.rule == "Always: ask for the approval of an approver."
    assert provider.sent == []
    assert the_write().first_sent_at is None


def test_an_approver_lets_it_go_and_it_is_sent_once(
    provider: Provider, make_workflow: Make, policy: PolicyVersion, cast: Cast
) -> None:
    start(provider, make_workflow)
    drain()
    assert _approve(cast.approver)
    drain()
    assert the_run().status == "succeeded"
    assert len(provider.sent) == 1
    assert the_request().request_sha256 == the_write().request_sha256
    said = list(AuditEntry.objects.filter(action__startswith="approval.").values_list("action", "person"))
    assert said == [("approval.asked", None), ("approval.given", cast.approver.pk)]


def test_a_decision_while_the_run_begins_to_wait_is_not_lost(
    provider: Provider, make_workflow: Make, policy: PolicyVersion, cast: Cast
) -> None:
    start(provider, make_workflow)
    drain()
    # The worker records the wait after the decision was made.
    _approve(cast.approver)
    Run.objects.update(status="waiting", wait_reason="approval")
    assert sweeper.wake_decided() == 1
    drain()
    assert len(provider.sent) == 1


def test_a_refusal_fails_the_step_with_its_reason(
    provider: Provider, make_workflow: Make, policy: PolicyVersion, cast: Cast
) -> None:
    start(provider, make_workflow)
    drain()
    request = the_request()
    deciding.refuse(request, by=cast.approver, shown=request.fingerprint, reason="We ordered nothing.")
    drain()
    assert the_run().status == "failed"
    assert the_run().error == "Write thing: approver refused it: We ordered nothing."
    assert provider.sent == []


def test_trying_again_after_a_refusal_asks_anew_whatever_the_policy_says_by_then(
    provider: Provider, make_workflow: Make, policy: PolicyVersion, cast: Cast
) -> None:
    start(provider, make_workflow)
    drain()
    request = the_request()
    deciding.refuse(request, by=cast.approver, shown=request.fingerprint, reason="No.")
    drain()
    put_in_force(cast, {"when": {}, "then": {"do": "nothing"}})
    decisions.retry(the_run(), by=cast.builder)
    drain()
    assert the_request().pk != request.pk
    assert [the_run().status, the_run().wait_reason] == ["waiting", "approval"]
    assert provider.sent == []
    _approve(cast.approver)
    drain()
    assert len(provider.sent) == 1


def test_nobody_deciding_in_time_is_a_refusal(
    provider: Provider, make_workflow: Make, policy: PolicyVersion, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = timezone.now() + timedelta(days=8)
    start(provider, make_workflow)
    drain()
    assert sweeper.wake_decided() == 0
    monkeypatch.setattr(timezone, "now", lambda: later)
    with pytest.raises(NotAllowedNowError, match="The time for a decision is over"):
        _approve(cast.approver)
    decisions.retry(the_run(), by=None)  # as the sweeper wakes it, whose clock is the database's
    drain()
    assert the_request().status == "expired"
    assert the_run().status == "failed"
    assert "Nobody decided on it in time" in the_run().error
    assert provider.sent == []


def test_a_write_that_has_changed_since_is_asked_about_anew(
    provider: Provider, make_workflow: Make, policy: PolicyVersion, cast: Cast
) -> None:
    start(provider, make_workflow)
    drain()
    first = the_request()
    _approve(cast.approver)
    event = the_run().event
    event.data = {**event.data, "title": "Something else"}
    event.save()
    drain()
    assert provider.sent == []
    first.refresh_from_db()
    assert [first.status, the_request().status] == ["void", "open"]
    assert the_request().fingerprint != first.fingerprint


@pytest.mark.parametrize("who", ["builder", "auditor", "outsider"])
def test_who_published_or_has_no_say_cannot_approve(
    provider: Provider, make_workflow: Make, policy: PolicyVersion, cast: Cast, who: str
) -> None:
    start(provider, make_workflow)
    drain()
    with pytest.raises(NotAllowedNowError):
        _approve(getattr(cast, who))
    assert Approval.objects.count() == 0


def test_an_approver_whose_time_is_over_cannot_approve_nor_can_their_stand_in(
    provider: Provider, make_workflow: Make, policy: PolicyVersion, cast: Cast
) -> None:
    other = User.objects.create_user("deputy")
    Membership.objects.create(team=cast.team, user=other, role=Role.AUDITOR)
    today = timezone.now().date()
    ApprovalDelegation.objects.create(
        team=cast.team,
        away=cast.approver,
        stand_in=other,
        first_day=today - timedelta(1),
        last_day=today + timedelta(1),
    )
    Membership.objects.filter(user=cast.approver).update(ends_at=timezone.now() - timedelta(seconds=1))
    start(provider, make_workflow)
    drain()
    for person in (cast.approver, other):
        with pytest.raises(NotAllowedNowError, match="somebody else’s approval"):
            _approve(person)
    assert not Approval.objects.exists()


def test_the_publisher_cannot_approve_even_as_an_approver_nor_with_a_second_account(
    provider: Provider, make_workflow: Make, policy: PolicyVersion, cast: Cast
) -> None:
    Membership.objects.filter(user=cast.builder).update(role=Role.APPROVER)
    second = User.objects.create_user("second", "Builder+books@acme.example", "a long password 1")
    Membership.objects.create(team=cast.team, user=second, role=Role.APPROVER)
    start(provider, make_workflow)
    drain()
    with pytest.raises(NotAllowedNowError, match="published this version"):
        _approve(cast.builder)
    with pytest.raises(NotAllowedNowError, match="has the mail address"):
        _approve(second)
    assert _approve(cast.approver)


def test_two_stages_are_decided_in_their_order(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    head = User.objects.create_user("head", "head@acme.example", "a long password 1")
    Membership.objects.create(team=cast.team, user=head, role=Role.AUDITOR)
    stages = [{"role": "approver", "count": 1}, {"people": [head.pk], "count": 1}]
    put_in_force(cast, {"when": {}, "then": {"do": "approval", "stages": stages}})
    start(provider, make_workflow)
    drain()
    with pytest.raises(NotAllowedNowError, match="somebody else’s approval"):
        _approve(head)
    assert not _approve(cast.approver)
    drain()
    assert provider.sent == []
    assert _approve(head)
    drain()
    assert len(provider.sent) == 1


def test_a_stand_in_decides_while_the_approver_is_away(
    provider: Provider, make_workflow: Make, policy: PolicyVersion, cast: Cast
) -> None:
    today = timezone.now().date()
    ApprovalDelegation.objects.create(
        team=cast.team,
        away=cast.approver,
        stand_in=cast.auditor,
        first_day=today - timedelta(days=1),
        last_day=today + timedelta(days=1),
    )
    start(provider, make_workflow)
    drain()
    assert _approve(cast.auditor)
    assert Approval.objects.get().on_behalf_of == cast.approver
    drain()
    assert len(provider.sent) == 1


def test_a_superuser_goes_past_the_policy_with_a_reason_and_everybody_hears_of_it(
    provider: Provider, make_workflow: Make, policy: PolicyVersion, cast: Cast
) -> None:
    root = User.objects.create_superuser("root", "root@acme.example", "a long password 1")
    start(provider, make_workflow)
    drain()
    request = the_request()
    with pytest.raises(NotAllowedNowError, match="Say why"):
        deciding.break_glass(request, by=root, shown=request.fingerprint, reason=" ")
    with pytest.raises(NotAllowedNowError, match="Only a superuser"):
        deciding.break_glass(request, by=cast.approver, shown=request.fingerprint, reason="Quick.")
    deciding.break_glass(request, by=root, shown=request.fingerprint, reason="Payroll is due at noon.")
    drain()
    assert len(provider.sent) == 1
    assert cast.team.notices.get(kind="break_glass").text.endswith("Payroll is due at noon.")
    assert AuditEntry.objects.get(action="approval.break_glass").reason == "Payroll is due at noon."


def test_a_cancelled_run_takes_its_request_with_it(
    provider: Provider, make_workflow: Make, policy: PolicyVersion, cast: Cast
) -> None:
    start(provider, make_workflow)
    drain()
    decisions.cancel(the_run(), by=cast.builder, reason="A mistake.")
    assert the_request().status == "void"
    with pytest.raises(NotAllowedNowError, match="decided already"):
        _approve(cast.approver)


def test_a_rule_that_refuses_fails_the_step_and_one_that_holds_waits_for_a_person(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    put_in_force(cast, {"when": {}, "then": {"do": "hold", "message": "Ask Ann."}})
    start(provider, make_workflow)
    drain()
    assert the_run().error == "Rule 1 of the team’s policy holds this write until a person lets it go. Ask Ann."
    put_in_force(cast, {"name": "Closed", "when": {}, "then": {"do": "refuse"}})
    decisions.release(the_run(), by=cast.builder, reason="Fine.")
    drain()
    assert the_run().status == "failed"
    assert "Rule 1 of the team’s policy (“Closed”) refuses this write" in the_run().error
    assert provider.sent == []


def test_a_rule_for_another_workflow_does_not_ask(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    put_in_force(cast, {**ONE_APPROVER, "when": {"workflows": [999_999]}})
    start(provider, make_workflow)
    drain()
    assert the_run().status == "succeeded"
    assert not ApprovalRequest.objects.exists()
