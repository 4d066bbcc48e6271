"""The sweeper: finds what is due and rings for it, however its bell was lost.

Every supervisor runs it about once a second; it is cheap where nothing is due and harmless where several run.
"""

from __future__ import annotations

from django.conf import settings
from django.db.models import F, Q

from integrations.clock import DatabaseNow
from integrations.models import Connection
from workflows import polling
from workflows.engine.lease import due
from workflows.models import Run, TriggerState
from workflows.queue import ring, unheard


def sweep() -> int:
    """Wake what may go on and ring for what is due; how many bells were rung."""
    wake_reconnected()
    has_runs = Run.objects.filter(due(DatabaseNow())).exists()
    has_polls = TriggerState.objects.filter(polling.due_states()).exists()
    if not has_runs and not has_polls:
        return 0
    missing = max(0, (settings.WORKERS if has_runs else 1) - unheard())
    ring(missing)
    return missing


def wake_reconnected() -> int:
    """Queue the runs whose connection is usable again; how many."""
    usable = Q(waits_for__status=Connection.Status.CONNECTED)
    # A connection that was deleted never comes back: the run goes on to say so.
    return Run.objects.filter(
        usable | Q(waits_for__isnull=True), status=Run.Status.WAITING, wait_reason=Run.WaitReason.CONNECTION
    ).update(status=Run.Status.QUEUED, wait_reason="", lease_token=F("lease_token") + 1)
