"""Where people are signed in now. A session belongs to a person and not to a team, so it ends for all of their teams.

Pages name a session by a hash of its key: the key itself would let its reader be that person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction

from integrations.audit.actions import Audited
from integrations.audit.record import record
from integrations.teams import leaving


@dataclass(frozen=True)
class OpenSession:
    """One browser in which somebody is signed in. `name` is what pages call it; the moments are None for sessions that
    nobody has used since Pinxero keeps them."""

    name: str
    user_id: int
    since: datetime | None
    used_at: datetime | None
    ends_at: datetime


def open_sessions(user_ids: Collection[int]) -> dict[int, list[OpenSession]]:
    """The sessions of each of these people, by their ids; the last used first."""
    found: dict[int, list[OpenSession]] = {user_id: [] for user_id in user_ids}
    for session, user_id, content in leaving.sessions_of(user_ids):
        since, used_at = (leaving.moment_of(content, key) for key in (leaving.SINCE, leaving.USED))
        found[user_id].append(OpenSession(_name(session), user_id, since, used_at, session.expire_date))
    for each in found.values():
        each.sort(key=lambda one: one.used_at or one.ends_at, reverse=True)
    return found


def end(user: User, name: str, *, team_id: int, by: User) -> int:
    """End the session of this name, or with an empty name all of the person's; returns how many ended."""
    with transaction.atomic():
        wanted = [session.pk for session, _, _ in leaving.sessions_of({user.pk}) if not name or _name(session) == name]
        Session.objects.filter(pk__in=wanted).delete()
        if wanted:
            after = {"Sessions ended": str(len(wanted))}
            record(Audited.SESSIONS_ENDED, team_id=team_id, about=user, by=by, after=after)
    return len(wanted)


def _name(session: Session) -> str:
    return hashlib.sha256(session.session_key.encode()).hexdigest()[:16]
