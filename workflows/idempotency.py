"""Idempotency-Key: the same call again, however often and from wherever, is done once and answered alike.

The first call claims its key by a row of its own and commits it; what the key starts is idempotent by that row, so a
process that dies half-way is safely taken over. A key counts within its workflow and for 24 hours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction

from integrations.clock import DatabaseNow
from workflows.engine.lease import database_now
from workflows.models import ApiCall, Workflow

KEPT = timedelta(hours=24)
#: A call that has not been answered for so long has lost its process; the next one goes on with it.
_LOST_AFTER = timedelta(seconds=60)
_TRIES = 5


class ConflictError(Exception):
    """The key cannot be used for this call now; `message` says why. `is_passing` where it may be tried again soon."""

    def __init__(self, message: str, *, is_passing: bool) -> None:
        super().__init__(message)
        self.message = message
        self.is_passing = is_passing


@dataclass(frozen=True)
class Outcome:
    """What the call is answered with."""

    status: int
    answer: dict[str, Any]
    is_repeated: bool = False


def once(workflow: Workflow, *, key: str, body_sha256: str, do: Callable[[str], Outcome]) -> Outcome:
    """Call `do` for the first call with this key, with a name for what it starts; others get the first one's answer.

    Where `do` raises, nothing has been started and the key is free again. Raises ConflictError.
    """
    claimed = _claim(workflow, key, body_sha256)
    if isinstance(claimed, Outcome):
        return claimed
    try:
        outcome = do(f"api:{claimed.pk}")
    except Exception:
        ApiCall.objects.filter(pk=claimed.pk, answered_at__isnull=True).delete()
        raise
    ApiCall.objects.filter(pk=claimed.pk).update(
        status=outcome.status, answer=outcome.answer, answered_at=DatabaseNow()
    )
    return outcome


def forget_old() -> int:
    """Remove keys that do not count any more; how many."""
    return int(ApiCall.objects.filter(asked_at__lt=database_now() - KEPT).delete()[0])


def _claim(workflow: Workflow, key: str, body_sha256: str) -> ApiCall | Outcome:
    for _ in range(_TRIES):
        try:
            with transaction.atomic():
                return ApiCall.objects.create(
                    workflow=workflow, key=key, body_sha256=body_sha256, asked_at=database_now()
                )
        except IntegrityError:
            found = _of_other(workflow, key, body_sha256)
        if found is not None:
            return found
    raise ConflictError("Another call with this Idempotency-Key is under way.", is_passing=True)


def _of_other(workflow: Workflow, key: str, body_sha256: str) -> ApiCall | Outcome | None:
    """What comes of a key that is there: its answer, or the claim taken over; None where it is gone by now."""
    row = ApiCall.objects.filter(workflow=workflow, key=key).first()
    if row is None:
        return None
    now = database_now()
    if row.asked_at < now - KEPT:
        ApiCall.objects.filter(pk=row.pk, asked_at=row.asked_at).delete()
        return None
    if row.body_sha256 != body_sha256:
        raise ConflictError("This Idempotency-Key was used with another body. Take a new key.", is_passing=False)
    if row.answered_at is not None and row.status is not None:
        return Outcome(row.status, dict(row.answer or {}), is_repeated=True)
    if row.asked_at > now - _LOST_AFTER:
        raise ConflictError("The first call with this Idempotency-Key is under way.", is_passing=True)
    mine = ApiCall.objects.filter(pk=row.pk, asked_at=row.asked_at, answered_at__isnull=True).update(asked_at=now)
    return row if mine else None
