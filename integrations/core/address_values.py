"""Values from a page's address: anybody may type anything there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Self

from django.db.models import QuerySet
from django.utils import timezone

#: Larger amounts than this no page takes.
_MOST_AMOUNT = Decimal(10) ** 14


@dataclass(frozen=True)
class AddressFilter:
    """The query of a list's address, a field for each part: text, "" where the part does not matter."""

    #: How many characters of a part count.
    LONGEST: ClassVar[int] = 100

    @classmethod
    def of(cls, query: Mapping[str, object]) -> Self:
        """From an address or a stored filter; anything that is not text is ignored, and so is NUL, which PostgreSQL
        takes in no comparison."""
        given = {each.name: query.get(each.name, "") for each in fields(cls)}
        texts = {name: value.replace("\x00", "") for name, value in given.items() if isinstance(value, str)}
        return cls(**{name: text.strip()[: cls.LONGEST] for name, text in texts.items()})

    def to_dict(self) -> dict[str, str]:
        """The parts that are set, to be stored or put into an address."""
        return {name: value for name, value in asdict(self).items() if value}


def name_in(rows: QuerySet[Any], text: str) -> str:
    """What the row with this id is called; the text itself where there is no such row."""
    number = number_of(text)
    found = rows.filter(pk=number).first() if number is not None else None
    return str(found) if found is not None else text


def in_days(column: str, since: str, until: str) -> dict[str, datetime]:
    """Lookups for a moment from the first day to the last, both included, in the reader's time zone. What is no day
    does not matter."""
    begins, ends = day_of(since), day_of(until)
    after = {f"{column}__gte": midnight(begins)} if begins is not None else {}
    before = {f"{column}__lt": midnight(ends + timedelta(days=1))} if ends is not None else {}
    return after | before


def number_of(text: str | None) -> int | None:
    """A whole number, None for anything else."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None


def day_of(text: str) -> date | None:
    """A day, None for anything else and for one that no run can have."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 3000 else None


def amount_of(text: str) -> Decimal | None:
    """An amount with a decimal point, with or without commas between thousands; None for anything else."""
    try:
        amount = Decimal(text.replace(",", "").replace(" ", ""))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) < _MOST_AMOUNT else None


def midnight(day: date) -> datetime:
    """When the day begins, in the reader's time zone."""
    return timezone.make_aware(datetime.combine(day, time()))
