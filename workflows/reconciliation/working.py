"""The worker's part of a reconciliation: compare, list, finish.

As with backtests, work is claimed by updating the row under a lease and a token, and what was found out is stored in
one transaction that says "where the token is mine": a worker that was killed has its portion done again, and counted
once. A portion ends as soon as a run is due. Where the provider allows no more calls now, it waits and says so.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from integrations.core.clock import DatabaseNow, seconds
from integrations.core.errors import IntegrationError, ReconnectError, TemporaryError
from integrations.framework.registry import connector
from integrations.models import Connection
from workflows.engine.due import is_any_due
from workflows.models import Notice, Reconciliation, ReconciliationFinding
from workflows.notifications.notify import Matter, notify
from workflows.reconciliation import comparing
from workflows.reconciliation.beginning import bounds, of_period
from workflows.runtime import disk, heartbeats, schema_version
from workflows.runtime.broker import wake_for_reconciliations
from workflows.runtime.clock import backoff

logger = logging.getLogger(__name__)

Status = Reconciliation.Status
#: A task stops working on reconciliations after this long, and another one continues.
LONGEST_SECONDS = 20.0
_LEASE_SECONDS = 180


class _LostError(Exception):
    """Another worker has the reconciliation, or a person has stopped it."""


def work() -> int:
    """Continue the reconciliations that are due for a while; returns how many portions of them were done."""
    ends, done = time.monotonic() + LONGEST_SECONDS, 0
    while time.monotonic() < ends:
        if schema_version.unknown_migrations() or disk.is_low():
            return done
        claimed = _claim()
        if claimed is None:
            return done
        _continue(claimed, ends)
        done += 1
        if is_any_due():
            break
    if _due().exists():
        wake_for_reconciliations()
    return done


def _due() -> QuerySet[Reconciliation]:
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=DatabaseNow())
    awake = Q(wake_at__isnull=True) | Q(wake_at__lte=DatabaseNow())
    return Reconciliation.objects.filter(free, awake, status__in=Reconciliation.UNDER_WAY)


def _claim() -> Reconciliation | None:
    for pk in _due().order_by("pk").values_list("pk", flat=True):
        taken = (
            _due()
            .filter(pk=pk)
            .update(lease_until=DatabaseNow() + seconds(_LEASE_SECONDS), lease_token=F("lease_token") + 1, wake_at=None)
        )
        if taken:
            return Reconciliation.objects.select_related("connection__grant").get(pk=pk)
    return None


def _mine(row: Reconciliation) -> QuerySet[Reconciliation]:
    return Reconciliation.objects.filter(pk=row.pk, lease_token=row.lease_token, status__in=Reconciliation.UNDER_WAY)


def _record(row: Reconciliation, **changes: Any) -> None:
    """Change the row and renew the lease. Raises _LostError where it is not this worker's any more."""
    if not _mine(row).update(lease_until=DatabaseNow() + seconds(_LEASE_SECONDS), **changes):
        raise _LostError


def _continue(row: Reconciliation, ends: float) -> None:
    """Do some of it, then give the lease back. Raises only if the database is lost."""
    try:
        if row.connection is None or row.connection.status == Connection.Status.DISCONNECTED:
            raise ReconnectError(f"{row.organisation} is no longer connected.")
        if row.status == Status.COMPARING:
            _compare_some(row, row.connection, ends)
        else:
            _list_others(row, row.connection)
    except _LostError:
        return
    except ReconnectError as error:
        _give_up(row, f"{error.message} Reconnect it, then begin another reconciliation.")
    except TemporaryError as error:
        _wait(row, error.message, error.retry_after)
    except IntegrationError as error:
        _give_up(row, error.message)
    except Exception:
        logger.exception("Reconciliation %s crashed.", row.pk)
        _give_up(row, "Pinxero itself failed in this reconciliation; nothing was written. The log says why.")
    _mine(row).update(lease_until=None)


