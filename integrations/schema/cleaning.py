"""One mapped value becomes what its input holds, or a sentence that says why it does not fit.

Every function here takes the input and the value, and raises ValueError with that sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from integrations.core import moments, numbers
from integrations.core.sameness import same, tidy
from integrations.schema.fields import Field, Kind

_LARGEST = Decimal("1e15")


def clean_value(f: Field, value: Any) -> Any:
    """A value of any kind except rows. Raises ValueError with a sentence."""
    if f.kind is Kind.LIST and f.enum is not None:
        return _to_picks(f, value)
    if f.kind is Kind.LIST:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{f.label} takes a list; this is {say(value)}.")
        return [_to_text(f, item) for item in value]
    cleaned = _CLEANERS[f.kind](f, value)
    if isinstance(cleaned, Decimal | int) and not isinstance(cleaned, bool):
        if f.minimum is not None and cleaned < f.minimum:
            raise ValueError(f"{f.label} must be at least {f.minimum}; this is {cleaned}.")
        if f.maximum is not None and cleaned > f.maximum:
            raise ValueError(f"{f.label} must be at most {f.maximum}; this is {cleaned}.")
    return cleaned


def _to_text(f: Field, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal | date):
        raise ValueError(f"{f.label} takes text; this is {say(value)}.")
    if isinstance(value, int | Decimal) and not has_ordinary_size(value):
        raise ValueError(f"{f.label} takes text or a number of ordinary size; this is {say(value)}.")
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    if printable(text, len(text)) != text:
        raise ValueError(f"{f.label} holds a character that cannot be stored.")
    if f.is_tidy:
        text = tidy(text)
    elif f.dynamic_choices is not None:
        # An id or a code: the spaces inside belong to the provider's value, those around it do not.
        text = text.strip()
    if f.max_length is not None and len(text) > f.max_length:
        raise ValueError(f"{f.label} takes at most {f.max_length} characters; this has {len(text)}.")
    return text


def has_ordinary_size(number: int | Decimal) -> bool:
    """Whether it can be written without an exponent: 1E+999999999 is a gigabyte of zeros."""
    if isinstance(number, int):
        return number.bit_length() <= 200
    return number.is_finite() and abs(number.adjusted()) <= 50 and len(number.as_tuple().digits) <= 60


def _to_decimal(f: Field, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError(f"{f.label} takes a number; this is {say(value)}.")
    try:
        number = numbers.entered(value) if isinstance(value, str) else Decimal(value)
    except numbers.AmbiguousNumberError as error:
        raise ValueError(f"{f.label} takes a number such as 1250.50; {error.message}") from None
    except numbers.NumberError:
        raise ValueError(f"{f.label} takes a number such as 1250.50; this is {say(value)}.") from None
    if not number.is_finite():
        raise ValueError(f"{f.label} takes a number; this is {say(value)}.")
    if not has_ordinary_size(number) or abs(number) >= _LARGEST or number.as_tuple().exponent < -12:  # type: ignore[operator]
        raise ValueError(f"{f.label} takes a number of ordinary size; this is {say(value)}.")
    if f.decimal_places is not None and number != round(number, f.decimal_places):
        raise ValueError(f"{f.label} takes at most {f.decimal_places} decimal places; this is {number}.")
    return number


def _to_int(f: Field, value: Any) -> int:
    number = _to_decimal(f, value)
    if number != number.to_integral_value():
        raise ValueError(f"{f.label} takes a whole number; this is {number}.")
    return int(number)


def _to_date(f: Field, value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    with suppress(ValueError):
        found = moments.read(value)
        if found is not None:
            return found.date() if isinstance(found, datetime) else found
    raise ValueError(f"{f.label} takes a date such as 2026-11-30; this is {say(value)}.")


def _to_datetime(f: Field, value: Any) -> datetime:
    moment: datetime | None = value if isinstance(value, datetime) else None
    if isinstance(value, str):
        with suppress(ValueError):
            moment = datetime.fromisoformat(value.strip())
    with suppress(ValueError):
        found = moments.read(value) if moment is None else None
        if found is not None:
            moment = found if isinstance(found, datetime) else datetime(found.year, found.month, found.day)
    if moment is not None:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    raise ValueError(f"{f.label} takes a date and time such as 2026-11-30T12:00:00+00:00; this is {say(value)}.")


_YES, _NO = {"true", "yes", "1", "on"}, {"false", "no", "0", "off"}


def _to_bool(f: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _YES | _NO:
        return word in _YES
    raise ValueError(f"{f.label} takes yes or no; this is {say(value)}.")


def _to_choice(f: Field, value: Any) -> str:
    text = _to_text(f, value)
    if f.enum is None:
        return text
    for member in f.enum:
        if text == member.value or same(text, member.label):
            return member
    names = ", ".join(str(value) for value, _ in f.fixed_choices)
    raise ValueError(f"{f.label} takes one of {names}; this is {say(value)}.")


def _to_picks(f: Field, value: Any) -> list[str]:
    """Any number of the fixed choices, each once; as text they are separated by commas. "any" means no limit."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise ValueError(f"{f.label} takes a list; this is {say(value)}.")
    texts = [_to_text(f, part).strip() for part in parts]
    return list(dict.fromkeys(_to_choice(f, text) for text in texts if text and text.lower() != "any"))


def _to_data(f: Field, value: Any) -> Any:
    if isinstance(value, list | Mapping):
        return value
    raise ValueError(f"{f.label} takes a list or a group of values from an earlier step; this is {say(value)}.")


_CLEANERS: dict[Kind, Callable[[Field, Any], Any]] = {
    Kind.TEXT: _to_text,
    Kind.LONG_TEXT: _to_text,
    Kind.NUMBER: _to_decimal,
    Kind.INTEGER: _to_int,
    Kind.DATE: _to_date,
    Kind.DATETIME: _to_datetime,
    Kind.YES_NO: _to_bool,
    Kind.CHOICE: _to_choice,
    Kind.DATA: _to_data,
}


def say(value: Any) -> str:
    """A value as an error shows it to people: short, and never a whole document."""
    if isinstance(value, str):
        return f'"{printable(value, 60)}…"' if len(value) > 60 else f'"{printable(value, 60)}"'
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "a group of values"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, int) and not has_ordinary_size(value):
        return "a number of very many digits"
    return printable(str(value), 60)


def printable(text: str, length: int) -> str:
    """The beginning of a text, without what no database and no page accepts: NUL and half surrogate pairs."""
    return text[:length].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
