"""How long work waits, and how a wait is told from an end.

No worker sleeps: a wait is a row with a time, and the sweeper rings when it is over.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import F

from integrations.errors import Hold
from integrations.models import Connection
from workflows.models import Run
from workflows.queue import ring

#: Before a write of unknown outcome is sent again with the same key: the first one may still be under way.
RESEND_PAUSE = 30
#: Before a run asks again whether it is its turn to change something.
TURN_PAUSE = 5
#: After the last send before a lookup: above our own time-outs plus the provider's worst case.
SETTLE = 90
#: Between the first lookup that found nothing and the second.
LOOK_AGAIN = 600
#: For how long a run waits for a provider that is down, and for the answer to whether a write happened.
GIVES_UP = 86_400
#: Growing pauses between tries where the provider did not say how long.
_FIRST_PAUSE, _LONGEST_PAUSE = 15, 900


class WaitError(Exception):
    """The run waits now, and why: for so many real seconds (`pause`), until a moment (`until`), until the run that it
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


def growing(tries: int) -> float:
    """The pause after so many tries, in real seconds: doubling, up to a quarter of an hour."""
    return float(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** max(0, min(tries - 1, 10))))


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
        ring()
