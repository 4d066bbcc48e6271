"""The items at hand to preview a workflow with: its samples, and what its newest runs started from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflows.definitions import samples
from workflows.models import Run, Workflow

_SHOWN = 10


@dataclass(frozen=True)
class ItemAtHand:
    """One of them; `key` names it in a form, "" for the sample that the workflow is built with."""

    key: str
    title: str
    data: Mapping[str, Any]
    origin: str
    at: datetime | None = None


def items_at_hand(workflow: Workflow) -> list[ItemAtHand]:
    """The sample that the workflow is built with, the others, then those of the newest runs; each item once."""
    usual = samples.sample_of(workflow)
    found = [ItemAtHand("", usual.title, usual.data, usual.origin, usual.at)]
    found += [
        ItemAtHand(f"sample-{each.pk}", each.title, each.data, each.origin, each.taken_at)
        for each in samples.items_of(workflow)
    ]
    runs = Run.objects.filter(workflow=workflow, event__operation=workflow.trigger_operation, replay=0)
    found += [
        ItemAtHand(f"event-{run.event_id}", run.title, run.event.data, samples.Origin.REAL, run.event.accepted_at)
        for run in runs.select_related("event").only("title", "event").order_by("-pk")[:_SHOWN]
        if run.event.data
    ]
    return [each for index, each in enumerate(found) if all(each.data != other.data for other in found[:index])]


def item_named(workflow: Workflow, key: str) -> ItemAtHand:
    """The item of that key; the usual one if it is no longer at hand."""
    found = items_at_hand(workflow)
    return next((each for each in found if each.key == key), found[0])
