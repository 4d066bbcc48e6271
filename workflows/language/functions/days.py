"""Functions for dates and times. Days are the organisation's, and Monday to Friday are working days."""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from workflows.language import date_formats
from workflows.language.number_formats import day_pattern, is_language
from workflows.language.signatures import function
from workflows.language.values import (
    DIVISION,
    MappingContext,
    MappingError,
    MappingLimitError,
    MappingTypeError,
    calculated,
    day_of,
    kind_of,
    moment_of,
    shown,
    text_of,
)

_MANY_DAYS = 20_000  # the most working days that are counted one by one
_FRIDAY = 5
#: A zone's name is looked up as a file name, so nothing else is allowed.
_ZONE = re.compile(r"[A-Za-z_]{2,30}(/[A-Za-z0-9_+-]{1,30}){0,2}")


@function(kind="date", label="Read a date", example='{{ "23/11/2026" | to_date("D/M/YYYY") }}', result="2026-11-23")
def to_date(value: Any, format: str = "", *, context: MappingContext) -> date:
    """Reads a date: a moment becomes the organisation's day, text is read as YYYY-MM-DD or by the format.

    In place of a format, a language says how days are written in figures: "de" reads 23.11.2026, "en-US" 11/23/2026.
    """
    if not format or kind_of(value) != "text":
        return day_of(value, context)
    if not is_language(format):
        return date_formats.read(text_of(value), format)
    return date_formats.read(text_of(value), day_pattern(format))


@function(
    kind="date", label="Write a date", example='{{ "2026-11-23" | format_date("D MMM YYYY") }}', result="23 Nov 2026"
)
def format_date(value: datetime, format: str = "YYYY-MM-DD") -> str:
    """Writes a date by a format of YYYY YY MMMM MMM MM M DD D dddd ddd Q, and HH H hh h mm ss A for times."""
    return date_formats.write(value, format)


@function(kind="date", label="Add days", example='{{ "2026-11-23" | add_days(30) }}', result="2026-12-23")
def add_days(value: date, days: int) -> date:
    """Moves a date by so many days; a number below 0 goes back."""
    return value + timedelta(days=days)


@function(
    kind="date", label="Add working days", example='{{ "2026-11-27" | add_working_days(1) }}', result="2026-11-30"
)
def add_working_days(value: date, days: int, holidays: Any = None, *, context: MappingContext) -> date:
    """Moves a date by so many days, counting Monday to Friday only, and no day of the list of holidays."""
    off = _holidays(holidays, context)
    step = 1 if days > 0 else -1
    while days and not _works(value, off):  # a day off counts as the working day it follows, or precedes going back
        value -= timedelta(days=step)
    if not off:
        weeks, rest = divmod(abs(days), 5)
        value += timedelta(days=step * 7 * weeks)
    elif abs(days) > _MANY_DAYS:
        raise MappingLimitError(f"With holidays, at most {_MANY_DAYS:,} working days can be counted.")
    else:
        rest = abs(days)
    for _ in range(rest):
        value += timedelta(days=step)
        while not _works(value, off):
            value += timedelta(days=step)
    return value


@function(
    kind="date",
    label="Working days until",
    example='{{ "2026-11-27" | working_days_between("2026-12-01") }}',
    result=2,
)
def working_days_between(value: date, end: date, holidays: Any = None, *, context: MappingContext) -> int:
    """How many working days lie after this date up to another, that one included; below 0 when it is earlier."""
    if end < value:
        return -_working_days(end, value, _holidays(holidays, context))
    return _working_days(value, end, _holidays(holidays, context))


@function(kind="date", label="Next working day", example='{{ "2026-11-28" | next_working_day }}', result="2026-11-30")
def next_working_day(value: date, holidays: Any = None, *, context: MappingContext) -> date:
    """The day itself where it is a working day, else the first one after it."""
    off = _holidays(holidays, context)
    while not _works(value, off):
        value += timedelta(days=1)
    return value


@function(kind="date", label="Add months", example='{{ "2026-01-31" | add_months(1) }}', result="2026-02-28")
def add_months(value: date, months: int) -> date:
    """Moves a date by so many months; where the day does not exist, it is the last of the month."""
    return _shifted(value, months)


@function(kind="date", label="Add years", example='{{ "2028-02-29" | add_years(1) }}', result="2029-02-28")
def add_years(value: date, years: int) -> date:
    """Moves a date by so many years; 29 February becomes the 28th where it does not exist."""
    return _shifted(value, years * 12)


