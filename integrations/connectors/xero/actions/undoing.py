"""Undoing what was written: the status to set for each kind of document, and the message if it cannot be undone.

https://developer.xero.com/documentation/api/accounting/types#invoicestatuses
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from integrations.connectors.xero.client import records
from integrations.connectors.xero.plain import plain
from integrations.core.errors import NothingToUndoError, RejectedError
from integrations.core.messages import Request
from integrations.transport.http import ApiClient

CAREFULLY = {"summarizeErrors": "true"}
_GONE = {"DELETED", "VOIDED"}
#: From the present status to the one that undoes the document.
_LEDGER = {"DRAFT": "DELETED", "SUBMITTED": "DELETED", "AUTHORISED": "VOIDED"}
_TARGETS: Mapping[str, Mapping[str, str]] = {
    "Invoices": _LEDGER,
    "CreditNotes": _LEDGER,
    "PurchaseOrders": dict.fromkeys(("DRAFT", "SUBMITTED", "AUTHORISED"), "DELETED"),
    "Quotes": dict.fromkeys(("DRAFT", "SENT", "ACCEPTED", "DECLINED"), "DELETED"),
}
#: Xero's fields that, if not zero, prevent voiding.
_USED = ("AmountPaid", "AmountCredited")


def present(
    api: ApiClient, plural: str, key: str, noun: str, *, query: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The record as it is now. Raises RejectedError, with Xero's own message, if there is none."""
    try:
        found = records(api.read(f"/{plural}/{quote(key, safe='')}", query).json(), plural)
    except RejectedError as error:
        if error.status != 404:
            raise
        raise _missing(api, key, noun, error.reasons) from error
    if not found:
        raise _missing(api, key, noun, [])
    record: dict[str, Any] = plain(found[0])
    return record


def _missing(api: ApiClient, key: str, noun: str, reasons: list[str]) -> RejectedError:
    said = f" It said: {' '.join(reasons)}" if reasons else ""
    return RejectedError(
        f"Xero has no {noun} with the ID {key} in {api.connection.name}.{said}", reasons=reasons, status=404
    )


def way_back(record: Mapping[str, Any], plural: str, name: str) -> str:
    """The status that undoes the document. Raises RejectedError if there is none; `name` as in "INV-0007"."""
    status = str(record.get("Status"))
    if status in _GONE:
        raise NothingToUndoError(f"{name} is {status.lower()} in Xero already; nothing was written.")
    if any(record.get(field) for field in _USED) or _is_applied(record):
        raise RejectedError(
            f"{name} is paid or credited, in whole or in part, so it cannot be voided. "
            "Remove its payments and credits in Xero first."
        )
    # PAID without any payment, because the total is zero, as in a stock adjustment.
    target = "VOIDED" if status == "PAID" else _TARGETS[plural].get(status)
    if target is None:
        raise RejectedError(f"{name} is {status.lower()} in Xero, and Xero takes back none that is.")
    return target


def take_back(api: ApiClient, plural: str, id_name: str, key: str, *, number_name: str, noun: str) -> Request:
    """The request that voids or deletes the document, depending on its present status: one read."""
    record = present(api, plural, key, noun.lower())
    name = str(record.get(number_name) or f"The {noun.lower()}")
    sent: dict[str, Any] = {id_name: key, "Status": way_back(record, plural, name)}
    if plural == "Quotes":
        # Xero requires these with every change of a quote.
        sent |= {"Contact": {"ContactID": record["Contact"]["ContactID"]}, "Date": record["Date"]}
    return Request.of_json("POST", f"/{plural}", {plural: [sent]}, query=CAREFULLY)


def _is_applied(record: Mapping[str, Any]) -> bool:
    """Whether any of a credit note is used: allocated or refunded."""
    return any(not each.get("IsDeleted") for name in ("Allocations", "Payments") for each in record.get(name) or [])
