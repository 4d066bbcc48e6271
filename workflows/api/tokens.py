"""API tokens: created, shown once, found by their hash, revoked.

A token acts for one person in one team, within that person's role and its own scope. It ends with a change of the
person's password, with the account, with the membership, when it expires, and at once when it is revoked.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from integrations.audit import origin
from integrations.audit.actions import Audited
from integrations.audit.record import About, Person, record
from integrations.core.clock import DatabaseNow
from integrations.models import Membership, Team, in_force
from integrations.people.holdings import Holding, HoldingKind
from integrations.teams.access import Can, role_may
from workflows.models import ApiToken
from workflows.runtime.clock import database_now

_MARK = "pxt_"
_PREFIX = 10
#: How often the last use is stored, so that not every call writes it.
_NOTED_EVERY = timedelta(minutes=1)

KIND = "api-token"

_NEEDS = {ApiToken.Scope.READ: Can.LOOK, ApiToken.Scope.START: Can.BUILD}


class TokenError(Exception):
    """The token cannot be created; `message` says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Bearer:
    """The person, team and role that a valid token stands for."""

    token: ApiToken
    user: User
    team: Team
    role: str

    def may(self, can: Can) -> bool:
        """Whether the role and the token's scope both allow it."""
        scope_allows = can == Can.LOOK or (can == Can.BUILD and self.token.scope == ApiToken.Scope.START)
        return scope_allows and role_may(self.role, can)


def make(team: Team, user: User, *, name: str, scope: str, days: int | None) -> tuple[ApiToken, str]:
    """Create a token that lasts `days`; returns it and its text, which is stored nowhere. Raises TokenError."""
    mine = Membership.objects.in_force().filter(team=team, user=user).first()
    if mine is None or not role_may(mine.role, _NEEDS[ApiToken.Scope(scope)]):
        raise TokenError("Your role in this team does not allow such a token.")
    text = _MARK + secrets.token_urlsafe(32)
    with transaction.atomic():
        token = ApiToken.objects.create(
            team=team,
            user=user,
            membership=mine,
            name=name,
            scope=scope,
            prefix=text[:_PREFIX],
            token_hash=_hashed(text),
            expires_at=database_now() + timedelta(days=days) if days else None,
        )
        ends = f"{token.expires_at:%-d %B %Y}" if token.expires_at else "When it is revoked"
        _record(Audited.TOKEN_MADE, token, by=user, after={"May": str(token.get_scope_display()), "Ends": ends})
    return token, text


def revoke(token: ApiToken, *, by: User) -> None:
    """End the token at once."""
    with transaction.atomic():
        alive = ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True)
        if alive.update(revoked_at=DatabaseNow(), revoked_by=by):
            _record(Audited.TOKEN_REVOKED, token, by=by)
    token.refresh_from_db()


def revoke_all(user_ids: Collection[int]) -> int:
    """Revoke every token of these people; returns how many."""
    with transaction.atomic():
        alive = list(
            ApiToken.objects.select_for_update().filter(user_id__in=user_ids, revoked_at__isnull=True).order_by("pk")
        )
        ApiToken.objects.filter(pk__in=[each.pk for each in alive]).update(revoked_at=DatabaseNow())
        # In the order of the teams, so that two who do this at once do not wait for each other.
        for token in sorted(alive, key=lambda each: each.team_id):
            why = "Its owner's password was changed, or their account was switched off."
            _record(Audited.TOKEN_REVOKED, token, by=origin.person(), reason=why)
    return len(alive)


def held(team_id: int, user_ids: Collection[int]) -> list[Holding]:
    """The tokens that work now, of these people in this team."""
    now = database_now()
    alive = ApiToken.objects.filter(team=team_id, user_id__in=user_ids, revoked_at=None, membership__isnull=False)
    alive = alive.filter(Q(expires_at=None) | Q(expires_at__gt=now)).order_by("pk")
    return [
        Holding(
            KIND,
            each.pk,
            each.user_id,
            each.name,
            str(each.get_scope_display()),
            each.created_at,
            each.last_used_at,
            each.expires_at,
        )
        for each in alive
    ]


def _end(team_id: int, token_id: int, by: User) -> bool:
    token = ApiToken.objects.filter(team=team_id, pk=token_id, revoked_at=None).first()
    if token is not None:
        revoke(token, by=by)
    return token is not None


def _record(
    action: Audited, token: ApiToken, *, by: Person, reason: str = "", after: dict[str, str] | None = None
) -> None:
    about = About("api token", token.pk, token.name)
    record(action, team_id=token.team_id, about=about, by=by, reason=reason, after=after)


def bearer(text: str) -> Bearer | None:
    """Whom the token stands for; None if it is not valid now."""
    if not text.startswith(_MARK) or len(text) > 200:
        return None
    now = database_now()
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    found = ApiToken.objects.filter(alive, token_hash=_hashed(text), revoked_at__isnull=True, user__is_active=True)
    token = found.filter(in_force("membership__")).select_related("user", "team", "membership").first()
    if token is None or token.membership is None:
        return None
    if token.last_used_at is None or token.last_used_at < now - _NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=DatabaseNow())
    return Bearer(token, token.user, token.team, token.membership.role)


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


HELD = HoldingKind(KIND, "API token", held, _end)
