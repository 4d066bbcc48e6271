"""Work beside runs that is done in portions, such as backtests and reconciliations.

It is claimed by updating its row under a lease and a token, and what was found out is stored in one transaction that
says "where the token is mine": a worker that was killed has its portion done again, and one that was thought dead
counts nothing twice. A portion ends as soon as a run is due, so that real work never waits for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Generic, TypeVar

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from integrations.core.clock import DatabaseNow, seconds
from workflows.engine.due import is_any_due
from workflows.models import Backtest, Reconciliation
from workflows.runtime import disk, schema_version
from workflows.runtime.clock import backoff

#: A task stops working after this long, and another one continues.
LONGEST_SECONDS = 20.0
_LEASE_SECONDS = 180

Row = TypeVar("Row", Backtest, Reconciliation)


class LostError(Exception):
    """Another worker has the work, or a person has stopped it."""


class Portions(Generic[Row]):
    """The work of one kind: rows of a model, each read with what is `related`. `wake` asks a worker to continue."""

    def __init__(self, model: type[Row], *related: str, wake: Callable[[], None]) -> None:
        self._model: type[Row] = model
        self._related, self._wake = related, wake

    def work(self, go_on: Callable[[Row, float], None]) -> int:
        """Continue what is due for a while; returns how many portions were done. `go_on` does one, until a moment of
        the monotonic clock."""
        ends, done = time.monotonic() + LONGEST_SECONDS, 0
        while time.monotonic() < ends:
            if schema_version.unknown_migrations() or disk.is_low():
                return done
            claimed = self.claim()
            if claimed is None:
                return done
            go_on(claimed, ends)
            done += 1
            if gives_way():
                break
        if self._due().exists():
            self._wake()
        return done

    def claim(self) -> Row | None:
        """Take the oldest that is due; None where there is none."""
        for pk in self._due().order_by("pk").values_list("pk", flat=True):
            lease = DatabaseNow() + seconds(_LEASE_SECONDS)
            free = self._due().filter(pk=pk)
            if free.update(lease_until=lease, lease_token=F("lease_token") + 1, wake_at=None):
                taken: Row = self._model._default_manager.select_related(*self._related).get(pk=pk)
                return taken
        return None

    def record(self, row: Row, **changes: Any) -> None:
        """Change the row and renew the lease. Raises LostError where it is not this worker's any more."""
        if not self._mine(row).update(lease_until=DatabaseNow() + seconds(_LEASE_SECONDS), **changes):
            raise LostError

    def give_back(self, row: Row) -> None:
        """End the lease, so that any worker may go on."""
        self._mine(row).update(lease_until=None)

    def wait(self, row: Row, message: str, pause: float | None) -> None:
        """Go on later, in `pause` real seconds, and say why and when."""
        wait = pause if pause is not None else backoff(row.failures + 1)
        self._mine(row).update(
            message=message,
            failures=F("failures") + 1,
            wake_at=DatabaseNow() + max(seconds(wait), timedelta(milliseconds=100)),
        )

    def give_up(self, row: Row, message: str) -> None:
        """End it as failed."""
        failed = self._model.Status.FAILED
        self._mine(row).update(status=failed, message=message, finished_at=DatabaseNow(), lease_until=None)

    def stop(self, row: Row) -> bool:
        """Stop it before its next portion; what is there stays. False where it has ended already."""
        under_way = self._model._default_manager.filter(pk=row.pk, status__in=self._model.UNDER_WAY)
        stopped = self._model.Status.STOPPED
        return bool(under_way.update(status=stopped, finished_at=DatabaseNow(), wake_at=None, message=""))

    def forget(self, days: int) -> int:
        """Remove what was asked for longer ago than that; returns how many."""
        old = self._model._default_manager.filter(asked_at__lt=timezone.now() - timedelta(days=days))
        pks = list(old.values_list("pk", flat=True))
        old.delete()
        return len(pks)

    def _due(self) -> QuerySet[Row]:
        free = Q(lease_until__isnull=True) | Q(lease_until__lt=DatabaseNow())
        awake = Q(wake_at__isnull=True) | Q(wake_at__lte=DatabaseNow())
        return self._model._default_manager.filter(free, awake, status__in=self._model.UNDER_WAY)

    def _mine(self, row: Row) -> QuerySet[Row]:
        return self._model._default_manager.filter(
            pk=row.pk, lease_token=row.lease_token, status__in=self._model.UNDER_WAY
        )


def gives_way() -> bool:
    """Whether a portion ends now, because a run is due."""
    return is_any_due()
