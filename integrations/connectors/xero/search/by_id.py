"""One record by its id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from integrations.connectors.xero.client import XeroClient, records
from integrations.core.errors import RejectedError


def by_id(api: XeroClient, plural: str, key: str, query: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """The record with this id or number, as a list of one; empty if Xero has none."""
    try:
        body = api.read(f"/{plural}/{quote(key, safe='')}", query).json()
    except RejectedError as error:
        if error.status == 404:
            return []
        raise
    return records(body, plural)
