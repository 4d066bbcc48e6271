"""How often triggers look while a day's calls last: never faster than asked, slower when calls run low.

Of the calls that are left today three in ten are kept for the actions of workflows and for people, and never fewer than
a fifth of the day's, which `integrations.limits` refuses to polls anyway. The looks of all triggers of a connection
share the rest: where it does not last until the day ends, each of them slows down by the same factor. Nobody has to
set anything, and it is over when the day's count begins again.

Looks that notices ask for draw on the same share: they come at once while it is plenty, further apart as it shrinks,
and not at all once only the kept calls are left. What they take is missing for the planned looks, which then slow down.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from django.db.models import Min
from django.utils import timezone

from integrations import limits, registry, webhooks
from integrations.clock import unscaled
from integrations.models import CallBudget, Connection
from workflows.models import TriggerState, Workflow

_SHARE_OF_LEFT = Fraction(7, 10)
_ALWAYS_KEPT = Fraction(1, 5)
#: Between two looks that notices ask for, at least.
BELL_SECONDS = 10
#: What polls may use is spent so slowly on notices that it would last for so long, however often they come.
_BELLS_LAST = 3600


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


def bell_distance(day: Day, *, calls: int) -> int | None:
    """Whole seconds between two looks that notices ask for, where one look at everything that notices come for takes so
    many `calls`; None where nothing is left for them."""
    if not day.limit:
        return BELL_SECONDS
    if day.usable < calls:
        return None
    return max(BELL_SECONDS, math.ceil(_BELLS_LAST * calls / day.usable))


@dataclass(frozen=True)
class Pace:
    """How often a trigger looks now, and why. `bell` is the seconds between two looks that notices ask for, None where
    they ask in vain; it counts where the trigger `is_instant`."""

    asked: int
    minutes: int
    day: Day
    name: str
    bell: int | None = BELL_SECONDS
    is_instant: bool = False

    @property
    def is_slowed(self) -> bool:
        """Whether it looks less often than asked for."""
        return self.minutes > self.asked

    @property
    def is_held(self) -> bool:
        """Whether notices do not make it look at once as they otherwise would."""
        return self.is_instant and self.bell != BELL_SECONDS

    @property
    def sentence(self) -> str:
        """Why it looks less often or less promptly, for people; empty where it does not."""
        if not self.is_slowed and not self.is_held:
            return ""
        said = f"{every(self.minutes)} instead of {self.asked} today" if self.is_slowed else ""
        if self.is_held:
            bell = "no sooner when notices come" if self.bell is None else f"{_at_most(self.bell)} when notices come"
            said = f"{said}, and {bell}" if said else f"{bell[0].upper()}{bell[1:]} today"
        return f"{said}: {self.day.left:,} of {self.day.limit:,} calls are left for {self.name}."


def every(minutes: int) -> str:
    """ "Every minute", "Every 12 minutes", "Every 3 hours"."""
    if minutes == 1:
        return "Every minute"
    if minutes >= 120:
        return f"About every {round(minutes / 60)} hours"
    return f"Every {minutes} minutes"


def _at_most(distance: int) -> str:
    """ "At most every 40 seconds", "at most every 3 minutes"."""
    return f"at most every {distance} seconds" if distance < 120 else f"at most every {round(distance / 60)} minutes"


def is_instant(operation: str) -> bool:
    """Whether the trigger of that key is told of changes: its provider's notices have been seen to arrive."""
    try:
        trigger = registry.trigger(operation)
    except registry.UnknownOperationError:
        return False
    return bool(trigger.doorbell) and webhooks.is_set_up(trigger.connector.key)


def pace_of(state: TriggerState) -> Pace | None:
    """The pace of a trigger now; None where no active workflow listens."""
    return next((pace for each, pace in paces(state.connection) if each.pk == state.pk), None)


def paces(connection: Connection) -> list[tuple[TriggerState, Pace]]:
    """The paces of everything that looks at a connection. No call to the provider."""
    listened = _listened(connection)
    looks = [Looks(asked, max(1, state.calls_per_look)) for state, asked in listened]
    day = day_of(connection)
    ringing = [state for state, _ in listened if is_instant(state.operation)]
    bell = bell_distance(day, calls=sum(max(1, state.calls_per_look) for state in ringing) or 1)
    return [
        (state, Pace(asked, slowed(asked, day, looks), day, connection.name, bell, state in ringing))
        for state, asked in listened
    ]


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