@function(kind="date", label="First of the month", example='{{ "2026-11-23" | start_of_month }}', result="2026-11-01")
def start_of_month(value: date) -> date:
    """The first day of the month."""
    return value.replace(day=1)


@function(kind="date", label="Last of the month", example='{{ "2026-11-23" | end_of_month }}', result="2026-11-30")
def end_of_month(value: date) -> date:
    """The last day of the month."""
    return value.replace(day=monthrange(value.year, value.month)[1])


@function(kind="date", label="Days until", example='{{ "2026-11-23" | days_between("2026-12-25") }}', result=32)
def days_between(value: date, end: date) -> int:
    """How many days from this date to another; below 0 when the other is earlier."""
    return (end - value).days


@function(
    kind="date", label="First of the quarter", example='{{ "2026-11-23" | start_of_quarter }}', result="2026-10-01"
)
def start_of_quarter(value: date) -> date:
    """The first day of the calendar quarter."""
    return value.replace(month=(value.month - 1) // 3 * 3 + 1, day=1)


@function(kind="date", label="Last of the quarter", example='{{ "2026-11-23" | end_of_quarter }}', result="2026-12-31")
def end_of_quarter(value: date) -> date:
    """The last day of the calendar quarter."""
    return end_of_month(_shifted(start_of_quarter(value), 2))


@function(
    kind="date",
    label="First of the financial year",
    example='{{ "2026-11-23" | start_of_financial_year }}',
    result="2026-04-01",
)
def start_of_financial_year(value: date, year_end: str = "", *, context: MappingContext) -> date:
    """The first day of the organisation's financial year. Write its last day as MM-DD to use another: "06-30"."""
    end = end_of_financial_year(value, year_end, context=context)
    return _last(end.year - 1, *_year_end(year_end, context)) + timedelta(days=1)


@function(
    kind="date",
    label="Last of the financial year",
    example='{{ "2026-11-23" | end_of_financial_year }}',
    result="2027-03-31",
)
def end_of_financial_year(value: date, year_end: str = "", *, context: MappingContext) -> date:
    """The last day of the organisation's financial year. A year that ends on 28 February ends with February.

    Write the last day as MM-DD to use another one than the organisation's: "06-30".
    """
    month, day = _year_end(year_end, context)
    found = _last(value.year, month, day)
    return found if value <= found else _last(value.year + 1, month, day)


@function(kind="date", label="Financial year", example='{{ "2026-11-23" | financial_year }}', result=2027)
def financial_year(value: date, year_end: str = "", *, context: MappingContext) -> int:
    """The calendar year in which the organisation's financial year ends."""
    return end_of_financial_year(value, year_end, context=context).year


_TERMS = {
    "DAYSAFTERBILLDATE": lambda value, day: value + timedelta(days=day),
    "DAYSAFTERBILLMONTH": lambda value, day: end_of_month(value) + timedelta(days=day),
    "OFCURRENTMONTH": lambda value, day: _on(value, day),
    "OFFOLLOWINGMONTH": lambda value, day: _on(_shifted(value.replace(day=1), 1), day),
}


@function(
    kind="date",
    label="Due date",
    example='{{ "2026-11-23" | due_date(20, "OFFOLLOWINGMONTH") }}',
    result="2026-12-20",
)
def due_date(value: date, terms: Any, kind: str = "DAYSAFTERBILLDATE") -> date:
    """The day a document of this date is due: by a number and one of Xero's four kinds of payment terms.

    DAYSAFTERBILLDATE: so many days after it; DAYSAFTERBILLMONTH: so many days after the end of its month;
    OFCURRENTMONTH and OFFOLLOWINGMONTH: that day of its month or the next, the last where there is no such day.
    Xero's own terms of a contact (a group of Day and Type) can be given in place of the number.
    """
    day = terms
    if kind_of(terms) == "table":
        day, kind = terms.get("Day"), text_of(terms.get("Type"))
    name = kind.strip().upper()
    if name not in _TERMS:
        raise MappingTypeError(f"There are no payment terms {shown(kind)}. There are: {', '.join(_TERMS)}.")
    if kind_of(day) != "number" or day != int(day) or not 0 <= day <= 3_650:
        raise MappingTypeError(f"Payment terms need a whole number of days, not {shown(day)}.")
    if name.startswith("OF") and not 1 <= day <= 31:
        raise MappingTypeError(f"A day of the month is 1 to 31, not {shown(day)}.")
    return _TERMS[name](value, int(day))


@function(
    kind="date",
    label="In a time zone",
    example='{{ "2026-11-23T09:00:00Z" | timezone("Asia/Tokyo") }}',
    result="2026-11-23T18:00:00",
)
def timezone(value: Any, zone: str, *, context: MappingContext) -> datetime:
    """What clocks in a time zone show at a moment. A time without a zone is the organisation's."""
    if not _ZONE.fullmatch(zone):
        raise MappingTypeError(f"There is no time zone called {shown(zone)}, as Europe/London is one.")
    moment = moment_of(value, context)
    if not isinstance(moment, datetime):
        raise MappingTypeError(f"{shown(value)} is a day without a time, so it is the same in every time zone.")
    try:
        there = ZoneInfo(zone)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(context.timezone))
    except (KeyError, ValueError, OSError) as error:
        raise MappingTypeError(f"There is no time zone called {shown(zone)}, as Europe/London is one.") from error
    return moment.astimezone(there).replace(tzinfo=None)


