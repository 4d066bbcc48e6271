"""Inputs of an operation, declared once: cleaned, shown as a form, described as JSON Schema.

    class Inputs(Schema):
        contact_id: str = field("Contact", choices=contacts)
        lines: list[LineItem] = field("Line items")
        due_date: date | None = field("Due date", default=None)

The annotation gives the type; *required* means that there is no default. A subclass becomes a frozen, keyword-only
dataclass, so an instance is what an action's `request()` gets: complete, typed and immutable.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self, Union, dataclass_transform, get_args, get_origin, get_type_hints

from django.db.models import TextChoices

from integrations.core.errors import InvalidInputError
from integrations.schema.cleaning import clean_value, printable, say
from integrations.schema.fields import Choice, Choices, Data, Field, Kind, choices, sentences

__all__ = ["Choice", "Choices", "Data", "Field", "Kind", "Schema", "choices", "field"]


def field(
    label: str,
    *,
    default: Any = MISSING,
    help: str = "",
    choices: Choices | None = None,
    max_length: int | None = None,
    minimum: Decimal | int | None = None,
    maximum: Decimal | int | None = None,
    decimal_places: int | None = None,
    long: bool = False,
    tidy: bool = False,
    row_label: str = "Row",
    usual: bool = False,
) -> Any:
    """Declare an input of a Schema. Without `default` it is required. A `tidy` one holds a name, number or code that
    something is known by: it is read with single spaces and without invisible characters (`sameness`). `row_label` is
    what a row of a table is called; its `usual` columns stand in one line of the form, the others are folded away."""
    metadata = {
        "label": label,
        "help": help,
        "choices": choices,
        "max_length": max_length,
        "minimum": None if minimum is None else Decimal(minimum),
        "maximum": None if maximum is None else Decimal(maximum),
        "decimal_places": decimal_places,
        "long": long,
        "tidy": tidy,
        "row_label": row_label,
        "usual": usual,
    }
    if isinstance(default, list):
        return dataclasses.field(default_factory=lambda: list(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Schema:
    """Base of every `Inputs` and of every row type of a table input."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclass(frozen=True, kw_only=True)(cls)

    @classmethod
    def fields(cls) -> tuple[Field, ...]:
        """The declared inputs in order."""
        cached = cls.__dict__.get("_fields_cache")
        if cached is None:
            hints = get_type_hints(cls)
            cached = tuple(_describe(f, hints[f.name]) for f in dataclasses.fields(cls))  # type: ignore[arg-type]
            cls._fields_cache = cached  # type: ignore[attr-defined]
        return cached

    def check(self) -> Mapping[str, str]:
        """What is wrong with inputs that are each right on their own: input path to sentence. Nothing by default."""
        return {}

    @classmethod
    def clean(cls, values: Mapping[str, Any]) -> Self:
        """A typed instance from mapped values. Raises InvalidInputError with one sentence per input path.

        Empty text and None count as "not given". Unknown inputs are refused, so that a renamed one is noticed.
        """
        problems: dict[str, str] = {}
        cleaned = cls._clean_into(values, "", problems)
        if cleaned is not None:
            problems.update(cleaned.check())
        if problems:
            raise InvalidInputError(problems, sentences(cls.fields(), problems))
        assert cleaned is not None
        return cleaned

    @classmethod
    def clean_loosely(cls, values: Mapping[str, Any]) -> tuple[Self | None, dict[str, str]]:
        """The same without `check()`, for a form that is being filled in: an instance, else a sentence per input path
        that is missing or does not fit."""
        problems: dict[str, str] = {}
        return cls._clean_into(values, "", problems), problems

    @classmethod
    def _clean_into(cls, values: Mapping[str, Any], prefix: str, problems: dict[str, str]) -> Self | None:
        given: dict[str, Any] = {}
        declared = {f.name: f for f in cls.fields()}
        for name in values:
            if name not in declared:
                problems[prefix + printable(str(name), 60)] = (
                    "This operation has no such input. Remove it from the step."
                )
        for f in declared.values():
            value = values.get(f.name)
            if value is None or value == "" or (value == [] and f.kind is Kind.ROWS):
                if f.is_required:
                    problems[prefix + f.name] = f"{f.label} is needed, but nothing was given."
                continue
            try:
                found = _coerce(f, value, prefix + f.name, problems)
            except ValueError as error:
                problems[prefix + f.name] = str(error)
                continue
            if found == "" and f.is_tidy:
                if f.is_required:
                    problems[prefix + f.name] = f"{f.label} is needed, but nothing was given."
                continue
            given[f.name] = found
        if any(path.startswith(prefix) for path in problems):
            return None
        return cls(**given)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The inputs as JSON Schema (draft 2020-12), for the API and `manage.py operations --json`."""
        return {
            "type": "object",
            "properties": {f.name: _property(f) for f in cls.fields()},
            "required": [f.name for f in cls.fields() if f.is_required],
            "additionalProperties": False,
        }


_KINDS: dict[Any, Kind] = {
    str: Kind.TEXT,
    Decimal: Kind.NUMBER,
    int: Kind.INTEGER,
    date: Kind.DATE,
    datetime: Kind.DATETIME,
    bool: Kind.YES_NO,
    Data: Kind.DATA,
}


def _describe(declared: dataclasses.Field[Any], hint: Any) -> Field:
    meta = declared.metadata
    has_default = declared.default is not MISSING or declared.default_factory is not MISSING
    default: Any = None
    if declared.default is not MISSING:
        default = declared.default
    elif declared.default_factory is not MISSING:
        default = declared.default_factory()
    hint = _without_none(hint)
    row: type[Schema] | None = None
    enum: type[TextChoices] | None = None
    if get_origin(hint) is list:
        (inner,) = get_args(hint)
        row = inner if isinstance(inner, type) and issubclass(inner, Schema) else None
        enum = inner if isinstance(inner, type) and issubclass(inner, TextChoices) else None
        kind = Kind.ROWS if row else Kind.LIST
    elif isinstance(hint, type) and issubclass(hint, TextChoices):
        kind, enum = Kind.CHOICE, hint
    elif hint in _KINDS:
        kind = _KINDS[hint]
    else:
        raise TypeError(f"{declared.name}: a Schema cannot hold {hint!r}")
    if meta["choices"] is not None and kind is Kind.TEXT:
        kind = Kind.CHOICE
    elif meta["long"]:
        kind = Kind.LONG_TEXT
    return Field(
        name=declared.name,
        label=meta["label"],
        kind=kind,
        is_required=not has_default,
        default=default,
        help=meta["help"],
        max_length=meta["max_length"],
        minimum=meta["minimum"],
        maximum=meta["maximum"],
        decimal_places=meta["decimal_places"],
        is_tidy=meta["tidy"],
        fixed_choices=tuple((str(v), str(label)) for v, label in enum.choices) if enum else (),
        dynamic_choices=meta["choices"],
        columns=row.fields() if row else (),
        row=row,
        row_label=meta["row_label"],
        enum=enum,
        is_usual=meta["usual"],
    )


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        inner = [arg for arg in get_args(hint) if arg is not type(None)]
        if len(inner) == 1:
            return inner[0]
    return hint


def _coerce(f: Field, value: Any, path: str, problems: dict[str, str]) -> Any:
    return _coerce_rows(f, value, path, problems) if f.kind is Kind.ROWS else clean_value(f, value)


def _coerce_rows(f: Field, value: Any, path: str, problems: dict[str, str]) -> list[Any]:
    assert f.row is not None
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, list | tuple):
        raise ValueError(f"{f.label} takes rows; this is {say(value)}.")
    rows = []
    for index, item in enumerate(value):
        if not isinstance(item, Mapping):
            problems[f"{path}.{index}"] = (
                f"{f.row_label} {index + 1} of {f.label} is {say(item)}, not a row with named columns."
            )
            continue
        rows.append(f.row._clean_into(item, f"{path}.{index}.", problems))
    return rows


_JSON_TYPES: dict[Kind, dict[str, Any]] = {
    Kind.TEXT: {"type": "string"},
    Kind.LONG_TEXT: {"type": "string"},
    Kind.NUMBER: {"type": "number"},
    Kind.INTEGER: {"type": "integer"},
    Kind.DATE: {"type": "string", "format": "date"},
    Kind.DATETIME: {"type": "string", "format": "date-time"},
    Kind.YES_NO: {"type": "boolean"},
    Kind.CHOICE: {"type": "string"},
    Kind.LIST: {"type": "array", "items": {"type": "string"}},
    Kind.DATA: {"type": ["array", "object"]},
}


def _property(f: Field) -> dict[str, Any]:
    if f.row is not None:
        return {"title": f.label, "type": "array", "items": f.row.json_schema()}
    told: dict[str, Any] = {"title": f.label, **_JSON_TYPES[f.kind]}
    if f.help:
        told["description"] = f.help
    if f.max_length is not None:
        told["maxLength"] = f.max_length
    if f.minimum is not None:
        told["minimum"] = f.minimum
    if f.maximum is not None:
        told["maximum"] = f.maximum
    if f.fixed_choices:
        values = [value for value, _ in f.fixed_choices]
        told |= {"items": {"type": "string", "enum": values}} if f.kind is Kind.LIST else {"enum": values}
    if f.default not in (None, [], ""):
        told["default"] = f.default if isinstance(f.default, str | int | bool | Decimal) else str(f.default)
    return told
