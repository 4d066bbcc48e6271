"""Deciding on a request: approving, refusing, and going past the policy in an emergency.

Pages, the API and commands end here, and the database checks the same once more. A decision is of what the person was
shown: its fingerprint comes with it, and if the request has another one by then, nothing is decided.
"""

from __future__ import annotations

from datetime import date

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from integrations.audit.actions import Audited
from integrations.audit.record import About, record
from workflows.approvals.quorum import Right, Standing, is_complete, right_of
from workflows.approvals.seals import seal
from workflows.definitions.mapping_context import zone_of
from workflows.models import Approval, ApprovalRequest, Notice, Run
from workflows.notifications.notify import Matter, notify
from workflows.publishing.activation import NotAllowedNowError
from workflows.runtime.broker import wake_worker

Status, Decision, Method = ApprovalRequest.Status, Approval.Decision, Approval.Method


def today_of(request: ApprovalRequest) -> date:
    """The day in the time zone of the request's organisation."""
    return timezone.now().astimezone(zone_of(request.connection)).date()


def right(request: ApprovalRequest, user: User, *, known: Standing | None = None) -> Right:
    """What the person may do with the request today, in the time zone of the organisation."""
    return right_of(request, user, today=today_of(request), known=known)


def approve(
    request: ApprovalRequest, *, by: User, shown: str, reason: str = "", method: Approval.Method = Method.PAGE
) -> bool:
    """Approve what was shown. True if that was the last approval it needed: then the run goes on.

    Raises NotAllowedNowError.
    """
    with transaction.atomic():
        locked = _open(request, shown)
        _decide(locked, _required(locked, by), Decision.APPROVE, by=by, reason=reason, method=method)
        is_granted = is_complete(locked)
        if is_granted:
            _end(locked, Status.GRANTED)
        _record(Audited.APPROVAL_GIVEN, locked, by=by, reason=reason)
    request.refresh_from_db()
    return is_granted


def refuse(
    request: ApprovalRequest, *, by: User, shown: str, reason: str, method: Approval.Method = Method.PAGE
) -> None:
    """Refuse what was shown, with a reason. The step fails with it. Raises NotAllowedNowError."""
    if not reason.strip():
        raise NotAllowedNowError("Say why you refuse it: the run’s page shows that to whoever looks after it.")
    with transaction.atomic():
        locked = _open(request, shown)
        _decide(locked, _required(locked, by), Decision.REFUSE, by=by, reason=reason, method=method)
        _end(locked, Status.REFUSED)
        _record(Audited.APPROVAL_REFUSED, locked, by=by, reason=reason)
    request.refresh_from_db()


def break_glass(request: ApprovalRequest, *, by: User, shown: str, reason: str) -> None:
    """Let it be written without its approvals: superusers only, with a reason, and everybody hears of it.

    Raises NotAllowedNowError.
    """
    if not by.is_superuser or not by.is_active:
        raise NotAllowedNowError("Only a superuser of this installation can go past the policy.")
    if not reason.strip():
        raise NotAllowedNowError("Say why there is no time for the approvals.")
    with transaction.atomic():
        locked = _open(request, shown)
        _decide(locked, Right(), Decision.APPROVE, by=by, reason=reason, method=Method.BREAK_GLASS)
        _end(locked, Status.GRANTED)
        notify(
            Matter(
                locked.team_id or 0,
                Notice.Kind.BREAK_GLASS,
                title="A write was let past the policy in an emergency",
                text=f"{by.get_username()} let {locked} go: {reason}",
                run=locked.run,
            )
        )
        _record(Audited.APPROVAL_BREAK_GLASS, locked, by=by, reason=reason)
    request.refresh_from_db()


def withdraw(run: Run) -> None:
    """Make the requests of a run void that ends before they are decided. Called within the transaction that ends it."""
    for request in ApprovalRequest.objects.filter(run=run, status=Status.OPEN):
        request.status, request.decided_at = Status.VOID, timezone.now()
        request.save(update_fields=["status", "decided_at"])
        _record(Audited.APPROVAL_VOID, request, by=None, reason="The run has ended.")


def _open(request: ApprovalRequest, shown: str) -> ApprovalRequest:
    locked = ApprovalRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
    if locked.status != Status.OPEN:
        raise NotAllowedNowError(f"This is decided already: {locked.get_status_display().lower()}.")
    if locked.expires_at <= timezone.now():
        raise NotAllowedNowError("The time for a decision is over; this counts as refused.")
    if shown != locked.fingerprint:
        raise NotAllowedNowError("This is not what you were shown. Look at it again.")
    return locked


def _required(request: ApprovalRequest, by: User) -> Right:
    found = right(request, by)
    if found.obstacle:
        raise NotAllowedNowError(found.obstacle)
    return found


def _decide(
    request: ApprovalRequest,
    its_right: Right,
    decision: Approval.Decision,
    *,
    by: User,
    reason: str,
    method: Approval.Method,
) -> None:
    approval = Approval(
        request=request,
        by=by,
        on_behalf_of=its_right.for_whom,
        stage=its_right.stage,
        decision=decision,
        method=method,
        reason=reason.strip(),
        fingerprint=request.fingerprint,
        at=timezone.now(),
    )
    approval.seal = seal(approval)
    approval.save(force_insert=True)


def _end(request: ApprovalRequest, status: ApprovalRequest.Status) -> None:
    request.status, request.decided_at = status, timezone.now()
    request.save(update_fields=["status", "decided_at"])
    go_on(request.run_id)


def go_on(run_id: int | None) -> None:
    """Queue the run that waited for approval. One that has not begun to wait yet is queued by the sweeper."""
    waiting = Run.objects.filter(pk=run_id or 0, status=Run.Status.WAITING, wait_reason=Run.WaitReason.APPROVAL)
    if waiting.update(status=Run.Status.QUEUED, wait_reason="", lease_token=F("lease_token") + 1):
        wake_worker()


def _record(action: Audited, request: ApprovalRequest, *, by: User | None, reason: str) -> None:
    record(
        action,
        team_id=request.team_id,
        about=About("approvalrequest", request.pk, str(request)),
        by=by,
        reason=reason,
        after={"Document": request.title, "SHA-256": request.fingerprint},
    )
