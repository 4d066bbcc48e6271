"""One run at a time, where a provider keeps a thing as a whole and has no way to refuse a change of an old state.

Whoever reads such a thing, and writes it back with something added, undoes what another writes in between. So a run
takes the thing's turn first, and another one waits until it is given back. A turn that nobody gives back ends by
itself. This holds among the runs of one Pinxero; people and other apps take no turns.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db import transaction

from integrations.clock import DatabaseNow, seconds
from integrations.models import Turn

#: Longer than a run takes to read, write and hear the answer, or to give up waiting for it.
TURN_SECONDS = 120
_FORGOTTEN_AFTER = timedelta(days=1)


def take(connection_id: int, key: str) -> str:
    """Take the turn of what `key` names at the connection: a token to give it back with, empty while another has it."""
    token = secrets.token_hex(8)
    with transaction.atomic():
        turn, _ = Turn.objects.get_or_create(connection_id=connection_id, key=key)
        mine = Turn.objects.filter(pk=turn.pk, until__isnull=True) | Turn.objects.filter(
            pk=turn.pk, until__lte=DatabaseNow()
        )
        is_mine = mine.update(token=token, until=DatabaseNow() + seconds(TURN_SECONDS))
        Turn.objects.filter(connection_id=connection_id, until__lt=DatabaseNow() - _FORGOTTEN_AFTER).delete()
    return token if is_mine else ""


def give_back(token: str) -> None:
    """End a turn; one that has ended by itself and was taken by another stays."""
    Turn.objects.filter(token=token).delete()
