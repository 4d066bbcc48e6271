"""Chores: every minute what must not wait, once a day what keeps connections alive.

A chore runs in a worker like any task, may run twice, and one that fails does not keep the others from running.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations import connections, oauth, webhooks
from integrations.clock import DatabaseNow, seconds
from integrations.errors import IntegrationError
from integrations.models import Connection
from workflows import batches, beats, doorbell, expecting, idempotency, mailing, notices, retention, uploads, watching
from workflows.models import Beat

logger = logging.getLogger(__name__)

_DAY_SECONDS = 86_400
#: How often the organisations that are left get their turns.
_ROUND_SECONDS = 600
#: A chore of very many calls stops after this long.
LONGEST_SECONDS = 60


def keep_house() -> None:
    """Do what is due."""
    _chore("finish refreshes", oauth.finish_refreshes)
    _chore("catch up after lost notices", doorbell.catch_up)
    _chore("try providers that are down", watching.try_providers)
    _chore("watch what lasts", watching.watch)
    _chore("look for missing runs", expecting.look)
    _chore("go on with batches", batches.work)
    _chore("tell people", mailing.send_due)
    if _is_due("some organisations", _ROUND_SECONDS):
        _chore("refresh organisations", refresh_organisations)
    if _is_night() and _is_due("remove what is old", _ROUND_SECONDS):
        _chore("remove what is old", retention.remove_old)
    if _is_due("daily", _DAY_SECONDS):
        _chore("refresh idle grants", oauth.refresh_idle_grants)
        _chore("forget abandoned grants", connections.forget_abandoned_grants)
        _chore("forget old notices", webhooks.forget_old)
        _chore("forget old signs of life", beats.forget_old)
        _chore("forget what was read long ago", notices.forget_old)
        _chore("forget old keys of API calls", idempotency.forget_old)
        _chore("forget files that were not started", uploads.forget_unstarted)


def refresh_organisations() -> int:
    """Read each organisation's facts again once a day: lock dates move, currencies are added. How many were read.

    Those whose turn was longest ago come first, also where it failed, so that none keeps the others from theirs. It
    stops after a minute, well before the queue would end the task; the next round goes on with the rest.
    """
    ends, done = time.monotonic() + LONGEST_SECONDS, 0
    for connection in _longest_ago():
        if time.monotonic() > ends:
            logger.info("Organisations are left to be read again; the next round goes on with them.")
            break
        if not _is_due(f"organisation {connection.pk}", _DAY_SECONDS):
            continue
        beats.getting_on()
        try:
            connections.refresh_details(connection)
        except IntegrationError as error:
            logger.info("The facts of connection %s could not be read: %s", connection.pk, error.message)
            continue
        done += 1
    return done


def _longest_ago() -> list[Connection]:
    """The connected organisations in the order of their last turns."""
    turns = dict(Beat.objects.filter(name__startswith="chore:organisation ").values_list("name", "at"))
    connected = Connection.objects.filter(status=Connection.Status.CONNECTED).select_related("grant").order_by("pk")
    never = datetime.min.replace(tzinfo=UTC)
    return sorted(connected, key=lambda each: turns.get(f"chore:organisation {each.pk}", never))


def _is_due(name: str, every: float) -> bool:
    """True for one caller once per period; the row is the lock."""
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
    """Between one and five, where the installation is: rounds until everything old is gone."""
    return 1 <= timezone.localtime().hour < 5


def _chore(name: str, do: Callable[[], int]) -> None:
    try:
        done = do()
    except Exception:
        logger.exception("The chore %r failed.", name)
        return
    if done:
        logger.info("Chore %r: %s done.", name, done)
