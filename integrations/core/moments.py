"""Days and moments as programs write them; people's 24/02/2026 is not among them, because it needs a format.

ISO 8601 with T or a space and with Z, UTC, GMT or an offset; seconds or milliseconds since 1970; the dates of mails
and HTTP (RFC 2822); and what the connectors declare as their providers' own forms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime

_LONGEST = 60
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ISO = re.compile(
    r"(?P<moment>[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.,]{5,18})\s?(?P<zone>Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})?",
    re.IGNORECASE,
)
#: From 2001 to 2286: a shorter number is a number, not a moment.
_EPOCH = re.compile(r"(?P<seconds>[1-9][0-9]{9})(?P<rest>[0-9]{3}|\.[0-9]{1,9})?")
_MAIL = re.compile(
    r"([A-Za-z]{3}, ?)?[0-9]{1,2} [A-Za-z]{3} [0-9]{4} [0-9]{2}:[0-9]{2}(:[0-9]{2})?"
    r" ?([+-][0-9]{4}|GMT|UTC|UT|Z|[ECMP][SD]T)( ?\([A-Za-z ]{1,20}\))?"
)
_START = datetime(1970, 1, 1, tzinfo=UTC)

#: Reads one format of a day or moment; None for any other text.
DateForm = Callable[[str], date | datetime | None]
_forms_of_providers: Callable[[], Sequence[DateForm]] = tuple


def find_forms_by(forms: Callable[[], Sequence[DateForm]]) -> None:
    """Also read what these forms read; called if a text has none of the usual formats."""
    global _forms_of_providers
    _forms_of_providers = forms


def read(value: object) -> date | datetime | None:
    """The day or moment, None if it has none of these formats. Raises ValueError if there is no such day or time."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    if isinstance(value, Decimal) and not (value.is_finite() and value.adjusted() < 13):
        return None
    if isinstance(value, int) and value.bit_length() > 60:
        return None
    text = format(value, "f") if isinstance(value, Decimal) else str(value).strip()
    if len(text) > _LONGEST or not text.isascii():
        return None
    try:
        return _read(text)
    except (OverflowError, IndexError, TypeError) as error:
        raise ValueError("There is no such moment.") from error


def _read(text: str) -> date | datetime | None:
    if _DAY.fullmatch(text):
        return date.fromisoformat(text)
    if match := _ISO.fullmatch(text):
        zone = (match["zone"] or "").upper()
        moment = match["moment"].upper()
        return datetime.fromisoformat(f"{moment}{'+00:00' if zone in ('Z', 'UTC', 'GMT') else zone}")
    if match := _EPOCH.fullmatch(text):
        rest = match["rest"] or ""
        fraction = Decimal(f"0.{rest.removeprefix('.') or '0'}")
        return _START + timedelta(seconds=int(match["seconds"]), microseconds=int(fraction * 1_000_000))
    if _MAIL.fullmatch(text):
        found = parsedate_to_datetime(text)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return next((moment for form in _forms_of_providers() if (moment := form(text)) is not None), None)
