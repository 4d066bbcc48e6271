"""Polling: find the triggers that are due, ask the connector, and pass the items to intake.

One poll serves every workflow that listens to the same trigger with the same inputs on the same connection. The first
poll is the baseline: everything is recorded and nothing runs, and it counts only once it is complete. A workflow that
joins later has its own baseline: the first poll after its activation.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, DateTimeField, F, Min, Q, Value, When

from integrations.connections import service
from integrations.core.clock import DatabaseNow, seconds
from integrations.core.errors import IntegrationError, InvalidInputError, ReconnectError, TemporaryError
from integrations.core.exact_json import dumps
from integrations.framework import registry
from integrations.framework.base import Item, Poll
from integrations.models import Connection
from integrations.transport.call_budget import Purpose
from workflows.models import Release, TriggerState, Workflow
from workflows.runtime.clock import backoff, database_now
from workflows.triggers import backfill, holds, intake, pacing

logger = logging.getLogger(__name__)

#: A poll of very many pages stops after this long and another task continues it, well before the queue would end it.
LONGEST_SECONDS = 60
#: For how long (real seconds) a provider's position in a list is used; then reading starts over.
_RESUME_TRUSTED_SECONDS = 3600
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
    """Poll once, store what is new, and plan the next poll. Raises only if the database is lost."""
    look = _plan(state)
    try:
        look.run()
    except intake.LostPollError:
        logger.warning("The poll of %s was taken over by another worker.", state)
    except _OutOfTimeError:
        _go_on(state)
    except ReconnectError as error:
        service.mark_needs_reconnect(state.connection, error.message, reach=error.scope)
        _failed(state, error.message, None)
    except TemporaryError as error:
        _failed(state, error.message, error.retry_after)
    except (IntegrationError, registry.UnknownOperationError) as error:
        # A position that the provider no longer accepts must not keep the poll from ever completing.
        _failed(state, str(error), None, starts_over=True)
    except Exception:
        logger.exception("Polling %s crashed.", state)
        _failed(state, "Pinxero itself failed while checking; the worker's log tells the developers why.", None)
    else:
        _done(state, look)


class _OutOfTimeError(Exception):
    """A poll of very many pages has used its time; its progress is stored."""


@dataclass
class _CurrentPoll:
    """One poll: what it has to do, and what it has found."""

    state: TriggerState
    joining: list[int]
    backfills: list[Release]
    is_thorough: bool
    resume: str
    found: int = 0
    calls: int = 0
    started: holds.PollSoFar = field(default_factory=holds.PollSoFar)

    def run(self) -> None:
        """Ask the connector and store what it gives. Raises what that raises, and _OutOfTimeError."""
        state = self.state
        trigger = registry.trigger(state.operation)
        try:
            inputs = trigger.Inputs.clean(state.inputs)
        except InvalidInputError as error:
            raise IntegrationError(f"The trigger's inputs do not fit any more: {error.message}") from error
        asked = Poll(
            api=trigger.connector.client_class(state.connection, purpose=Purpose.POLL, before_call=self._count),
            inputs=inputs,
            cursor=state.cursor or None,
            known=self._known,
            is_baseline=state.status == TriggerState.Status.BASELINE,
            is_thorough=self.is_thorough,
            resume=self.resume,
            wants_known=bool(self.backfills),
        )
        ends = time.monotonic() + LONGEST_SECONDS
        for chunk in _chunks(trigger.poll(asked)):
            also = partial(self._release, chunk)
            self.found += intake.accept(state, chunk, also, look=self.started)
            if chunk[-1].resume and time.monotonic() > ends:
                raise _OutOfTimeError

    def _count(self) -> None:
        self.calls += 1

    def _known(self, keys: Iterable[str]) -> set[str]:
        # A poll that reads many pages and finds nothing new must not lose its lease and start over each time.
        intake.keep(self.state)
        return intake.known(self.state, keys)

    def _release(self, items: Sequence[Item]) -> None:
        for request in self.backfills:
            backfill.backfill(self.state, request, items)


def _plan(state: TriggerState) -> _CurrentPoll:
    """What the poll has to do: which workflows join with it, whether every page is read, and where it starts."""
    waiting = Workflow.objects.filter(listens_to=state, status=Workflow.Status.ACTIVE, awaits_baseline=True)
    joining = list(waiting.values_list("pk", flat=True))
    backfills = backfill.pending(state, joining)
    now = database_now()
    is_thorough = bool(joining) or state.thorough_at is None or state.thorough_at + seconds(_DAY) < now
    resume = ""
    if is_thorough or state.status == TriggerState.Status.BASELINE:
        since = state.reading_since
        if since is not None and since + seconds(_RESUME_TRUSTED_SECONDS) > now:
            resume = state.resume
        else:
            TriggerState.objects.filter(pk=state.pk, lease_token=state.lease_token).update(
                reading_since=DatabaseNow(), resume=""
            )
    return _CurrentPoll(state, joining, backfills, is_thorough, resume)


def _chunks(items: Iterator[Item]) -> Iterator[list[Item]]:
    """Items in portions, each stored at once. An item with a resume point ends a portion, so that progress is kept."""
    chunk: list[Item] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == _CHUNK or item.resume:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _done(state: TriggerState, look: _CurrentPoll) -> None:
    with transaction.atomic():
        if not look.is_thorough and state.status == TriggerState.Status.LISTENING:
            held = TriggerState.objects.filter(pk=state.pk, lease_token=state.lease_token)
            held.update(calls_per_look=max(1, look.calls))
        pace = pacing.pace_of(state)
        changed = TriggerState.objects.filter(pk=state.pk, lease_token=state.lease_token).update(
            status=TriggerState.Status.LISTENING,
            next_due_at=_next(state, None if pace is None else DatabaseNow() + seconds(pace.minutes * 60)),
            every_minutes=None if pace is None else pace.minutes,
            lease_until=None,
            last_polled_at=DatabaseNow(),
            thorough_at=DatabaseNow() if look.is_thorough else state.thorough_at,
            resume="",
            reading_since=None,
            last_found=look.found,
            failures=0,
            last_error="",
        )
        if changed:
            late = backfill.unfulfilled(state, look.backfills)
            joined = Workflow.objects.filter(pk__in=look.joining, listens_to=state).exclude(pk__in=late)
            joined.update(awaits_baseline=False)
            backfill.finish(look.backfills)


def _go_on(state: TriggerState) -> None:
    """There are more pages: another task continues at once."""
    TriggerState.objects.filter(pk=state.pk, lease_token=state.lease_token).update(
        next_due_at=DatabaseNow(), lease_until=None
    )


def _interval(state: TriggerState) -> int | None:
    """The shortest interval in minutes that any active workflow asks for; None if none listens."""
    active = Workflow.objects.filter(listens_to=state, status=Workflow.Status.ACTIVE)
    least: int | None = active.aggregate(least=Min("interval_minutes"))["least"]
    return least


def _next(state: TriggerState, planned: Any) -> Case:
    """When to poll next. A poll that was requested while this one was in progress still takes place."""
    return Case(
        When(next_due_at__gt=state.next_due_at, then=F("next_due_at")),
        default=Value(None, output_field=DateTimeField()) if planned is None else planned,
        output_field=DateTimeField(),
    )


def _failed(state: TriggerState, message: str, retry_after: float | None, *, starts_over: bool = False) -> None:
    forgotten: dict[str, Any] = {"resume": "", "reading_since": None} if starts_over else {}
    pause = retry_after if retry_after is not None else backoff(state.failures + 1)
    planned = DatabaseNow() + max(seconds(pause), timedelta(milliseconds=100))
    TriggerState.objects.filter(pk=state.pk, lease_token=state.lease_token).update(
        next_due_at=_next(state, None if _interval(state) is None else planned),
        lease_until=None,
        last_polled_at=DatabaseNow(),
        failures=F("failures") + 1,
        last_error=message,
        **forgotten,
    )


def listen(workflow: Workflow) -> TriggerState:
    """Let an active workflow listen to its published trigger, sharing the poll with others that do.

    If it listened to the same before, nothing changes: publishing again loses and repeats no event.
    """
    assert workflow.published is not None
    trigger_plan = workflow.published.plan["trigger"]
    state, _ = TriggerState.objects.get_or_create(
        connection_id=trigger_plan["connection"],
        operation=trigger_plan["operation"],
        inputs_hash=inputs_hash(trigger_plan["inputs"]),
        defaults={"inputs": trigger_plan["inputs"], "team_id": workflow.team_id},
    )
    if workflow.listens_to_id != state.pk:
        backfill.drop(workflow)
        Workflow.objects.filter(pk=workflow.pk).update(listens_to=state, awaits_baseline=True)
        workflow.listens_to, workflow.awaits_baseline = state, True
        poll_now(state)
    return state


def start_over(state: TriggerState) -> None:
    """Let the next poll begin at the first page again: items that were skipped are needed after all."""
    TriggerState.objects.filter(pk=state.pk).update(resume="", reading_since=None)


def poll_now(state: TriggerState) -> None:
    """Make the trigger due now."""
    TriggerState.objects.filter(pk=state.pk).update(next_due_at=DatabaseNow())


def inputs_hash(inputs: dict[str, object]) -> str:
    """A hash that is equal for equal inputs, whatever their order."""
    return hashlib.sha256(dumps(dict(sorted(inputs.items()))).encode()).hexdigest()
