"""The members of a team: what the page shows of each, and changing a role, an end, or removing somebody.

Every change is recorded with what it was before, and why. Two rules hold whoever asks:
- A team keeps an administrator whose membership has no end and who can sign in, or nobody could let others in.
- Nobody changes their own role or end. Else an administrator could approve, or build, whenever they liked.
Superusers are bound by neither: in the admin they can mend a team that has locked itself out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from integrations.audit.actions import Audited
from integrations.audit.record import record, record_difference
from integrations.core.address_values import midnight
from integrations.core.clock import DatabaseNow
from integrations.models import Membership, Role, Team
from integrations.people.holdings import Holding, held
from integrations.people.sessions import OpenSession, open_sessions
from integrations.teams import leaving

#: The roles of which a team decides whether they need a second factor; of the others it is needed everywhere.
CHOOSABLE = (Role.BUILDER, Role.AUDITOR)


class NotAllowedError(Exception):
    """The team would be the worse for it; `message` says why and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Member:
    """Somebody as the pages show them. `holdings` is what they hold in this team, such as API tokens."""

    membership: Membership
    has_second_factor: bool
    sessions: Sequence[OpenSession]
    holdings: Sequence[Holding]

    @property
    def user(self) -> User:
        """Who it is."""
        user: User = self.membership.user
        return user

    @property
    def role(self) -> str:
        """The name of their role."""
        return role_name(self.membership.role)

    @property
    def last_day(self) -> date | None:
        """The last day of the membership."""
        return last_day(self.membership.ends_at)


def role_name(role: str) -> str:
    """The role in a word."""
    return str(Role(role).label).partition(":")[0]


def last_day(ends_at: datetime | None) -> date | None:
    """The last whole day before an end, in Pinxero's time zone."""
    return timezone.localdate(ends_at - timedelta(seconds=1)) if ends_at else None


def end_of(day: date | None) -> datetime | None:
    """The end of a membership whose last day this is."""
    return midnight(day + timedelta(days=1)) if day else None


def members(team: Team) -> list[Member]:
    """Everybody in the team, by name."""
    mine = Membership.objects.in_force().filter(team=team).select_related("user").order_by("user__username", "pk")
    return _shown(team, list(mine))


def member(membership: Membership) -> Member:
    """One of them."""
    return _shown(membership.team, [membership])[0]


def _shown(team: Team, mine: list[Membership]) -> list[Member]:
    ids = {each.user_id for each in mine}
    factors = Authenticator.objects.filter(user__in=ids, type=Authenticator.Type.TOTP)
    with_factor = set(factors.values_list("user_id", flat=True))
    sessions, holdings = open_sessions(ids), held(team.pk, ids)
    return [Member(each, each.user_id in with_factor, sessions[each.user_id], holdings[each.user_id]) for each in mine]


def change(membership: Membership, *, role: str, until: date | None, by: User, reason: str) -> bool:
    """Give somebody this role, until this day; returns whether anything changed. Raises NotAllowedError."""
    with transaction.atomic():
        now = _locked(membership)
        ends_at = end_of(until)
        if now.user_id == by.pk and words_of(role, ends_at) != words_of(now.role, now.ends_at):
            raise NotAllowedError("Nobody changes their own role or end. Another administrator of the team can.")
        return _change(now, Role(role), ends_at, by=by, reason=reason)


def follow_directory(membership: Membership, role: Role | None, *, reason: str) -> None:
    """Give somebody the role that the company's directory says, None for none any more. Raises NotAllowedError."""
    with transaction.atomic():
        now = _locked(membership)
        if role is None:
            _remove(now, by=None, reason=reason)
        else:
            _change(now, role, now.ends_at, by=None, reason=reason)


def _change(now: Membership, role: Role, ends_at: datetime | None, *, by: User | None, reason: str) -> bool:
    before, was_lasting = words_of(now.role, now.ends_at), _is_lasting(now)
    after = words_of(role, ends_at)
    if before == after:
        return False
    now.role, now.ends_at = role, ends_at
    now.save(update_fields=["role", "ends_at"])
    if was_lasting:
        _check_administered(now.team)
    record_difference(
        Audited.MEMBER_CHANGED,
        team_id=now.team_id,
        about=now.user,
        by=by,
        reason=reason,
        before=before,
        after=after,
    )
    return True


def remove(membership: Membership, *, by: User, reason: str) -> None:
    """End somebody's membership now, with their sessions and what they hold in the team. Raises NotAllowedError."""
    with transaction.atomic():
        _remove(_locked(membership), by=by, reason=reason)


def _remove(now: Membership, *, by: User | None, reason: str) -> None:
    team, user, before, was_lasting = now.team, now.user, words_of(now.role, now.ends_at), _is_lasting(now)
    now.delete()
    if was_lasting:
        _check_administered(team)
    leaving.membership_ended({user.pk})
    record(Audited.MEMBER_REMOVED, team_id=team.pk, about=user, by=by, reason=reason, before=before)


def remove_ended() -> int:
    """Remove the memberships whose end has come; returns how many. Called every minute."""
    ended = Membership.objects.filter(ends_at__lte=DatabaseNow()).order_by("team", "pk").values_list("pk", flat=True)
    removed = 0
    for pk in list(ended):
        with transaction.atomic():
            # Again under a lock: somebody may have given it another end meanwhile.
            mine = Membership.objects.select_for_update(of=("self",)).select_related("team", "user")
            found = mine.filter(pk=pk, ends_at__lte=DatabaseNow()).first()
            if found is not None:
                _remove(found, by=None, reason="The end of the membership had come.")
                removed += 1
    return removed


def choose_second_factor(team: Team, roles: Collection[str], *, by: User, reason: str) -> bool:
    """Say which roles need a second factor, besides those that always do; returns whether anything changed."""
    with transaction.atomic():
        now = Team.objects.select_for_update().get(pk=team.pk)
        before, after = now.second_factor_roles, [role for role in CHOOSABLE if role in roles]
        if before == after:
            return False
        now.second_factor_roles = after
        now.save(update_fields=["second_factor_roles"])
        was, will_be = ({"Besides": ", ".join(map(role_name, each)) or "None"} for each in (before, after))
        record(Audited.SECOND_FACTOR_ROLES, team_id=team.pk, about=now, by=by, reason=reason, before=was, after=will_be)
    return True


def words_of(role: str, ends_at: datetime | None) -> dict[str, str]:
    """A membership in words, for the audit trail."""
    day = last_day(ends_at)
    return {"Role": role_name(role), "Last day": f"{day:%-d %B %Y}" if day else "None"}


def _locked(membership: Membership) -> Membership:
    """The membership as it is now. The team's row is locked first: of two changes to it one waits, so that both cannot
    take away the last administrator."""
    Team.objects.select_for_update().get(pk=membership.team_id)
    now: Membership | None = (
        Membership.objects.in_force().select_related("team", "user").filter(pk=membership.pk).first()
    )
    if now is None:
        raise NotAllowedError("This membership has ended meanwhile.")
    return now


def _is_lasting(membership: Membership) -> bool:
    return membership.role == Role.ADMINISTRATOR and membership.ends_at is None


def _check_administered(team: Team) -> None:
    lasting = Membership.objects.filter(team=team, role=Role.ADMINISTRATOR, ends_at=None, user__is_active=True)
    if not lasting.exists():
        raise NotAllowedError(
            "This is the last administrator of the team. Make somebody else an administrator first, without an end."
        )
