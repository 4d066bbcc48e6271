"""Starting a workflow by hand: with a form if it asks for values, else with an earlier event or an example."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from integrations.framework import registry
from integrations.framework.base import Door, Effect, Start
from integrations.models import Connection
from workflows.definitions import plans, recurrence, start_values
from workflows.definitions.recurrence import Moment
from workflows.models import Event, Run, Workflow
from workflows.runtime.clock import database_now
from workflows.triggers import inbound_webhooks, schedules, starting

_SHOWN = 5
_NONCE = re.compile(r"[0-9a-f]{32}")
SAMPLE, LAST, NOW = "sample", "last", "now"


@dataclass(frozen=True)
class Offer:
    """Data that the workflow can be run with once; `key` identifies it in the form."""

    key: str
    label: str
    note: str
    data: dict[str, Any]


def offers(workflow: Workflow) -> list[Offer]:
    """What a workflow that asks for no values can be run with, the likeliest first."""
    assert workflow.published is not None
    trigger = start_values.trigger_of_version(workflow.published)
    if trigger is None:
        return []
    inputs = start_values.inputs_of(workflow)
    sample = Offer(SAMPLE, "The sample", "Invented data in the right shape.", dict(trigger.sample_of(inputs)))
    if isinstance(trigger, Start) and Door.CLOCK in trigger.doors:
        rule = recurrence.rule_of(inputs, zone=schedules.default_zone(workflow))
        now = database_now()
        wall = now.astimezone(rule.zone).replace(tzinfo=None, second=0, microsecond=0)
        return [Offer(NOW, "The present time", "", schedules.start_data(Moment(now, wall, ""), rule.zone, now))]
    if isinstance(trigger, Start):
        last = inbound_webhooks.sample_of(workflow)
        calls = [Offer(LAST, "The last call", "", last)] if last else []
        return [*calls, sample]
    return [*_events(workflow), sample]


def _events(workflow: Workflow) -> Iterator[Offer]:
    """The newest events of the trigger on this connection."""
    assert workflow.published is not None
    trigger_plan = workflow.published.plan["trigger"]
    mine = Event.objects.filter(
        team=workflow.team_id, operation=trigger_plan["operation"], connection=trigger_plan["connection"]
    )
    noticed = mine.filter(trigger_state__isnull=False).order_by("-pk")
    if workflow.listens_to_id:
        noticed = noticed.filter(trigger_state=workflow.listens_to_id)
    for event in noticed[:_SHOWN]:
        run = Run.objects.filter(workflow=workflow, event=event).order_by("-pk").first()
        note = f"It has started run {run.pk} already." if run else ""
        yield Offer(str(event.pk), _name(event), note, event.data)


def _name(event: Event) -> str:
    texts = [str(each) for each in event.data.values() if isinstance(each, str) and each.strip()]
    names = [str(event.data[name]) for name in ("title", "name", "Name") if event.data.get(name)]
    return (names or texts or [event.key])[0][:120]


def start_with(workflow: Workflow, *, offer: str, nonce: str, by: User) -> Run | None:
    """Run it once with one of the offers. Raises NotStartedError."""
    assert workflow.published is not None
    chosen = next((each for each in offers(workflow) if each.key == offer), None)
    if chosen is None:
        raise start_values.NotStartedError("Choose what it is to be run with; the list may have changed meanwhile.")
    return _start(workflow, chosen.data, nonce, by, even_paused=True)


def start_form(workflow: Workflow, *, values: Mapping[str, Any], nonce: str, by: User) -> Run | None:
    """Start it with values that were filled in. Raises InvalidInputError, NotStartedError."""
    start_values.opens(workflow, Door.HAND)
    data = start_values.cleaned(start_values.fields_of(workflow), values, zone=schedules.default_zone(workflow))
    return _start(workflow, data, nonce, by, even_paused=False)


def _start(workflow: Workflow, data: dict[str, Any], nonce: str, by: User, *, even_paused: bool) -> Run | None:
    if not _NONCE.fullmatch(nonce):
        raise start_values.NotStartedError("The form is out of date. Open it again.")
    assert workflow.published is not None
    return starting.start(
        workflow,
        operation=workflow.published.plan["trigger"]["operation"],
        key=f"hand:{nonce}",
        data=data,
        by=by,
        even_paused=even_paused,
    )


def writes(workflow: Workflow) -> list[str]:
    """What a run may write, and where: "Create invoice in Demo Company"."""
    assert workflow.published is not None
    names = dict(Connection.objects.filter(team=workflow.team_id).values_list("pk", "name"))
    found = []
    for step, _ in plans.each_step(workflow.published.plan):
        if step["kind"] != "action":
            continue
        try:
            action = registry.action(step["operation"])
        except registry.UnknownOperationError:
            continue
        if action.effect is not Effect.READS:
            where = names.get(step["connection"])
            found.append(f"{step['name']}" + (f" in {where}" if where else ""))
    return found
