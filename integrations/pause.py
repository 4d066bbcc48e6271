"""How long a provider asks to be left alone: its headers in seconds, whatever they hold."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

#: No provider's window is longer than a day; more is a mistake in the header.
LONGEST = 90_000.0
SHORTEST = 1.0


def retry_after(headers: Mapping[str, str]) -> float | None:
    """`Retry-After` in seconds, given as a number or as an HTTP date; None where it is missing or unreadable."""
    return read_wait(headers.get("retry-after", ""))


def read_wait(text: str) -> float | None:
    """Seconds from a number or an HTTP date, between one second and a day; None for anything else."""
    text = text.strip()
    try:
        wait = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        wait = (moment - datetime.now(UTC)).total_seconds()
    if wait != wait:
        return None
    return min(max(wait, SHORTEST), LONGEST)
