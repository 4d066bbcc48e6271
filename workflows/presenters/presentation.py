"""Data as a person reads it: JSON as a table of labels and values, requests and answers with secrets masked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import simplejson
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.formats import date_format

from integrations.core.exact_json import loads
from integrations.schema.schema import Field
from workflows.language.references import words
from workflows.language.values import MappingError, text_of

_MAX_FACTS = 300
_MAX_TEXT = 4000
MASK = "••••••••"
_SECRET_PARTS = ("authorization", "cookie", "token", "secret", "password", "api-key", "apikey")


@dataclass(frozen=True)
class LabelledValue:
    """One value with the label made of the names that lead to it."""

    label: str
    text: str
    is_empty: bool = False
    code: str = ""  # the stored value, if `text` is its name and does not contain it


#: The name of a stored value, given the field that holds it; empty if unknown.
Name = Callable[[Field, str], str]


def labelled_values(data: Any, fields: tuple[Field, ...] = (), name: Name | None = None) -> list[LabelledValue]:
    """Every value of nested data, in order; labels come from the Schema's fields if given."""
    found = []
    for fact in _walk(data, (), {f.name: f for f in fields}, name):
        found.append(fact)
        if len(found) >= _MAX_FACTS:
            found.append(LabelledValue("More", "There are more values than this page shows."))
            break
    return found


def _walk(
    value: Any, labels: tuple[str, ...], fields: Mapping[str, Field], name: Name | None
) -> Iterator[LabelledValue]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            f = fields.get(str(key))
            label = f.label if f else words(str(key))
            below = {column.name: column for column in f.columns} if f else {}
            called, code = _named(f, inner, name)
            if code:
                yield LabelledValue(_sentence_case((*labels, label)), called, code=code)
            else:
                yield from _walk(called, (*labels, label), below, name)
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value, 1):
            yield from _walk(inner, (*labels, f"{number}"), fields, name)
    else:
        text, is_empty = _text(value)
        yield LabelledValue(_sentence_case(labels), text, is_empty)


def _sentence_case(labels: tuple[str, ...]) -> str:
    label = " · ".join(labels)
    return label[:1].upper() + label[1:] or "Value"


def _named(f: Field | None, value: Any, name: Name | None) -> tuple[Any, str]:
    """The label of a fixed choice instead of its code; a fetched choice's name, and its id unless the name has it."""
    if f is None or not isinstance(value, str):
        return value, ""
    called = name(f, value) if name and f.dynamic_choices else ""
    if not called:
        return dict(f.fixed_choices).get(value, value), ""
    return called, "" if _names_code(called, value) else value


def _names_code(label: str, code: str) -> bool:
    """Whether the label begins with the code, as "200 - Sales" does with 200."""
    return label.startswith(code) and not label[len(code) : len(code) + 1].isalnum()


def _text(value: Any) -> tuple[str, bool]:
    if value is None or value == "" or value == [] or value == {}:
        return "empty", True
    if isinstance(value, bool):
        return ("yes" if value else "no"), False
    try:
        text = text_of(value)
    except MappingError:
        text = str(value)
    return (text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}… ({len(text):,} characters)"), False


def pretty(body: str) -> str:
    """A JSON body with line breaks, its numbers and order untouched; anything else as it is."""
    try:
        parsed = loads(body)
    except (ValueError, RecursionError):
        return body
    return simplejson.dumps(parsed, use_decimal=True, ensure_ascii=False, indent=2)


def is_pretty_different(body: str) -> bool:
    """Whether the exact text differs from the readable form."""
    return pretty(body) != body


def masked(headers: Mapping[str, Any] | list[Any]) -> list[tuple[str, str]]:
    """Headers for the page; possible secrets are masked, whatever the case of the header's name."""
    pairs = headers.items() if isinstance(headers, Mapping) else [(pair[0], pair[1]) for pair in headers]
    return [(str(name), MASK if _is_secret(str(name)) else str(value)) for name, value in pairs]


def _is_secret(name: str) -> bool:
    lowered = name.lower()
    return any(part in lowered for part in _SECRET_PARTS)


def person(user: User | None) -> str:
    """Who did it, by the full name where there is one."""
    return (user.get_full_name() or user.get_username()) if user is not None else "somebody who has left"


def when(moment: datetime | None) -> str:
    """A time as people say it: "today, 09:14", else with the day."""
    if moment is None:
        return ""
    local, now = timezone.localtime(moment), timezone.localtime()
    if local.date() == now.date():
        return f"today, {date_format(local, 'H:i')}"
    if local.date() == (now - timedelta(days=1)).date():
        return f"yesterday, {date_format(local, 'H:i')}"
    return date_format(local, "j M, H:i" if local.year == now.year else "j M Y, H:i")
