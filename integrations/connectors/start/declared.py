"""Values that a workflow asks for when it is started: declared in rows, cleaned like any other input.

A value is used by its name, which is made from its label: "Invoice amount" is `trigger.invoice_amount`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import TextChoices

from integrations.schema.fields import Field, Kind
from integrations.schema.schema import Schema, field

MOST_FIELDS = 60
_LONGEST_NAME = 50
_SAMPLES: dict[Kind, Any] = {
    Kind.TEXT: "Oak table",
    Kind.LONG_TEXT: "Two lines\nof text",
    Kind.NUMBER: "1250.50",
    Kind.DATE: "2026-11-30",
    Kind.YES_NO: True,
    Kind.LIST: ["Oak table", "Oak chair"],
}


class Holds(TextChoices):
    """What a declared value holds."""

    TEXT = "text", "Text"
    LONG_TEXT = "long_text", "Long text"
    NUMBER = "number", "Number or amount"
    DATE = "date", "Date"
    YES_NO = "yes_no", "Yes or no"
    CHOICE = "choice", "One of a list"
    LIST = "list", "Several values"


class DeclaredField(Schema):
    """One value that is asked for."""

    label: str = field("Name", max_length=80)
    holds: Holds = field("Holds", default=Holds.TEXT)
    is_required: bool = field("Needed", default=True)
    options: str = field("Choices", default="", help="For one of a list: the choices, separated by commas.")
    example: str = field("Example", default="", max_length=200)


def declared(rows: Any) -> tuple[Field, ...]:
    """Stored rows as fields; rows that are invalid, without a name or with a duplicate name are left out."""
    found: dict[str, Field] = {}
    for row in rows if isinstance(rows, list) else []:
        made = _field(row) if isinstance(row, Mapping) else None
        if made is not None:
            found.setdefault(made.name, made)
    return tuple(found.values())


def problems(rows: Iterable[DeclaredField], path: str) -> dict[str, str]:
    """What is wrong with rows that are each valid alone: input path to sentence."""
    found: dict[str, str] = {}
    names: dict[str, str] = {}
    for index, row in enumerate(rows):
        place = f"{path}.{index}"
        name = name_of(row.label)
        if not name:
            found[f"{place}.label"] = "The name needs a letter or a digit."
        elif name in names:
            found[f"{place}.label"] = f"“{row.label}” and “{names[name]}” would be the same value. Rename one of them."
        names.setdefault(name, row.label)
        if row.holds == Holds.CHOICE and not _options(row.options):
            found[f"{place}.options"] = "Give the choices, separated by commas."
        if index >= MOST_FIELDS:
            found[place] = f"At most {MOST_FIELDS} values can be asked for."
    return found


def samples(fields: Iterable[Field], rows: Any) -> dict[str, Any]:
    """A sample of the fields' values: the given examples if there are any."""
    given = {name_of(str(row.get("label", ""))): str(row.get("example") or "") for row in rows or [] if row}
    return {each.name: _sample(each, given.get(each.name, "")) for each in fields}


def name_of(label: str) -> str:
    """The name of a value: lower case, without accents, underscores for other characters."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:_LONGEST_NAME].strip("_")
    return f"value_{name}" if name[:1].isdigit() else name


def _field(row: Mapping[str, Any]) -> Field | None:
    label = str(row.get("label") or "").strip()
    name = name_of(label)
    holds = str(row.get("holds") or Holds.TEXT)
    if not name or holds not in Holds.values:
        return None
    options = _options(str(row.get("options") or ""))
    needed = row.get("is_required")
    return Field(
        name=name,
        label=label,
        kind=Kind(holds),
        is_required=needed in (None, "", True, "true", "True"),
        max_length={Holds.TEXT: 1000, Holds.LONG_TEXT: 20_000}.get(Holds(holds)),
        fixed_choices=tuple((each, each) for each in options) if holds == Holds.CHOICE else (),
    )


def _options(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _sample(f: Field, given: str) -> Any:
    if not given:
        return f.fixed_choices[0][0] if f.fixed_choices else _SAMPLES.get(f.kind, "Oak table")
    if f.kind is Kind.YES_NO:
        return given.strip().lower() in ("true", "yes", "1", "on")
    if f.kind is Kind.LIST:
        return [part.strip() for part in given.split(",")]
    return given
