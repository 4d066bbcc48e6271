"""Whether a request has the approvals it needs, and who may give the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.contrib.auth.models import User

from integrations.models import Membership
from workflows.approvals.excluded import same_person
from workflows.approvals.rules import Stage
from workflows.approvals.seals import is_sealed
from workflows.models import Approval, ApprovalDelegation, ApprovalExclusion, ApprovalRequest


def is_complete(request: ApprovalRequest) -> bool:
    """Whether enough approvals with a valid seal are there, none of them of somebody excluded, none refused it."""
    given = [each for each in request.approvals.all() if is_sealed(each) and each.fingerprint == request.fingerprint]
    if any(each.decision == Approval.Decision.REFUSE for each in given):
        return False
    if any(each.method == Approval.Method.BREAK_GLASS for each in given):
        return True
    excluded = set(request.exclusions.values_list("user", flat=True))
    people = {each.by_id for each in given if not {each.by_id, each.on_behalf_of_id} & excluded}
    return len(people) >= request.needed


def stages_of(request: ApprovalRequest) -> list[Stage]:
    """Its stages."""
    return [Stage.of(each) for each in request.stages]


def stage_now(request: ApprovalRequest) -> int | None:
    """The place of the stage that is decided on now, from 0 on; None once every stage has its approvals."""
    given = [each.stage for each in request.approvals.all() if each.decision == Approval.Decision.APPROVE]
    for place, stage in enumerate(stages_of(request)):
        if given.count(place) < stage.count:
            return place
    return None


@dataclass(frozen=True)
class Right:
    """Whether a person may decide on a request now: `obstacle` is "" or a sentence. `stage` is where their approval
    counts, `for_whom` the person in whose place they decide, None if it is their own."""

    obstacle: str = ""
    stage: int = 0
    for_whom: User | None = None


@dataclass(frozen=True)
class Standing:
    """What decides on a person's right to any request of a team: the roles of its members, and in whose place the
    person decides today."""

    roles: Mapping[int, str]
    away: Sequence[User] = ()

    def eligible(self, stage: Stage) -> set[int]:
        """The members whose approval counts in a stage, as far as roles and names go."""
        if stage.people:
            return set(stage.people) & set(self.roles)
        return {user for user, role in self.roles.items() if role == stage.role}


def standing(team_id: int | None, user: User | None = None, *, today: date | None = None) -> Standing:
    """Read once for all requests of a team; in whose place the `user` decides on this day, if one is given."""
    members = Membership.objects.in_force().filter(team=team_id, user__is_active=True)
    roles = dict(members.values_list("user", "role"))
    if user is None or user.pk not in roles:
        return Standing(roles)
    now = ApprovalDelegation.objects.filter(
        team=team_id, stand_in=user, first_day__lte=today, last_day__gte=today
    ).select_related("away")
    return Standing(roles, [each.away for each in now.order_by("pk")])


def right_of(request: ApprovalRequest, user: User, *, today: date, known: Standing | None = None) -> Right:
    """What the person may do with the request. Reads roles and delegations as they are now, unless they are given."""
    if not user.is_active:
        return Right("This account is switched off.")
    why = {each.user_id: each.why for each in request.exclusions.all()}
    if user.pk in why:
        return Right(f"You may not decide on this: you or your other account {_reason(why[user.pk])}.")
    approvals = list(request.approvals.all())
    if any(each.by_id == user.pk for each in approvals):
        return Right("You have decided on this already.")
    # A person may have got a second account since the request was made.
    if any(each.user is not None and same_person(each.user, user) for each in request.exclusions.all()):
        return Right("You may not decide on this: your account has the mail address of somebody who may not.")
    if any(each.by is not None and same_person(each.by, user) for each in approvals):
        return Right("Somebody with your mail address has decided on this already.")
    place = stage_now(request)
    if place is None:
        return Right("It has all its approvals already.")
    stage = stages_of(request)[place]
    known = known or standing(request.team_id, user, today=today)
    possible = known.eligible(stage)
    if user.pk in possible:
        return Right(stage=place)
    taken = {pk for each in approvals for pk in (each.by_id, each.on_behalf_of_id)}
    for person in known.away:
        if person.pk in possible and person.pk not in why and person.pk not in taken:
            return Right(stage=place, for_whom=person)
    return Right("This waits for somebody else’s approval.")


def _reason(why: str) -> str:
    return ApprovalExclusion.WHY.get(why, why)
