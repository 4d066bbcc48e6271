"""The call budget of a connection: per minute, at once, per day.

Limits are kept here before the provider has to enforce them: a call that does not fit is not made but moved, by a
TemporaryError that says when there is room again. One row per connection is the meter; it is changed under a row lock
(SQLite: the write lock), so several workers share one budget. A worker that dies leaves its slot to expire.

Where a provider fails to answer several times in a row it counts as down: nothing is called but one try a minute, and
what waits for it goes on by itself once a try is answered. An answer of any kind below 500 ends it.

A fifth of the day's calls is kept back from polling, so that a busy trigger cannot starve the writes. Where the
provider tells how many calls are left today, its count replaces ours: its day begins when it likes.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone

from integrations.clock import DatabaseNow, scaled, seconds, unscaled
from integrations.errors import Hold, TemporaryError
from integrations.models import CallBudget, Connection

logger = logging.getLogger(__name__)

#: Longest that a call may hold its place: above its connect and read time-outs and the reading of the body.
SLOT_SECONDS = 100
#: The time-outs of a call are never shortened below a second each; a slot must outlive them.
_SHORTEST_SLOT = 4.0
#: The provider's minute may begin a moment before ours ends.
MINUTE_SECONDS = 61
DAY_SECONDS = 86_400
_POLL_SHARE = 0.8
#: Calls in a row without a usable answer after which a provider counts as down, and the pause between two tries then.
DOWN_AFTER = 5
PROBE_SECONDS = 60


class Purpose(StrEnum):
    """What a call is for; it decides how much of the day's budget it may use."""

    POLL = "poll"
    RUN = "run"
    PERSON = "person"


@dataclass(frozen=True)
class Limits:
    """A provider's limits for one connection; 0 where there is none of that kind."""

    per_minute: int
    at_once: int
    per_day: int


@dataclass
class Place:
    """The right to one call. Whoever makes it says how it went; `outage` is then the provider's, where it is down."""

    token: str
    is_answered: bool = False
    trouble: str = ""
    outage: Outage | None = None


@dataclass(frozen=True)
class Outage:
    """A provider that does not answer: since when, and what it did last instead."""

    since: datetime
    reason: str


@contextmanager
def place(connection_id: int, limits: Limits, purpose: Purpose, *, name: str = "The provider") -> Iterator[Place]:
    """Hold a place for one call while it is made. Raises TemporaryError (hold: budget or down) where there is none."""
    held = Place(_take(connection_id, limits, purpose, name))
    try:
        yield held
    finally:
        with _only_advice("A place in the call budget was not given back; it expires by itself"):
            held.outage = _give_back(connection_id, held)


def note_trouble(connection_id: int, reason: str) -> Outage | None:
    """Count a failure that came before the call itself, as a token that could not be renewed."""
    with _only_advice("A provider's failure was not counted"):
        CallBudget.objects.get_or_create(connection_id=connection_id)
        return _give_back(connection_id, Place("", trouble=reason))
    return None


def down(outage: Outage, name: str, *, retry_after: float = PROBE_SECONDS) -> TemporaryError:
    """What a call to a provider that is down comes to."""
    since = f"{timezone.localtime(outage.since):%-d %b, %H:%M %Z}"
    message = (
        f"{name} has not answered since {since}: {outage.reason.rstrip('.')}. "
        "One call a minute tries whether it is back; everything goes on by itself then."
    )
    return TemporaryError(message, retry_after=retry_after, hold=Hold.DOWN, since=outage.since)


def block(connection_id: int, *, for_seconds: float, reason: str) -> None:
    """Make no calls for so long (real seconds), as a 429 told. A longer pause that is there already stays."""
    until = DatabaseNow() + seconds(for_seconds)
    with _only_advice("A provider's wish for a pause was not stored; it will tell again"), transaction.atomic():
        CallBudget.objects.filter(connection_id=connection_id).exclude(blocked_until__gt=until).update(
            blocked_until=until, blocked_reason=reason[:200]
        )


def learn(connection_id: int, *, day_remaining: int | None) -> None:
    """Take over the provider's own count of the calls left today; None where it told none.

    More left than our limit allows in all means that the provider's limit is the larger one: then ours is counted on.
    """
    if day_remaining is None:
        return
    with _only_advice("A provider's count of calls was not stored; it will tell again"), transaction.atomic():
        CallBudget.objects.filter(
            connection_id=connection_id, day_limit__gt=0, day_limit__gte=max(0, day_remaining)
        ).update(day_used=F("day_limit") - max(0, day_remaining))


def note_use(connection: Connection) -> None:
    """Remember that a connection is in use, to the minute."""
    now = timezone.now()
    if connection.last_used_at is not None and now - connection.last_used_at < timedelta(minutes=1):
        return
    connection.last_used_at = now
    with _only_advice("That a connection was used was not stored"), transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(last_used_at=now)


@contextmanager
def _only_advice(what: str) -> Iterator[None]:
    """Nothing around a call may hide its outcome: a write that was answered stays answered."""
    try:
        yield
    except DatabaseError:
        logger.warning("%s.", what, exc_info=True)


