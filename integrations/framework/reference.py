"""Whole lists of an organisation's settings, such as accounts and tax rates: fetched at most every quarter of an hour.

Checks read them. Unlike `choices`, which offer what can be chosen, they hold everything, archived entries included, so
that a check can say why something does not fit.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError
from django.utils import timezone

from integrations.models import ChoiceCache, Connection, ReferenceList
from integrations.transport.http import ApiClient

logger = logging.getLogger(__name__)

Record = Mapping[str, Any]
#: Lists and choices older than this are fetched again.
FRESH_FOR = timedelta(minutes=15)


@dataclass(frozen=True)
class Reference:
    """A list to keep: `key` names it, `read` fetches it, `what` it is in a sentence ("the accounts")."""

    key: str
    what: str
    read: Callable[[ApiClient], Iterable[Record]]


@dataclass(frozen=True)
class Kept:
    """A list and when it was fetched."""

    records: Sequence[Record]
    fetched_at: datetime

    @property
    def is_fresh(self) -> bool:
        """Whether it may be used without asking again."""
        return timezone.now() - self.fetched_at < FRESH_FOR


def kept(connection: Connection, reference: Reference) -> Kept | None:
    """The list as fetched last, however old; None if it never was."""
    row = ReferenceList.objects.filter(connection=connection, key=reference.key).first()
    return None if row is None else Kept(row.records, row.fetched_at)


def fetch(api: ApiClient, reference: Reference) -> Kept:
    """The list as it is now, kept for the next time. Raises the client's errors."""
    found = Kept([dict(each) for each in reference.read(api)], timezone.now())
    values = {"records": found.records, "fetched_at": found.fetched_at}
    try:
        ReferenceList.objects.update_or_create(connection=api.connection, key=reference.key, defaults=values)
    except DatabaseError:
        logger.warning("The list %s could not be kept.", reference.key, exc_info=True)
    return found


def was_offered(connection: Connection, key: str, value: str) -> bool:
    """Whether the choices of that key, as fetched lately, have this value; without a call."""
    rows = ChoiceCache.objects.filter(connection=connection, key=key, fetched_at__gt=timezone.now() - FRESH_FOR)
    return any(str(known) == value for row in rows for known, _ in row.choices)
