"""Ending a pause early, for a person who knows that the provider's limit is not used up.

A provider says how long to wait, and may be wrong. Nothing is forced: the next call is made now, and if the provider
refuses it again, everything waits again as it then says.
"""

from __future__ import annotations

from django.db.models import Q

from integrations.core.clock import DatabaseNow
from integrations.models import Connection
from integrations.transport import call_budget
from workflows.models import Run, TriggerState
from workflows.runtime.broker import wake_worker


def try_now(connection: Connection) -> int:
    """Allow the next call now, and let runs that wait for the call budget go on; returns how many."""
    call_budget.lift(connection.pk)
    # Runs that began to wait before `waits_for` was recorded go by the connection that they write to.
    its = Q(waits_for=connection) | Q(waits_for__isnull=True, connection=connection)
    waiting = Run.objects.filter(its, status=Run.Status.WAITING, wait_reason=Run.WaitReason.BUDGET)
    woken = waiting.update(wake_at=DatabaseNow())
    TriggerState.objects.filter(connection=connection, failures__gt=0).update(next_due_at=DatabaseNow())
    wake_worker()
    return int(woken)