def _compare_some(row: Reconciliation, connection: Connection, ends: float) -> None:
    api = comparing.client_of(connection)
    postings = of_period(connection, row.since, row.until).select_related("step_run").prefetch_related("lines")
    postings = postings.defer("step_run__request", "step_run__inputs", "step_run__attempts")
    while time.monotonic() < ends:
        heartbeats.note_progress()
        portion = list(postings.filter(pk__gt=row.last)[: comparing.PORTION])
        if not portion:
            _record(row, status=Status.LISTING, message="", failures=0)
            return
        told = list(comparing.verdicts_of(row, portion, api))
        _store(
            row,
            [finding for _, finding in told if finding is not None],
            Counter(verdict for verdict, _ in told),
            last=portion[-1].pk,
            done=F("done") + len(portion),
        )
        row.last = portion[-1].pk
        if is_any_due():
            return


def _list_others(row: Reconciliation, connection: Connection) -> None:
    """What was written there with our app and is in no posting, then the end."""
    period = bounds(row.since, row.until)
    api = comparing.client_of(connection)
    for page in connector(connection.provider).own_records(api, row.listed_until or period[0]):
        heartbeats.note_progress()
        found = comparing.unknown_of(row, page, period)
        there = set(row.findings.filter(key__in=[each.key for each in found]).values_list("key", flat=True))
        found = [each for each in found if each.key not in there]
        moments = [each.changed_at for each in page if each.changed_at is not None]
        counted = Counter({ReconciliationFinding.Verdict.UNKNOWN.value: len(found)} if found else {})
        _store(row, found, counted, **({"listed_until": max(moments)} if moments else {}))
    _finish(row, connection)


def _store(
    row: Reconciliation, findings: Sequence[ReconciliationFinding], counted: Mapping[str, int], **changes: Any
) -> None:
    """Store what came of a portion, once."""
    known = _known_before(row, [each.key for each in findings])
    for each in findings:
        each.is_fresh = known.get(each.key) != each.signature
    fresh = sum(each.is_fresh and each.verdict in ReconciliationFinding.ALARMING for each in findings)
    row.counts = dict(Counter(row.counts) + Counter(counted))
    with transaction.atomic():
        _record(row, counts=row.counts, fresh=F("fresh") + fresh, failures=0, message="", **changes)
        ReconciliationFinding.objects.bulk_create(findings)


def _known_before(row: Reconciliation, keys: Sequence[str]) -> dict[str, str]:
    """The signatures of these in the latest reconciliation of the organisation that has them."""
    done = Reconciliation.objects.filter(connection=row.connection_id, status=Status.DONE, pk__lt=row.pk)
    found = ReconciliationFinding.objects.filter(reconciliation__in=done, key__in=keys).order_by("reconciliation_id")
    return dict(found.values_list("key", "signature"))


def _finish(row: Reconciliation, connection: Connection) -> None:
    row.refresh_from_db(fields=["counts", "fresh"])
    with transaction.atomic():
        _record(row, status=Status.DONE, finished_at=DatabaseNow(), message="")
        if row.fresh:
            notify(_matter(row, connection))


def _matter(row: Reconciliation, connection: Connection) -> Matter:
    words = {"changed": "changed", "gone": "gone", "unknown": "not from here"}
    parts = [f"{row.counts[name]:,} {word}" for name, word in words.items() if row.counts.get(name)]
    name = connector(connection.provider).name
    return Matter(
        row.team_id,
        Notice.Kind.BOOKS,
        f"{row.organisation}: what was written is no longer what {name} has",
        text=f"Written {row.since:%-d %B %Y} to {row.until:%-d %B %Y}: {', '.join(parts)}. "
        f"{row.fresh:,} of it is new since the reconciliation before.",
        connection=connection,
    )


def _wait(row: Reconciliation, message: str, pause: float | None) -> None:
    """Go on later, and say why and when."""
    wait = pause if pause is not None else backoff(row.failures + 1)
    _mine(row).update(
        message=message,
        failures=F("failures") + 1,
        wake_at=DatabaseNow() + max(seconds(wait), timedelta(milliseconds=100)),
    )


def _give_up(row: Reconciliation, message: str) -> None:
    _mine(row).update(status=Status.FAILED, message=message, finished_at=DatabaseNow(), lease_until=None)
