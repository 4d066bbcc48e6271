"""The items that a workflow is built with: chosen, read, called, typed, else invented.

Real data is passed on as it is, never filled up with invented values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils import timezone

from integrations.core.exact_json import dumps
from integrations.framework.base import Door, Operation, Start, Trigger
from integrations.framework.choices import cached_labels
from integrations.framework.registry import operation_or_none
from workflows.definitions.samples import titles
from workflows.definitions.samples.cutting import cut
from workflows.definitions.samples.origin import Origin
from workflows.models import Event, FetchedOutput, InboundHook, SampleItem, SampleReading, Workflow

#: How many items are kept to choose from.
MOST_ITEMS = 5


@dataclass(frozen=True)
class TriggerSample:
    """The data of one item of the trigger. `at` is when it was read; None for an invented one."""

    data: dict[str, Any]
    origin: Origin
    title: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Found:
    """An item to be kept. `happened` is the day or moment of its creation in ISO 8601; "" if there is none."""

    data: dict[str, Any]
    title: str = ""
    happened: str = ""


def sample_of(workflow: Workflow) -> TriggerSample:
    """The item that the workflow is built with: the chosen one, else the last that came or was read, else invented."""
    trigger = operation_or_none(workflow.trigger_operation)
    if not isinstance(trigger, Trigger):
        return TriggerSample({}, Origin.INVENTED)
    items = items_of(workflow)
    chosen = next((each for each in items if each.is_chosen), None)
    if chosen is not None:
        return _kept(chosen)
    return _last_call(workflow, trigger) or _first(items) or _newest_event(workflow, trigger) or invented(workflow)


def invented(workflow: Workflow) -> TriggerSample:
    """The trigger's own sample, for its inputs."""
    trigger = operation_or_none(workflow.trigger_operation)
    if not isinstance(trigger, Trigger):
        return TriggerSample({}, Origin.INVENTED)
    data = dict(trigger.sample_of(workflow.trigger_inputs, _names(workflow, trigger)))
    return TriggerSample(data, Origin.INVENTED, item_title(trigger, data))


def _names(workflow: Workflow, trigger: Trigger) -> dict[str, str]:
    """What lists that were fetched earlier call the ids among the trigger's inputs."""
    given = {f.name: (f, str(workflow.trigger_inputs.get(f.name) or "")) for f in trigger.Inputs.fields()}
    wanted = {name: (f, value) for name, (f, value) in given.items() if f.dynamic_choices is not None and value}
    return cached_labels(workflow.trigger_connection_id, wanted) if wanted and workflow.trigger_connection_id else {}


def items_of(workflow: Workflow) -> list[SampleItem]:
    """The items to choose from: those read for the trigger as it is now, and the one that a person typed for it."""
    kept = SampleItem.objects.filter(workflow=workflow, operation=workflow.trigger_operation)
    now = made_for(workflow)
    return [each for each in kept if each.made_for == now or each.origin == SampleItem.Origin.TYPED]


def reading_of(workflow: Workflow) -> SampleReading | None:
    """How the last reading for the trigger as it is now ended; None if nothing was read for it yet."""
    return SampleReading.objects.filter(workflow=workflow, made_for=made_for(workflow)).first()


def made_for(workflow: Workflow) -> str:
    """A hash of the trigger, its connection and its inputs, whether or not what is empty was written down."""
    what = [workflow.trigger_operation, workflow.trigger_connection_id, _filled(workflow.trigger_inputs or {})]
    return hashlib.sha256(dumps(what).encode()).hexdigest()


def _filled(value: Any) -> Any:
    """Without what is empty, and in an order that does not depend on who wrote it."""
    if isinstance(value, Mapping):
        return {name: _filled(value[name]) for name in sorted(value) if value[name] not in ("", None)}
    return [_filled(each) for each in value] if isinstance(value, list) else value


def item_title(trigger: Operation, data: Mapping[str, Any]) -> str:
    """What an item is called in lists."""
    own = trigger.title(data) if isinstance(trigger, Start) else ""
    return own or titles.any_text(data) or trigger.name


