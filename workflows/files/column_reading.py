"""How the values of a file are read: from which columns, and how its numbers and days are written.

The format that fits most values is used. If two formats fit equally and give different values, as with "1.000" or
"03/04/2026", nothing is guessed: a person chooses, and until then such a value is a problem of its row.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from integrations.core import moments
from integrations.schema.fields import Field, Kind
from workflows.language import date_formats
from workflows.language.functions.number import read_number
from workflows.language.values import MappingError
from workflows.models import Upload

T = TypeVar("T")
#: How numbers and dates may be written in a file; if several fit equally and give the same, the first is used.
NUMBERS = (("1,234.56", "."), ("1.234,56", ","))
DATES = (
    "YYYY-MM-DD", "D.M.YYYY", "D/M/YYYY", "M/D/YYYY", "D-M-YYYY", "YYYY/M/D", "D MMM YYYY", "D MMMM YYYY",
)  # fmt: skip
_TIME = re.compile(r"[T ]+[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?( ?[AaPp]\.?[Mm]\.?)?$")


@dataclass(frozen=True)
class Reading:
    """Which column goes into which value, and how numbers and dates are written: "" where a person has to choose.

    Moments with a zone become their day in `zone`.
    """

    columns: dict[str, int | None]
    decimal: str
    date_format: str
    zone: str = "UTC"


def guess(
    table: Upload, fields: Sequence[Field], *, columns: Mapping[str, int | None] | None = None, zone: str = "UTC"
) -> Reading:
    """Each value from the column with its name, and the number and date formats that fit most values of the file."""
    by_name = {_plain(name): place for place, name in reversed(list(enumerate(table.columns)))}
    chosen = (
        dict(columns)
        if columns is not None
        else {f.name: by_name.get(_plain(f.label), by_name.get(_plain(f.name))) for f in fields}
    )
    return Reading(
        chosen,
        _fitting(values_of(table, fields, chosen, Kind.NUMBER), [mark for _, mark in NUMBERS], read_number),
        _fitting(values_of(table, fields, chosen, Kind.DATE), DATES, lambda text, form: day(text, form, zone)),
        zone,
    )


def reading_of(post: Mapping[str, str], table: Upload, fields: Sequence[Field], *, zone: str = "UTC") -> Reading:
    """What a person chose in the preview; guessed where there is no usable choice."""
    columns = dict(guess(table, fields).columns)
    for f in fields:
        text = post.get(f"column.{f.name}")
        if text is not None:
            is_place = text.isdecimal() and len(text) < 4 and int(text) < len(table.columns)
            columns[f.name] = int(text) if is_place else None
    usual = guess(table, fields, columns=columns, zone=zone)
    decimal = post.get("decimal", "")
    form = post.get("date_format", "")
    return Reading(
        columns,
        decimal if decimal in {mark for _, mark in NUMBERS} else usual.decimal,
        form if form in DATES else usual.date_format,
        zone,
    )


def doubts(table: Upload, fields: Sequence[Field], reading: Reading) -> dict[str, str]:
    """{choice: sentence} for what a person has to choose because the file does not show it."""
    found: dict[str, str] = {}
    if not reading.decimal:
        numbers = values_of(table, fields, reading.columns, Kind.NUMBER)
        found["decimal"] = _both_ways(numbers, [mark for _, mark in NUMBERS], read_number, amount_in_words)
        if hint := _comma_hint(table, fields, reading):
            found["decimal"] += f" {hint}, which mostly goes with 1.234,56."
    if not reading.date_format:
        days = values_of(table, fields, reading.columns, Kind.DATE)
        found["date_format"] = _both_ways(days, DATES, lambda text, form: day(text, form, reading.zone), _day_in_words)
    return found


def value(f: Field, text: str, reading: Reading) -> Any:
    """One cell as a value of its field. Raises ValueError with a sentence."""
    if f.kind is Kind.NUMBER:
        return _one(f, text, [mark for _, mark in NUMBERS], reading.decimal, read_number)
    if f.kind is Kind.DATE:
        return _one(f, text, DATES, reading.date_format, lambda each, form: day(each, form, reading.zone))
    if f.kind is Kind.LIST:
        return [part.strip() for part in re.split(r"[;\n]", text) if part.strip()]
    return text


def day(text: str, form: str, zone: str) -> date:
    """The day in a cell: a moment as programs write it, else by the format, with a time after it or a short year.

    Raises MappingError.
    """
    try:
        moment = moments.read(text)
    except ValueError:
        moment = None
    if isinstance(moment, datetime):
        return moment.astimezone(ZoneInfo(zone)).date() if moment.tzinfo else moment.date()
    if moment is not None:
        return moment
    shorn = _TIME.sub("", text)
    try:
        return date_formats.read(shorn, form)
    except MappingError:
        if "YYYY" not in form or form.startswith("YYYY"):
            raise
        return date_formats.read(shorn, form.replace("YYYY", "YY"))


def values_of(table: Upload, fields: Sequence[Field], columns: Mapping[str, int | None], kind: Kind) -> list[str]:
    """All the texts in the columns for this kind of value, each once."""
    places = [columns.get(f.name) for f in fields if f.kind is kind]
    return list(dict.fromkeys(text for row in table.rows for place in places if (text := cell(row, place))))


def cell(row: Sequence[str], place: int | None) -> str:
    """The text in a row's column, "" if there is none."""
    return row[place].strip() if place is not None and place < len(row) else ""


