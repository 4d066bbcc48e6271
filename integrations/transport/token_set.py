"""Token sets as providers give them, and whether a stored one is still usable. Opens no socket and changes no row."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from integrations.core.clock import seconds
from integrations.models import Grant

#: A token is renewed this early; a short-lived one in the last quarter of its life.
EARLY_SECONDS = 120
#: A token with this long to live is usable for one more call while a renewal is running or failing.
USABLE_SECONDS = 10
_DAY_SECONDS = 86_400
#: No token lives longer; a larger number is wrong, but no reason to lose the token that came with it.
_LONGEST_SECONDS = 3650 * _DAY_SECONDS


@dataclass(frozen=True)
class OAuthEndpoints:
    """Where, and as which client, tokens are requested. `extra_token_fields` are added to each request."""

    token_url: str
    client_id: str
    client_secret: str
    revoke_url: str = ""
    extra_token_fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TokenSet:
    """A token endpoint's answer. Its `repr` leaves the secrets out.

    `expires_in` and `refresh_expires_in` are seconds; None if the answer does not say. `scopes` is None where the
    answer names none, which means: as asked for.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: float | None
    refresh_expires_in: float | None
    scopes: list[str] | None
    answer: Mapping[str, Any] = field(repr=False, default_factory=dict)


def read_tokens(answer: Mapping[str, Any]) -> TokenSet:
    """A token endpoint's answer as a TokenSet. Reads both names for the refresh token's lifetime."""
    refresh_left = _number(answer.get("refresh_token_expires_in"))
    refresh_end = _number(answer.get("refresh_token_expires_at"))
    if refresh_left is None and refresh_end is not None:
        refresh_left = max(0.0, refresh_end - time.time())
    scope = answer.get("scope")
    if isinstance(scope, str):
        scope = scope.replace(",", " ").split()
    return TokenSet(
        access_token=answer["access_token"],
        refresh_token=str(answer.get("refresh_token") or ""),
        expires_in=_number(answer.get("expires_in")),
        refresh_expires_in=refresh_left,
        scopes=[str(each) for each in scope] if isinstance(scope, list) else None,
        answer=answer,
    )


def after(moment: datetime, lifetime: float | None) -> datetime | None:
    """The end of a lifetime in seconds, as the provider counts them; None if it does not say."""
    return None if lifetime is None else moment + timedelta(seconds=min(lifetime, _LONGEST_SECONDS))


def is_fresh(grant: Grant, now: datetime, unless: str | None) -> bool:
    """Whether the stored token can be used without renewing it."""
    early = seconds(EARLY_SECONDS)
    if grant.expires_at and grant.refreshed_at:
        early = min(early, (grant.expires_at - grant.refreshed_at) / 4)
    return _lives(grant, now + early, unless)


def is_usable(grant: Grant, now: datetime, unless: str | None) -> bool:
    """Whether the stored token is good for one more call."""
    return _lives(grant, now + seconds(USABLE_SECONDS), unless)


def is_idle(grant: Grant, now: datetime) -> bool:
    """Whether the grant should be renewed just to keep it alive; needs none of its secrets.

    True if its refresh token was not used for 30 days or has less than 30 days (or half its life) left, or when a
    long-lived access token has less than a week left.
    """
    month, week = seconds(30 * _DAY_SECONDS), seconds(7 * _DAY_SECONDS)
    born = grant.refreshed_at or grant.created_at
    if born < now - month:
        return True
    end = grant.refresh_expires_at
    if end is not None and end - now < min(month, (end - born) / 2):
        return True
    end = grant.expires_at
    return end is not None and end - born > 2 * week and end - now < week


def _lives(grant: Grant, until: datetime, unless: str | None) -> bool:
    is_known = bool(grant.access_token) and grant.access_token != unless
    return is_known and (grant.expires_at is None or grant.expires_at > until)


def _number(value: Any) -> float | None:
    try:
        return float(value) if not isinstance(value, bool) and float(value) >= 0 else None
    except (TypeError, ValueError):
        return None