@dataclass(frozen=True)
class Standing:
    """A budget as people see it."""

    day_used: int
    day_limit: int
    resets_at: datetime | None
    blocked_until: datetime | None
    blocked_reason: str
    outage: Outage | None = None

    @property
    def percent(self) -> int:
        """How much of the day's calls is used, 0 to 100."""
        return min(100, self.day_used * 100 // self.day_limit) if self.day_limit else 0


def standing(budget: CallBudget | None, limits: Limits, now: datetime) -> Standing:
    """What the connections page shows of a budget."""
    outage = outage_of(budget)
    if budget is None or budget.day_started_at is None:
        return Standing(0, limits.per_day, None, None, "", outage)
    resets_at = budget.day_started_at + seconds(DAY_SECONDS)
    blocked = budget.blocked_until if budget.blocked_until and budget.blocked_until > now else None
    used = budget.day_used if resets_at > now else 0
    return Standing(used, limits.per_day, resets_at, blocked, budget.blocked_reason if blocked else "", outage)


def outage_of(budget: CallBudget | None) -> Outage | None:
    """The outage under way, None where the provider answers."""
    return None if budget is None or budget.down_since is None else Outage(budget.down_since, budget.down_reason)


def _take(connection_id: int, limits: Limits, purpose: Purpose, name: str) -> str:
    CallBudget.objects.get_or_create(connection_id=connection_id)
    with transaction.atomic():
        budget = CallBudget.objects.select_for_update().annotate(now=DatabaseNow()).get(connection_id=connection_id)
        now: datetime = budget.now
        stamp = now.timestamp()
        probe_at = _next_probe(budget, now, name)
        if budget.blocked_until is not None and budget.blocked_until > now:
            wait = (budget.blocked_until - now).total_seconds()
            raise _no_room(budget.blocked_reason or "The provider asked for a pause.", wait)
        recent = sorted(at for at in budget.recent if at > stamp - scaled(MINUTE_SECONDS))
        in_flight = {token: until for token, until in budget.in_flight.items() if until > stamp}
        _roll_day(budget, limits, now)
        if limits.at_once and len(in_flight) >= limits.at_once:
            raise _no_room(f"{limits.at_once} calls are under way at once, which is the limit.", scaled(1))
        if limits.per_minute and len(recent) >= limits.per_minute:
            wait = float(recent[-limits.per_minute]) + scaled(MINUTE_SECONDS) - stamp
            raise _no_room(f"The limit of {limits.per_minute} calls a minute is reached.", wait)
        allowed = int(limits.per_day * _POLL_SHARE) if purpose is Purpose.POLL else limits.per_day
        if limits.per_day and budget.day_used >= allowed:
            assert budget.day_started_at is not None
            wait = (budget.day_started_at + seconds(DAY_SECONDS) - now).total_seconds()
            what = "kept for polling" if purpose is Purpose.POLL else "allowed"
            raise _no_room(f"The {allowed} calls a day {what} are used up.", wait)
        token = secrets.token_hex(4)
        in_flight[token] = round(stamp + max(_SHORTEST_SLOT, scaled(SLOT_SECONDS)), 3)
        recent.append(round(stamp, 3))
        CallBudget.objects.filter(pk=budget.pk).update(
            recent=recent,
            in_flight=in_flight,
            day_started_at=budget.day_started_at,
            day_used=budget.day_used + 1,
            day_limit=limits.per_day,
            probe_at=probe_at,
        )
    return token


def _next_probe(budget: CallBudget, now: datetime, name: str) -> datetime | None:
    """While the provider is down: when the next call may be tried after this one. Raises TemporaryError before that."""
    outage = outage_of(budget)
    if outage is None:
        return None
    if budget.probe_at is not None and budget.probe_at > now:
        raise down(outage, name, retry_after=unscaled(max(0.05, (budget.probe_at - now).total_seconds())))
    return now + seconds(PROBE_SECONDS)


def _roll_day(budget: CallBudget, limits: Limits, now: datetime) -> None:
    if budget.day_started_at is None or budget.day_started_at + seconds(DAY_SECONDS) <= now:
        budget.day_started_at, budget.day_used = now, 0


def _give_back(connection_id: int, held: Place) -> Outage | None:
    """Free the place and count how the call went; the provider's outage where it is down."""
    with transaction.atomic():
        budget = (
            CallBudget.objects.select_for_update()
            .annotate(now=DatabaseNow())
            .filter(connection_id=connection_id)
            .first()
        )
        if budget is None:
            return None
        changes: dict[str, object] = {}
        if held.token in budget.in_flight:
            changes["in_flight"] = {each: until for each, until in budget.in_flight.items() if each != held.token}
        if held.trouble:
            budget.troubles += 1
            changes |= {"troubles": budget.troubles, "down_reason": held.trouble[:200]}
            if budget.troubles >= DOWN_AFTER:
                budget.down_since = budget.down_since or budget.now
                budget.down_reason = held.trouble[:200]
                changes |= {"down_since": budget.down_since, "probe_at": budget.now + seconds(PROBE_SECONDS)}
        elif held.is_answered and (budget.troubles or budget.down_since):
            budget.down_since = None
            changes |= {"troubles": 0, "down_since": None, "down_reason": "", "probe_at": None}
        if changes:
            CallBudget.objects.filter(pk=budget.pk).update(**changes)
        return outage_of(budget)


def _no_room(message: str, wait: float) -> TemporaryError:
    retry_after = unscaled(max(0.05, wait))
    return TemporaryError(f"No call was made: {message}", retry_after=retry_after, hold=Hold.BUDGET)


def header_number(headers: Mapping[str, str], name: str) -> int | None:
    """A whole number from a header, None where it is missing or something else."""
    try:
        return int(headers.get(name, ""))
    except ValueError:
        return None
