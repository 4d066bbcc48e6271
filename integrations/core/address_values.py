"""Values from a page's address, where anybody may type anything, and the values that its filter offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Self

from django.db import connection as database
from django.db.models import Model, QuerySet
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


def day_problem(text: str) -> str:
    """What to say of a text that should be a day; empty where there is nothing to say."""
    return f"“{text}” is not a day. Write it as 2026-11-30." if text and day_of(text) is None else ""


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


def occurring(model: type[Model], column: str, *, where: tuple[str, int], above: str | int) -> list[Any]:
    """The values above this one that a column holds in the rows where another column has this id.

    Each is the least that is larger than the one before: as many steps in an index as there are values, and not as
    there are rows. The names of table and columns are our own.
    """
    table, quoted, within = (database.ops.quote_name(name) for name in (model._meta.db_table, column, where[0]))
    least = f"SELECT MIN({quoted}) FROM {table} WHERE {within} = %s AND {quoted} > "  # noqa: S608
    sql = (
        f"WITH RECURSIVE found(value) AS (SELECT ({least} %s) UNION ALL "  # noqa: S608
        f"SELECT ({least} found.value) FROM found WHERE found.value IS NOT NULL) "
        "SELECT value FROM found WHERE value IS NOT NULL"
    )
    with database.cursor() as cursor:
        cursor.execute(sql, [where[1], above, where[1]])
        return [value for (value,) in cursor.fetchall()]
