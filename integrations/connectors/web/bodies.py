"""The bodies of HTTP requests: JSON or a form from rows of fields, or text as it is."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from django.db.models import TextChoices

from integrations.core import numbers
from integrations.core.exact_json import dumps, loads
from integrations.schema.schema import Schema, field


class BodyKind(TextChoices):
    """The format of the body."""

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
    """The body as browsers send forms."""
    return urlencode([(row.name, row.value) for row in rows]).encode()


def of_json(rows: Sequence[BodyField]) -> bytes:
    """One JSON object. The rows must have passed `problems_of_json`."""
    return dumps(_built(rows)[0]).encode()


def problems_of_json(rows: Sequence[BodyField]) -> dict[str, str]:
    """Why the rows do not make one object: the cell, such as `1.value`, and a sentence.

    Each is at the cell with the problem: a workflow can be published although a mapped cell cannot be checked yet.
    """
    return _built(rows)[1]


def _built(rows: Sequence[BodyField]) -> tuple[dict[str, Any], dict[str, str]]:
    made: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for index, row in enumerate(rows):
        try:
            inside, name = _place(made, row.name)
        except ValueError as error:
            problems[f"{index}.name"] = str(error)
            continue
        try:
            inside[name] = _value(row)
        except ValueError as error:
            # The name is kept, so that another row with it is reported as a duplicate.
            inside[name] = None
            problems[f"{index}.value"] = str(error)
    return made, problems


def _place(made: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    """The object that a field goes into, created if needed, and its name there. Raises ValueError with a sentence."""
    inside, names = made, path.split(".")
    if not all(names):
        raise ValueError(f"{path!r} has nothing before, between or behind its dots.")
    for name in names[:-1]:
        inside = inside.setdefault(name, {})
        if not isinstance(inside, dict):
            raise ValueError(f"{path} leads into a field that has a value of its own.")
    if names[-1] in inside:
        raise ValueError(f"{path} is there twice.")
    return inside, names[-1]


def _value(row: BodyField) -> Any:
    text = row.value.strip()
    if row.kind == ValueKind.TEXT:
        return row.value
    if not text:
        return None
    if row.kind == ValueKind.YES_NO:
        if text.lower() not in ("yes", "no", "true", "false"):
            raise ValueError(f"{row.name} takes yes or no.")
        return text.lower() in ("yes", "true")
    if row.kind == ValueKind.NUMBER:
        return _number(text, f"{row.name} takes a number such as 1250.50")
    try:
        return loads(text)
    except ValueError:
        raise ValueError(f'{row.name} takes JSON such as ["a", 1] or {{"a": 1}}.') from None


def _number(text: str, wanted: str) -> Decimal:
    try:
        value = numbers.entered(text)
    except numbers.AmbiguousNumberError as error:
        raise ValueError(f"{wanted}; {error.message}") from None
    except numbers.NumberError:
        value = Decimal("NaN")
    if not value.is_finite() or abs(value.adjusted()) > 50:
        raise ValueError(f"{wanted}.")
    return value


def in_query(rows: Sequence[tuple[str, str]]) -> str:
    """Names and values as the query string of a URL."""
    return urlencode(rows, quote_via=quote)
