"""start(): every start without polling: by schedule, call, person, file, another workflow or the API.

One transaction holds the event, the run and the wake-up. The key is the start's identity within its workflow: the same
key again returns the run that it started the first time, from however many processes at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from integrations.framework import registry
from integrations.framework.base import Start
from workflows.definitions.start_values import NotStartedError
from workflows.models import Event, Run, Workflow, WorkflowVersion
from workflows.runtime.broker import wake_worker
from workflows.triggers import intake

#: A chain of workflows that call each other ends here, before a circle fills the database.
DEEPEST = 10
_LONGEST_TITLE = 200


@dataclass(frozen=True)
class Started:
    """The result of a start. `run` is None if the key was used before and its run has been deleted."""

    run: Run | None
    is_new: bool


def start(
    workflow: Workflow,
    *,
    operation: str,
    key: str,
    data: Mapping[str, Any],
    by: User | None = None,
    called_by: Run | None = None,
    even_paused: bool = False,
) -> Run | None:
    """Start a run of the published version with this data, once per key; returns that run, new or earlier.

    Raises NotStartedError.
    """
    return start_once(
        workflow, operation=operation, key=key, data=data, by=by, called_by=called_by, even_paused=even_paused
    ).run


def start_once(
    workflow: Workflow,
    *,
    operation: str,
    key: str,
    data: Mapping[str, Any],
    by: User | None = None,
    called_by: Run | None = None,
    even_paused: bool = False,
) -> Started:
    """The same, and whether this call started it.

    `operation` is the trigger whose data this is. With `even_paused` it also starts a workflow that is not switched on,
    as a person who tries it out may.
    """
    depth = 0 if called_by is None else called_by.depth + 1
    if depth > DEEPEST:
        raise NotStartedError(
            f"Workflows have called each other {DEEPEST} times in a row here. Look whether they call in a circle."
        )
    stored = intake.stored_key(key)
    with transaction.atomic():
        version = _version(workflow, even_paused=even_paused)
        known = _known(workflow, stored)
        if known is not None:
            return known
        event = _event(workflow, version, operation=operation, key=stored, data=data, by=by)
        try:
            with transaction.atomic():
                event.save()
        except IntegrityError:
            # Another call with the same key was a moment faster; its row can be read now.
            return _known(workflow, stored) or Started(None, is_new=False)
        run = _run(workflow, version, event, called_by=called_by, depth=depth)
        run.save()
        wake_worker()
    return Started(run, is_new=True)


def start_many(
    workflow: Workflow, *, operation: str, items: Iterable[tuple[str, Mapping[str, Any]]], by: User | None
) -> int:
    """Start a run for each (key, data) that is new, all or none; returns how many. Raises NotStartedError."""
    with transaction.atomic():
        version = _version(workflow, even_paused=False, locks=True)
        given = {intake.stored_key(key): data for key, data in items}
        known: set[str] = set()
        keys = list(given)
        for at in range(0, len(keys), 500):
            found = Event.objects.filter(starts=workflow, key__in=keys[at : at + 500])
            known.update(found.values_list("key", flat=True))
        events = Event.objects.bulk_create(
            (
                _event(workflow, version, operation=operation, key=key, data=data, by=by)
                for key, data in given.items()
                if key not in known
            ),
            batch_size=500,
        )
        Run.objects.bulk_create((_run(workflow, version, event) for event in events), batch_size=500)
        if events:
            wake_worker(2 if len(events) > 1 else 1)
    return len(events)


def _version(workflow: Workflow, *, even_paused: bool, locks: bool = False) -> WorkflowVersion:
    found = Workflow.objects.select_related("published")
    if locks:
        found = found.select_for_update(of=("self",))
    now = found.filter(pk=workflow.pk, deleted_at__isnull=True).first()
    if now is None:
        raise NotStartedError(f"{workflow.name} has been deleted.")
    if now.published is None:
        raise NotStartedError(f"{now.name} has not been published yet. Publish it, then switch it on.")
    if now.status != Workflow.Status.ACTIVE and not even_paused:
        raise NotStartedError(f"{now.name} is not switched on. Switch it on first.")
    version: WorkflowVersion = now.published
    return version


def _known(workflow: Workflow, key: str) -> Started | None:
    event = Event.objects.filter(starts=workflow, key=key).only("pk").first()
    if event is None:
        return None
    return Started(Run.objects.filter(workflow=workflow, event=event, replay=0).first(), is_new=False)


def _event(
    workflow: Workflow, version: WorkflowVersion, *, operation: str, key: str, data: Mapping[str, Any], by: User | None
) -> Event:
    trigger_plan = version.plan["trigger"]
    return Event(
        team_id=workflow.team_id,
        starts=workflow,
        operation=operation,
        connection_id=trigger_plan["connection"] if operation == trigger_plan["operation"] else None,
        key=key,
        data=dict(data),
        by=by,
    )


def _run(
    workflow: Workflow, version: WorkflowVersion, event: Event, *, called_by: Run | None = None, depth: int = 0
) -> Run:
    run = intake.new_run(workflow, version, event)
    run.called_by, run.depth = called_by, depth
    run.title = _title(event, run.title)
    return run


def _title(event: Event, usual: str) -> str:
    """A title from its data, which says more than a generated key."""
    try:
        found = registry.trigger(event.operation)
    except registry.UnknownOperationError:
        return usual
    title = found.title(event.data) if isinstance(found, Start) else ""
    if not title and usual == event.key[:_LONGEST_TITLE]:
        title = next((v.strip() for v in event.data.values() if isinstance(v, str) and v.strip()), found.name)
    return (title or usual).splitlines()[0][:_LONGEST_TITLE]
