"""When access ends (a password changed, an account switched off, a membership over), what depended on it ends too.

Session rows do not name the person, so a person's sessions are found by decoding each: a few hundred, because they last
eight hours at most. Other apps revoke what they gave to somebody by adding a function to `ENDINGS`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone

logger = logging.getLogger(__name__)

#: Functions that revoke what the people with these ids have, in any team, and count it. Filled by apps when they are
#: ready.
ENDINGS: list[Callable[[Collection[int]], int]] = []

#: The session key where allauth stores whose password was right, even before the second factor.
_HALF_WAY_KEY = "account_authentication_methods_user"


#: The session keys of when somebody signed in and of the last time they did something, in seconds since 1970.
SINCE, USED = "signed_in_at", "used_at"


def sessions_of(user_ids: Collection[int]) -> Iterator[tuple[Session, int, dict[str, Any]]]:
    """The sessions in which these people are signed in now, each with whose it is and what it holds."""
    wanted = {str(each): each for each in user_ids}
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        content = session.get_decoded()
        whose = wanted.get(str(content.get(SESSION_KEY)))
        if whose is not None:
            yield session, whose, content


def moment_of(content: dict[str, Any], key: str) -> datetime | None:
    """One of the moments that a session holds."""
    seconds = content.get(key)
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) else None


def password_changed(user: User) -> None:
    """Revoke what was given under the old password. Django ends the sessions; we end the sign-ins that still lack the
    second factor.
    """
    _revoke({user.pk})
    _end_sessions({user.pk}, only_half_way=True)


def account_closed(user_ids: Collection[int]) -> int:
    """End everything of accounts that are switched off; returns how much that was."""
    return _revoke(user_ids) + _end_sessions(user_ids)


def membership_ended(user_ids: Collection[int]) -> None:
    """End the sessions of people who have left a team. What was given for the team depends on the membership's
    row.
    """
    _end_sessions(user_ids)


def sign_out_everywhere(user: User) -> None:
    """End somebody's sessions."""
    _end_sessions({user.pk})


def end_closed_accounts() -> int:
    """The same for accounts that were not switched off on their page. Called every minute."""
    closed = set(User.objects.filter(is_active=False).values_list("pk", flat=True))
    return account_closed(closed) if closed else 0


def forget_ended_sessions() -> int:
    """Remove the rows of expired sessions; returns how many. Called once a day."""
    count, _ = Session.objects.filter(expire_date__lt=timezone.now()).delete()
    return count


def _revoke(user_ids: Collection[int]) -> int:
    count = sum(end(user_ids) for end in ENDINGS)
    if count:
        logger.info("Revoked %s of what users %s held.", count, sorted(user_ids))
    return count


def _end_sessions(user_ids: Collection[int], *, only_half_way: bool = False) -> int:
    wanted = {str(each) for each in user_ids}
    ended = []
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        content = session.get_decoded()
        is_in = str(content.get(SESSION_KEY)) in wanted and not only_half_way
        is_half_way = str(content.get(_HALF_WAY_KEY)) in wanted and SESSION_KEY not in content
        if is_in or is_half_way:
            ended.append(session.pk)
    Session.objects.filter(pk__in=ended).delete()
    return len(ended)
