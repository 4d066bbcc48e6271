"""Which triggers are due; ask the connector; hand the items to intake.

One poll serves every workflow that listens to the same trigger with the same inputs on the same connection. The first
poll is the baseline: everything is noted and nothing runs, and it counts only when it came to its end. A workflow that
joins later has a baseline of its own: the poll that follows its activation.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, DateTimeField, F, Min, Q, Value, When

from integrations import connections, registry
from integrations.base import Poll
from integrations.clock import DatabaseNow, seconds
from integrations.errors import IntegrationError, InvalidInputError, ReconnectError, TemporaryError
from integrations.limits import Purpose
from integrations.models import Connection
from workflows import intake
from workflows.engine.lease import database_now
from workflows.engine.waiting import growing
from workflows.models import TriggerState, Workflow

logger = logging.getLogger(__name__)

_CHUNK = 100
_DAY = 86_400


def due_states() -> Q:
    """Triggers that a worker may poll now."""
    return (
        Q(next_due_at__lte=DatabaseNow())
        & Q(connection__status=Connection.Status.CONNECTED)
        & (Q(lease_until__isnull=True) | Q(lease_until__lt=DatabaseNow()))
    )


def claim() -> TriggerState | None:
    """Take the trigger that has been due longest, under a lease; None when none is due."""
    with transaction.atomic():
        states = TriggerState.objects.filter(due_states()).order_by("next_due_at")
        if connection.features.has_select_for_update_skip_locked:
            states = states.select_for_update(skip_locked=True, of=("self",))
        picked = states.values_list("pk", flat=True).first()
        if picked is None:
            return None
        TriggerState.objects.filter(pk=picked).update(
            lease_until=DatabaseNow() + seconds(intake.POLL_LEASE_SECONDS), lease_token=F("lease_token") + 1
        )
        return TriggerState.objects.select_related("connection__grant").get(pk=picked)


def poll(state: TriggerState) -> None:
    """Look once, store what is new, say when to look next. Never raises, but for a lost database."""
    joining = list(
        Workflow.objects.filter(listens_to=state, status=Workflow.Status.ACTIVE, awaits_baseline=True).values_list(
            "pk", flat=True
        )
    )
    is_thorough = bool(joining) or state.thorough_at is None or state.thorough_at + seconds(_DAY) < database_now()
    try:
        found = _look(state, is_thorough=is_thorough)
    except intake.LostPollError:
        logger.warning("The poll of %s was taken over by another worker.", state)
    except ReconnectError as error:
        connections.mark_needs_reconnect(state.connection, error.message, reach=error.scope)
        _failed(state, error.message, None)
    except TemporaryError as error:
        _failed(state, error.message, error.retry_after)
    except (IntegrationError, registry.UnknownOperationError) as error:
        _failed(state, str(error), None)
    except Exception:
        logger.exception("Polling %s crashed.", state)
        _failed(state, "Pinxero itself failed while looking; the worker's log tells the developers why.", None)
    else:
        _done(state, found, joining, is_thorough=is_thorough)


def _look(state: TriggerState, *, is_thorough: bool) -> int:
    trigger = registry.trigger(state.operation)
    try:
        inputs = trigger.Inputs.clean(state.inputs)
    except InvalidInputError as error:
        raise IntegrationError(f"The trigger's inputs do not fit any more: {error.message}") from error
    api = trigger.connector.client_class(state.connection, purpose=Purpose.POLL)

    def is_known(keys: Iterable[str]) -> set[str]:
        # A poll that reads many pages and finds nothing new must not lose its lease half-way, and start over for ever.
        intake.keep(state)
        return intake.known(state, keys)

    is_baseline = state.status == TriggerState.Status.BASELINE
    look = Poll(
        api=api,
        inputs=inputs,
        cursor=state.cursor or None,
        known=is_known,
        is_baseline=is_baseline,
        is_thorough=is_thorough,
    )
    items = iter(trigger.poll(look))
    found = 0
    while chunk := list(islice(items, _CHUNK)):
        found += intake.accept(state, chunk)
    return found


def _done(state: TriggerState, found: int, joining: list[int], *, is_thorough: bool) -> None:
    with transaction.atomic():
        interval = _interval(state)
        changed = TriggerState.objects.filter(pk=state.pk, lease_token=state.lease_token).update(
            status=TriggerState.Status.LISTENING,
            next_due_at=_next(state, None if interval is None else DatabaseNow() + seconds(interval * 60)),
            lease_until=None,
            last_polled_at=DatabaseNow(),
            thorough_at=DatabaseNow() if is_thorough else state.thorough_at,
            last_found=found,
            failures=0,
            last_error="",
        )
        if changed:
            Workflow.objects.filter(pk__in=joining, listens_to=state).update(awaits_baseline=False)


def _interval(state: TriggerState) -> int | None:
    """Minutes between two looks, as the most eager active workflow wants it; None where none listens."""
    active = Workflow.objects.filter(listens_to=state, status=Workflow.Status.ACTIVE)
    least: int | None = active.aggregate(least=Min("interval_minutes"))["least"]
    return least


def _next(state: TriggerState, planned: Any) -> Case:
    """When to look next. Whoever asked for a look, or joined, while this one was under way still gets his own."""
    return Case(
        When(next_due_at__gt=state.next_due_at, then=F("next_due_at")),
        default=Value(None, output_field=DateTimeField()) if planned is None else planned,
        output_field=DateTimeField(),
    )


def _failed(state: TriggerState, message: str, retry_after: float | None) -> None:
    pause = retry_after if retry_after is not None else growing(state.failures + 1)
    planned = DatabaseNow() + max(seconds(pause), timedelta(milliseconds=100))
    TriggerState.objects.filter(pk=state.pk, lease_token=state.lease_token).update(
        next_due_at=_next(state, None if _interval(state) is None else planned),
        lease_until=None,
        last_polled_at=DatabaseNow(),
        failures=F("failures") + 1,
        last_error=message,
    )


def listen(workflow: Workflow) -> TriggerState:
    """Let an active workflow listen to its published trigger, sharing the poll with others that do.

    Where it listened to the same before, nothing changes: no event is lost and none repeated by publishing again.
    """
    assert workflow.published is not None
    told = workflow.published.plan["trigger"]
    state, _ = TriggerState.objects.get_or_create(
        connection_id=told["connection"],
        operation=told["operation"],
        inputs_hash=inputs_hash(told["inputs"]),
        defaults={"inputs": told["inputs"], "team_id": workflow.team_id},
    )
    if workflow.listens_to_id != state.pk:
        Workflow.objects.filter(pk=workflow.pk).update(listens_to=state, awaits_baseline=True)
        workflow.listens_to, workflow.awaits_baseline = state, True
        look_now(state)
    return state


def look_now(state: TriggerState) -> None:
    """Make the trigger due now."""
    TriggerState.objects.filter(pk=state.pk).update(next_due_at=DatabaseNow())


def inputs_hash(inputs: dict[str, object]) -> str:
    """Equal for equal inputs, whatever their order."""
    import hashlib

    from integrations.jsonfield import dumps

    return hashlib.sha256(dumps(dict(sorted(inputs.items()))).encode()).hexdigest()
