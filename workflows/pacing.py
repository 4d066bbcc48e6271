"""How often triggers look while a day's calls last: never faster than asked, slower when calls run low.

Of the calls that are left today three in ten are kept for the actions of workflows and for people, and never fewer than
a fifth of the day's, which `integrations.limits` refuses to polls anyway. The looks of all triggers of a connection
share the rest: where it does not last until the day ends, each of them slows down by the same factor. Nobody has to
set anything, and it is over when the day's count begins again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from django.db.models import Min
from django.utils import timezone

from integrations import limits, registry
from integrations.clock import unscaled
from integrations.models import CallBudget, Connection
from workflows.models import TriggerState, Workflow

_SHARE_OF_LEFT = Fraction(7, 10)
_ALWAYS_KEPT = Fraction(1, 5)


@dataclass(frozen=True)
class Looks:
    """What one trigger asks for: a look every so many minutes, at so many calls each."""

    minutes: int
    calls: int = 1


@dataclass(frozen=True)
class Day:
    """What is left of a day's calls, of how many, and for how long (real seconds). `limit` 0: there is no limit."""

    left: int
    limit: int
    seconds: float

    @property
    def usable(self) -> Fraction:
        """The calls that polls may still make."""
        return max(Fraction(0), min(self.left * _SHARE_OF_LEFT, self.left - self.limit * _ALWAYS_KEPT))


def slowed(asked: int, day: Day, everybody: Iterable[Looks]) -> int:
    """Whole minutes between two looks where `asked` are wished for and `everybody` shares the day's calls.

    Never fewer than asked, and never more than the day has left: then the count begins again.
    """
    if not day.limit:
        return asked
    minutes_left = Fraction(max(0, math.ceil(day.seconds)), 60)
    needed = sum((each.calls * minutes_left / each.minutes for each in everybody), Fraction(0))
    longest = max(asked, math.ceil(minutes_left))
    if needed <= day.usable:
        return asked
    if not day.usable:
        return longest
    return min(longest, math.ceil(asked * needed / day.usable))


@dataclass(frozen=True)
class Pace:
    """How often a trigger looks now, and why."""

    asked: int
    minutes: int
    day: Day
    name: str

    @property
    def is_slowed(self) -> bool:
        """Whether it looks less often than asked for."""
        return self.minutes > self.asked

    @property
    def sentence(self) -> str:
        """Why it looks less often, for people; empty where it does not."""
        if not self.is_slowed:
            return ""
        left = f"{self.day.left:,} of {self.day.limit:,} calls are left for {self.name}"
        return f"{every(self.minutes)} instead of {self.asked} today: {left}."


def every(minutes: int) -> str:
    """ "Every minute", "Every 12 minutes", "Every 3 hours"."""
    if minutes == 1:
        return "Every minute"
    if minutes >= 120:
        return f"About every {round(minutes / 60)} hours"
    return f"Every {minutes} minutes"


def pace_of(state: TriggerState) -> Pace | None:
    """The pace of a trigger now; None where no active workflow listens."""
    return next((pace for each, pace in paces(state.connection) if each.pk == state.pk), None)


def paces(connection: Connection) -> list[tuple[TriggerState, Pace]]:
    """The paces of everything that looks at a connection. No call to the provider."""
    listened = _listened(connection)
    looks = [Looks(asked, max(1, state.calls_per_look)) for state, asked in listened]
    day = day_of(connection)
    return [(state, Pace(asked, slowed(asked, day, looks), day, connection.name)) for state, asked in listened]


def day_of(connection: Connection) -> Day:
    """What is left of the connection's day."""
    budget = CallBudget.objects.filter(connection=connection).first()
    limit = registry.connector(connection.provider).client_class(connection).limits()
    now = timezone.now()
    told = limits.standing(budget, limit, now)
    is_counting = told.resets_at is not None and told.resets_at > now
    seconds = unscaled((told.resets_at - now).total_seconds()) if told.resets_at and is_counting else 86_400.0
    return Day(left=max(0, told.day_limit - told.day_used), limit=told.day_limit, seconds=seconds)


def _listened(connection: Connection) -> list[tuple[TriggerState, int]]:
    """The connection's triggers that somebody listens to, with the minutes that the most eager asks for."""
    active = Workflow.objects.filter(listens_to__connection=connection, status=Workflow.Status.ACTIVE)
    asked = dict(active.values_list("listens_to").annotate(least=Min("interval_minutes")).order_by())
    return [(state, asked[state.pk]) for state in TriggerState.objects.filter(pk__in=asked).order_by("pk")]
