"""Dates written and read by familiar patterns, such as D MMM YYYY.

Names are English in every locale of the server; never strftime, whose meaning and cost depend on the platform.
"""

import re
from collections.abc import Callable
from datetime import date, datetime

from workflows.language.values import MappingTypeError, shown

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_WRITERS: dict[str, Callable[[date], str]] = {
    "YYYY": lambda day: f"{day.year:04}",
    "YY": lambda day: f"{day.year % 100:02}",
    "MMMM": lambda day: MONTHS[day.month - 1],
    "MMM": lambda day: MONTHS[day.month - 1][:3],
    "MM": lambda day: f"{day.month:02}",
    "M": lambda day: str(day.month),
    "DD": lambda day: f"{day.day:02}",
    "D": lambda day: str(day.day),
    "dddd": lambda day: DAYS[day.weekday()],
    "ddd": lambda day: DAYS[day.weekday()][:3],
    "Q": lambda day: str((day.month + 2) // 3),
}
_CLOCK_WRITERS: dict[str, Callable[[datetime], str]] = {
    "HH": lambda moment: f"{moment.hour:02}",
    "H": lambda moment: str(moment.hour),
    "hh": lambda moment: f"{(moment.hour + 11) % 12 + 1:02}",
    "h": lambda moment: str((moment.hour + 11) % 12 + 1),
    "mm": lambda moment: f"{moment.minute:02}",
    "ss": lambda moment: f"{moment.second:02}",
    "A": lambda moment: "AM" if moment.hour < 12 else "PM",
}
_MONTH_PATTERN = "|".join(f"{name}|{name[:3]}" for name in MONTHS)
_READERS = {
    "YYYY": ("year", "[0-9]{4}"),
    "YY": ("year", "[0-9]{2}"),
    "MMMM": ("name", _MONTH_PATTERN),
    "MMM": ("name", _MONTH_PATTERN),
    "MM": ("month", "[0-9]{2}"),
    "M": ("month", "[0-9]{1,2}"),
    "DD": ("day", "[0-9]{2}"),
    "D": ("day", "[0-9]{1,2}"),
}
_PIECES = re.compile(r"\[([^\[\]]*)\]|([A-Za-z])\2*|[^A-Za-z\[\]]+|[\[\]]")
_PATTERN_LIMIT = 60


def write(moment: date, pattern: str) -> str:
    """The date by the pattern; text in [square brackets] is kept as it is."""
    pieces = _pieces(pattern)
    written = []
    for token, literal in pieces:
        if token in _WRITERS:
            written.append(_WRITERS[token](moment))
        elif token in _CLOCK_WRITERS:
            if token == "mm" and not any(  # noqa: S105 - no password
                other in ("H", "HH", "h", "hh") for other, _ in pieces
            ):
                raise MappingTypeError("In a date format mm means minutes. Write MM for the month.")
            if not isinstance(moment, datetime):
                raise MappingTypeError(f"The format asks for a time ({token}), but {moment.isoformat()} has none.")
            written.append(_CLOCK_WRITERS[token](moment))
        elif token:
            known = ", ".join([*_WRITERS, *_CLOCK_WRITERS])
            raise MappingTypeError(f"The date format has {shown(token)}. It knows {known}; put other text in [ ].")
        else:
            written.append(literal)
    return "".join(written)


def read(text: str, pattern: str) -> date:
    """The day that the text gives by the pattern; anything else in the text is an error."""
    expression: list[str] = []
    for token, literal in _pieces(pattern):
        if token and token not in _READERS:
            raise MappingTypeError(f"A date cannot be read by {shown(token)}. Use {', '.join(_READERS)}.")
        name, digits = _READERS.get(token, ("", ""))
        if token and any(f"<{name}>" in part for part in expression):
            raise MappingTypeError(f"The date format {shown(pattern)} names the {name} twice.")
        expression.append(f"(?P<{name}>{digits})" if token else re.escape(literal))
    match = re.fullmatch("".join(expression), text.strip(), re.IGNORECASE) if len(text) <= _PATTERN_LIMIT else None
    found = match.groupdict() if match else {}
    if found.get("name"):
        found["month"] = str([name[:3].lower() for name in MONTHS].index(found["name"][:3].lower()) + 1)
    if match and not {"year", "month", "day"} <= found.keys():
        raise MappingTypeError(f"The date format {shown(pattern)} needs a day, a month and a year (YYYY).")
    try:
        year = int(found["year"])
        if len(found["year"]) == 2:  # as POSIX does: 69 is 1969, 68 is 2068
            year += 1900 if year >= 69 else 2000
        return date(year, int(found["month"]), int(found["day"]))
    except (KeyError, ValueError) as error:
        raise MappingTypeError(f"{shown(text)} is not a date written as {pattern}.") from error


def _pieces(pattern: str) -> list[tuple[str, str]]:
    """(token, "") for each part of the date, ("", literal) for text."""
    if len(pattern) > _PATTERN_LIMIT:
        raise MappingTypeError(f"A date format has at most {_PATTERN_LIMIT} characters.")
    pieces = []
    for match in _PIECES.finditer(pattern):
        if match[1] is not None:
            pieces.append(("", match[1]))
        elif match[2]:
            pieces.append((match[0], ""))
        else:
            pieces.append(("", match[0]))
    return pieces
