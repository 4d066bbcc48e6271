"""Roles by the groups that somebody has in the company's directory, as its OIDC server states them at a sign-in.

In the teams that OIDC_GROUPS names, the groups decide: a new one lets somebody in, another one gives another role, and
none removes them. Of several groups for a team the first in the setting counts. Other teams are left alone.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from integrations.audit.actions import Audited
from integrations.audit.record import record
from integrations.models import Membership, Role, Team
from integrations.people import members

logger = logging.getLogger(__name__)

_REASON = "By the groups of the company's directory."


def roles_of(groups: Collection[str]) -> dict[str, Role | None]:
    """The role in each team that the setting names; None where no group gives one."""
    found: dict[str, Role | None] = {}
    for each in _rules():
        role = Role(each["role"]) if each["group"] in groups else None
        found[each["team"]] = found.get(each["team"]) or role
    return found


def apply(user: User, groups: Collection[str]) -> None:
    """Give somebody the roles that their groups mean, and take away those that they mean no more."""
    with transaction.atomic():
        # In the order of their ids, so that two sign-ins at once do not wait for each other.
        wanted = roles_of(groups)
        teams = list(Team.objects.select_for_update().filter(name__in=wanted).order_by("pk"))
        for team in teams:
            _apply(team, user, wanted[team.name])
    for name in wanted.keys() - {team.name for team in teams}:
        logger.warning("OIDC_GROUPS names the team %r, which does not exist.", name)


def _apply(team: Team, user: User, role: Role | None) -> None:
    mine = Membership.objects.in_force().select_related("team", "user").filter(team=team, user=user).first()
    if mine is None and role is not None:
        Membership.objects.filter(team=team, user=user).delete()  # one that has ended
        Membership.objects.create(team=team, user=user, role=role)
        after = members.words_of(role, None)
        record(Audited.MEMBER_ADDED, team_id=team.pk, about=user, by=None, reason=_REASON, after=after)
    elif mine is not None and mine.role != role:
        try:
            members.follow_directory(mine, role, reason=_REASON)
        except members.NotAllowedError as error:
            logger.warning("User %s keeps the role in team %s: %s", user.pk, team.pk, error.message)


def _rules() -> list[dict[str, str]]:
    rules: list[dict[str, str]] = settings.OIDC_GROUPS
    return rules
