"""A lock on one record at a provider that stores it as a whole and cannot refuse a change based on an old state.

Whoever reads such a record and writes it back with something added undoes what others write in between. So a run
locks the record first, and other runs wait until it is released. A lock that nobody releases expires. It works among
the runs of one installation; people and other apps take no locks.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db import transaction

from integrations.core.clock import DatabaseNow, seconds
from integrations.models import Turn

#: Longer than a run takes to read, write and get the answer, or to give up waiting for it.
LOCK_SECONDS = 120
_FORGOTTEN_AFTER = timedelta(days=1)


def take(connection_id: int, key: str, *, holder: str = "") -> str:
    """Lock the record that `key` names at the connection: returns a token to release it with, empty while it is locked.

    `holder`, at most eight characters, says who takes it: a lock that it still holds is renewed.
    """
    token = holder + secrets.token_hex(8)[len(holder) :]
    with transaction.atomic():
        turn, _ = Turn.objects.get_or_create(connection_id=connection_id, key=key)
        mine = Turn.objects.filter(pk=turn.pk, until__isnull=True) | Turn.objects.filter(
            pk=turn.pk, until__lte=DatabaseNow()
        )
        if holder:
            mine |= Turn.objects.filter(pk=turn.pk, token__startswith=holder)
        is_mine = mine.update(token=token, until=DatabaseNow() + seconds(LOCK_SECONDS))
        Turn.objects.filter(connection_id=connection_id, until__lt=DatabaseNow() - _FORGOTTEN_AFTER).delete()
    return token if is_mine else ""


def give_back(token: str) -> None:
    """Release a lock; one that expired and was taken by another run is left alone."""
    Turn.objects.filter(token=token).delete()