@transaction.atomic
def keep_items(workflow: Workflow, found: Sequence[Found]) -> None:
    """Keep these real items, at most five, instead of those read before. What is chosen stays so, if it is there."""
    before = SampleItem.objects.filter(workflow=workflow, is_chosen=True).first()
    SampleItem.objects.filter(workflow=workflow, origin=SampleItem.Origin.REAL).delete()
    SampleItem.objects.exclude(operation=workflow.trigger_operation).filter(workflow=workflow).delete()
    rows = [_row(workflow, each) for each in found[:MOST_ITEMS]]
    if before is not None and before.origin == SampleItem.Origin.REAL:
        same = (each for each in rows if (each.title, each.happened) == (before.title, before.happened))
        for row in islice(same, 1):
            row.is_chosen = True
    SampleItem.objects.bulk_create(rows)
    note_reading(workflow)


def note_reading(workflow: Workflow, error: str = "") -> None:
    """Note that samples were asked for now, and why none came."""
    values = {"made_for": made_for(workflow), "read_at": timezone.now(), "error": error}
    SampleReading.objects.update_or_create(workflow=workflow, defaults=values)


@transaction.atomic
def choose(workflow: Workflow, item: SampleItem) -> None:
    """Build with this item from now on."""
    SampleItem.objects.filter(workflow=workflow, is_chosen=True).update(is_chosen=False)
    SampleItem.objects.filter(workflow=workflow, pk=item.pk).update(is_chosen=True)


@transaction.atomic
def keep_typed(workflow: Workflow, data: Mapping[str, Any]) -> SampleItem:
    """Build with what a person typed; it replaces what was typed before."""
    SampleItem.objects.filter(workflow=workflow, origin=SampleItem.Origin.TYPED).delete()
    SampleItem.objects.filter(workflow=workflow, is_chosen=True).update(is_chosen=False)
    item = _row(workflow, Found(dict(data)))
    item.origin, item.is_chosen = SampleItem.Origin.TYPED, True
    item.save()
    return item


@transaction.atomic
def drop_typed(workflow: Workflow) -> None:
    """Forget what a person typed."""
    SampleItem.objects.filter(workflow=workflow, origin=SampleItem.Origin.TYPED).delete()


def forget(workflow: Workflow) -> None:
    """Remove every sample of a workflow."""
    SampleItem.objects.filter(workflow=workflow).delete()
    SampleReading.objects.filter(workflow=workflow).delete()
    FetchedOutput.objects.filter(step__workflow=workflow).delete()


def _row(workflow: Workflow, found: Found) -> SampleItem:
    trigger = operation_or_none(workflow.trigger_operation)
    data, is_cut = cut(found.data)
    title = found.title or (item_title(trigger, data) if trigger else "")
    return SampleItem(
        workflow=workflow,
        operation=workflow.trigger_operation,
        made_for=made_for(workflow),
        origin=SampleItem.Origin.REAL,
        title=title[:200],
        happened=found.happened[:40],
        data=data,
        is_cut=is_cut,
    )


def _kept(item: SampleItem) -> TriggerSample:
    return TriggerSample(dict(item.data), Origin(item.origin), item.title, item.taken_at)


def _first(items: Sequence[SampleItem]) -> TriggerSample | None:
    return _kept(items[0]) if items else None


def _last_call(workflow: Workflow, trigger: Trigger) -> TriggerSample | None:
    """What its own address was last called with."""
    if Door.ADDRESS not in getattr(trigger, "doors", ()):
        return None
    hook = InboundHook.objects.filter(workflow=workflow).only("sample", "sampled_at").first()
    if hook is None or not hook.sample:
        return None
    return TriggerSample(dict(hook.sample), Origin.REAL, item_title(trigger, hook.sample), hook.sampled_at)


def _newest_event(workflow: Workflow, trigger: Trigger) -> TriggerSample | None:
    """The newest event of the trigger on the same connection; of a start, the newest of the workflow's own.

    An event of a start that lacks a value declared since is no sample of it any more.
    """
    events = Event.objects.filter(operation=workflow.trigger_operation, team=workflow.team_id).order_by("-pk")
    if workflow.trigger_connection_id:
        newest = events.filter(connection=workflow.trigger_connection_id).first()
    else:
        newest = None if trigger.connector.needs_connection else events.filter(starts=workflow).first()
    if newest is None or not isinstance(newest.data, dict) or not newest.data:
        return None
    if isinstance(trigger, Start) and set(trigger.sample_of(workflow.trigger_inputs)) - set(newest.data):
        return None
    return TriggerSample(newest.data, Origin.REAL, item_title(trigger, newest.data), newest.accepted_at)
