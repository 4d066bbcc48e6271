"""JSON in the database with exact amounts.

Django's own JSONField passes numbers to the database's JSON type and gives floats back on SQLite; the books need every
digit. So the text is stored as it is written, with Decimal printed as a JSON number and read back as Decimal. The
price: no queries into the JSON, which nothing here needs.
"""

import json
import re
from decimal import Decimal
from typing import Any

import simplejson
from django.db import models

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def dumps(value: Any) -> str:
    """Compact, key order kept, Decimal as a JSON number with all its digits. Raises ValueError for NaN and Infinity."""
    return simplejson.dumps(
        value, use_decimal=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str
    )


def loads(text: str | bytes) -> Any:
    """Parse JSON with every non-integer number as Decimal. Raises ValueError for what is not JSON, NaN and Infinity."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("The JSON is nested too deeply to be read.") from None


def loads_answer(body: bytes) -> Any:
    """`loads` for data from outside: every text in it can be stored, shown and sent on.

    JSON escapes can contain NUL, which PostgreSQL stores in no column, and half a surrogate pair, as a cut-off emoji
    leaves, which no encoding can write. Either would stop a trigger permanently, so U+FFFD replaces them.
    """
    value = loads(body)
    if b"\\u0000" not in body and b"\\ud" not in body.lower():
        return value
    return _storable(value)


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, list):
        return [_storable(each) for each in value]
    if isinstance(value, dict):
        return {storable_text(key): _storable(each) for key, each in value.items()}
    return value


def storable_text(text: str) -> str:
    """The text without what cannot be stored or sent: NUL and lone surrogates become the replacement character."""
    return _UNSTORABLE.sub("\ufffd", text)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number that money can be")


class ExactJSONField(models.TextField):
    """A JSON value whose numbers come back as int or Decimal, never float."""

    # Read by mypy's Django plugin only: any JSON value goes in and comes out.
    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return None if value is None else loads(value)

    def to_python(self, value: Any) -> Any:
        return loads(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else dumps(value)

    def value_to_string(self, obj: models.Model) -> str:
        return dumps(self.value_from_object(obj))
