"""Locked books: Xero refuses documents dated on or before a lock date, so they are not sent at all.

The year's lock date applies to everybody, the period's to all but advisers. Xero does not say which role the app has,
so both count.

https://developer.xero.com/documentation/api/accounting/organisation
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from integrations.connectors.xero.organisation import read_organisation
from integrations.core.errors import RejectedError
from integrations.schema.documents import day_words
from integrations.transport.http import ApiClient

_LOCKS = {"end_of_year_lock_date": "the end of year lock date", "period_lock_date": "the period lock date"}


def refuse_locked(api: ApiClient, day: date, document: str) -> None:
    """Raises RejectedError if the day is in a locked period; `document` as in "the bill".

    Uses the stored details of the organisation, which costs no call; before anything is refused, Xero is asked whether
    the day is still locked.
    """
    if not lock_over(api.connection.details, day):
        return
    lock = lock_over(read_organisation(api), day)
    if lock is None:
        return
    name, until = lock
    raise RejectedError(
        f"The books of {api.connection.name} are locked up to {day_words(until)} ({name}), and {document} is dated "
        f"{day_words(day)}. Nothing was sent. Use a later date, or let an adviser move the lock date in Xero, then "
        "retry."
    )


def lock_over(details: Mapping[str, Any], day: date) -> tuple[str, date] | None:
    """The name and day of the latest lock date that is not before the day; None if the day is open."""
    found = [(until, name) for key, name in _LOCKS.items() if (until := _day(details.get(key))) and day <= until]
    return (max(found)[1], max(found)[0]) if found else None


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None
