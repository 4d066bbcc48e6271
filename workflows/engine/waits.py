"""How long runs wait, and for what.

No worker sleeps: a waiting run is a row with a time, and the sweeper wakes a worker when it has come.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import F

from integrations.core.errors import Hold
from integrations.models import Connection
from workflows.models import Run
from workflows.runtime.broker import wake_worker
from workflows.runtime.clock import backoff as backoff

#: Before a write of unknown outcome is sent again with the same key: the first one may still be in progress.
RESEND_PAUSE = 30
#: Before a run tries again to take the resource lock.
RESOURCE_LOCK_PAUSE = 5
#: Between the last send and a look-up: more than our own time-outs plus the provider's worst case.
SETTLE = 90
#: Between the first look-up that found nothing and the second.
LOOK_AGAIN = 600
#: How long a run waits for a provider that is down, and for the answer to whether a write happened.
GIVES_UP = 86_400


class WaitError(Exception):
    """The run has to wait, and why: for some real seconds (`pause`), until a moment (`until`), until the run that it
    called has ended (`calls`), or, where none of these is given, until something else happens."""

    def __init__(
        self,
        reason: Run.WaitReason,
        *,
        pause: float | None,
        message: str = "",
        connection: Connection | None = None,
        until: datetime | None = None,
        calls: int | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.pause = pause
        self.until = until
        self.calls = calls
        self.message = message
        self.connection = connection


REASONS = {
    Hold.RETRY: Run.WaitReason.RETRY,
    Hold.BUDGET: Run.WaitReason.BUDGET,
    Hold.DOWN: Run.WaitReason.DOWN,
}


def wake_caller(run: Run) -> None:
    """Let the run that called this one go on, if it waits for it. Called in the transaction that ends this one."""
    if run.called_by_id is None:
        return
    waiting = Run.objects.filter(pk=run.called_by_id, status=Run.Status.WAITING, wait_reason=Run.WaitReason.CALL)
    if waiting.update(status=Run.Status.QUEUED, wait_reason="", wake_at=None, lease_token=F("lease_token") + 1):
        wake_worker()
