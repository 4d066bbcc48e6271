"""The call budget of a connection: per minute, at once, per day.

We respect the limits before the provider has to enforce them: a call that does not fit is postponed by a
TemporaryError that says when there is room again. One row per connection is the meter; it is changed under a row lock
(SQLite: the write lock), so several workers share one budget. A worker that dies leaves its slot to expire.

A provider that fails to answer several times in a row counts as down: only one call a minute is tried, and waiting work
goes on automatically once one is answered. Any answer below 500 ends the outage.

A fifth of the day's calls is kept back from polling, so that a busy trigger cannot starve the writes, and half of it
from backtests and from reconciliations, so that they starve neither. Where the provider says how many calls are left
today, its count replaces ours: its day may begin at another hour.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone

from integrations.core.clock import DatabaseNow, scaled, seconds, unscaled
from integrations.core.errors import Hold, TemporaryError
from integrations.models import CallBudget, Connection

logger = logging.getLogger(__name__)

#: The longest that a call may hold its slot: longer than its time-outs and reading its body together.
SLOT_SECONDS = 100
#: The time-outs of a call are never shortened below a second each; a slot must outlive them.
_SHORTEST_SLOT = 4.0
#: The provider's minute may begin a moment before ours ends.
MINUTE_SECONDS = 61
DAY_SECONDS = 86_400
#: Calls in a row without a usable answer after which a provider counts as down, and the pause between attempts then.
DOWN_AFTER = 5
PROBE_SECONDS = 60
#: Seconds by which the provider's clock may differ from ours before people are warned and nothing is sent again
#: automatically. A difference is stored again only if it changed by more than the delay of an answer.
WARNED_SKEW, LARGEST_SKEW = 30, 300
_SKEW_STEP, _MOST_SKEW = 5, 10**9


class Purpose(StrEnum):
    """What a call is for; it decides how much of the day's budget it may use."""

    POLL = "poll"
    RUN = "run"
    PERSON = "person"
    BACKTEST = "backtest"
    RECONCILE = "reconcile"


#: How much of the day's calls a purpose may use up, where that is not all of them, and how that is said.
_SHARES = {
    Purpose.POLL: (0.8, "kept for polling"),
    Purpose.BACKTEST: (0.5, "that backtests may make"),
    Purpose.RECONCILE: (0.5, "that reconciliations may make"),
}


@dataclass(frozen=True)
class Limits:
    """A provider's limits for one connection; 0 means no limit of that kind."""

    per_minute: int
    at_once: int
    per_day: int


@dataclass
class Slot:
    """The right to make one call. The caller records how it went; then `outage` is set if the provider is down."""

    token: str
    is_answered: bool = False
    trouble: str = ""
    outage: Outage | None = None
    #: The database's time when the slot was taken, and this machine's at that moment.
    at: datetime | None = None
    had_at: float = field(default_factory=time.monotonic)
    #: What the answer's `Date` shows of the provider's clock; None if it showed nothing.
    skew: int | None = None

    def read_clock(self, told: datetime | None) -> None:
        """Compare the provider's time, as given in the answer just received, with the database's."""
        if told is not None and self.at is not None:
            passed = timedelta(seconds=time.monotonic() - self.had_at)
            skew = round((told - self.at - passed).total_seconds())
            self.skew = max(-_MOST_SKEW, min(_MOST_SKEW, skew))


@dataclass(frozen=True)
class Outage:
    """A provider that does not answer: since when, and its last failure."""

    since: datetime
    reason: str


@dataclass
class _Held:
    """Holds a slot inside a `with`. It is no generator: the garbage collector would end one that somebody has left
    open, at any moment, and it would write in the middle of another statement of its database connection. What is left
    open expires."""

    connection_id: int
    limits: Limits
    purpose: Purpose
    name: str
    slot: Slot | None = None

    def __enter__(self) -> Slot:
        self.slot = _take(self.connection_id, self.limits, self.purpose, self.name)
        return self.slot

    def __exit__(self, *problem: object) -> None:
        assert self.slot is not None
        with _only_advice("A slot in the call budget was not freed; it expires by itself"):
            self.slot.outage = _give_back(self.connection_id, self.slot)


def slot(
    connection_id: int, limits: Limits, purpose: Purpose, *, name: str = "The provider"
) -> AbstractContextManager[Slot, None]:
    """Hold a slot during one call. Entering it raises TemporaryError (hold: budget or down) if there is none."""
    return _Held(connection_id, limits, purpose, name)


def lift(connection_id: int) -> None:
    """Allow calls again now: a person says that the pause the provider asked for is over or was wrong."""
    with transaction.atomic():
        budget = CallBudget.objects.select_for_update().filter(connection_id=connection_id)
        budget.filter(down_since__isnull=False).update(probe_at=DatabaseNow())
        # A day that the provider said was used up counts from 0 again: its next answer gives the count.
        budget.filter(day_limit__gt=0, day_used__gte=F("day_limit")).update(day_used=0)
        budget.update(blocked_until=None, blocked_reason="")


def skew_of(connection_id: int) -> int:
    """By how many seconds the provider's clock is ahead of ours, as last seen; 0 if unknown."""
    return CallBudget.objects.filter(connection_id=connection_id).values_list("clock_skew", flat=True).first() or 0


def note_trouble(connection_id: int, reason: str) -> Outage | None:
    """Count a failure before the call itself, such as a token that could not be renewed."""
    with _only_advice("A provider's failure was not counted"):
        CallBudget.objects.get_or_create(connection_id=connection_id)
        return _give_back(connection_id, Slot("", trouble=reason))
    return None


