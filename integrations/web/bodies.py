"""The bodies of HTTP requests: JSON or a form from rows of fields, or a text as it is."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote, urlencode

from django.db.models import TextChoices

from integrations.jsonfield import dumps, loads
from integrations.schema import Schema, field


class BodyKind(TextChoices):
    """What is sent along."""

    NONE = "none", "Nothing"
    JSON = "json", "JSON, from the fields"
    FORM = "form", "A form, from the fields"
    TEXT = "text", "The text, as it is"


class ValueKind(TextChoices):
    """How a field's value is written in JSON."""

    TEXT = "text", "Text"
    NUMBER = "number", "Number"
    YES_NO = "yes_no", "Yes or no"
    JSON = "json", "JSON"


class BodyField(Schema):
    """One field of a JSON object or a form."""

    name: str = field("Name", max_length=200, help="In JSON, dots lead inwards: customer.name.")
    value: str = field("Value", default="", max_length=20_000)
    kind: ValueKind = field("Written as", default=ValueKind.TEXT, help="In forms everything is text.")


def of_form(rows: Sequence[BodyField]) -> bytes:
    """As browsers send forms."""
    return urlencode([(row.name, row.value) for row in rows]).encode()


def of_json(rows: Sequence[BodyField]) -> bytes:
    """One object. Raises ValueError with a sentence for rows that contradict each other or are not what they say."""
    made: dict[str, Any] = {}
    for number, row in enumerate(rows, 1):
        inside, names = made, row.name.split(".")
        if not all(names):
            raise ValueError(f"Row {number}: {row.name!r} has nothing before, between or behind its dots.")
        for name in names[:-1]:
            inside = inside.setdefault(name, {})
            if not isinstance(inside, dict):
                raise ValueError(f"Row {number}: {row.name} leads into a field that has a value of its own.")
        if names[-1] in inside:
            raise ValueError(f"Row {number}: {row.name} is there twice.")
        inside[names[-1]] = _value(row, number)
    return dumps(made).encode()


def _value(row: BodyField, number: int) -> Any:
    text = row.value.strip()
    if row.kind == ValueKind.TEXT:
        return row.value
    if not text:
        return None
    if row.kind == ValueKind.YES_NO:
        if text.lower() not in ("yes", "no", "true", "false"):
            raise ValueError(f"Row {number}: {row.name} takes yes or no.")
        return text.lower() in ("yes", "true")
    if row.kind == ValueKind.NUMBER:
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or "_" in text or abs(value.adjusted()) > 50:
            raise ValueError(f"Row {number}: {row.name} takes a number such as 1250.50.")
        return value
    try:
        return loads(text)
    except ValueError:
        raise ValueError(f'Row {number}: {row.name} takes JSON such as ["a", 1] or {{"a": 1}}.') from None


def in_query(rows: Sequence[tuple[str, str]]) -> str:
    """Names and values for the part of an address behind its question mark."""
    return urlencode(rows, quote_via=quote)
