"""Doorbells: a webhook event makes the triggers that it concerns due now. Only polls read and deduplicate items.

Two polls of one trigger are at least ten seconds apart however many events arrive, so the calls do not grow with the
events. When the day's calls run low they are further apart (`workflows.triggers.pacing`), and the calls kept for
actions are never used. A trigger whose last poll failed keeps its pause; its budget may be used up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from integrations.connections import webhook_intake
from integrations.core.clock import DatabaseNow, seconds
from integrations.framework import registry
from integrations.framework.webhook import WebhookEvent
from workflows.models import TriggerState
from workflows.runtime.broker import wake_worker
from workflows.triggers.pacing import DOORBELL_SECONDS, is_instant, pace_of

#: Between two polls that webhook events ask for, while there are enough calls.
DISTANCE_SECONDS = DOORBELL_SECONDS


def answer(provider: str, notices: Sequence[WebhookEvent]) -> None:
    """Make the triggers due that these webhook events concern. Called in the transaction that stores the events."""
    asked = Q(pk__in=[])
    for organisation, category in sorted({(each.organisation, each.category) for each in notices}):
        asked |= Q(connection__external_id=organisation, operation__in=_listening(provider, category))
    _make_due(TriggerState.objects.filter(asked, connection__provider=provider))


def catch_up() -> int:
    """Poll everything that a missing webhook event may concern; returns for how many providers. Called every minute."""
    providers = webhook_intake.find_gaps()
    for provider in providers:
        with transaction.atomic():
            operations = [each.full_key for each in registry.triggers() if each.doorbell]
            _make_due(TriggerState.objects.filter(connection__provider=provider, operation__in=operations))
    return len(providers)


def cadence(operation: str, minutes: int, bell: int | None = DISTANCE_SECONDS) -> str:
    """How soon the trigger notices something, for people: "at once, and every 5 minutes ...", "every 5 minutes".

    `bell` is the seconds between two polls that webhook events ask for, None if there are none now.
    """
    every = "every minute" if minutes == 1 else f"every {minutes} minutes"
    if bell is None or bell >= minutes * 60 or not is_instant(operation):
        return every
    name = registry.trigger(operation).connector.name
    soon = "at once" if bell <= DISTANCE_SECONDS else "soon"
    return f"{soon} when {name} gives notice, and {every} in case a notice is lost"


def _listening(provider: str, category: str) -> list[str]:
    return [
        each.full_key
        for each in registry.triggers()
        if each.connector.key == provider and each.doorbell and each.doorbell == category
    ]


def _make_due(asked: QuerySet[TriggerState]) -> None:
    """Move the next poll forward, if one is planned at all."""
    # Without a planned poll nobody listens; after a failure the pause was chosen for a reason.
    wanted = asked.filter(next_due_at__isnull=False, failures=0).order_by("pk").annotate(now=DatabaseNow())
    # In a burst of events the poll is mostly planned already: no need to wait for a row that a running poll has locked.
    late = [state.pk for state in wanted if _wanted_at(state) is not None]
    if not late:
        return
    has_rung = False
    for state in wanted.filter(pk__in=late).select_for_update(of=("self",)):
        wish = _wanted_at(state)
        if wish is not None:
            TriggerState.objects.filter(pk=state.pk).update(next_due_at=wish)
            has_rung = True
    if has_rung:
        wake_worker()


def _wanted_at(state: Any) -> datetime | None:
    """When to poll, if no poll is planned soon enough and the day's calls allow one; else None."""
    if _soon(state, state.now, DISTANCE_SECONDS) is None:
        return None
    pace = pace_of(state)
    bell = DISTANCE_SECONDS if pace is None else pace.bell
    return None if bell is None else _soon(state, state.now, bell)


def _soon(state: TriggerState, now: datetime, bell: int) -> datetime | None:
    """When to poll after a webhook event at `now`, `bell` seconds or more after the last poll; None if a poll that will
    see the change is planned already."""
    distance = seconds(bell)
    assert state.next_due_at is not None
    if state.lease_until is not None and state.lease_until > now:
        # The running poll may have read past the change: another one follows it.
        soon = now + distance
        return None if now < state.next_due_at <= soon else soon
    soon = max(now, state.last_polled_at + distance) if state.last_polled_at is not None else now
    return None if state.next_due_at <= soon else soon
