"""What a declared input is, as forms, documentation and cleaning see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, NewType

from django.db.models import TextChoices

Choice = tuple[str, str]
#: The type of an input that takes a list or a group of values whole, as an earlier step gave it.
Data = NewType("Data", object)
#: Given the connection's client and the inputs beside it. This module need not know what a client is.
Loader = Callable[[Any, Mapping[str, Any]], Iterable[Choice]]
#: Given the fetched choices, the inputs beside them, and the connection's details: those that fit.
Narrow = Callable[[Sequence[Choice], Mapping[str, Any], Mapping[str, Any]], list[Choice]]


class Kind(StrEnum):
    """What an input holds; it decides the form control and the cleaning."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    INTEGER = "integer"
    DATE = "date"
    DATETIME = "datetime"
    YES_NO = "yes_no"
    CHOICE = "choice"
    LIST = "list"
    ROWS = "rows"
    DATA = "data"


@dataclass(frozen=True)
class Choices:
    """Selectable values fetched from the provider: (value, label) pairs.

    `key` names them in the cache, `depends_on` are the inputs whose values change the answer. Where `is_searchable`,
    the loader lets the provider search for the text in `inputs["search"]`. With `narrow` one list is fetched for all
    values of `depends_on`, and what fits them is picked from it without a call. `record` says what the values are ids
    of, by the name in the connector's `records`; "" if that is of no use to a form.
    """

    key: str
    load: Loader
    depends_on: tuple[str, ...] = ()
    is_searchable: bool = False
    narrow: Narrow | None = None
    record: str = ""


def choices(
    *,
    depends_on: tuple[str, ...] = (),
    is_searchable: bool = False,
    narrow: Narrow | None = None,
    record: str = "",
) -> Callable[[Loader], Choices]:
    """Turn a generator of (value, label) pairs, given the client and the inputs, into dynamic choices."""

    def wrap(load: Loader) -> Choices:
        key = f"{load.__module__}.{load.__qualname__}"
        return Choices(key, load, depends_on, is_searchable=is_searchable, narrow=narrow, record=record)

    return wrap


@dataclass(frozen=True)
class Field:
    """One declared input, as forms, documentation and cleaning see it."""

    name: str
    label: str
    kind: Kind
    is_required: bool
    default: Any = None
    help: str = ""
    max_length: int | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    decimal_places: int | None = None
    is_tidy: bool = False
    fixed_choices: tuple[Choice, ...] = ()
    dynamic_choices: Choices | None = None
    columns: tuple[Field, ...] = ()
    #: The Schema of its rows, if it is a table.
    row: Any = None
    #: What a row of a table input is called, as "Line".
    row_label: str = "Row"
    enum: type[TextChoices] | None = None
    #: Whether, as a column of a table, it is one of those that people nearly always fill in.
    is_usual: bool = False

    @property
    def usual_columns(self) -> tuple[Field, ...]:
        """The columns of a table that stand in a row's line: the usual and the required ones; all if none is usual."""
        usual = tuple(column for column in self.columns if column.is_usual or column.is_required)
        return usual if any(column.is_usual for column in usual) else self.columns


def place_of(fields: Iterable[Field], path: str) -> str:
    """The path of an input as its form names it: "Due date" for `due_date`, "Line 1, account" for
    `lines.0.account_code`. A path without a field is named in plain words."""
    row, label = _named(fields, path)
    return f"{row}, {_within(label)}" if row and label else row or label


def label_at(fields: Iterable[Field], path: str) -> str:
    """The label of the input itself, as sentences about it begin: "Account" for `lines.0.account_code`. Empty for a
    whole row."""
    return _named(fields, path)[1]


def sentences(fields: Iterable[Field], problems: Mapping[str, str]) -> str:
    """Sentences about inputs as one text, each after its place, as "Line 1: Account is needed, but nothing was given.";
    a label is not repeated.
    """
    declared = tuple(fields)
    said = []
    for path, sentence in problems.items():
        place = prefix_at(declared, path, sentence)
        if not place and path and not sentence.startswith(f"{place_of(declared, path)} "):
            place = place_of(declared, path)
        said.append(f"{place}: {sentence}" if place else sentence)
    return " ".join(said)


def prefix_at(fields: Iterable[Field], path: str, sentence: str) -> str:
    """What to put before a sentence about an input in a row: "Line 1", or "Line 1, account" if the sentence does not
    name the column itself. Empty for an input outside of rows.
    """
    row, label = _named(fields, path)
    return f"{row}, {_within(label)}" if row and label and not sentence.startswith(f"{label} ") else row


def _named(fields: Iterable[Field], path: str) -> tuple[str, str]:
    """The row that a path is in, "" for none, and the label of the input there."""
    name, *rest = path.split(".")
    f = next((each for each in fields if each.name == name), None)
    label = f.label if f is not None else _in_words(name)
    columns = {each.name: each.label for each in f.columns} if f is not None else {}
    if not rest or not rest[0].isdecimal():
        beside = [_within(columns[part]) if part in columns else _in_words(part) for part in rest]
        return "", ", ".join([label, *beside])
    number = int(rest[0]) + 1
    row = f"{label}, row {number}" if f is None or f.row_label == "Row" else f"{f.row_label} {number}"
    return row, columns.get(rest[1], _in_words(rest[1])) if rest[1:] else ""


def _in_words(name: str) -> str:
    return name.replace("_", " ").replace("~each", "list").strip().capitalize()


def _within(label: str) -> str:
    """A label inside a sentence: "Account" as "account", but "SKU" as it is."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def label_of(f: Field, value: str) -> str:
    """What a fixed choice is called; of several ("DRAFT,SENT") all names. Any other value as it is."""
    labels = dict(f.fixed_choices)
    if f.kind is not Kind.LIST:
        return labels.get(value, value)
    return ", ".join(labels.get(part, part) for part in value.split(","))
