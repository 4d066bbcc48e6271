"""What a write action is about to write, as a person in finance reads a document: no ids, no JSON, no bytes.

An action makes one from its inputs alone, with nothing read and nothing sent, so the same view serves a preview, an
approval and the page of a run. What only the provider knows is left out (None) and never guessed: a total of which one
part is unknown is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from integrations.fields import Choices, Field, Kind

if TYPE_CHECKING:
    from integrations.schema import Schema

#: What a choice's stored value is called, given the choices it is one of; empty where nobody knows.
Name = Callable[[Choices, str], str]


@dataclass(frozen=True)
class Named:
    """A value that people know by a name, as a contact's id: `code` is what is sent, `choices` the list it is from.

    Whoever shows it looks the name up in the choices fetched last and falls back on the code.
    """

    code: str
    choices: Choices | None = None

    def said(self, name: Name) -> str:
        """The name where it is known, else the code."""
        return (name(self.choices, self.code) if self.choices and self.code else "") or self.code


#: Text as it stands, or a value to be shown by its name.
Text = str | Named


def day_words(day: date) -> str:
    """A day in a sentence, as "22 November 2026"."""
    return f"{day.day} {day:%B %Y}"


@dataclass(frozen=True, kw_only=True)
class DocumentLine:
    """A row. `amount` is the line's amount as the document counts it (with tax in it where prices hold the tax), after
    the discount. Amounts are in the document's currency; None where only the provider knows."""

    description: str = ""
    item: str = ""
    quantity: Decimal | None = None
    unit_amount: Decimal | None = None
    discount: str = ""  # as "10 %" or "5.00"; empty without one
    account: str = ""
    tax_rate: str = ""
    tax: Decimal | None = None
    amount: Decimal | None = None
    tracking: tuple[str, ...] = ()


@dataclass(frozen=True)
class Totals:
    """What a document comes to. `total` is what is payable."""

    sub_total: Decimal
    tax: Decimal
    total: Decimal


@dataclass(frozen=True, kw_only=True)
class Document:
    """What is written: `what` it is ("Sales invoice", "Board"), for `whom`, in which `organisation`, and its content.

    `dates` are (label, day), where None means the day on which it is written, at the organisation's place. `facts` are
    further (label, text) pairs in the order in which they are read. `notes` are whole sentences about what is not
    plain, as "Xero takes the price from the item.".
    """

    what: str
    organisation: str = ""
    whom: Text = ""
    whom_label: str = "For"
    status: str = ""
    dates: tuple[tuple[str, date | None], ...] = ()
    reference: str = ""
    facts: tuple[tuple[str, Text], ...] = ()
    lines: tuple[DocumentLine, ...] = ()
    prices: str = ""  # as "Tax exclusive"
    currency: str = ""
    totals: Totals | None = None
    notes: tuple[str, ...] = ()


def to_dict(document: Document) -> dict[str, Any]:
    """The document for a JSON column that keeps Decimals exact; what is left at its default is left out."""
    told = _given(document)
    told["dates"] = [[label, day.isoformat() if day else None] for label, day in document.dates]
    told["facts"] = [[label, _text_to_json(text)] for label, text in document.facts]
    told["lines"] = [_given(line) for line in document.lines]
    return told | {"whom": _text_to_json(document.whom), "totals": _given(document.totals)}


def from_dict(told: Mapping[str, Any]) -> Document:
    """What `to_dict()` made. Its names can be looked up, but their choices not be fetched. Raises ValueError, TypeError
    or KeyError for anything else."""
    lines = (DocumentLine(**{**line, "tracking": tuple(line.get("tracking", ()))}) for line in told["lines"])
    read = {
        "whom": _text_of_json(told["whom"]),
        "dates": tuple((label, date.fromisoformat(day) if day else None) for label, day in told["dates"]),
        "facts": tuple((label, _text_of_json(text)) for label, text in told["facts"]),
        "lines": tuple(lines),
        "totals": Totals(**told["totals"]) if told["totals"] else None,
        "notes": tuple(told.get("notes", ())),
    }
    return Document(**{**told, **read})


def _given(part: Any) -> dict[str, Any]:
    """The plain fields of a dataclass that say something."""
    if part is None:
        return {}
    told = {f.name: (getattr(part, f.name), f.default) for f in fields(part)}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, (value, default) in told.items()
        if value != default
    }


def _text_to_json(text: Text) -> Any:
    return {"code": text.code, "choices": text.choices.key if text.choices else ""} if isinstance(text, Named) else text


def _text_of_json(told: Any) -> Text:
    if isinstance(told, str):
        return told
    return Named(told["code"], Choices(key=told["choices"], load=_not_fetched) if told["choices"] else None)


def _not_fetched(api: Any, inputs: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    raise LookupError("The choices of a stored document are only there by their name.")


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What the provider says it has written, for comparison with what was computed from the inputs."""

    number: str = ""
    whom: str = ""
    day: date | None = None
    currency: str = ""
    totals: Totals | None = None


def facts_of(inputs: Schema, *, but: Collection[str] = ()) -> tuple[tuple[str, Text], ...]:
    """The inputs that were given, by their labels and in their order; tables, and those named in `but`, left out.

    A no that stands there by itself is not told.
    """
    shown = ((f, getattr(inputs, f.name)) for f in inputs.fields() if f.name not in but and f.kind is not Kind.ROWS)
    return tuple(
        (f.label, _text(f, value))
        for f, value in shown
        if value not in (None, "", []) and not (value is False and f.default is False)
    )


def _text(f: Field, value: Any) -> Text:
    if f.dynamic_choices is not None and isinstance(value, str):
        return Named(value, f.dynamic_choices)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, datetime):
        return f"{day_words(value.date())}, {value:%H:%M} {value.tzname() or ''}".rstrip()
    if isinstance(value, date):
        return day_words(value)
    if isinstance(value, Decimal):
        return f"{value:,f}"
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return str(getattr(value, "label", value))
