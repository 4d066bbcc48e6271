"""What comes back from a write, and how records are given to later steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.errors import OutcomeUnknownError, RejectedError
from integrations.http import Response
from integrations.xero.client import reasons_of, validation_messages
from integrations.xero.plain import plain


def only_record(response: Response, plural: str, id_name: str) -> dict[str, Any]:
    """The one record that a write gave back. Raises RejectedError where it holds errors in spite of the 200.

    An answer that cannot be read raises OutcomeUnknownError: the write may have happened all the same.
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
    """Without what was not given: Xero takes an empty value as a wish to clear the field."""
    return {name: value for name, value in record.items() if value is not None}


def complete(record: Mapping[str, Any], sample: Mapping[str, Any]) -> dict[str, Any]:
    """The record with every field of the sample: Xero leaves out what is empty, mappings find it all the same."""
    missing: dict[str, Any] = {
        name: [] if isinstance(value, list) else None for name, value in sample.items() if name not in record
    }
    return {**record, **missing}
