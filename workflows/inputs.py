"""The form of an operation, made from its Schema: controls with values, choices, help and errors.

The same for triggers (constants only), steps (constants or mappings), and kinds of steps that have no operation.
Nothing typed is lost: a form that is shown again shows what was posted, also after "add row" and "refresh choices",
which are ordinary posts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from django.http import QueryDict

from integrations.errors import InvalidInputError
from integrations.schema import Field, Kind
from workflows import mapping
from workflows.controls import (
    LIST,
    PREFIX,
    TEXT,
    Control,
    Declared,
    Loaded,
    Loader,
    TableRow,
    controls,
    default_text,
    text_of_constant,
)
from workflows.editing import Sources
from workflows.rows import EACH
from workflows.values import MappingError

__all__ = ["PREFIX", "Control", "Declared", "Loaded", "Loader", "TableRow", "controls"]


def defaults(inputs: Declared) -> Sources:
    """What a new form starts with: the declared defaults, and one empty row in each table that needs one."""
    found: Sources = {}
    for each in inputs.fields():
        if each.kind is Kind.ROWS:
            found[each.name] = [_row_defaults(each)] if each.is_required else []
        elif (text := default_text(each)) != "":
            found[each.name] = text
    return found


def read(inputs: Declared, post: QueryDict) -> Sources:
    """What was typed, for every declared input, empty ones included."""
    found: Sources = {}
    for each in inputs.fields():
        name = PREFIX + each.name
        if each.kind is Kind.ROWS:
            indexes = post.getlist(f"{name}~row")[:200]
            found[each.name] = [_row(each, post, f"{name}.{index}") for index in indexes if index.isdecimal()]
        elif each.kind is Kind.LIST and each.fixed_choices and len(post.getlist(name)) > 1:
            found[each.name] = ",".join(value.replace("\x00", "") for value in post.getlist(name))
        else:
            found[each.name] = _one(post, name)
    return found


def _row(f: Field, post: QueryDict, name: str) -> dict[str, str]:
    row = {column.name: _one(post, f"{name}.{column.name}") for column in f.columns}
    each = f"{name}.{EACH}"
    return {EACH: _one(post, each), **row} if each in post or each + TEXT in post else row


def change_rows(inputs: Declared, sources: Sources, post: QueryDict) -> bool:
    """Do what an "add row" or "remove row" button asks. False where none was pressed."""
    for each in inputs.fields():
        rows = sources.get(each.name)
        if each.kind is not Kind.ROWS or not isinstance(rows, list):
            continue
        if post.get("_add_row") == each.name:
            rows.append(_row_defaults(each))
            return True
        if post.get("_add_each") == each.name:
            rows.append({EACH: "", **_row_defaults(each)})
            return True
        removed = post.get("_remove_row", "")
        if removed.startswith(f"{each.name}."):
            place = removed.rpartition(".")[2]
            if place.isdecimal() and int(place) < len(rows):
                del rows[int(place)]
            return True
    return False


def problems(inputs: Declared, sources: Sources, *, takes_tokens: bool, fixed: Collection[str] = ()) -> dict[str, str]:
    """A sentence per input path that cannot be saved: syntax, missing, a constant that does not fit.

    `fixed` names inputs and columns that take no mappings where others do.
    """
    found: dict[str, str] = {}
    constants: dict[str, Any] = {}
    for each in inputs.fields():
        value = sources.get(each.name, "")
        if isinstance(value, list):
            constants[each.name] = _check_rows(each, value, takes_tokens, found, fixed)
            if each.is_required and not constants[each.name]:
                found[each.name] = f"{each.label} needs at least one row."
            continue
        constant = _check_one(each, value, each.name, takes_tokens and each.name not in fixed, found)
        if constant is not None:
            constants[each.name] = constant
    found.update(_misfits(inputs, constants, found))
    return found


def constants(inputs: Declared, sources: Sources) -> dict[str, Any]:
    """A trigger's inputs as they are stored: what was given, yes and no as such."""
    stored: dict[str, Any] = {}
    for each in inputs.fields():
        value = sources.get(each.name, "")
        if value in ("", []):
            continue
        stored[each.name] = value == "true" if each.kind is Kind.YES_NO else value
    return stored


def shown_constants(inputs: Declared, stored: Mapping[str, Any]) -> Sources:
    """The reverse of `constants`, for the form."""
    shown: Sources = {}
    for each in inputs.fields():
        value = stored.get(each.name)
        if value is not None:
            shown[each.name] = value if isinstance(value, list) else text_of_constant(value)
    return shown


def _check_rows(
    f: Field, rows: list[dict[str, str]], takes_tokens: bool, found: dict[str, str], fixed: Collection[str]
) -> list[dict[str, Any]]:
    constants = []
    for index, row in enumerate(rows):
        if not any(source.strip() for source in row.values()):
            continue
        if EACH in row:
            path = f"{f.name}.{index}.{EACH}"
            if _check_one(replace(LIST, label="The list"), row[EACH], path, takes_tokens, found) is not None:
                found[path] = "Pick a list of values; this is a fixed text."
        kept = {}
        for column in f.columns:
            path = f"{f.name}.{index}.{column.name}"
            may = takes_tokens and column.name not in fixed
            constant = _check_one(column, row.get(column.name, ""), path, may, found)
            if constant is not None:
                kept[column.name] = constant
        constants.append(kept)
    return constants


def _check_one(f: Field, source: str, path: str, takes_tokens: bool, found: dict[str, str]) -> str | None:
    """The source where it is a constant; what is wrong with it goes into `found`."""
    if not source.strip():
        if f.is_required:
            found[path] = f"{f.label} is needed."
        return None
    if not takes_tokens:
        return source
    try:
        mapping.check(source)
        return None if mapping.references(source) or "{{" in source else source
    except MappingError as error:
        found[path] = error.message
        return None


def _misfits(inputs: Declared, constants: dict[str, Any], found: Mapping[str, str]) -> dict[str, str]:
    """What cleaning says of the constants; what it misses is judged by `_check_one`, which knows of mappings."""
    given = {name: value for name, value in constants.items() if value != []}
    try:
        inputs.clean(given)
    except InvalidInputError as error:
        return {path: said for path, said in error.problems.items() if path not in found and _has(given, path)}
    return {}


def _has(values: Any, path: str) -> bool:
    for part in path.split("."):
        if isinstance(values, list) and part.isdecimal() and int(part) < len(values):
            values = values[int(part)]
        elif isinstance(values, dict) and part in values:
            values = values[part]
        else:
            return False
    return True


def _one(post: QueryDict, name: str) -> str:
    text = post.get(name + TEXT, "")
    value = text if text.strip() else post.get(name, "")
    return value.replace("\r\n", "\n").replace("\x00", "")


def _row_defaults(f: Field) -> dict[str, str]:
    return {column.name: default_text(column) for column in f.columns}