def down_error(outage: Outage, name: str, *, retry_after: float = PROBE_SECONDS) -> TemporaryError:
    """The error for a call to a provider that is down."""
    since = f"{timezone.localtime(outage.since):%-d %b, %H:%M %Z}"
    message = (
        f"{name} has not answered since {since}: {outage.reason.rstrip('.')}. "
        "One call a minute tries whether it is back; everything goes on by itself then."
    )
    return TemporaryError(message, retry_after=retry_after, hold=Hold.DOWN, since=outage.since)


def hindrance(connection: Connection) -> str:
    """Why a usable connection makes no calls at present, and until when; "" if it makes calls."""
    budget = CallBudget.objects.filter(connection=connection).first()
    if (outage := outage_of(budget)) is not None:
        return down_error(outage, connection.name).message
    if budget is None or budget.blocked_until is None or budget.blocked_until <= timezone.now():
        return ""
    until = f"{timezone.localtime(budget.blocked_until):%-d %b, %H:%M %Z}"
    why = f": {budget.blocked_reason.rstrip('.')}" if budget.blocked_reason else ""
    return f"{connection.name} takes no calls until {until}{why}. It goes on by itself then."


def block(connection_id: int, *, for_seconds: float, reason: str) -> None:
    """Make no calls for this long (real seconds), as a 429 asked. A longer pause already in force stays."""
    until = DatabaseNow() + seconds(for_seconds)
    with _only_advice("A provider's wish for a pause was not stored; it will tell again"), transaction.atomic():
        CallBudget.objects.filter(connection_id=connection_id).exclude(blocked_until__gt=until).update(
            blocked_until=until, blocked_reason=reason[:200]
        )


def learn(connection_id: int, *, day_remaining: int | None) -> None:
    """Adopt the provider's own count of calls left today; None if it gave none.

    If more calls are left than our limit allows in a day, the provider's limit is higher, and our own count goes on.
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
    """A failure to record a call must not hide its outcome: an answered write stays answered."""
    try:
        yield
    except DatabaseError:
        logger.warning("%s.", what, exc_info=True)


@dataclass(frozen=True)
class BudgetStatus:
    """A call budget, for people."""

    day_used: int
    day_limit: int
    resets_at: datetime | None
    blocked_until: datetime | None
    blocked_reason: str
    outage: Outage | None = None
    clock_skew: int = 0

    @property
    def skew_text(self) -> str:
        """How far the provider's clock is from ours, in words; "" if it is close enough."""
        if abs(self.clock_skew) <= WARNED_SKEW:
            return ""
        minutes, rest = divmod(abs(self.clock_skew), 60)
        parts = [f"{minutes:,} min"] * bool(minutes) + [f"{rest} s"] * bool(rest)
        return f"{' '.join(parts)} {'ahead of' if self.clock_skew > 0 else 'behind'} this installation's"

    @property
    def is_skew_too_large(self) -> bool:
        """Whether nothing is sent again automatically because the clocks are too far apart."""
        return abs(self.clock_skew) > LARGEST_SKEW

    @property
    def percent(self) -> int:
        """The share of the day's calls that is used, 0 to 100."""
        return min(100, self.day_used * 100 // self.day_limit) if self.day_limit else 0


def budget_status(budget: CallBudget | None, limits: Limits, now: datetime) -> BudgetStatus:
    """The budget's status for the connection pages."""
    outage = outage_of(budget)
    if budget is None or budget.day_started_at is None:
        return BudgetStatus(0, limits.per_day, None, None, "", outage, budget.clock_skew if budget else 0)
    resets_at = budget.day_started_at + seconds(DAY_SECONDS)
    blocked = budget.blocked_until if budget.blocked_until and budget.blocked_until > now else None
    used = budget.day_used if resets_at > now else 0
    reason = budget.blocked_reason if blocked else ""
    return BudgetStatus(used, limits.per_day, resets_at, blocked, reason, outage, budget.clock_skew)


def outage_of(budget: CallBudget | None) -> Outage | None:
    """The present outage, None if the provider answers."""
    return None if budget is None or budget.down_since is None else Outage(budget.down_since, budget.down_reason)


def _take(connection_id: int, limits: Limits, purpose: Purpose, name: str) -> Slot:
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
        share, what = _SHARES.get(purpose, (1, "allowed"))
        allowed = int(limits.per_day * share)
        if limits.per_day and budget.day_used >= allowed:
            assert budget.day_started_at is not None
            wait = (budget.day_started_at + seconds(DAY_SECONDS) - now).total_seconds()
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
    return Slot(token, at=now)


def _next_probe(budget: CallBudget, now: datetime, name: str) -> datetime | None:
    """While the provider is down: when the next call may be tried after this one. Raises TemporaryError before that."""
    outage = outage_of(budget)
    if outage is None:
        return None
    if budget.probe_at is not None and budget.probe_at > now:
        raise down_error(outage, name, retry_after=unscaled(max(0.05, (budget.probe_at - now).total_seconds())))
    return now + seconds(PROBE_SECONDS)


def _roll_day(budget: CallBudget, limits: Limits, now: datetime) -> None:
    if budget.day_started_at is None or budget.day_started_at + seconds(DAY_SECONDS) <= now:
        budget.day_started_at, budget.day_used = now, 0


def _give_back(connection_id: int, held: Slot) -> Outage | None:
    """Free the slot and record how the call went; returns the provider's outage if it is down."""
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
        if held.skew is not None and abs(held.skew - budget.clock_skew) >= _SKEW_STEP:
            changes["clock_skew"] = held.skew
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
    """A whole number from a header, None if it is missing or not a whole number."""
    try:
        return int(headers.get(name, ""))
    except ValueError:
        return None
