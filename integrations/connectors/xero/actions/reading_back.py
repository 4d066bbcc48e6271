"""What was written, as it is now: read by ids, many at once where Xero offers that.

Invoices and contacts are asked for with `IDs=`, credit notes and payments with a filter of ids, items and transfers,
whose lists have no pages, all at once; quotes, orders and projects are read one by one. What a list leaves out is asked
for by itself before it counts as gone.

https://developer.xero.com/documentation/api/accounting/invoices
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

from integrations.connectors.xero.client import PAGE_SIZE, PROJECTS, XeroClient, records
from integrations.connectors.xero.fields import document_preview
from integrations.connectors.xero.plain import plain
from integrations.connectors.xero.search.by_id import by_id
from integrations.connectors.xero.search.contacts import is_guid
from integrations.core.errors import RejectedError
from integrations.framework.current import (
    Current,
    CurrentLine,
    Gone,
    Readable,
    Reading,
    Readings,
    RecordState,
    Unreadable,
    Written,
)
from integrations.transport.http import ApiClient

Record = dict[str, Any]
#: An address of 40 ids is about 1,500 characters long; filters take three times as many for each.
_IDS_AT_ONCE, _FILTERED_AT_ONCE = 40, 15
#: A marker as `marked` puts it into a reference.
_MARKER = re.compile(r"(^| \()PX-[0-9a-f]{16}\)?$")
_STATES = {"PAID": RecordState.PAID, "VOIDED": RecordState.VOIDED, "DELETED": RecordState.DELETED}


class _Way(StrEnum):
    IDS = "ids"
    FILTER = "filter"
    WHOLE_LIST = "whole list"
    SINGLE = "single"


@dataclass(frozen=True)
class RecordKind:
    """A kind of record: its list in Xero's envelope, its id's field, how many are read, and what they say."""

    plural: str
    id_name: str
    way: _Way
    say: Callable[[Record, Mapping[str, Any]], Current]


class ReadsBack(Readable):
    """An action whose records can be read."""

    unreadable = ""
    record_kind: ClassVar[RecordKind]

    def current(self, api: ApiClient, written: Sequence[Written]) -> Readings:
        return read_back(api, self.record_kind, written)


def read_back(api: ApiClient, kind: RecordKind, written: Sequence[Written]) -> Readings:
    """Each record as it is now, by its id. Raises the client's errors."""
    assert isinstance(api, XeroClient)
    ids = list(dict.fromkeys(each.provider_id for each in written))
    found = {str(each[kind.id_name]).lower(): each for each in _read(api, kind, [one for one in ids if is_guid(one)])}
    readings: dict[str, Reading] = {}
    for one in ids:
        record = found.get(one.lower())
        if not is_guid(one):
            readings[one] = Unreadable(f'"{one[:60]}" is no ID of Xero\'s, so there is nothing to look up.')
        else:
            readings[one] = Gone() if record is None else kind.say(plain(record), api.connection.details)
    return _with_merged_contacts(api, written, readings)


def current_invoice(record: Record, details: Mapping[str, Any]) -> Current:
    """An invoice or bill; a bill has no reference."""
    now = _document("InvoiceNumber")(record, details)
    return replace(now, reference=None) if record.get("Type") == "ACCPAY" else now


def without_marker(text: Any) -> str:
    """A reference as the workflow gave it."""
    return _MARKER.sub("", str(text or ""))


# --- reading ----------------------------------------------------------------------------------------------------------


def _read(api: XeroClient, kind: RecordKind, ids: Sequence[str]) -> Iterator[Record]:
    found = list(_listed(api, kind, ids))
    yield from found
    there = {str(each[kind.id_name]).lower() for each in found}
    for one in ids:
        if one.lower() not in there:
            yield from _single(api, kind, one)


def _listed(api: XeroClient, kind: RecordKind, ids: Sequence[str]) -> Iterator[Record]:
    if len(ids) < 2 or kind.way is _Way.SINGLE:
        return
    path = f"/{kind.plural}"
    if kind.way is _Way.WHOLE_LIST:
        wanted = {one.lower() for one in ids}
        found = records(api.read(path).json(), kind.plural)
        yield from (each for each in found if str(each.get(kind.id_name)).lower() in wanted)
        return
    at_once = _FILTERED_AT_ONCE if kind.way is _Way.FILTER else _IDS_AT_ONCE
    for some in (ids[at : at + at_once] for at in range(0, len(ids), at_once)):
        # Paged, because a list without pages leaves out the lines, and of contacts where they were merged to.
        yield from records(api.read(path, {**_query(kind, some), **_ONE_PAGE}).json(), kind.plural)


_ONE_PAGE = {"page": "1", "pageSize": str(PAGE_SIZE)}


def _query(kind: RecordKind, ids: Iterable[str]) -> dict[str, str]:
    if kind.way is _Way.FILTER:
        # Ids of Xero's hold nothing that could end the text in the filter.
        return {"where": " OR ".join(f'{kind.id_name}==guid("{one}")' for one in ids)}
    return {"IDs": ",".join(ids), **({"includeArchived": "true"} if kind.plural == "Contacts" else {})}


def _single(api: XeroClient, kind: RecordKind, key: str) -> list[Record]:
    if kind.plural != PROJECTS[1:]:
        return by_id(api, kind.plural, key)
    try:
        return [api.read(f"{PROJECTS}/{key}").json()]
    except RejectedError as error:
        if error.status != 404:
            raise
        return []


