"""Notices to people, in the app and by e-mail, grouped so that a bad night is one line and not a thousand.

What happens again (a run failed, a workflow was paused) is counted while its notice is unread. What lasts (a connection
that needs reconnecting, a provider that is down) gets one notice, which ends when the matter is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from integrations.core.clock import DatabaseNow, seconds
from integrations.models import Connection, Membership, Role, Team
from workflows.models import ApprovalDelegation, ApprovalRequest, Notice, Run, Safeguards, Workflow
from workflows.notifications import safeguards

Kind = Notice.Kind
_KEPT_SECONDS = 400 * 86_400


@dataclass(frozen=True)
class Matter:
    """What a notice is about; two with the same team, kind and subject are one."""

    team_id: int
    kind: Notice.Kind
    title: str
    text: str = ""
    workflow: Workflow | None = None
    connection: Connection | None = None
    run: Run | None = None

    @property
    def subject(self) -> str:
        """What distinguishes it from other matters of its kind."""
        if self.workflow is not None:
            return f"workflow:{self.workflow.pk}"
        return f"connection:{self.connection.pk}" if self.connection is not None else ""


def notify(matter: Matter, *, times: int = 1) -> None:
    """Add it to the unread notice about the same matter, or create one. May be called inside a transaction."""
    changes = {
        "title": matter.title[:200],
        "text": matter.text,
        "connection": matter.connection,
        "last_at": DatabaseNow(),
        "ended_at": None,
        **({"run": matter.run} if matter.run is not None else {}),
    }
    unread = Notice.objects.filter(team=matter.team_id, kind=matter.kind, subject=matter.subject, read_at__isnull=True)
    if unread.update(count=F("count") + times, **changes):
        return
    try:
        with transaction.atomic():
            Notice.objects.create(
                team_id=matter.team_id,
                kind=matter.kind,
                subject=matter.subject,
                workflow=matter.workflow,
                count=times,
                first_at=DatabaseNow(),
                **changes,
            )
    except IntegrityError:
        # Another process created it at the same moment.
        unread.update(count=F("count") + times, **changes)


def keep_lasting_notices(kinds: Iterable[Notice.Kind], matters: Iterable[Matter]) -> int:
    """Make the notices of these kinds match the present state: create those that are missing, end the others; returns
    how many have changed. A notice that a person has read is not created again while the matter lasts."""
    now = {(matter.team_id, str(matter.kind), matter.subject): matter for matter in matters}
    standing = Notice.objects.filter(kind__in=list(kinds), ended_at__isnull=True)
    known = {(notice.team_id, notice.kind, notice.subject): notice.pk for notice in standing}
    over = [pk for key, pk in known.items() if key not in now]
    Notice.objects.filter(pk__in=over).update(ended_at=DatabaseNow())
    fresh = [matter for key, matter in now.items() if key not in known]
    for matter in fresh:
        notify(matter)
    return len(over) + len(fresh)


def mark_read(notices: Iterable[Notice], *, by: User) -> int:
    """Mark them as read; returns how many were unread."""
    pks = [notice.pk for notice in notices]
    return Notice.objects.filter(pk__in=pks, read_at__isnull=True).update(read_at=DatabaseNow(), read_by=by)


def forget_old() -> int:
    """Delete notices that were read long ago; returns how many."""
    return Notice.objects.filter(read_at__lt=DatabaseNow() - seconds(_KEPT_SECONDS)).delete()[0]


def unread(team: Team, most: int) -> int:
    """How many notices are unread, counted up to `most`."""
    return len(Notice.objects.filter(team=team, read_at__isnull=True).order_by().values_list("pk", flat=True)[:most])


def recipients(notice: Notice) -> list[User]:
    """Whom an e-mail about it goes to: members of the team who can sign in and have an address."""
    of_team = Membership.objects.in_force().filter(team=notice.team_id)
    members = User.objects.filter(pk__in=of_team.values("user"), is_active=True).exclude(email="")
    builders = members.filter(pk__in=of_team.filter(role=Role.BUILDER).values("user"))
    if notice.kind in (Kind.BOOKS, Kind.BREAK_GLASS):
        return list(members.distinct().order_by("pk"))
    if notice.kind == Kind.POLICY:
        deciding = of_team.filter(role__in=[Role.ADMINISTRATOR, Role.APPROVER])
        return list(members.filter(pk__in=deciding.values("user")).distinct().order_by("pk"))
    if notice.kind == Kind.PUBLICATION:
        others = of_team.exclude(role=Role.AUDITOR)
        return list(members.filter(pk__in=others.values("user")).distinct().order_by("pk"))
    if notice.kind in (Kind.APPROVAL, Kind.EXPIRING):
        return list(members.filter(pk__in=_asked(notice)).distinct().order_by("pk"))
    if notice.workflow is None:
        return list(builders.distinct().order_by("pk"))
    own = safeguards.of(notice.workflow)
    if own.notify == Safeguards.Notify.NOBODY:
        return []
    if own.notify == Safeguards.Notify.PEOPLE:
        return list(members.filter(pk__in=own.people.values("pk")).distinct().order_by("pk"))
    author = members.filter(pk=notice.workflow.created_by_id or 0)
    return list((builders | author).distinct().order_by("pk"))


def _asked(notice: Notice) -> set[int]:
    """Whom the workflow's requests for approval ask that still wait: people by role or name, and who stands in for
    them today; not those who may not decide."""
    found: set[int] = set()
    waiting = ApprovalRequest.objects.filter(
        team=notice.team_id, workflow=notice.workflow_id, status=ApprovalRequest.Status.OPEN
    ).prefetch_related("exclusions")
    members = dict(Membership.objects.in_force().filter(team=notice.team_id).values_list("user", "role"))
    today = timezone.localdate()
    away = ApprovalDelegation.objects.filter(team=notice.team_id, first_day__lte=today, last_day__gte=today)
    stand_ins = list(away.values_list("away", "stand_in"))
    for request in waiting:
        asked: set[int] = set()
        for stage in request.stages:
            people = stage.get("people") or []
            asked |= {user for user, role in members.items() if (user in people if people else role == stage["role"])}
        excluded = {each.user_id for each in request.exclusions.all()}
        asked |= {stand_in for person, stand_in in stand_ins if person in asked - excluded}
        found |= asked - {user for user in excluded if user is not None}
    return found


def possible_recipients(team: Team) -> list[User]:
    """Everybody in the team who could be notified."""
    members = Membership.objects.in_force().filter(team=team, user__is_active=True)
    return [member.user for member in members.select_related("user").order_by("user__pk")]


def page_of(notice: Notice) -> str:
    """The address that leads to what a notice is about: its run, the list of its runs, its workflow, its connection."""
    statuses = {Kind.FAILED: Run.Status.FAILED, Kind.CRASHED: Run.Status.CRASHED, Kind.REVIEW: Run.Status.NEEDS_REVIEW}
    kind = Kind(notice.kind)
    if kind in statuses:
        if notice.count == 1 and notice.run_id is not None:
            return reverse("run", args=[notice.run_id])
        return f"{reverse('runs')}?status={statuses[kind]}&workflow={notice.workflow_id}"
    if kind in (Kind.HELD, Kind.LOOP):
        return f"{reverse('runs')}?status={Run.Status.WAITING}&wait={Run.WaitReason.HOLD}&workflow={notice.workflow_id}"
    if kind in (Kind.APPROVAL, Kind.EXPIRING):
        return reverse("approvals")
    if kind is Kind.POLICY:
        return reverse("policy")
    if kind is Kind.BREAK_GLASS and notice.run_id is not None:
        return reverse("run", args=[notice.run_id])
    if kind is Kind.BOOKS:
        return f"{reverse('reconciliations')}?connection={notice.connection_id or ''}"
    if notice.workflow_id is not None:
        return reverse("workflow", args=[notice.workflow_id])
    if notice.connection_id is not None:
        return reverse("connection", args=[notice.connection_id])
    return reverse("notices")
