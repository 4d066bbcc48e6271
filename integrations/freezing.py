"""Freezing an organisation: nothing is written to it until a person allows it again; reading goes on.

For the month's end, an incident or an audit. Runs that would write wait meanwhile and go on by themselves after.
"""

from __future__ import annotations

import logging

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from integrations.clock import DatabaseNow
from integrations.models import Connection

logger = logging.getLogger(__name__)


def freeze(connection: Connection, *, by: AbstractBaseUser | AnonymousUser, reason: str) -> bool:
    """Let nothing be written from now on. False where it was so already."""
    thawed = Connection.objects.filter(pk=connection.pk, frozen_at__isnull=True)
    if not thawed.update(frozen_at=DatabaseNow(), frozen_by=by.pk, freeze_reason=reason[:300]):
        return False
    logger.info("Connection %s was frozen by user %s.", connection.pk, by.pk)
    return True


def thaw(connection: Connection, *, by: AbstractBaseUser | AnonymousUser) -> bool:
    """Let writing go on. False where it was allowed already."""
    frozen = Connection.objects.filter(pk=connection.pk, frozen_at__isnull=False)
    if not frozen.update(frozen_at=None, frozen_by=None, freeze_reason=""):
        return False
    logger.info("Connection %s was thawed by user %s.", connection.pk, by.pk)
    return True
