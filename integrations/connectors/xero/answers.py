"""The answer to a write, and how records are passed to later steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.connectors.xero.client import reasons_of, validation_messages
from integrations.connectors.xero.plain import plain
from integrations.core.errors import OutcomeUnknownError, RejectedError
from integrations.core.messages import Response


def only_record(response: Response, plural: str, id_name: str) -> dict[str, Any]:
    """The one record in the answer to a write. Raises RejectedError if it holds errors despite the 200.

    An answer that cannot be read raises OutcomeUnknownError: the write may still have happened.
    """
    try:
        body = response.json()
        (record,) = body[plural]
        refused = record.get("HasErrors") or record.get("HasValidationErrors")
        refused = refused or record.get("StatusAttributeString") == "ERROR"
        identity = record.get(id_name)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OutcomeUnknownError(
            "Xero said yes, but its answer cannot be read; whether it wrote is not known."
        ) from error
    if refused:
        reasons = list(dict.fromkeys(validation_messages(record))) or reasons_of(response)
        raise RejectedError(f"Xero refused it: {' '.join(reasons)}", reasons=reasons, status=response.status)
    if not identity or not str(identity).strip("0-"):
        raise OutcomeUnknownError("Xero said yes without an id; whether it wrote is not known.")
    cleaned: dict[str, Any] = plain(record)
    return cleaned


def given(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record without empty values: Xero would clear those fields."""
    return {name: value for name, value in record.items() if value is not None}


def complete(record: Mapping[str, Any], sample: Mapping[str, Any]) -> dict[str, Any]:
    """The record with every field of the sample: Xero leaves out empty ones, but mappings can still refer to them."""
    missing: dict[str, Any] = {
        name: [] if isinstance(value, list) else None for name, value in sample.items() if name not in record
    }
    return {**record, **missing}