def _with_merged_contacts(api: XeroClient, written: Sequence[Written], readings: dict[str, Reading]) -> Readings:
    """Says where a contact was merged: of the records themselves, and of the contacts that documents had."""
    had = {each.provider_id: each.contact_id for each in written}
    another: dict[str, Current] = {
        one: now
        for one, now in readings.items()
        if isinstance(now, Current) and now.contact_id and had.get(one) and now.contact_id != had[one]
    }
    asked = [contact for one in another if is_guid(contact := had[one])]
    targets = {str(each["ContactID"]).lower(): each for each in _read(api, CONTACTS, list(dict.fromkeys(asked)))}
    for one, now in another.items():
        merged = str(targets.get(had[one].lower(), {}).get("MergedToContactID") or "")
        if merged and merged.lower() == str(now.contact_id).lower():
            readings[one] = replace(now, is_contact_merged=True)
    return _with_names_of_targets(api, readings)


def _with_names_of_targets(api: XeroClient, readings: dict[str, Reading]) -> Readings:
    merged = {
        one: str(now.output["MergedToContactID"])
        for one, now in readings.items()
        if isinstance(now, Current) and now.state is RecordState.MERGED
    }
    names = {
        str(each["ContactID"]).lower(): str(each.get("Name") or "")
        for each in _read(api, CONTACTS, list(dict.fromkeys(each for each in merged.values() if is_guid(each))))
    }
    for one, target in merged.items():
        now = readings[one]
        assert isinstance(now, Current)
        readings[one] = replace(now, note=f"merged into {names.get(target.lower()) or 'another contact'}")
    return readings


# --- what records say -------------------------------------------------------------------------------------------------


def _document(number_name: str) -> Callable[[Record, Mapping[str, Any]], Current]:
    def say(record: Record, details: Mapping[str, Any]) -> Current:
        told = document_preview.written_document(record, number_name)
        sums = told.totals
        return Current(
            state=_STATES.get(str(record.get("Status")), RecordState.OPEN),
            number=told.number,
            day=told.day,
            contact=told.whom,
            contact_id=told.whom_id,
            reference=without_marker(record.get("Reference")),
            status=told.status,
            currency=told.currency,
            sub_total=sums.sub_total if sums else None,
            tax=sums.tax if sums else None,
            amount=sums.total if sums else None,
            lines=_lines(record, details),
            output=record,
        )

    return say


def _lines(record: Record, details: Mapping[str, Any]) -> tuple[CurrentLine, ...] | None:
    """What the lines come to by account and tax rate; None if the record came without them."""
    if "LineItems" not in record:
        return None
    accounts, rates = details.get("accounts") or {}, details.get("tax_rates") or {}
    sums: dict[tuple[str, str], list[Decimal | None]] = {}
    written = document_preview.written_document(record, "").lines
    for line, amounts in zip(record["LineItems"], written, strict=True):
        key = (str(line.get("AccountCode") or ""), str(line.get("TaxType") or ""))
        known = sums.setdefault(key, [Decimal(0), Decimal(0)])
        for at, amount in enumerate((amounts.net, amounts.tax)):
            before = known[at]
            known[at] = None if before is None or amount is None else before + amount
    return tuple(
        CurrentLine(
            account=f"{code} - {accounts[code]['name']}" if code in accounts else code,
            account_code=code,
            tax_rate=str(rates[tax_type]["name"]) if tax_type in rates else tax_type,
            tax_rate_code=tax_type,
            net=net,
            tax=tax,
        )
        for (code, tax_type), (net, tax) in sorted(sums.items())
    )


def _contact(record: Record, details: Mapping[str, Any]) -> Current:
    status = str(record.get("ContactStatus") or "")
    state = RecordState.ARCHIVED if status == "ARCHIVED" else RecordState.OPEN
    if record.get("MergedToContactID"):
        state = RecordState.MERGED
    return Current(
        state=state,
        contact=str(record.get("Name") or ""),
        contact_id=str(record["ContactID"]),
        status=status.capitalize(),
        output=record,
    )


def _movement(record: Record, details: Mapping[str, Any]) -> Current:
    """A payment or a bank transfer."""
    told = document_preview.written_amount(record)
    return Current(
        state=RecordState.DELETED if record.get("Status") == "DELETED" else RecordState.OPEN,
        day=told.day,
        reference=without_marker(record.get("Reference")),
        status=told.status or None,
        currency=told.currency or None,
        amount=told.amount,
        output=record,
    )


def _item(record: Record, details: Mapping[str, Any]) -> Current:
    return Current(number=str(record.get("Code") or ""), output=record)


def _project(record: Record, details: Mapping[str, Any]) -> Current:
    is_closed = record.get("status") == "CLOSED"
    return Current(
        state=RecordState.CLOSED if is_closed else RecordState.OPEN,
        described=f"Project {record.get('name') or ''}",
        status="Closed" if is_closed else None,
        output=record,
    )


INVOICES = RecordKind("Invoices", "InvoiceID", _Way.IDS, current_invoice)
CREDIT_NOTES = RecordKind("CreditNotes", "CreditNoteID", _Way.FILTER, _document("CreditNoteNumber"))
QUOTES = RecordKind("Quotes", "QuoteID", _Way.SINGLE, _document("QuoteNumber"))
PURCHASE_ORDERS = RecordKind("PurchaseOrders", "PurchaseOrderID", _Way.SINGLE, _document("PurchaseOrderNumber"))
CONTACTS = RecordKind("Contacts", "ContactID", _Way.IDS, _contact)
PAYMENTS = RecordKind("Payments", "PaymentID", _Way.FILTER, _movement)
BANK_TRANSFERS = RecordKind("BankTransfers", "BankTransferID", _Way.WHOLE_LIST, _movement)
ITEMS = RecordKind("Items", "ItemID", _Way.WHOLE_LIST, _item)
PROJECT_KIND = RecordKind("Projects", "projectId", _Way.SINGLE, _project)
