"""Locked books: what is dated on or before a lock date Xero refuses, so it is not sent in the first place.

The lock date of the year binds everybody, that of the period all but advisers. Xero does not say in which role the app
is connected, so both count.

https://developer.xero.com/documentation/api/accounting/organisation
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from integrations.documents import day_words
from integrations.errors import RejectedError
from integrations.http import ApiClient
from integrations.xero.organisation import read_organisation

_LOCKS = {"end_of_year_lock_date": "the end of year lock date", "period_lock_date": "the period lock date"}


def refuse_locked(api: ApiClient, day: date, document: str) -> None:
    """Raises RejectedError where the day lies in a locked period; `document` as in "the bill".

    Judged by what is remembered of the organisation, which costs no call; before anything is refused, Xero is asked
    whether it is locked still.
    """
    if not _lock_over(api.connection.details, day):
        return
    lock = _lock_over(read_organisation(api), day)
    if lock is None:
        return
    name, until = lock
    raise RejectedError(
        f"The books of {api.connection.name} are locked up to {day_words(until)} ({name}), and {document} is dated "
        f"{day_words(day)}. Nothing was sent. Use a later date, or let an adviser move the lock date in Xero, then "
        "retry."
    )


def _lock_over(details: Mapping[str, Any], day: date) -> tuple[str, date] | None:
    """The latest lock that the day is on or before."""
    found = [(until, name) for key, name in _LOCKS.items() if (until := _day(details.get(key))) and day <= until]
    return (max(found)[1], max(found)[0]) if found else None


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None
