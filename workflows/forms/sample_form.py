"""A sample edited by hand: a field for each of its values, typed by what it holds; deep or long data as JSON.

The form is made from the sample that it edits. A field is named by its place, never by the provider's names, which may
be anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from integrations.core.exact_json import dumps, loads, storable_text
from workflows.language.references import words

#: Fields of groups inside groups are shown down to this depth; what is deeper is JSON.
_DEEPEST = 3
_MOST_IN_GROUP = 40
_MOST_FIELDS = 200
_LONG_TEXT = 80
_LONGEST = 200_000
_DEEPEST_JSON = 50


@dataclass
class SampleField:
    """One value in the form. `kind` is text, long_text, number, yes_no or json; `value` is what the control shows."""

    name: str
    label: str
    kind: str
    value: str
    path: tuple[str, ...]
    is_whole: bool = False
    error: str = ""

    @property
    def id(self) -> str:
        """The id of its control."""
        return f"id_{self.name}"


def fields_of(data: Mapping[str, Any]) -> list[SampleField]:
    """A field for each value of the sample, in its order."""
    found = list(_fields(data, (), ()))[:_MOST_FIELDS]
    for number, each in enumerate(found):
        each.name = f"v{number}"
    return found


def readable(data: Mapping[str, Any]) -> dict[str, str]:
    """The sample as people read it, by the labels of its fields."""
    return {each.label: each.value for each in fields_of(data)}


def shape_of(data: Mapping[str, Any]) -> str:
    """A hash of the sample's fields: a form made from another one is not read."""
    told = [[each.kind, *each.path] for each in fields_of(data)]
    return hashlib.sha256(dumps(told).encode(errors="replace")).hexdigest()[:16]


def read(data: Mapping[str, Any], posted: Mapping[str, str]) -> tuple[dict[str, Any], list[SampleField]]:
    """The sample with what was typed, and the fields with what is wrong; it may be kept only if none has an error."""
    made: dict[str, Any] = _copy(data)
    fields = fields_of(data)
    for each in fields:
        each.value = storable_text(str(posted.get(each.name, "")))
        try:
            _put(made, each.path, _value(each))
        except ValueError as error:
            each.error = str(error)
    return made, fields


def _fields(value: Mapping[str, Any], path: tuple[str, ...], labels: tuple[str, ...]) -> Iterator[SampleField]:
    for key, inner in value.items():
        there, said = (*path, str(key)), (*labels, words(str(key)))
        if isinstance(inner, Mapping) and inner and len(there) < _DEEPEST and len(inner) <= _MOST_IN_GROUP:
            yield from _fields(inner, there, said)
        else:
            yield _field(inner, there, said)


def _field(value: Any, path: tuple[str, ...], labels: tuple[str, ...]) -> SampleField:
    label = " · ".join(labels)
    label = label[:1].upper() + label[1:]
    if isinstance(value, bool):
        return SampleField("", label, "yes_no", "yes" if value else "no", path)
    if isinstance(value, int | Decimal):
        return SampleField("", label, "number", _digits(value), path, is_whole=isinstance(value, int))
    if value is None or isinstance(value, str):
        text = value or ""
        return SampleField("", label, "long_text" if len(text) > _LONG_TEXT or "\n" in text else "text", text, path)
    return SampleField("", label, "json", _pretty(value), path)


def _digits(value: int | Decimal) -> str:
    return str(value) if isinstance(value, int) else f"{value:f}"


def _value(f: SampleField) -> Any:
    """What was typed, as its kind. Raises ValueError with a sentence."""
    text = f.value.replace("\r\n", "\n")
    if len(text) > _LONGEST:
        raise ValueError(f"{f.label} takes at most {_LONGEST:,} characters.")
    if f.kind == "number":
        return _number(f, text.strip())
    if f.kind == "yes_no":
        return {"yes": True, "no": False}.get(text)
    if f.kind == "json":
        return _json(f, text)
    return text


def _number(f: SampleField, text: str) -> int | Decimal | None:
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number.adjusted()) > 30:
        raise ValueError(f"{f.label} takes a number such as 1250.50; this is “{text[:60]}”.")
    return int(number) if f.is_whole and number == number.to_integral_value() else number


def _json(f: SampleField, text: str) -> Any:
    if not text.strip():
        return None
    try:
        value = loads(text)
    except ValueError as error:
        raise ValueError(f"{f.label} takes JSON, and this cannot be read: {error}.") from None
    if not isinstance(value, list | dict):
        raise ValueError(f"{f.label} takes a list in [ ] or a group in {{ }}; this is neither.")
    if _depth(value) > _DEEPEST_JSON:
        raise ValueError(f"{f.label} is nested more than {_DEEPEST_JSON} deep.")
    return value


def _depth(value: Any, depth: int = 1) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return depth if depth > _DEEPEST_JSON else max((_depth(each, depth + 1) for each in inner), default=depth)


def _pretty(value: Any, indent: int = 0) -> str:
    """JSON over several lines, with exact amounts."""
    space = "  " * (indent + 1)
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f"{space}{_pretty(each, indent + 1)}" for each in value) + f"\n{'  ' * indent}]"
    if isinstance(value, Mapping) and value:
        rows = (f"{space}{dumps(str(name))}: {_pretty(each, indent + 1)}" for name, each in value.items())
        return "{\n" + ",\n".join(rows) + f"\n{'  ' * indent}}}"
    return dumps(value)


def _put(made: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        made = made[name]
    made[path[-1]] = value


def _copy(data: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name): _copy(each) if isinstance(each, Mapping) else each for name, each in data.items()}
