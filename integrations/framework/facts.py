"""What is worth showing about an organisation: chosen from the details that its connector read, in people's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import date_format


@dataclass(frozen=True)
class Fact:
    """A label and a value."""

    label: str
    value: str


def _day(value: Any) -> str:
    try:
        return date_format(date.fromisoformat(str(value)), "j M Y")
    except ValueError:
        return str(value)


def _day_of_year(value: Any) -> str:
    try:
        return date_format(date.fromisoformat(f"2000-{value}"), "j F")
    except ValueError:
        return str(value)


#: Key in Connection.details, label, how it is worded.
_TOLD: list[tuple[str, str, Callable[[Any], str]]] = [
    ("country", "Country", str),
    ("currency", "Currency", str),
    ("timezone", "Time zone", str),
    ("account_type", "Kind", lambda value: str(value).capitalize()),
    ("financial_year_end", "Financial year ends", _day_of_year),
    ("period_lock_date", "Books locked up to", _day),
    ("end_of_year_lock_date", "Year locked up to", _day),
]


def facts(details: Mapping[str, Any]) -> list[Fact]:
    """The facts to show, in a fixed order; what the provider did not give is left out."""
    told = [Fact(label, say(details[key])) for key, label, say in _TOLD if details.get(key)]
    if isinstance(details.get("is_demo"), bool):
        told.insert(0, Fact("Books", "Demo company" if details["is_demo"] else "Live"))
    return told
