"""The form of an operation, made from its Schema: controls with values, choices, help and errors.

The same for triggers (constants only), steps (constants or mappings), and kinds of steps that have no operation.
Nothing typed is lost: a form that is shown again shows what was posted, even after "add row" and "refresh choices",
which are ordinary posts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.http import QueryDict

from integrations.core.errors import InvalidInputError
from integrations.schema.schema import Field, Kind
from workflows.definitions.editing import Sources
from workflows.forms.form_controls import (
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
from workflows.language import mapping
from workflows.language.table_rows import EACH
from workflows.language.values import MappingError

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


def change_rows(inputs: Declared, sources: Sources, post: QueryDict, *, lists: Sequence[tuple[str, str]] = ()) -> bool:
    """Apply an "add row" or "remove row" button. False if none was pressed. A row per item of a list takes the only one
    of the `lists`."""
    only = lists[0][0] if len(lists) == 1 else ""
    for each in inputs.fields():
        rows = sources.get(each.name)
        if each.kind is not Kind.ROWS or not isinstance(rows, list):
            continue
        if post.get("_add_row") == each.name:
            rows.append(_row_defaults(each))
            return True
        if post.get("_add_each") == each.name:
            rows.append({EACH: only, **_row_defaults(each)})
            return True
        removed = post.get("_remove_row", "")
        if removed.startswith(f"{each.name}."):
            place = removed.rpartition(".")[2]
            if place.isdecimal() and int(place) < len(rows):
                del rows[int(place)]
            return True
    return False


def problems(inputs: Declared, sources: Sources, *, takes_tokens: bool, fixed: Collection[str] = ()) -> dict[str, str]:
    """A sentence per input path that cannot be saved: bad syntax, missing, or a constant that does not fit.

    `fixed` names the inputs and columns that never take mappings.
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
    """A trigger's inputs as stored: only what was given, yes and no as booleans."""
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
    """The source if it is a constant, else None; problems go into `found`."""
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
    """What cleaning says about the constants. Missing inputs are left to `_check_one`, which knows mappings."""
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
