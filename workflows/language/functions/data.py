"""Functions for any value: what to use instead of nothing, JSON, fingerprints, lookup tables."""

import hashlib
import json as standard_json
import uuid as standard_uuid
from decimal import Decimal
from typing import Any

import simplejson

from workflows.language.signatures import function
from workflows.language.values import (
    MappingContext,
    MappingError,
    MappingLimitError,
    MappingTypeError,
    MissingPathError,
    field_of,
    is_empty,
    kind_of,
    plain,
    row_of,
    shown,
)

_NAMESPACE = standard_uuid.UUID("6f0a8f0e-5c57-4c55-9d0c-6c1a5b0d9b11")


@function(kind="any", label="Default", example="{{ trigger.note | default('None given') }}", result="None given")
def default(value: Any, fallback: Any) -> Any:
    """Uses another value when this one is missing, null or empty. Zero and no are values and stay."""
    return fallback if is_empty(value) else value


@function(kind="any", label="Length", example='{{ "Oak table" | length }}', result=9)
def length(value: Any) -> int:
    """Counts the characters of a text or the items of a list."""
    if kind_of(value) not in ("text", "list", "table"):
        raise MappingTypeError(f"A text or a list is needed here, but {shown(value)} is neither.")
    return len(value)


@function(kind="any", label="As JSON", example='{{ ["oak", 12.50] | json }}', result='["oak",12.50]')
def json(value: Any) -> str:
    """Writes a value as JSON, a text with its quotes, to be put into a body of JSON."""
    return simplejson.dumps(plain(value), use_decimal=True, ensure_ascii=False, separators=(",", ":"))


@function(
    kind="any",
    label="From JSON",
    example='{{ \'{"total": 12.50}\' | parse_json | get("total") }}',
    result=Decimal("12.50"),
)
def parse_json(value: str) -> Any:
    """Reads JSON; numbers keep every digit. Use `get` behind it to pick a value."""
    try:
        return plain(standard_json.loads(value, parse_float=Decimal, parse_constant=_refuse))
    except MappingError:
        raise
    except (ValueError, ArithmeticError) as error:
        raise MappingTypeError(f"{shown(value)} is not JSON.") from error
    except RecursionError as error:
        raise MappingLimitError("The JSON is nested too deeply.") from error


@function(kind="any", label="Pick a value", example='{{ trigger.contact | get("address.city") }}', result="Leeds")
def get(value: Any, path: str) -> Any:
    """What stands at a path such as "lines.0.amount". When nothing does, that is an error unless a default is given."""
    found, place = value, "the value"
    for key in path.split("."):
        found = field_of(found, key, place)
        place = f"{place}.{key}"
    return found


@function(
    kind="any",
    label="Fingerprint",
    example='{{ "ann@oak.example" | hash("md5") }}',
    result="4cc4a34f00932999320cf5ccc683ac85",
)
def hash_(value: str, kind: str = "sha256") -> str:
    """The fingerprint of a text in hexadecimal: sha256, sha512, sha1 or md5. Some providers name records by one."""
    if kind not in ("sha256", "sha512", "sha1", "md5"):
        raise MappingTypeError(f"There is no fingerprint {shown(kind)}. There are: sha256, sha512, sha1, md5.")
    return hashlib.new(kind, value.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


@function(
    kind="any",
    label="UUID",
    example="{{ 1042 | uuid }}",
    result="2277ca6f-ed41-54bf-9a43-029034ad0248",
)
def uuid(value: str) -> str:
    """A UUID made from a text: the same text gives the same one, so that a step tried again sends what it sent before.

    Make it from what is unique: the trigger's id, or the run's id and the step's name.
    """
    if not value:
        raise MappingTypeError("The text is empty. A UUID is made from something unique, such as the id of the run.")
    return str(standard_uuid.uuid5(_NAMESPACE, value))


@function(kind="any", label="Look up", example='{{ "Oak tables" | lookup("Boards", "Account") }}', result="200")
def lookup(value: Any, table: str, column: str = "", *, context: MappingContext) -> Any:
    """Finds the row of a lookup table by its key and gives one of its columns, or without a column the whole row.

    When there is no such row, or nothing stands in the column, that is an error unless a default is given.
    """
    row = row_of(table, value, context)
    if row is None:
        raise MissingPathError(f"{shown(value)} is not in the lookup table {shown(table)}.")
    if not column:
        return row
    if column not in row:
        raise MappingTypeError(f"{shown(table)} has no column {shown(column)}. It has: {', '.join(row)}.")
    if row[column] == "":
        raise MissingPathError(f"In the lookup table {shown(table)}, {shown(value)} has nothing under {shown(column)}.")
    return row[column]


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
