"""Freezing an organisation: nothing is written to it until a person allows it again; reading goes on.

For the month's end, an incident or an audit. Runs that would write wait and go on by themselves afterwards.
"""

from __future__ import annotations

import logging

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import transaction

from integrations.audit.actions import Audited
from integrations.audit.record import record
from integrations.core.clock import DatabaseNow
from integrations.models import Connection

logger = logging.getLogger(__name__)


def freeze(connection: Connection, *, by: AbstractBaseUser | AnonymousUser, reason: str) -> bool:
    """Allow no writes from now on. False if none were allowed already."""
    with transaction.atomic():
        thawed = Connection.objects.filter(pk=connection.pk, frozen_at__isnull=True)
        if not thawed.update(frozen_at=DatabaseNow(), frozen_by=by.pk, freeze_reason=reason[:300]):
            return False
        record(Audited.CONNECTION_FROZEN, team_id=connection.team_id, about=connection, by=by, reason=reason)
    logger.info("Connection %s was frozen by user %s.", connection.pk, by.pk)
    return True


def thaw(connection: Connection, *, by: AbstractBaseUser | AnonymousUser) -> bool:
    """Allow writes again. False if they were allowed already."""
    with transaction.atomic():
        frozen = Connection.objects.filter(pk=connection.pk, frozen_at__isnull=False)
        if not frozen.update(frozen_at=None, frozen_by=None, freeze_reason=""):
            return False
        record(Audited.CONNECTION_THAWED, team_id=connection.team_id, about=connection, by=by)
    logger.info("Connection %s was thawed by user %s.", connection.pk, by.pk)
    return True
