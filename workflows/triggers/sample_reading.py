"""Reading samples for a person who builds: the newest items of the trigger, without noting or starting anything.

A trigger at a provider is asked by its own poll, with calls that count in the connection's budget. What is read touches
neither what the trigger has seen nor where its next poll begins.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from django.conf import settings

from integrations.connections import service
from integrations.core.errors import IntegrationError, InvalidInputError, ReconnectError
from integrations.framework.base import Door, Item, Poll, Start, Trigger
from integrations.framework.registry import operation_or_none
from integrations.framework.waiting_person import client_for_person
from integrations.models import Connection
from workflows.definitions import recurrence, samples
from workflows.definitions.samples import MOST_ITEMS, Found
from workflows.models import Workflow
from workflows.runtime.clock import database_now
from workflows.triggers import schedules

logger = logging.getLogger(__name__)


class NoSampleError(Exception):
    """Nothing can be read; `message` says why and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def is_readable(workflow: Workflow) -> bool:
    """Whether its trigger can be asked for samples: a provider, or the clock."""
    trigger = operation_or_none(workflow.trigger_operation)
    if isinstance(trigger, Start):
        return Door.CLOCK in trigger.doors
    return isinstance(trigger, Trigger)


def read_newest(workflow: Workflow) -> None:
    """Read the newest items of the trigger as it is saved now, and keep them as samples; else note why there are none.

    Never raises but if the database is lost.
    """
    try:
        found = _read(workflow)
    except NoSampleError as error:
        samples.note_reading(workflow, error.message)
    else:
        samples.keep_items(workflow, found)


def _read(workflow: Workflow) -> list[Found]:
    trigger = operation_or_none(workflow.trigger_operation)
    if not isinstance(trigger, Trigger):
        raise NoSampleError("The trigger is not available here any more. Choose another one.")
    if isinstance(trigger, Start):
        return _of_the_clock(workflow) if Door.CLOCK in trigger.doors else []
    items = _asked(trigger, workflow.trigger_connection, workflow.trigger_inputs)
    newest = sorted(items, key=lambda item: str(item.happened or ""), reverse=True)
    if not newest:
        raise NoSampleError(f"{trigger.connector.name} has no {trigger.noun} that fits yet.")
    return [_found(trigger, item) for item in newest[:MOST_ITEMS]]


def _asked(trigger: Trigger, connection: Connection | None, stored: Mapping[str, Any]) -> list[Item]:
    if connection is None or not connection.is_usable:
        raise NoSampleError(f"{trigger.connector.name} is not connected now. Reconnect it on the connections page.")
    try:
        asked = _poll(trigger, connection, trigger.Inputs.clean(stored))
        return list(islice((item for item in trigger.poll(asked) if item.key and item.is_event), MOST_ITEMS))
    except InvalidInputError as error:
        raise NoSampleError(f"The trigger's inputs do not fit: {error.message}") from error
    except ReconnectError as error:
        service.mark_needs_reconnect(connection, error.message, reach=error.scope)
        raise NoSampleError(error.message) from error
    except IntegrationError as error:
        raise NoSampleError(error.message) from error
    except Exception as error:
        # The page must open even if an answer is of a shape that nobody expected; the log has the traceback.
        logger.exception("The samples of %s could not be read from connection %s.", trigger.full_key, connection.pk)
        raise NoSampleError(f"The answer of {trigger.connector.name} was not understood.") from error


def _poll(trigger: Trigger, connection: Connection, inputs: Any) -> Poll:
    return Poll(
        api=client_for_person(trigger.connector, connection),
        inputs=inputs,
        cursor=None,
        known=_nothing,
        is_baseline=False,
        newest=MOST_ITEMS,
    )


def _nothing(keys: Iterable[str]) -> set[str]:
    return set()


def _found(trigger: Trigger, item: Item) -> Found:
    happened = "" if item.happened is None else item.happened.isoformat()
    return Found(item.data, samples.item_title(trigger, item.data), happened)


def _of_the_clock(workflow: Workflow) -> list[Found]:
    """The next starts of the schedule, as they will be."""
    trigger = operation_or_none(workflow.trigger_operation)
    assert isinstance(trigger, Start)
    inputs = workflow.trigger_inputs
    try:
        zone = str(inputs.get("timezone") or "") or schedules.default_zone(workflow)
        rule = recurrence.rule_of(inputs, zone=zone, scale=settings.TIME_SCALE, herd=workflow.pk)
        moments = recurrence.first(rule, database_now(), MOST_ITEMS)
    except (ValueError, OverflowError) as error:
        raise NoSampleError("The schedule is not complete: it has no next time.") from error
    made = [schedules.start_data(each, rule.zone, each.at) for each in moments]
    return [Found(data, trigger.title(data), str(data["planned_at"])) for data in made]
