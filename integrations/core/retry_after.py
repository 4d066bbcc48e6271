"""How long a provider asks us to wait: its headers in seconds, whatever they hold."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

#: No provider's window is longer than a day; more is a mistake in the header.
LONGEST = 90_000.0
SHORTEST = 1.0
#: A limit per minute is free again after one minute; more is a mistake in the header, and would stop everything for a
#: day. If it is not free, the next call is answered with a 429 again.
LONGEST_OF_A_MINUTE = 120.0
#: If nothing says what period the limit covers: then one call an hour tries again.
LONGEST_UNNAMED = 3600.0


def retry_after(headers: Mapping[str, str]) -> float | None:
    """`Retry-After` in seconds, given as a number or as an HTTP date; None if it is missing or unreadable."""
    return read_wait(headers.get("retry-after", ""))


def told_time(headers: Mapping[str, str]) -> datetime | None:
    """The time of the answer by the sender's clock (`Date`); None if it is missing or unreadable."""
    return _moment(headers.get("date", "").strip())


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def read_wait(text: str) -> float | None:
    """Seconds from a number or an HTTP date, between one second and a day; None for anything else."""
    text = text.strip()
    try:
        wait = float(text)
    except ValueError:
        moment = _moment(text)
        if moment is None:
            return None
        wait = (moment - datetime.now(UTC)).total_seconds()
    if wait != wait:
        return None
    return min(max(wait, SHORTEST), LONGEST)
