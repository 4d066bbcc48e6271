"""Idempotency-Key: a repeated call is carried out once and always gets the same answer.

The first call claims its key with a row and commits it. What the call starts is identified by that row, so another
process can safely take over from one that died. A key is valid within its workflow and for 24 hours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction

from integrations.core.clock import DatabaseNow
from workflows.models import ApiCall, Workflow
from workflows.runtime.clock import database_now

KEPT = timedelta(hours=24)
#: The process of a call that has not been answered for this long is dead; the next call takes over.
_LOST_AFTER = timedelta(seconds=60)
_TRIES = 5


class ConflictError(Exception):
    """The key cannot be used for this call now; `message` says why. `is_passing` if it may be tried again soon."""

    def __init__(self, message: str, *, is_passing: bool) -> None:
        super().__init__(message)
        self.message = message
        self.is_passing = is_passing


@dataclass(frozen=True)
class Outcome:
    """The answer to the call."""

    status: int
    answer: dict[str, Any]
    is_repeated: bool = False


def once(workflow: Workflow, *, key: str, body_sha256: str, do: Callable[[str], Outcome]) -> Outcome:
    """Call `do` for the first call with this key, with an identity for what it starts; later calls get that answer.

    If `do` raises, nothing has been started and the key is free again. Raises ConflictError.
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
    """Remove expired keys; returns how many."""
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
    """The answer of an existing key, or its claim taken over; None if the row is gone by now."""
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