@function(
    kind="date",
    label="Hours until",
    example='{{ "2026-11-23T09:00:00Z" | hours_between("2026-11-23T10:30:00Z") }}',
    result=Decimal("1.5"),
)
def hours_between(value: datetime, end: datetime) -> Decimal:
    """How many hours from one moment to another; below 0 when the other is earlier. A day counts from its midnight."""
    first, second = _with_time(value), _with_time(end)
    if (first.tzinfo is None) != (second.tzinfo is None):
        raise MappingTypeError("One of the times has a time zone and the other has none.")
    microseconds = (second - first) // timedelta(microseconds=1)
    return calculated(DIVISION.divide(Decimal(microseconds), Decimal(3_600_000_000)))


def _with_time(value: date) -> datetime:
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return value if value.tzinfo is None else value.astimezone(UTC)  # within a zone Python subtracts clock times


def _works(day: date, off: frozenset[date]) -> bool:
    return day.weekday() < _FRIDAY and day not in off


def _working_days(first: date, last: date, off: frozenset[date]) -> int:
    """Working days after `first`, up to and including `last`."""
    weeks, rest = divmod((last - first).days, 7)
    begin = first + timedelta(days=weeks * 7)
    count = weeks * 5 + sum((begin + timedelta(days=n)).weekday() < _FRIDAY for n in range(1, rest + 1))
    return count - sum(first < day <= last and day.weekday() < _FRIDAY for day in off)


def _holidays(holidays: Any, context: MappingContext) -> frozenset[date]:
    if holidays is None or holidays == "":
        return frozenset()
    kind = kind_of(holidays)
    written = [part for part in text_of(holidays).split(",") if part.strip()] if kind == "text" else holidays
    if kind_of(written) != "list":
        raise MappingTypeError(f"Holidays are a list of days, not {shown(holidays)}.")
    if len(written) > 1_000:
        raise MappingLimitError("There are more than 1,000 holidays.")
    try:
        return frozenset(day_of(day, context) for day in written)
    except MappingError as error:
        error.message = f"In the list of holidays: {error.message}"
        raise


def _year_end(written: str, context: MappingContext) -> tuple[int, int]:
    if not written:
        if context.year_end is None:
            raise MappingTypeError(
                "It is not known when the organisation's financial year ends. Refresh its connection, or write the "
                'last day as MM-DD: | end_of_financial_year("03-31").'
            )
        return context.year_end
    try:
        day = date.fromisoformat(f"2000-{written}")
    except ValueError as error:
        raise MappingTypeError(f"{shown(written)} is not a day written as MM-DD.") from error
    return day.month, day.day


def _last(year: int, month: int, day: int) -> date:
    if (month, day) == (2, 28):
        day = 29
    if not 1 <= year <= 9_999:
        raise OverflowError
    return _on(date(year, month, 1), day)


def _on(month: date, day: int) -> date:
    return month.replace(day=min(day, monthrange(month.year, month.month)[1]))


def _shifted(value: date, months: int) -> date:
    count = value.year * 12 + value.month - 1 + months
    if not 12 <= count < 120_000:
        raise OverflowError
    year, month = divmod(count, 12)
    return value.replace(year=year, month=month + 1, day=min(value.day, monthrange(year, month + 1)[1]))
