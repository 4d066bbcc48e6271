"""Deciding in another's place while they are away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from integrations.audit.actions import Audited
from integrations.audit.record import About, record
from integrations.models import Membership, Team
from workflows.models import ApprovalDelegation
from workflows.publishing.activation import NotAllowedNowError

#: A longer absence is another person's job.
_MOST_DAYS = 184


def of_team(team: Team) -> QuerySet[ApprovalDelegation]:
    """Those that are or will be in force, the first to begin first."""
    found = ApprovalDelegation.objects.for_team(team).filter(last_day__gte=timezone.localdate())
    ordered: QuerySet[ApprovalDelegation] = found.select_related("away", "stand_in").order_by("first_day", "pk")
    return ordered


def possible(team: Team) -> Sequence[User]:
    """The members of a team who can sign in."""
    members = Membership.objects.in_force().filter(team=team, user__is_active=True)
    return [each.user for each in members.select_related("user").order_by("user__username")]


def make(team: Team, *, away: User, stand_in: User, first: date, last: date, by: User) -> ApprovalDelegation:
    """Let one member decide in another's place from the first day to the last. Raises NotAllowedNowError."""
    if away.pk == stand_in.pk:
        raise NotAllowedNowError("Nobody stands in for themselves. Choose somebody else.")
    if last < first:
        raise NotAllowedNowError("The last day lies before the first one.")
    if last < timezone.localdate():
        raise NotAllowedNowError("These days are over.")
    if last - first > timedelta(days=_MOST_DAYS):
        raise NotAllowedNowError("Half a year at most; for longer, give the other person the role.")
    members = {each.pk for each in possible(team)}
    if not {away.pk, stand_in.pk} <= members:
        raise NotAllowedNowError("Both have to belong to the team.")
    with transaction.atomic():
        made = ApprovalDelegation.objects.create(
            team=team, away=away, stand_in=stand_in, first_day=first, last_day=last
        )
        _record(Audited.DELEGATION_MADE, made, by=by)
    return made


def end(made: ApprovalDelegation, *, by: User) -> None:
    """End it now."""
    with transaction.atomic():
        _record(Audited.DELEGATION_ENDED, made, by=by)
        made.delete()


def _record(action: Audited, made: ApprovalDelegation, *, by: User) -> None:
    record(
        action,
        team_id=made.team_id,
        about=About("delegation", made.pk, "Deciding in another’s place"),
        by=by,
        after={
            "Away": f"person {made.away_id}",
            "Stands in": f"person {made.stand_in_id}",
            "Days": f"{made.first_day} to {made.last_day}",
        },
    )
