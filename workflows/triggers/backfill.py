"""Backfill: start runs of one workflow for everything created since a day.

A person first sees how many runs that would be. The first poll after switching on reads everything, and what matches
starts runs of this workflow only: others that share the poll are not affected. An event that has started this
workflow before, with these or other inputs of the same trigger, does not start it again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from django.db.models import F

from integrations.core.clock import DatabaseNow
from integrations.framework import registry
from integrations.framework.base import Item, Poll, Trigger
from integrations.models import Connection
from integrations.transport.call_budget import Purpose
from workflows.models import Event, Release, Run, TriggerState, Workflow
from workflows.runtime.broker import wake_worker
from workflows.triggers import intake
from workflows.triggers.own_writes import own_writes

#: Counted up to here; above that, people only learn that there are more.
MOST_COUNTED = 500
#: A person waits for the count, so it ends after this long and says so.
LONGEST_COUNT_SECONDS = 15.0


@dataclass(frozen=True)
class Counted:
    """How many runs a backfill would start. `is_capped`: there are more. `is_partial`: time ran out."""

    number: int
    is_capped: bool = False
    is_partial: bool = False


def is_possible(trigger: Trigger) -> bool:
    """Whether the provider says when things were created, so that a backfill is possible."""
    return bool(trigger.dated_by)


def today(connection: Connection) -> date:
    """Today's date in the organisation's time zone."""
    return datetime.now(zone_of(connection)).date()


def zone_of(connection: Connection) -> ZoneInfo:
    """The time zone of the organisation; UTC if the provider gives none."""
    try:
        return ZoneInfo(str(connection.details.get("timezone") or "UTC"))
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def is_since(happened: date | datetime | None, day: date, zone: ZoneInfo) -> bool:
    """Whether it was created on that day or later. A time counts by its date in the organisation's time zone."""
    if happened is None:
        return False
    if isinstance(happened, datetime):
        moment = happened if happened.tzinfo else happened.replace(tzinfo=UTC)
        return moment.astimezone(zone).date() >= day
    return happened >= day


def count(workflow: Workflow, connection: Connection, since: date) -> Counted:
    """How many events since the day would start runs now. Reads from the provider, stores nothing. Raises the five
    errors."""
    assert workflow.published is not None
    trigger_plan = workflow.published.plan["trigger"]
    trigger = registry.trigger(trigger_plan["operation"])
    look = Poll(
        api=trigger.connector.client_class(connection, purpose=Purpose.PERSON),
        inputs=trigger.Inputs.clean(trigger_plan["inputs"]),
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
            if not _started(workflow, trigger_plan["operation"], connection.pk, [key]):
                found.add(key)
        if len(found) > MOST_COUNTED:
            return Counted(MOST_COUNTED, is_capped=True)
        if time.monotonic() > ends:
            return Counted(len(found), is_partial=True)
    return Counted(len(found))


def pending(state: TriggerState, joining: Iterable[int]) -> list[Release]:
    """The pending backfills of these workflows."""
    backfills = Release.objects.filter(trigger_state=state, status=Release.Status.PENDING, workflow__in=list(joining))
    return list(backfills.select_related("workflow__published"))


def backfill(state: TriggerState, request: Release, items: Sequence[Item]) -> int:
    """Start a run for each item that belongs to the backfill and has not started its workflow yet; returns how many.
    Called within the transaction that stores the items."""
    zone, version = zone_of(state.connection), request.workflow.published
    if not Release.objects.select_for_update().filter(pk=request.pk, status=Release.Status.PENDING).exists():
        return 0  # the workflow was paused meanwhile
    fitting = {
        intake.stored_key(item.key): item
        for item in items
        if item.key and item.is_event and is_since(item.happened, request.since, zone)
    }
    for _, key in own_writes(state, list(fitting.values()), [request.workflow]):
        del fitting[intake.stored_key(key)]
    for key in _started(request.workflow, state.operation, state.connection_id, fitting):
        del fitting[key]
    if not fitting or version is None:
        return 0
    events = {event.key: event for event in Event.objects.filter(trigger_state=state, key__in=list(fitting))}
    made = intake.new_events(state, [item for key, item in fitting.items() if key not in events])
    events |= {event.key: event for event in made}
    Run.objects.bulk_create(intake.new_run(request.workflow, version, events[key]) for key in fitting)
    Release.objects.filter(pk=request.pk).update(released=F("released") + len(fitting))
    wake_worker()
    return len(fitting)


def finish(backfills: Iterable[Release]) -> None:
    """End these backfills: everything has been read."""
    still = Release.objects.filter(pk__in=[request.pk for request in backfills], status=Release.Status.PENDING)
    still.update(status=Release.Status.DONE, finished_at=DatabaseNow())


def unfulfilled(state: TriggerState, backfills: Iterable[Release]) -> list[int]:
    """The workflows whose backfill was requested while a poll for these was in progress: they need another poll."""
    late = Release.objects.filter(trigger_state=state, status=Release.Status.PENDING)
    return list(late.exclude(pk__in=[request.pk for request in backfills]).values_list("workflow", flat=True))


def drop(workflow: Workflow) -> None:
    """Cancel the workflow's backfill, if one is pending."""
    Release.objects.filter(workflow=workflow, status=Release.Status.PENDING).update(
        status=Release.Status.DROPPED, finished_at=DatabaseNow()
    )


def _started(workflow: Workflow, operation: str, connection_id: int, keys: Iterable[str]) -> set[str]:
    runs = Run.objects.filter(workflow=workflow, event__operation=operation, event__connection=connection_id)
    return set(runs.filter(event__key__in=list(keys)).values_list("event__key", flat=True))