def _one(f: Field, text: str, ways: Sequence[str], way: str, read: Callable[[str, str], T]) -> T:
    labels = dict((mark, label) for label, mark in NUMBERS)
    if way:
        try:
            return read(text, way)
        except MappingError:
            what = f"a number such as {labels[way]}" if way in labels else f"a date as {way}"
            raise ValueError(f"{f.label} takes {what}; this is “{text[:60]}”.") from None
    found = _readings(text, ways, read)
    if not found:
        what = "a number such as 1234.56" if ways[0] in labels else "a date"
        raise ValueError(f"{f.label} takes {what}; this is “{text[:60]}”.")
    if len(found) > 1:
        raise ValueError(f"{f.label}: “{text[:60]}” can be read in two ways. Choose above how it is written.")
    return found[0]


def _readings(text: str, ways: Sequence[str], read: Callable[[str, str], T]) -> list[T]:
    """The different values that a text can be, in the order of the formats."""
    found: list[T] = []
    for way in ways:
        try:
            made = read(text, way)
        except MappingError:
            continue
        if made not in found:
            found.append(made)
    return found


def _fitting(texts: Iterable[str], ways: Sequence[str], read: Callable[[str, str], Any]) -> str:
    """The format that fits most texts; "" if several do equally and read one of the texts differently."""
    counts = dict.fromkeys(ways, 0)
    made: dict[str, list[Any]] = {way: [] for way in ways}
    for text in texts:
        for way in ways:
            try:
                made[way].append(read(text, way))
            except MappingError:
                made[way].append(None)
            else:
                counts[way] += 1
    most = max(counts.values())
    best = [way for way in ways if counts[way] == most]
    if most == 0 or all(made[way] == made[best[0]] for way in best):
        return best[0]
    # Formats that fit equally many texts, but not the same ones, are ambiguous too.
    return ""


def _both_ways(
    texts: Iterable[str], ways: Sequence[str], read: Callable[[str, str], Any], in_words: Callable[[Any], str]
) -> str:
    for text in texts:
        found = _readings(text, ways, read)
        if len(found) > 1:
            return (
                f"“{text[:40]}” is {in_words(found[0])} or {in_words(found[1])}; the file does not show which. Choose."
            )
    return "The file does not show how they are written. Choose."


def _comma_hint(table: Upload, fields: Sequence[Field], reading: Reading) -> str:
    """What in the file suggests a decimal comma: semicolons between columns, and days with points."""
    days = values_of(table, fields, reading.columns, Kind.DATE)
    has_points = any(re.match(r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{2}", text) for text in days)
    found = ["semicolons between its columns"] * (table.separator == ";") + ["days written with points"] * has_points
    return f"The file has {' and '.join(found)}" if found else ""


def amount_in_words(amount: Decimal) -> str:
    """With two decimal places and no thousands separator, so that nobody takes 1000.00 for 1.000."""
    return f"{amount:.2f}" if amount == round(amount, 2) else f"{amount.normalize():f}"


def _day_in_words(found: date) -> str:
    return date_formats.write(found, "D MMMM YYYY")


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]", "", folded)
