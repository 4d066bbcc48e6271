"""What a declared input is, as forms, documentation and cleaning see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.db.models import TextChoices

if TYPE_CHECKING:
    from integrations.http import ApiClient
    from integrations.schema import Schema

Choice = tuple[str, str]
Loader = Callable[["ApiClient", Mapping[str, Any]], Iterable[Choice]]
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


@dataclass(frozen=True)
class Choices:
    """Selectable values fetched from the provider: (value, label) pairs.

    `key` names them in the cache, `depends_on` are the inputs whose values change the answer. Where `is_searchable`,
    the loader lets the provider search for the text in `inputs["search"]`. With `narrow` one list is fetched for all
    values of `depends_on`, and what fits them is picked from it without a call.
    """

    key: str
    load: Loader
    depends_on: tuple[str, ...] = ()
    is_searchable: bool = False
    narrow: Narrow | None = None


def choices(
    *, depends_on: tuple[str, ...] = (), is_searchable: bool = False, narrow: Narrow | None = None
) -> Callable[[Loader], Choices]:
    """Turn a generator of (value, label) pairs, given the client and the inputs, into dynamic choices."""

    def wrap(load: Loader) -> Choices:
        key = f"{load.__module__}.{load.__qualname__}"
        return Choices(key=key, load=load, depends_on=depends_on, is_searchable=is_searchable, narrow=narrow)

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
    fixed_choices: tuple[Choice, ...] = ()
    dynamic_choices: Choices | None = None
    columns: tuple[Field, ...] = ()
    row: type[Schema] | None = None
    enum: type[TextChoices] | None = None


def label_of(f: Field, value: str) -> str:
    """What a fixed choice is called; of several ("DRAFT,SENT") all names. Any other value as it is."""
    labels = dict(f.fixed_choices)
    if f.kind is not Kind.LIST:
        return labels.get(value, value)
    return ", ".join(labels.get(part, part) for part in value.split(","))
