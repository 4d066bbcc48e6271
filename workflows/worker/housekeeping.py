"""Chores: every minute what must not wait, once a day what keeps connections alive.

A chore runs in a worker like any task and may run twice. One that fails does not stop the others.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.audit import settings_seen, signing
from integrations.connections import service, webhook_intake
from integrations.core.clock import DatabaseNow, seconds
from integrations.core.errors import IntegrationError
from integrations.models import Connection
from integrations.people import members
from integrations.teams import leaving
from integrations.transport import token_refresh
from workflows.books import filling
from workflows.models import Beat
from workflows.notifications import email, notify
from workflows.preview import backtest
from workflows.reconciliation import beginning, working
from workflows.runs import bulk_actions
from workflows.runtime import heartbeats
from workflows.triggers import csv_start, idempotency, wake_on_webhook
from workflows.worker import expected_runs, monitors, retention

logger = logging.getLogger(__name__)

_DAY_SECONDS = 86_400
#: Less than a day, so that what began at the end of one night begins in the next.
_NIGHTLY_SECONDS = 64_800
#: How often a round over the organisations begins.
_ROUND_SECONDS = 600
#: A chore with very many calls stops after this long.
LONGEST_SECONDS = 60


def do_chores() -> None:
    """Do what is due."""
    _chore("finish refreshes", token_refresh.finish_refreshes)
    _chore("catch up after lost notices", wake_on_webhook.catch_up)
    _chore("try providers that are down", monitors.try_providers)
    _chore("watch what lasts", monitors.watch)
    _chore("look for missing runs", expected_runs.check)
    _chore("go on with batches", bulk_actions.work)
    _chore("go on with backtests", backtest.work)
    if _is_night() and _is_due("reconcile the books", _NIGHTLY_SECONDS):
        _chore("reconcile the books", beginning.begin_nightly)
    _chore("go on with reconciliations", working.work)
    _chore("tell people", email.send_due)
    _chore("record settings that have changed", settings_seen.note_once)
    _chore("sign the end of the record", signing.daily)
    _chore("end what closed accounts hold", leaving.end_closed_accounts)
    _chore("remove memberships that are over", members.remove_ended)
    if _is_due("some organisations", _ROUND_SECONDS):
        _chore("refresh organisations", refresh_organisations)
    if _is_night() and _is_due("remove what is old", _ROUND_SECONDS):
        _chore("remove what is old", retention.remove_old)
    if _is_due("daily", _DAY_SECONDS):
        _chore("refresh idle grants", token_refresh.refresh_idle_grants)
        _chore("forget abandoned grants", service.forget_abandoned_grants)
        _chore("forget old notices", webhook_intake.forget_old)
        _chore("forget sessions that are over", leaving.forget_ended_sessions)
        _chore("forget old signs of life", heartbeats.forget_old)
        _chore("forget what was read long ago", notify.forget_old)
        _chore("forget old keys of API calls", idempotency.forget_old)
        _chore("forget old backtests", backtest.forget_old)
        _chore("forget old reconciliations", beginning.forget_old)
        _chore("forget files that were not started", csv_start.forget_unstarted)
        _chore("make postings that an older version left out", filling.fill_recent)


def refresh_organisations() -> int:
    """Read the facts of each organisation again once a day: lock dates move, currencies are added. Returns how many
    were read.

    Those attempted longest ago come first, even if that attempt failed, so that none blocks the others. It stops after
    a minute, well before the queue would end the task; the next round continues with the rest.
    """
    ends, done = time.monotonic() + LONGEST_SECONDS, 0
    for connection in _longest_ago():
        if time.monotonic() > ends:
            logger.info("Some organisations are still to be read again; the next round continues with them.")
            break
        if not _is_due(f"organisation {connection.pk}", _DAY_SECONDS):
            continue
        heartbeats.note_progress()
        try:
            service.refresh_details(connection)
        except IntegrationError as error:
            logger.info("The facts of connection %s could not be read: %s", connection.pk, error.message)
            continue
        done += 1
    return done


def _longest_ago() -> list[Connection]:
    """The connected organisations, those attempted longest ago first."""
    turns = dict(Beat.objects.filter(name__startswith="chore:organisation ").values_list("name", "at"))
    connected = Connection.objects.filter(status=Connection.Status.CONNECTED).select_related("grant").order_by("pk")
    never = datetime.min.replace(tzinfo=UTC)
    return sorted(connected, key=lambda each: turns.get(f"chore:organisation {each.pk}", never))


def _is_due(name: str, every: float) -> bool:
    """True once per period, for one caller only; the row is the lock."""
    name = f"chore:{name}"
    if Beat.objects.filter(name=name, at__lte=DatabaseNow() - seconds(every)).update(at=DatabaseNow()):
        return True
    try:
        with transaction.atomic():
            Beat.objects.create(name=name, at=DatabaseNow())
    except IntegrityError:
        return False
    return True


def _is_night() -> bool:
    """Between one and five o'clock in the installation's time zone."""
    return 1 <= timezone.localtime().hour < 5


def _chore(name: str, do: Callable[[], int]) -> None:
    try:
        done = do()
    except Exception:
        logger.exception("The chore %r failed.", name)
        return
    if done:
        logger.info("Chore %r: %s done.", name, done)
