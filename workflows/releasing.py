"""Start from a day: what was there already, and came to be since then, starts runs of one workflow all the same.

A person is shown first how many that are. The poll that follows the switching on reads everything there is, and what
fits becomes runs of this workflow alone: others that share the poll get nothing of it. An event that has started this
workflow before, now or under other inputs of the same trigger, does not start it again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from django.db.models import F

from integrations import registry
from integrations.base import Item, Poll, Trigger
from integrations.clock import DatabaseNow
from integrations.limits import Purpose
from integrations.models import Connection
from workflows import intake
from workflows.echoes import own_writes
from workflows.models import Event, Release, Run, TriggerState, Workflow
from workflows.queue import ring

#: Counted up to here; beyond, people are told that there are more.
MOST_COUNTED = 500
#: A person waits for the count, so it ends after this long and says so.
LONGEST_COUNT_SECONDS = 15.0


@dataclass(frozen=True)
class Counted:
    """How many a day would release. `is_capped`: there are more than that. `is_partial`: there was no time for all."""

    number: int
    is_capped: bool = False
    is_partial: bool = False


def is_possible(trigger: Trigger) -> bool:
    """Whether the provider tells when things came to be, so that a day means something."""
    return bool(trigger.dated_by)


def today(connection: Connection) -> date:
    """The day that it is where the connection's books are kept."""
    return datetime.now(zone_of(connection)).date()


def zone_of(connection: Connection) -> ZoneInfo:
    """The time zone of the organisation; UTC where the provider tells none."""
    try:
        return ZoneInfo(str(connection.details.get("timezone") or "UTC"))
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def is_since(happened: date | datetime | None, day: date, zone: ZoneInfo) -> bool:
    """Whether it came to be on that day or later. A moment counts on the day that it was in the organisation."""
    if happened is None:
        return False
    if isinstance(happened, datetime):
        moment = happened if happened.tzinfo else happened.replace(tzinfo=UTC)
        return moment.astimezone(zone).date() >= day
    return happened >= day


def count(workflow: Workflow, connection: Connection, since: date) -> Counted:
    """How many events the day would release now. Reads at the provider, stores nothing. Raises the five errors."""
    assert workflow.published is not None
    told = workflow.published.plan["trigger"]
    trigger = registry.trigger(told["operation"])
    look = Poll(
        api=trigger.connector.client_class(connection, purpose=Purpose.PERSON),
        inputs=trigger.Inputs.clean(told["inputs"]),
        cursor=None,
        known=lambda keys: set(),
        is_baseline=True,
        since=since,
    )
    zone, ends = zone_of(connection), time.monotonic() + LONGEST_COUNT_SECONDS
    found: set[str] = set()
    for item in trigger.poll(look):
        if item.key and item.is_event and is_since(item.happened, since, zone):
            key = intake.stored_key(item.key)
            if not _started(workflow, told["operation"], connection.pk, [key]):
                found.add(key)
        if len(found) > MOST_COUNTED:
            return Counted(MOST_COUNTED, is_capped=True)
        if time.monotonic() > ends:
            return Counted(len(found), is_partial=True)
    return Counted(len(found))


def pending(state: TriggerState, joining: Iterable[int]) -> list[Release]:
    """The wishes that a poll for these workflows has to fulfil."""
    wishes = Release.objects.filter(trigger_state=state, status=Release.Status.PENDING, workflow__in=list(joining))
    return list(wishes.select_related("workflow__published"))


def release(state: TriggerState, wish: Release, items: Sequence[Item]) -> int:
    """Start a run for each item that the wish means and that has not started its workflow yet; how many. Called within
    the transaction that stores the items."""
    zone, version = zone_of(state.connection), wish.workflow.published
    if not Release.objects.select_for_update().filter(pk=wish.pk, status=Release.Status.PENDING).exists():
        return 0  # the workflow was paused meanwhile
    fitting = {
        intake.stored_key(item.key): item
        for item in items
        if item.key and item.is_event and is_since(item.happened, wish.since, zone)
    }
    for _, key in own_writes(state, list(fitting.values()), [wish.workflow]):
        del fitting[intake.stored_key(key)]
    for key in _started(wish.workflow, state.operation, state.connection_id, fitting):
        del fitting[key]
    if not fitting or version is None:
        return 0
    events = {event.key: event for event in Event.objects.filter(trigger_state=state, key__in=list(fitting))}
    made = intake.new_events(state, [item for key, item in fitting.items() if key not in events])
    events |= {event.key: event for event in made}
    Run.objects.bulk_create(intake.new_run(wish.workflow, version, events[key]) for key in fitting)
    Release.objects.filter(pk=wish.pk).update(released=F("released") + len(fitting))
    ring()
    return len(fitting)


def finish(wishes: Iterable[Release]) -> None:
    """Everything there was has been read: nothing more is released."""
    still = Release.objects.filter(pk__in=[wish.pk for wish in wishes], status=Release.Status.PENDING)
    still.update(status=Release.Status.DONE, finished_at=DatabaseNow())


def unfulfilled(state: TriggerState, wishes: Iterable[Release]) -> list[int]:
    """The workflows whose wish came while a poll for these was under way: theirs takes another one."""
    late = Release.objects.filter(trigger_state=state, status=Release.Status.PENDING)
    return list(late.exclude(pk__in=[wish.pk for wish in wishes]).values_list("workflow", flat=True))


def drop(workflow: Workflow) -> None:
    """The workflow does not want any more what has not been released yet."""
    Release.objects.filter(workflow=workflow, status=Release.Status.PENDING).update(
        status=Release.Status.DROPPED, finished_at=DatabaseNow()
    )


def _started(workflow: Workflow, operation: str, connection_id: int, keys: Iterable[str]) -> set[str]:
    runs = Run.objects.filter(workflow=workflow, event__operation=operation, event__connection=connection_id)
    return set(runs.filter(event__key__in=list(keys)).values_list("event__key", flat=True))
