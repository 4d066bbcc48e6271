"""Publishing by a second person, where the team asks for it: exactly what was shown, or nothing."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from integrations.audit.actions import Audited
from integrations.audit.record import record
from integrations.models import Membership, Role
from workflows.approvals.excluded import editors, same_person
from workflows.definitions.description import describe
from workflows.models import Notice, PublicationRequest, Workflow, WorkflowVersion
from workflows.notifications.notify import Matter, notify
from workflows.publishing import publish
from workflows.publishing.activation import NotAllowedNowError

Status = PublicationRequest.Status
#: Who may be the second person.
DECIDING = (Role.BUILDER, Role.APPROVER, Role.ADMINISTRATOR)


def waiting(workflow: Workflow) -> PublicationRequest | None:
    """The request that waits for a second person."""
    return PublicationRequest.objects.filter(workflow=workflow, status=Status.OPEN).first()


def ask(workflow: Workflow, *, by: User, note: str, shown: str = "") -> PublicationRequest:
    """Ask a second person to publish the workflow as it is now; an earlier request makes way.

    `shown` is the fingerprint of what the person has read. Raises PublishError, ChangedError and NotAllowedNowError.
    """
    if not note.strip():
        raise NotAllowedNowError("Say what has changed, and why: the second person reads that first.")
    with transaction.atomic():
        locked = Workflow.objects.select_for_update().get(pk=workflow.pk)
        plan = publish.plan_of(locked)
        sha256 = publish.fingerprint(plan)
        if shown and shown != sha256:
            raise publish.ChangedError
        PublicationRequest.objects.filter(workflow=locked, status=Status.OPEN).update(
            status=Status.VOID, decided_at=timezone.now(), reason="It was asked for anew."
        )
        last = PublicationRequest.objects.filter(workflow=locked).aggregate(last=Max("number"))["last"] or 0
        request = PublicationRequest.objects.create(
            workflow=locked,
            number=last + 1,
            sha256=sha256,
            before=locked.published.summary if locked.published else "",
            summary=describe(plan),
            note=note.strip(),
            asked_by=by,
        )
        notify(
            Matter(
                locked.team_id,
                Notice.Kind.PUBLICATION,
                title=f"{locked.name} waits for a second person to publish it",
                text=f"{by.get_username()}: {request.note}",
                workflow=locked,
            )
        )
        _record(Audited.PUBLICATION_ASKED, request, by=by, reason=note)
    return request


def obstacle(request: PublicationRequest, user: User) -> str:
    """Why the person may not decide on it; "" where they may."""
    if request.asked_by is not None and same_person(request.asked_by, user):
        return "You have asked for it yourself; a second person has to decide."
    published = request.workflow.published
    since = published.published_at if published else None
    edited = User.objects.filter(pk__in=editors(request.workflow_id, since=since))
    if any(same_person(each, user) for each in edited):
        return "You have edited the workflow since it was last published; somebody else has to decide."
    mine = Membership.objects.in_force().filter(team=request.workflow.team_id, user=user, user__is_active=True)
    if not mine.filter(role__in=DECIDING).exists():
        return "A builder, an approver or an administrator of the team decides on it."
    return ""


def agree(request: PublicationRequest, *, by: User, reason: str = "") -> WorkflowVersion:
    """Publish what was asked for. If it has changed since, the request is void and nothing is published.

    Raises PublishError and NotAllowedNowError.
    """
    return _publish(request, by=by, reason=reason, is_break_glass=False)


def break_glass(request: PublicationRequest, *, by: User, reason: str) -> WorkflowVersion:
    """Publish it without a second person: superusers only, with a reason, and everybody hears of it.

    Raises PublishError and NotAllowedNowError.
    """
    if not by.is_superuser or not by.is_active:
        raise NotAllowedNowError("Only a superuser of this installation can do this.")
    if not reason.strip():
        raise NotAllowedNowError("Say why there is no time for a second person.")
    return _publish(request, by=by, reason=reason, is_break_glass=True)


def _publish(request: PublicationRequest, *, by: User, reason: str, is_break_glass: bool) -> WorkflowVersion:
    with transaction.atomic():
        locked = _open(request)
        if not is_break_glass and (why_not := obstacle(locked, by)):
            raise NotAllowedNowError(why_not)
        try:
            version = publish.publish(locked.workflow, by=by, note=locked.note, shown=locked.sha256, is_agreed=True)
        except publish.ChangedError:
            version = None
        if version is None:
            _end(locked, Status.VOID, by=None, reason="The workflow has changed since it was asked.")
        else:
            locked.version, locked.is_break_glass = version, is_break_glass
            _end(locked, Status.DONE, by=by, reason=reason)
            if is_break_glass:
                notify(
                    Matter(
                        locked.workflow.team_id,
                        Notice.Kind.BREAK_GLASS,
                        title=f"{locked.workflow.name} was published without a second person",
                        text=f"{by.get_username()}: {reason}",
                        workflow=locked.workflow,
                    )
                )
                _record(Audited.PUBLICATION_BREAK_GLASS, locked, by=by, reason=reason)
    request.refresh_from_db()
    if version is None:
        raise NotAllowedNowError("The workflow has changed since this was asked, so nothing is published. Ask anew.")
    return version


def refuse(request: PublicationRequest, *, by: User, reason: str) -> None:
    """Do not publish it, with a reason. Raises NotAllowedNowError."""
    if not reason.strip():
        raise NotAllowedNowError("Say why it is refused, so that its author knows what to change.")
    with transaction.atomic():
        locked = _open(request)
        if why_not := obstacle(locked, by):
            raise NotAllowedNowError(why_not)
        _end(locked, Status.REFUSED, by=by, reason=reason)
        _record(Audited.PUBLICATION_REFUSED, locked, by=by, reason=reason)
    request.refresh_from_db()


def withdraw(request: PublicationRequest, *, by: User) -> None:
    """Take one's own request back. Raises NotAllowedNowError."""
    with transaction.atomic():
        locked = _open(request)
        if locked.asked_by_id != by.pk:
            raise NotAllowedNowError("Only whoever has asked for it can withdraw it.")
        _end(locked, Status.WITHDRAWN, by=by, reason="")
        _record(Audited.PUBLICATION_WITHDRAWN, locked, by=by, reason="")
    request.refresh_from_db()


def _open(request: PublicationRequest) -> PublicationRequest:
    Workflow.objects.select_for_update().get(pk=request.workflow_id)
    locked = PublicationRequest.objects.select_related("workflow__published", "asked_by").get(pk=request.pk)
    if not locked.is_open:
        raise NotAllowedNowError(f"This is decided already: {locked.get_status_display().lower()}.")
    return locked


def _end(request: PublicationRequest, status: PublicationRequest.Status, *, by: User | None, reason: str) -> None:
    request.status, request.decided_by, request.decided_at = status, by, timezone.now()
    request.reason = reason.strip()
    request.save(update_fields=["status", "decided_by", "decided_at", "reason", "version", "is_break_glass"])


def _record(action: Audited, request: PublicationRequest, *, by: User, reason: str) -> None:
    record(
        action,
        team_id=request.workflow.team_id,
        about=request.workflow,
        by=by,
        reason=reason,
        before={"What it does": request.before} if request.before else {},
        after={"What it does": request.summary, "Request": str(request.number)},
    )
