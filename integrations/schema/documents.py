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

from integrations.schema.fields import Choices, Field, Kind

if TYPE_CHECKING:
    from integrations.schema.schema import Schema

#: The name of a choice's stored value, given its choices; empty if unknown.
Name = Callable[[Choices, str], str]


@dataclass(frozen=True)
class Named:
    """A value that people know by a name, such as a contact's id: `code` is sent, `choices` is the list it comes from.

    Pages look the name up in the choices fetched last, else show the code.
    """

    code: str
    choices: Choices | None = None

    def display(self, name: Name) -> str:
        """The name if known, else the code."""
        return (name(self.choices, self.code) if self.choices and self.code else "") or self.code


_TABLES = (Kind.ROWS, Kind.DATA)
#: How documents say that their lines' amounts hold the tax: "Tax inclusive".
_INCLUSIVE = "inclusive"
#: Plain text, or a value to be shown by its name.
Text = str | Named


def shown(text: Text) -> str:
    """A text as far as it is known without a look at choices: the code where only that is."""
    return text if isinstance(text, str) else text.code


def day_words(day: date) -> str:
    """A day in a sentence, as "22 November 2026"."""
    return f"{day.day} {day:%B %Y}"


@dataclass(frozen=True, kw_only=True)
class DocumentLine:
    """A row. `amount` is the line's amount as the document counts it (with tax if prices include tax), after the
    discount. Amounts are in the document's currency; None if only the provider knows.
    """

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
    """The totals of a document. `total` is the amount payable."""

    sub_total: Decimal
    tax: Decimal
    total: Decimal


@dataclass(frozen=True, kw_only=True)
class Document:
    """What is written: `what` it is ("Sales invoice", "Board"), for `whom`, in which `organisation`, and its content.

    `dates` are (label, day), where None means the day on which it is written, in the organisation's time zone. `facts`
    are further (label, text) pairs in the order in which they are read. `notes` are whole sentences about what is not
    obvious, as "Xero takes the price from the item.".
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


def net_amount(document: Document, line: DocumentLine) -> Decimal | None:
    """A line's amount without tax, as accounts hold it; None if it is not known."""
    if _INCLUSIVE not in document.prices.lower() or line.amount is None:
        return line.amount
    return None if line.tax is None else line.amount - line.tax


def to_dict(document: Document) -> dict[str, Any]:
    """The document for a JSON column that keeps Decimals exact; what is left at its default is left out."""
    told = _given(document)
    told["dates"] = [[label, day.isoformat() if day else None] for label, day in document.dates]
    told["facts"] = [[label, _text_to_json(text)] for label, text in document.facts]
    told["lines"] = [_given(line) for line in document.lines]
    return told | {"whom": _text_to_json(document.whom), "totals": _given(document.totals)}


def from_dict(told: Mapping[str, Any]) -> Document:
    """What `to_dict()` made. Its names can be looked up, but their choices cannot be fetched. Raises ValueError,
    TypeError or KeyError for anything else."""
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
    """The plain fields of a dataclass that are not at their default."""
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


@dataclass(frozen=True)
class WrittenLine:
    """The amounts of a line as the provider wrote it, without tax and the tax itself; None if it gives none."""

    net: Decimal | None
    tax: Decimal | None


@dataclass(frozen=True, kw_only=True)
class WrittenDocument:
    """What the provider says it has written, for comparison with what was computed from the inputs.

    `amount` is for what has an amount but no totals, as a payment. `lines` are in the provider's order.
    """

    number: str = ""
    whom: str = ""
    whom_id: str = ""
    day: date | None = None
    status: str = ""
    currency: str = ""
    totals: Totals | None = None
    amount: Decimal | None = None
    lines: tuple[WrittenLine, ...] = ()


def facts_of(inputs: Schema, *, but: Collection[str] = ()) -> tuple[tuple[str, Text], ...]:
    """The inputs that were given, by their labels and in their order; tables, and those named in `but`, left out.

    A "no" that is the default is left out, and so is what was taken over whole from an earlier step.
    """
    shown = ((f, getattr(inputs, f.name)) for f in inputs.fields() if f.name not in but and f.kind not in _TABLES)
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
