"""Who may do what: one team at a time, four roles, checked in one place for pages, admin and API."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from integrations.models import Membership, MembershipQuerySet, Role, Team

P = ParamSpec("P")
Answer = TypeVar("Answer", bound=HttpResponseBase)


class Can(StrEnum):
    """What a page or an API call needs permission for."""

    LOOK = "look"
    BUILD = "build"
    APPROVE = "approve"
    UNDO = "undo"
    ADMINISTER = "administer"


#: Administrators decide who belongs to the team and neither build nor approve: whoever hands out roles must not be able
#: to write to the books with one of their own.
_GRANTED: dict[str, set[Can]] = {
    Role.BUILDER: {Can.LOOK, Can.BUILD, Can.UNDO},
    Role.APPROVER: {Can.LOOK, Can.APPROVE, Can.UNDO},
    Role.AUDITOR: {Can.LOOK},
    Role.ADMINISTRATOR: {Can.LOOK, Can.ADMINISTER},
}

_SESSION_KEY = "team_id"


def membership(request: HttpRequest) -> Membership | None:
    """The signed-in person's membership in the team they work in now; None without one. One query per request."""
    if hasattr(request, "_pinxero_membership"):
        cached: Membership | None = request._pinxero_membership
        return cached
    found: Membership | None = None
    if request.user.is_authenticated:
        mine = list(_mine(request.user.pk).select_related("team").order_by("pk"))
        chosen = request.session.get(_SESSION_KEY)
        found = next((each for each in mine if each.team_id == chosen), mine[0] if mine else None)
        request._pinxero_memberships = mine  # type: ignore[attr-defined]
    request._pinxero_membership = found  # type: ignore[attr-defined]
    return found


def _mine(user_id: int) -> MembershipQuerySet:
    return Membership.objects.in_force().filter(user=user_id)


def current_team(request: HttpRequest) -> Team | None:
    """The team the signed-in person works in now."""
    mine = membership(request)
    return mine.team if mine else None


def team_of(request: HttpRequest) -> Team:
    """The same in a view guarded by `allow`, which makes sure that there is one."""
    team = current_team(request)
    if team is None:
        raise PermissionDenied("You belong to no team yet. Ask an administrator to add you to one.")
    return team


def may(request: HttpRequest, can: Can) -> bool:
    """Whether the signed-in person may do this in the current team."""
    mine = membership(request)
    return mine is not None and request.user.is_active and can in _GRANTED.get(mine.role, set())


def role_may(role: str, can: Can) -> bool:
    """Whether a role allows this, for callers without a session."""
    return can in _GRANTED.get(role, set())


def allow(
    can: Can,
) -> Callable[[Callable[Concatenate[HttpRequest, P], Answer]], Callable[Concatenate[HttpRequest, P], Answer]]:
    """Guard a view: signed in, member of a team, and allowed to do this there. Else the log-in page or a 403."""

    def wrap(
        view: Callable[Concatenate[HttpRequest, P], Answer],
    ) -> Callable[Concatenate[HttpRequest, P], Answer]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> Answer:
            if not may(request, can):
                if membership(request) is None:
                    raise PermissionDenied("You belong to no team yet. Ask an administrator to add you to one.")
                raise PermissionDenied(f"Your role in this team does not allow this; it needs: {_who(can)}.")
            return view(request, *args, **kwargs)

        result: Any = login_required(guarded)
        result.needs = can
        return cast(Callable[Concatenate[HttpRequest, P], Answer], result)

    return wrap


def choose_team(request: HttpRequest, team_id: int) -> bool:
    """Work in another of one's teams from now on. False if the person is not a member of it."""
    if not request.user.is_authenticated or not _mine(request.user.pk).filter(team_id=team_id).exists():
        return False
    request.session[_SESSION_KEY] = team_id
    return True


def _who(can: Can) -> str:
    return " or ".join(str(Role(role).name.lower()) for role, granted in _GRANTED.items() if can in granted)
