"""A workflow's own writes do not start it: "when there is a new invoice, create an invoice" would never end.

There are two exact tests. What a step of the workflow created is never new to that workflow: it is recognised by its
id, or by the step's marker as long as no answer is stored (not later: people copy documents, markers included). And a
change is the workflow's own if the step's answer has the same modification time; a later one by somebody else counts.

Other workflows get everything: what one writes may well be what another waits for. The writer is stored with the run
that it starts, so that workflows which start each other in a circle are detected (`holds`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.core.clock import DatabaseNow, seconds
from integrations.core.exact_json import dumps
from integrations.framework import registry
from integrations.framework.base import Effect, Item, Trigger
from workflows.models import StepRun, TriggerState, Workflow

#: How far back own writes are searched (real seconds); a poll follows within minutes, a full one within a day.
_LOOKED_BACK = 3 * 86_400
_MARKER = re.compile(r"PX-[0-9a-f]{16}")

#: A workflow and an item's key.
Own = set[tuple[int, str]]


@dataclass(frozen=True)
class Writer:
    """A run whose step wrote the item, and the run's workflow."""

    workflow_id: int
    run_id: int


#: The runs that wrote each item, by the item's key; the latest is last.
Writers = dict[str, list[Writer]]


def own_writes(state: TriggerState, items: Sequence[Item], listeners: Iterable[Workflow]) -> Own:
    """Which of the items were written by each of the workflows itself."""
    return own_of(writers(state, items), listeners)


def own_of(found: Writers, listeners: Iterable[Workflow]) -> Own:
    """The same if the writers are already known."""
    listening = {workflow.pk for workflow in listeners}
    return {(each.workflow_id, key) for key, its in found.items() for each in its if each.workflow_id in listening}


def writers(state: TriggerState, items: Sequence[Item]) -> Writers:
    """Which runs, of any workflow, wrote the items."""
    try:
        trigger = registry.trigger(state.operation)
    except registry.UnknownOperationError:
        return {}
    by_subject: dict[str, list[Item]] = defaultdict(list)
    by_marker: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        by_subject[trigger.resource(item)].append(item)
        if _is_new(trigger, item):
            for marker in set(_MARKER.findall(dumps(item.data))):
                by_marker[marker].append(item)
    writes = (
        StepRun.objects.filter(
            run__created_at__gte=DatabaseNow() - seconds(_LOOKED_BACK), connection_id=state.connection_id
        )
        .select_related("run")
        .order_by("pk")
    )
    fields = ("run__workflow_id", "operation", "provider_id", "output", "marker")
    found: Writers = defaultdict(list)
    subjects = [subject for subject in by_subject if subject]
    for step_run in writes.filter(provider_id__in=subjects, state=StepRun.State.SUCCEEDED).only(*fields):
        for item in by_subject[step_run.provider_id]:
            if _is_own(trigger, item, step_run):
                found[item.key].append(Writer(step_run.run.workflow_id, step_run.run_id))
    if by_marker:
        for step_run in writes.filter(marker__in=list(by_marker), provider_id="").only(*fields):
            for item in by_marker[step_run.marker]:
                found[item.key].append(Writer(step_run.run.workflow_id, step_run.run_id))
    return found


def _is_own(trigger: Trigger, item: Item, step_run: Any) -> bool:
    try:
        effect = registry.action(step_run.operation).effect
    except registry.UnknownOperationError:
        return False
    if _is_new(trigger, item):
        return effect is Effect.CREATES
    name = trigger.connector.changed_field
    moment = (step_run.output or {}).get(name) if name else None
    return effect is not Effect.READS and moment is not None and moment == item.data.get(name)


def _is_new(trigger: Trigger, item: Item) -> bool:
    """Whether the item stands for the record itself, and not for a change of it."""
    return trigger.resource(item) == item.key
