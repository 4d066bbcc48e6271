"""The items of a backtest: those that "start from" would take, read from the provider since a day, or what came in
where nothing can be read back.

Reading stores its portions as it goes and where it has come, so that an interruption costs one portion.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from datetime import time as clock_time
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from integrations.framework import registry
from integrations.framework.base import Item, Poll, Trigger
from integrations.models import Connection
from integrations.transport.call_budget import Purpose
from workflows.definitions.samples import titles
from workflows.models import Backtest, BacktestItem, Event, TriggerState
from workflows.triggers import backfill, intake
from workflows.triggers.own_writes import own_writes

#: A backtest takes at most this many items.
MOST_ITEMS = 2000
_PORTION = 100
_LONGEST_TITLE = 200

#: Stores a portion: the items, where reading goes on, and whether there were more than are taken.
Store = Callable[[Sequence[BacktestItem], str, bool], None]


def zone_of(connection: Connection | None) -> ZoneInfo:
    """The zone in which its days are counted: the organisation's; UTC without one."""
    return backfill.zone_of(connection) if connection is not None else ZoneInfo("UTC")


def read(
    backtest: Backtest, connection: Connection | None, store: Store, *, keep: Callable[[], None], ends: float
) -> bool:
    """Read the items and store them; False if the time is up before all are read. `keep` is called before each call to
    the provider. Raises what reading raises."""
    reading = _Reading(backtest, connection, store)
    trigger = registry.operation_or_none(backtest.plan["trigger"]["operation"])
    if isinstance(trigger, Trigger) and backfill.is_possible(trigger) and connection is not None:
        return reading.poll(trigger, connection, keep=keep, ends=ends)
    return reading.take(_came_in(backtest))


def comes_from(operation: str) -> str:
    """Where the items of this trigger are read from, as a sentence."""
    trigger = registry.operation_or_none(operation)
    if isinstance(trigger, Trigger) and backfill.is_possible(trigger):
        return f"The items are read from {trigger.connector.name}. What counts is {trigger.dated_by}."
    return "The items are those that came in and that Pinxero has kept."


class _Reading:
    """One reading, as far as its time lasts."""

    def __init__(self, backtest: Backtest, connection: Connection | None, store: Store) -> None:
        self.backtest, self.connection, self.store = backtest, connection, store
        self.zone = zone_of(connection)
        self.known = set(BacktestItem.objects.filter(backtest=backtest).values_list("key", flat=True))

    def poll(self, trigger: Trigger, connection: Connection, *, keep: Callable[[], None], ends: float) -> bool:
        """Ask the provider for everything since the day."""
        look = Poll(
            api=trigger.connector.client_class(connection, purpose=Purpose.BACKTEST, before_call=keep),
            inputs=trigger.Inputs.clean(self.backtest.plan["trigger"]["inputs"]),
            cursor=None,
            known=lambda keys: set(),
            is_baseline=True,
            since=self.backtest.since,
            resume=self.backtest.resume,
        )
        for portion in _portions(trigger.poll(look)):
            resume = portion[-1].resume or ""
            if not self._keep(self._fitting(portion), resume):
                return True
            if resume and time.monotonic() > ends:
                return False
        return True

    def take(self, items: Iterator[Item]) -> bool:
        """Take what came in."""
        for portion in _portions(items):
            if not self._keep(portion, ""):
                break
        return True

    def _fitting(self, portion: Sequence[Item]) -> list[Item]:
        since = self.backtest.since
        found = [
            each
            for each in portion
            if each.key and each.is_event and backfill.is_since(each.happened, since, self.zone)
        ]
        assert self.connection is not None
        state = TriggerState(operation=self.backtest.plan["trigger"]["operation"], connection=self.connection)
        own = {key for _, key in own_writes(state, found, [self.backtest.workflow])}
        return [each for each in found if each.key not in own]

    def _keep(self, items: Sequence[Item], resume: str) -> bool:
        """Store what is new; False once no more is taken."""
        fresh = {intake.stored_key(each.key): each for each in items}
        fresh = {key: each for key, each in fresh.items() if key not in self.known}
        room = MOST_ITEMS - len(self.known)
        begin = len(self.known) + 1
        taken = list(fresh.items())[:room]
        rows = [_row(self.backtest, number, key, each) for number, (key, each) in enumerate(taken, start=begin)]
        self.known |= {row.key for row in rows}
        self.store(rows, resume, len(fresh) > room)
        return len(fresh) <= room


def _row(backtest: Backtest, number: int, key: str, item: Item) -> BacktestItem:
    return BacktestItem(
        backtest=backtest,
        number=number,
        key=key,
        title=_title(item)[:_LONGEST_TITLE],
        happened=item.happened.isoformat() if item.happened is not None else "",
        data=item.data,
    )


def _title(item: Item) -> str:
    return titles.title_of(item.data) or item.key


def _portions(items: Iterator[Item]) -> Iterator[list[Item]]:
    """Items in portions; one with a place to go on from ends a portion."""
    portion: list[Item] = []
    for item in items:
        portion.append(item)
        if len(portion) == _PORTION or item.resume:
            yield portion
            portion = []
    if portion:
        yield portion


def _came_in(backtest: Backtest) -> Iterator[Item]:
    """The newest events since the day: of the trigger on its connection, or what started this workflow."""
    trigger = backtest.plan["trigger"]
    mine = Event.objects.filter(team=backtest.team_id, operation=trigger["operation"])
    own: QuerySet[Event] = (
        mine.filter(starts=backtest.workflow_id)
        if trigger.get("connection") is None
        else mine.filter(connection=trigger["connection"], trigger_state__isnull=False)
    )
    for event in own.filter(accepted_at__gte=_midnight(backtest.since)).order_by("-pk")[: MOST_ITEMS + 1]:
        if event.data:
            yield Item(key=event.key, data=event.data, happened=event.accepted_at)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, clock_time(), tzinfo=UTC)
