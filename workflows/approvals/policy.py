"""A team's policy: proposing one, and putting it into force by a second person."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from integrations.audit.actions import Audited
from integrations.audit.record import record
from integrations.models import Membership, Role, Team
from workflows.approvals.excluded import same_person
from workflows.approvals.rule_words import in_words
from workflows.approvals.rules import Rule, of_json, to_json
from workflows.models import Notice, PolicyDraft, PolicyVersion
from workflows.notifications.notify import Matter, notify
from workflows.publishing.activation import NotAllowedNowError

Status = PolicyVersion.Status
#: Who may be the second person.
DECIDING = (Role.ADMINISTRATOR, Role.APPROVER)


def in_force(team_id: int) -> PolicyVersion | None:
    """The version that decides now; None where the team has no policy."""
    return PolicyVersion.objects.filter(team=team_id, status=Status.IN_FORCE).first()


def rules_of(version: PolicyVersion | None) -> list[Rule]:
    """The rules of a version; none without one."""
    return of_json(version.rules) if version is not None else []


def proposed(team_id: int) -> PolicyVersion | None:
    """The version that waits for a second person."""
    return PolicyVersion.objects.filter(team=team_id, status=Status.PROPOSED).first()


def propose(team: Team, rules: Sequence[Rule], *, by: User, note: str) -> PolicyVersion:
    """Propose another policy. It is in force once a second person has agreed; until then the present one decides.

    A proposal that nobody has decided on yet makes way if it is one's own. Raises NotAllowedNowError.
    """
    if not note.strip():
        raise NotAllowedNowError("Say why the policy is to be changed: whoever decides on it reads that first.")
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=team.pk)
        open_one = proposed(team.pk)
        if open_one is not None and open_one.proposed_by_id != by.pk:
            raise NotAllowedNowError(
                f"Another change of the policy waits for a decision already: number {open_one.number}. "
                "Decide on it first."
            )
        if open_one is not None:
            open_one.status, open_one.decided_at = Status.REFUSED, timezone.now()
            open_one.reason = "Its author proposed another one in its place."
            open_one.save(update_fields=["status", "decided_at", "reason"])
        last = PolicyVersion.objects.filter(team=team).aggregate(last=Max("number"))["last"] or 0
        version = PolicyVersion.objects.create(
            team=team, number=last + 1, rules=to_json(rules), note=note.strip(), proposed_by=by
        )
        PolicyDraft.objects.filter(team=team, by=by).delete()
        notify(
            Matter(
                team.pk,
                Notice.Kind.POLICY,
                title="A change of the policy waits for a second person",
                text=f"{by.get_username()} proposes policy {version.number}: {version.note}",
            )
        )
        _record(Audited.POLICY_PROPOSED, version, by=by, reason=note)
    return version


def obstacle(version: PolicyVersion, user: User) -> str:
    """Why the person may not decide on a proposal; "" where they may. Administrators and approvers of the team do, but
    for whoever proposed it."""
    if version.proposed_by is not None and same_person(version.proposed_by, user):
        return "You have proposed this change yourself; a second person has to decide on it."
    return "" if may_decide(version.team_id, user) else "An administrator or an approver of the team decides on it."


def may_decide(team_id: int, user: User) -> bool:
    """Whether the person's role makes them a possible second person."""
    mine = Membership.objects.in_force().filter(team=team_id, user=user, user__is_active=True)
    return mine.filter(role__in=DECIDING).exists()


def decide(version: PolicyVersion, *, by: User, agrees: bool, reason: str = "") -> None:
    """A second person's decision on a proposal. A refusal needs a reason. Raises NotAllowedNowError."""
    with transaction.atomic():
        locked = _open(version)
        if why_not := obstacle(locked, by):
            raise NotAllowedNowError(why_not)
        if not agrees and not reason.strip():
            raise NotAllowedNowError("Say why it is refused, so that its author knows what to change.")
        _end(locked, by=by, status=Status.IN_FORCE if agrees else Status.REFUSED, reason=reason)
        action = Audited.POLICY_AGREED if agrees else Audited.POLICY_REFUSED
        _record(action, locked, by=by, reason=reason)
    version.refresh_from_db()


def withdraw(version: PolicyVersion, *, by: User) -> None:
    """Take one's own proposal back. Raises NotAllowedNowError."""
    with transaction.atomic():
        locked = _open(version)
        if locked.proposed_by_id != by.pk:
            raise NotAllowedNowError("Only whoever has proposed a change can withdraw it.")
        _end(locked, by=by, status=Status.REFUSED, reason="Withdrawn by its author.")
        _record(Audited.POLICY_WITHDRAWN, locked, by=by, reason="")
    version.refresh_from_db()


def break_glass(version: PolicyVersion, *, by: User, reason: str) -> None:
    """Put a proposal into force without a second person: superusers only, with a reason, and everybody hears of it."""
    if not by.is_superuser:
        raise NotAllowedNowError("Only a superuser of this installation can do this.")
    if not reason.strip():
        raise NotAllowedNowError("Say why there is no time for a second person.")
    with transaction.atomic():
        locked = _open(version)
        locked.is_break_glass = True
        _end(locked, by=by, status=Status.IN_FORCE, reason=reason)
        notify(
            Matter(
                locked.team_id,
                Notice.Kind.BREAK_GLASS,
                title="A policy was put into force without a second person",
                text=f"{by.get_username()} did so with policy {locked.number}: {reason}",
            )
        )
        _record(Audited.POLICY_BREAK_GLASS, locked, by=by, reason=reason)
    version.refresh_from_db()


def _open(version: PolicyVersion) -> PolicyVersion:
    Team.objects.select_for_update().get(pk=version.team_id)
    locked = PolicyVersion.objects.get(pk=version.pk)
    if locked.status != Status.PROPOSED:
        raise NotAllowedNowError(f"This change is decided already: {locked.get_status_display().lower()}.")
    return locked


def _end(version: PolicyVersion, *, by: User, status: PolicyVersion.Status, reason: str) -> None:
    if status == Status.IN_FORCE:
        PolicyVersion.objects.filter(team=version.team_id, status=Status.IN_FORCE).update(status=Status.REPLACED)
    version.status, version.decided_by, version.decided_at = status, by, timezone.now()
    version.reason = reason.strip()
    version.save(update_fields=["status", "decided_by", "decided_at", "reason", "is_break_glass"])


def _record(action: Audited, version: PolicyVersion, *, by: User, reason: str) -> None:
    before = PolicyVersion.objects.filter(
        team=version.team_id, number__lt=version.number, status__in=[Status.IN_FORCE, Status.REPLACED]
    ).first()
    record(
        action,
        team_id=version.team_id,
        about=version,
        by=by,
        reason=reason,
        before=in_words(rules_of(before), version.team_id),
        after=in_words(rules_of(version), version.team_id),
    )
