"""How often triggers poll with the calls of a day: never more often than asked, less often when calls run low.

Of the calls that are left today three in ten are kept for the actions of workflows and for people, and never fewer than
a fifth of the day's, which `integrations.transport.call_budget` refuses to polls anyway. The polls of all triggers of a
connection share the rest: if it does not last until the day ends, each of them slows down by the same factor. Nobody
has to set anything, and it ends when the day's count begins again.

Polls that webhook events ask for use the same share: they come at once while it is large, further apart as it shrinks,
and not at all once only the kept calls are left. Scheduled polls have fewer calls then, and slow down.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from django.db.models import Min
from django.utils import timezone

from integrations.connections import webhook_intake
from integrations.core.clock import unscaled
from integrations.framework import registry
from integrations.models import CallBudget, Connection
from integrations.transport import call_budget
from workflows.models import TriggerState, Workflow

_SHARE_OF_LEFT = Fraction(7, 10)
_ALWAYS_KEPT = Fraction(1, 5)
#: At least between two polls that webhook events ask for.
DOORBELL_SECONDS = 10
#: Polls that webhook events ask for are spaced so that the calls for polls would last this long.
_DOORBELL_BUDGET_SECONDS = 3600


@dataclass(frozen=True)
class PollDemand:
    """What one trigger asks for: the minutes between polls, and the calls of each."""

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


def slowed_interval(asked: int, day: Day, everybody: Iterable[PollDemand]) -> int:
    """Whole minutes between two polls, if `asked` are wanted and `everybody` shares the day's calls.

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


def doorbell_interval(day: Day, *, calls: int) -> int | None:
    """Whole seconds between two polls that webhook events ask for, if polling everything that they concern takes this
    many `calls`; None if none are left for them."""
    if not day.limit:
        return DOORBELL_SECONDS
    if day.usable < calls:
        return None
    return max(DOORBELL_SECONDS, math.ceil(_DOORBELL_BUDGET_SECONDS * calls / day.usable))


@dataclass(frozen=True)
class Pace:
    """How often a trigger polls now, and why. `bell` is the seconds between two polls that webhook events ask for, None
    if there are none now; it matters only if the trigger `is_instant`."""

    asked: int
    minutes: int
    day: Day
    name: str
    bell: int | None = DOORBELL_SECONDS
    is_instant: bool = False

    @property
    def is_slowed(self) -> bool:
        """Whether it polls less often than asked for."""
        return self.minutes > self.asked

    @property
    def is_held(self) -> bool:
        """Whether webhook events do not make it poll at once as they otherwise would."""
        return self.is_instant and self.bell != DOORBELL_SECONDS

    @property
    def sentence(self) -> str:
        """Why it checks less often or less promptly, for people; empty if it does not."""
        if not self.is_slowed and not self.is_held:
            return ""
        text = f"{every(self.minutes)} instead of {self.asked} today" if self.is_slowed else ""
        if self.is_held:
            bell = "no sooner when notices come" if self.bell is None else f"{_at_most(self.bell)} when notices come"
            text = f"{text}, and {bell}" if text else f"{bell[0].upper()}{bell[1:]} today"
        return f"{text}: {self.day.left:,} of {self.day.limit:,} calls are left for {self.name}."


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
    """Whether webhook events report changes for the trigger with that key, as they have before."""
    try:
        trigger = registry.trigger(operation)
    except registry.UnknownOperationError:
        return False
    return bool(trigger.doorbell) and webhook_intake.is_set_up(trigger.connector.key)


def pace_of(state: TriggerState) -> Pace | None:
    """The pace of a trigger now; None if no active workflow listens."""
    return next((pace for each, pace in paces(state.connection) if each.pk == state.pk), None)


def paces(connection: Connection) -> list[tuple[TriggerState, Pace]]:
    """The pace of every trigger that polls a connection. Makes no call to the provider."""
    listened = _listened(connection)
    looks = [PollDemand(asked, max(1, state.calls_per_look)) for state, asked in listened]
    day = day_of(connection)
    ringing = [state for state, _ in listened if is_instant(state.operation)]
    bell = doorbell_interval(day, calls=sum(max(1, state.calls_per_look) for state in ringing) or 1)
    return [
        (state, Pace(asked, slowed_interval(asked, day, looks), day, connection.name, bell, state in ringing))
        for state, asked in listened
    ]


def day_of(connection: Connection) -> Day:
    """What is left of the connection's calls today."""
    budget = CallBudget.objects.filter(connection=connection).first()
    limit = registry.connector(connection.provider).client_class(connection).limits()
    now = timezone.now()
    status = call_budget.budget_status(budget, limit, now)
    is_counting = status.resets_at is not None and status.resets_at > now
    seconds = unscaled((status.resets_at - now).total_seconds()) if status.resets_at and is_counting else 86_400.0
    return Day(left=max(0, status.day_limit - status.day_used), limit=status.day_limit, seconds=seconds)


def _listened(connection: Connection) -> list[tuple[TriggerState, int]]:
    """The connection's triggers that workflows listen to, with the shortest interval in minutes that one asks for."""
    active = Workflow.objects.filter(listens_to__connection=connection, status=Workflow.Status.ACTIVE)
    asked = dict(active.values_list("listens_to").annotate(least=Min("interval_minutes")).order_by())
    return [(state, asked[state.pk]) for state in TriggerState.objects.filter(pk__in=asked).order_by("pk")]
