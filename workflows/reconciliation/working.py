"""The worker's part of a reconciliation: compare, list, finish.

How it is claimed and continued stands in `engine/portions.py`. Where the provider allows no more calls now, it waits
and says so.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F

from integrations.core.clock import DatabaseNow
from integrations.core.errors import IntegrationError, ReconnectError, TemporaryError
from integrations.framework.registry import connector
from integrations.models import Connection
from workflows.engine import portions
from workflows.engine.portions import LostError
from workflows.models import Notice, Reconciliation, ReconciliationFinding
from workflows.notifications.notify import Matter, notify
from workflows.reconciliation import comparing
from workflows.reconciliation.beginning import PORTIONS, bounds, of_period
from workflows.runtime import heartbeats

logger = logging.getLogger(__name__)

Status = Reconciliation.Status


def work() -> int:
    """Continue the reconciliations that are due for a while; returns how many portions of them were done."""
    return PORTIONS.work(_continue)


def _continue(row: Reconciliation, ends: float) -> None:
    """Do some of it, then give the lease back. Raises only if the database is lost."""
    try:
        if row.connection is None or row.connection.status == Connection.Status.DISCONNECTED:
            raise ReconnectError(f"{row.organisation} is no longer connected.")
        if row.status == Status.COMPARING:
            _compare_some(row, row.connection, ends)
        else:
            _list_others(row, row.connection)
    except LostError:
        return
    except ReconnectError as error:
        PORTIONS.give_up(row, f"{error.message} Reconnect it, then begin another reconciliation.")
    except TemporaryError as error:
        PORTIONS.wait(row, error.message, error.retry_after)
    except IntegrationError as error:
        PORTIONS.give_up(row, error.message)
    except Exception:
        logger.exception("Reconciliation %s crashed.", row.pk)
        PORTIONS.give_up(row, "Pinxero itself failed in this reconciliation; nothing was written. The log says why.")
    PORTIONS.give_back(row)


def _compare_some(row: Reconciliation, connection: Connection, ends: float) -> None:
    api = comparing.client_of(connection)
    postings = of_period(connection, row.since, row.until).select_related("step_run").prefetch_related("lines")
    postings = postings.defer("step_run__request", "step_run__inputs", "step_run__attempts")
    while time.monotonic() < ends:
        heartbeats.note_progress()
        portion = list(postings.filter(pk__gt=row.last)[: comparing.PORTION])
        if not portion:
            PORTIONS.record(row, status=Status.LISTING, message="", failures=0)
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
        if portions.gives_way():
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
        PORTIONS.record(row, counts=row.counts, fresh=F("fresh") + fresh, failures=0, message="", **changes)
        ReconciliationFinding.objects.bulk_create(findings)


def _known_before(row: Reconciliation, keys: Sequence[str]) -> dict[str, str]:
    """The signatures of these in the latest reconciliation of the organisation that has them."""
    done = Reconciliation.objects.filter(connection=row.connection_id, status=Status.DONE, pk__lt=row.pk)
    found = ReconciliationFinding.objects.filter(reconciliation__in=done, key__in=keys).order_by("reconciliation_id")
    return dict(found.values_list("key", "signature"))


def _finish(row: Reconciliation, connection: Connection) -> None:
    row.refresh_from_db(fields=["counts", "fresh"])
    with transaction.atomic():
        PORTIONS.record(row, status=Status.DONE, finished_at=DatabaseNow(), message="")
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
