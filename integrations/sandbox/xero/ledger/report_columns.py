"""The columns of a report: its periods, narrowed or split by tracking."""

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product

from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.xero import answers, tracking
from integrations.sandbox.xero.documents import rules
from integrations.sandbox.xero.ledger.journal import Posting

MAX_DAYS, MAX_PERIODS = 365, 11
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_UNASSIGNED = "Unassigned"


@dataclass(frozen=True)
class Column:
    """One column of figures: its heading, and which postings count in it."""

    title: str
    counts: Callable[[Posting], bool]


def periods(call: Call, start: date, end: date) -> list[Column]:
    """The period asked for and those before it, each as many days long as the first."""
    length = (end - start).days
    columns = []
    for number in range(_count(call) + 1):
        low = _back(start, number * _step(call))
        high = low + timedelta(days=length)
        columns.append(Column(short(high), _within(low.isoformat(), high.isoformat())))
    return columns


def _within(low: str, high: str) -> Callable[[Posting], bool]:
    return lambda posting: low <= posting.day <= high


def by_tracking(call: Call, columns: list[Column]) -> list[Column]:
    """The columns narrowed to one option of each asked category, or split into all the options of a whole category;
    for two categories, into each combination. A split ends with the total of its columns.

    https://developer.xero.com/documentation/api/accounting/reports#profitandloss
    """
    query = call.request.GET
    asked = [
        _choices(call, query.get(f"trackingCategoryID{number}", ""), query.get(f"trackingOptionID{number}", ""), number)
        for number in ("", "2")
    ]
    combinations = list(product(*(choices for choices in asked if choices)))
    if combinations == [()]:
        return columns
    is_split = len(combinations) > 1
    fixed = tuple(choices[0] for choices in asked if len(choices) == 1)
    narrowed = []
    for column in columns:
        for combination in combinations:
            title = ", ".join(choice.title for choice in combination)
            title = column.title if not is_split else f"{title} {column.title}" if len(columns) > 1 else title
            narrowed.append(Column(title, _tracked(column, combination)))
        if is_split:
            title = f"Total {column.title}" if len(columns) > 1 else "Total"
            narrowed.append(Column(title, _tracked(column, fixed)))
    return narrowed


@dataclass(frozen=True)
class _Choice:
    """What a line must be tracked under: `option`, or, if that is empty, none of the category's `options`."""

    title: str
    option: str
    options: frozenset[str]

    def lets_through(self, posting: Posting) -> bool:
        return self.option in posting.options if self.option else not posting.options & self.options


def _choices(call: Call, category: str, option: str, number: str) -> list[_Choice]:
    """One choice for an option; for a category alone, one for each of its options and one for lines without any."""
    if not category and not option:
        return []
    known = tracking.categories(call.tenant)
    if category:
        known = [one for one in known if one["TrackingCategoryID"] == category.lower()]
        if not known:
            raise wrong(f"The trackingCategoryID{number} is not a category of this organisation")
    options = {one["TrackingOptionID"]: one["Name"] for each in known for one in each["Options"]}
    every = frozenset(options)
    if not option:
        return [*(_Choice(name, key, every) for key, name in options.items()), _Choice(_UNASSIGNED, "", every)]
    if option.lower() not in options:
        whose = "that category" if category else "this organisation"
        raise wrong(f"The trackingOptionID{number} is not an option of {whose}")
    return [_Choice(options[option.lower()], option.lower(), every)]


def _tracked(column: Column, combination: tuple[_Choice, ...]) -> Callable[[Posting], bool]:
    return lambda posting: column.counts(posting) and all(choice.lets_through(posting) for choice in combination)


def asked_options(call: Call) -> set[str]:
    """The options that a balance sheet is narrowed to."""
    found = (_choices(call, "", call.request.GET.get(f"trackingOptionID{number}", ""), number) for number in ("1", "2"))
    return {choice.option for choices in found for choice in choices}


def ends(call: Call, end: date) -> list[date]:
    return [_back(end, number * _step(call), is_end=True) for number in range(_count(call) + 1)]


def _count(call: Call) -> int:
    text = call.request.GET.get("periods", "0")
    if not text.isascii() or not text.isdigit() or int(text[:3]) > MAX_PERIODS:
        raise wrong(f"periods must be a whole number from 1 to {MAX_PERIODS}")
    return int(text)


def _step(call: Call) -> int:
    frame = call.request.GET.get("timeframe", "MONTH").upper()
    if frame not in _MONTHS:
        raise wrong(f"timeframe must be one of {', '.join(_MONTHS)}")
    return _MONTHS[frame]


def _back(day: date, months: int, *, is_end: bool = False) -> date:
    """This many months earlier; the end of a month stays the end of a month."""
    count = day.year * 12 + day.month - 1 - months
    year, month = divmod(count, 12)
    longest = calendar.monthrange(year, month + 1)[1]
    was_last = is_end and day == last_of_month(day)
    return date(year, month + 1, longest if was_last else min(day.day, longest))


def last_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def day(call: Call, *names: str) -> date | None:
    text = next((call.request.GET[name] for name in names if call.request.GET.get(name)), "")
    if not text:
        return None
    day = rules.read_day(text)
    if day is None:
        raise wrong(f"{names[0]} is not a date: {text[:40]!r}")
    return date.fromisoformat(day)


def wrong(message: str) -> Exception:
    return answers.bad_request(17, "InvalidDataException", message)


def short(day: date) -> str:
    return day.strftime("%d %b %y").lstrip("0")


def long(day: date) -> str:
    return day.strftime("%d %B %Y").lstrip("0")
