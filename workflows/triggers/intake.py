"""accept(): items become events, and events become runs, once.

One transaction stores the keys seen, the events, a run for every listening workflow, the cursor and the wake-up. A
crash leaves all of it or nothing: no item is lost between cursor and run, and none is started twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import transaction

from integrations.core.clock import DatabaseNow, seconds
from integrations.framework.base import Effect, Item
from integrations.framework.registry import UnknownOperationError, action
from workflows.definitions.plans import each_step
from workflows.definitions.samples import titles
from workflows.models import Event, Run, SeenItem, TriggerState, Workflow, WorkflowVersion
from workflows.runtime import heartbeats
from workflows.runtime.broker import wake_worker
from workflows.triggers import holds
from workflows.triggers.own_writes import own_of, writers

#: Longer than it takes to refresh a token and read one page.
POLL_LEASE_SECONDS = 180
_LONGEST_KEY = 200


class LostPollError(Exception):
    """Another worker polls this trigger now; this one must store nothing more."""


def stored_key(key: str) -> str:
    """The key as it is stored: long ones with a hash, because two keys with the same beginning are still different."""
    if len(key) <= _LONGEST_KEY:
        return key
    return f"{key[:130]}...{hashlib.sha256(key.encode(errors='surrogatepass')).hexdigest()}"


def known(state: TriggerState, keys: Iterable[str]) -> set[str]:
    """Which of the keys this trigger has seen before."""
    stored = {stored_key(key): key for key in keys}
    seen = SeenItem.objects.filter(trigger_state=state, key__in=list(stored)).values_list("key", flat=True)
    return {stored[key] for key in seen}


def keep(state: TriggerState) -> None:
    """Renew the lease of a poll that makes progress but has nothing to store. Raises LostPollError."""
    heartbeats.note_progress()
    _renew(state, {})


def accept(
    state: TriggerState,
    items: Sequence[Item],
    also: Callable[[], object] = lambda: None,
    *,
    look: holds.PollSoFar | None = None,
) -> int:
    """Store the new items and start the runs; returns how many were new. Raises LostPollError.

    `also` is called afterwards in the same transaction. `look` is what the same poll has started so far.
    """
    heartbeats.note_progress()
    unique = {stored_key(item.key): item for item in items if item.key}
    with transaction.atomic():
        _renew(state, _progress(items))
        seen = known(state, unique)
        fresh = [key for key in unique if key not in seen]
        SeenItem.objects.bulk_create([SeenItem(trigger_state=state, key=key) for key in fresh])
        new = [unique[key] for key in fresh if unique[key].is_event]
        if new and state.status == TriggerState.Status.LISTENING:
            listeners = _listeners(state)
            if listeners:
                _start(state, new, listeners, look or holds.PollSoFar())
        also()
    return len(new)


def _progress(items: Sequence[Item]) -> dict[str, Any]:
    """How far the poll has read with these items, as the state's fields."""
    found: dict[str, Any] = {}
    for item in items:
        found |= {} if item.cursor is None else {"cursor": item.cursor}
        found |= {} if item.resume is None else {"resume": item.resume}
    return found


def _renew(state: TriggerState, changes: dict[str, Any]) -> None:
    renewed = {**changes, "lease_until": DatabaseNow() + seconds(POLL_LEASE_SECONDS)}
    if not TriggerState.objects.filter(pk=state.pk, lease_token=state.lease_token).update(**renewed):
        raise LostPollError(f"{state}")


def _listeners(state: TriggerState) -> list[Workflow]:
    return list(
        Workflow.objects.filter(
            listens_to=state, status=Workflow.Status.ACTIVE, awaits_baseline=False, published__isnull=False
        ).select_related("published")
    )


def _start(state: TriggerState, items: Sequence[Item], listeners: Sequence[Workflow], look: holds.PollSoFar) -> None:
    found = writers(state, items)
    own = {(workflow, stored_key(key)) for workflow, key in own_of(found, listeners)}
    causes = {stored_key(key): its[-1].run_id for key, its in found.items() if its}
    runs = []
    for event in new_events(state, items):
        for workflow in listeners:
            if workflow.published is not None and (workflow.pk, event.key) not in own:
                run = new_run(workflow, workflow.published, event)
                run.caused_by_id = causes.get(event.key)
                runs.append(run)
    holds.judge(state, runs, look)
    Run.objects.bulk_create(runs)
    if any(run.status == Run.Status.QUEUED for run in runs):
        wake_worker()


def new_events(state: TriggerState, items: Iterable[Item]) -> list[Event]:
    """The items as events, stored."""
    made: list[Event] = Event.objects.bulk_create(
        Event(
            team_id=state.team_id,
            trigger_state=state,
            operation=state.operation,
            connection_id=state.connection_id,
            key=stored_key(item.key),
            data=item.data,
        )
        for item in items
    )
    return made


def new_run(workflow: Workflow, version: WorkflowVersion, event: Event, *, replay: int = 0) -> Run:
    """A run, not yet saved, of this version for this event."""
    return Run(
        team_id=workflow.team_id,
        workflow=workflow,
        version=version,
        event=event,
        replay=replay,
        connection_id=_writes_to(version),
        title=_title(event),
    )


def _writes_to(version: WorkflowVersion) -> int | None:
    """The connection of the first step that writes, else of the last action; None if no step has one."""
    last = None
    for step, _ in each_step(version.plan):
        if step["kind"] != "action" or step["connection"] is None:
            continue
        last = step["connection"]
        try:
            if action(step["operation"]).effect is not Effect.READS:
                return int(last)
        except UnknownOperationError:
            continue
    return last


def _title(event: Event) -> str:
    return titles.title_of(event.data) or event.key[:200]
