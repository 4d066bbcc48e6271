"""Doorbells: a provider's notice makes the triggers that it concerns due now. One path, one dedupe: the poll's.

Many notices coalesce: between two looks of one trigger lie at least ten seconds however often it rings, so the calls do
not grow with the notices; when the day's calls run low it is longer, as `workflows.pacing` says, and what is kept for
actions is never spent on it. A trigger whose last look failed keeps its pause; its budget may be used up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from integrations import registry, webhooks
from integrations.clock import DatabaseNow, seconds
from integrations.notices import Notice
from workflows.models import TriggerState
from workflows.pacing import BELL_SECONDS, is_instant, pace_of
from workflows.queue import ring

#: Between two looks that notices ask for, while there are calls enough.
DISTANCE_SECONDS = BELL_SECONDS


def answer(provider: str, notices: Sequence[Notice]) -> None:
    """Make due what listens to these notices. Called in the transaction that stores them."""
    asked = Q(pk__in=[])
    for organisation, category in sorted({(each.organisation, each.category) for each in notices}):
        asked |= Q(connection__external_id=organisation, operation__in=_listening(provider, category))
    _make_due(TriggerState.objects.filter(asked, connection__provider=provider))


def catch_up() -> int:
    """Look at everything that a missing notice may have been about; for how many providers. Called every minute."""
    providers = webhooks.find_gaps()
    for provider in providers:
        with transaction.atomic():
            operations = [each.full_key for each in registry.triggers() if each.doorbell]
            _make_due(TriggerState.objects.filter(connection__provider=provider, operation__in=operations))
    return len(providers)


def cadence(operation: str, minutes: int, bell: int | None = DISTANCE_SECONDS) -> str:
    """How soon the trigger notices something, for people: "at once, and every 5 minutes ...", "every 5 minutes".

    `bell` is the seconds between two looks that notices ask for, None where they ask in vain.
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
    """Bring the next look forward, where one is planned at all."""
    # Without a planned look nobody listens; with a failure behind it the pause was chosen for a reason.
    wanted = asked.filter(next_due_at__isnull=False, failures=0).order_by("pk").annotate(now=DatabaseNow())
    # Most notices of a storm find their look planned already: they need not wait for a row that a look under way holds.
    late = [state.pk for state in wanted if _wish(state) is not None]
    if not late:
        return
    has_rung = False
    for state in wanted.filter(pk__in=late).select_for_update(of=("self",)):
        wish = _wish(state)
        if wish is not None:
            TriggerState.objects.filter(pk=state.pk).update(next_due_at=wish)
            has_rung = True
    if has_rung:
        ring()


def _wish(state: Any) -> datetime | None:
    """When a look is to be made that is not planned yet, as far as the day's calls allow; None where none is."""
    if _soon(state, state.now, DISTANCE_SECONDS) is None:
        return None
    pace = pace_of(state)
    bell = DISTANCE_SECONDS if pace is None else pace.bell
    return None if bell is None else _soon(state, state.now, bell)


def _soon(state: TriggerState, now: datetime, bell: int) -> datetime | None:
    """When to look because of a notice at `now`, `bell` seconds at least after the last look; None where a look that
    will see the change is planned already."""
    distance = seconds(bell)
    assert state.next_due_at is not None
    if state.lease_until is not None and state.lease_until > now:
        # The look under way may have read past the change: another one follows it.
        soon = now + distance
        return None if now < state.next_due_at <= soon else soon
    soon = max(now, state.last_polled_at + distance) if state.last_polled_at is not None else now
    return None if state.next_due_at <= soon else soon
