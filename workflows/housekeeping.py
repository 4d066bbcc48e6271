"""Chores: every minute what must not wait, once a day what keeps connections alive.

A chore runs in a worker like any task, may run twice, and one that fails does not keep the others from running.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import IntegrityError, transaction

from integrations import connections, oauth, webhooks
from integrations.clock import DatabaseNow, seconds
from integrations.errors import IntegrationError
from integrations.models import Connection
from workflows import doorbell
from workflows.models import Beat

logger = logging.getLogger(__name__)

_DAY_SECONDS = 86_400


def keep_house() -> None:
    """Do what is due."""
    _chore("finish refreshes", oauth.finish_refreshes)
    _chore("catch up after lost notices", doorbell.catch_up)
    if _is_due("daily", _DAY_SECONDS):
        _chore("refresh idle grants", oauth.refresh_idle_grants)
        _chore("forget abandoned grants", connections.forget_abandoned_grants)
        _chore("refresh organisations", refresh_organisations)
        _chore("forget old notices", webhooks.forget_old)


def refresh_organisations() -> int:
    """Read every connected organisation's facts again: lock dates move, currencies are added."""
    done = 0
    for connection in Connection.objects.filter(status=Connection.Status.CONNECTED).select_related("grant"):
        try:
            connections.refresh_details(connection)
        except IntegrationError as error:
            logger.info("The facts of connection %s could not be read: %s", connection.pk, error.message)
            continue
        done += 1
    return done


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


def _chore(name: str, do: Callable[[], int]) -> None:
    try:
        done = do()
    except Exception:
        logger.exception("The chore %r failed.", name)
        return
    if done:
        logger.info("Chore %r: %s done.", name, done)
