"""Tokens with which programs use the API: made, shown once, found by their hash, revoked.

A token acts for one person in one team, with what that person's role there allows and no more than its own scope. It
dies with the person's account, with the membership, with its own end, and at once when it is revoked.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import Q

from integrations.access import Can, role_may
from integrations.clock import DatabaseNow
from integrations.models import Membership, Team
from workflows.engine.lease import database_now
from workflows.models import ApiToken

_MARK = "pxt_"
_PREFIX = 10
#: How old the note of the last use may get, so that not every call writes one.
_NOTED_EVERY = timedelta(minutes=1)

_NEEDS = {ApiToken.Scope.READ: Can.LOOK, ApiToken.Scope.START: Can.BUILD}


class TokenError(Exception):
    """The token cannot be made; `message` says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Bearer:
    """Whom a good token stands for."""

    token: ApiToken
    user: User
    team: Team
    role: str

    def may(self, can: Can) -> bool:
        """Whether the role and the token's scope both allow it."""
        scope_allows = can == Can.LOOK or (can == Can.BUILD and self.token.scope == ApiToken.Scope.START)
        return scope_allows and role_may(self.role, can)


def make(team: Team, user: User, *, name: str, scope: str, days: int | None) -> tuple[ApiToken, str]:
    """A new token and its text, which is kept nowhere. `days` is how long it lasts. Raises TokenError."""
    role = Membership.objects.filter(team=team, user=user).values_list("role", flat=True).first()
    if role is None or not role_may(role, _NEEDS[ApiToken.Scope(scope)]):
        raise TokenError("Your role in this team does not allow such a token.")
    text = _MARK + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        team=team,
        user=user,
        name=name,
        scope=scope,
        prefix=text[:_PREFIX],
        token_hash=_hashed(text),
        expires_at=database_now() + timedelta(days=days) if days else None,
    )
    return token, text


def revoke(token: ApiToken, *, by: User) -> None:
    """Let it open nothing any more."""
    ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=DatabaseNow(), revoked_by=by)
    token.refresh_from_db()


def bearer(text: str) -> Bearer | None:
    """Whom the token stands for; None where it is none that counts now."""
    if not text.startswith(_MARK) or len(text) > 200:
        return None
    now = database_now()
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    found = ApiToken.objects.filter(alive, token_hash=_hashed(text), revoked_at__isnull=True, user__is_active=True)
    token = found.select_related("user", "team").first()
    if token is None:
        return None
    role = Membership.objects.filter(team=token.team_id, user=token.user_id).values_list("role", flat=True).first()
    if role is None:
        return None
    if token.last_used_at is None or token.last_used_at < now - _NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=DatabaseNow())
    return Bearer(token, token.user, token.team, role)


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
