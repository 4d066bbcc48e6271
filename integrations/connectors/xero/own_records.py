"""What was written with this installation's app: Xero lists invoices and bills by it, and nothing else.

https://developer.xero.com/documentation/api/accounting/invoices
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from integrations.connectors.xero.actions.reading_back import current_invoice
from integrations.connectors.xero.client import XeroClient
from integrations.connectors.xero.links import bill_link, invoice_link
from integrations.connectors.xero.plain import plain, read_moment
from integrations.framework.current import OwnRecord
from integrations.transport.http import ApiClient

OWN_RECORDS_ARE = "invoices and bills"
_MARKER = re.compile(r"PX-[0-9a-f]{16}")


def own_records(api: ApiClient, since: datetime) -> Iterator[list[OwnRecord]]:
    """Pages of what changed since then, deleted ones included, oldest change first."""
    assert isinstance(api, XeroClient)
    query = {"createdByMyApp": "true", "order": "UpdatedDateUTC ASC"}
    told = {"If-Modified-Since": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    for page in api.pages("/Invoices", "Invoices", query, headers=told):
        yield [_own(record, api.connection.details) for record in page]


def _own(record: dict[str, Any], details: Mapping[str, Any]) -> OwnRecord:
    is_bill = record.get("Type") == "ACCPAY"
    key = str(record["InvoiceID"])
    marker = next((found[0] for name in ("Url", "Reference") if (found := _MARKER.search(str(record.get(name))))), "")
    return OwnRecord(
        provider_id=key,
        noun="Bill" if is_bill else "Sales invoice",
        marker=marker,
        link=bill_link(key, details) if is_bill else invoice_link(key, details),
        changed_at=read_moment(str(record.get("UpdatedDateUTC"))),
        current=current_invoice(plain(record), details),
    )
