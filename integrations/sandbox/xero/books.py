"""Reading and writing an organisation's records, and what all lists share."""

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict

from integrations.sandbox.exchange import clock
from integrations.sandbox.exchange.answers import dumps, loads
from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.models import Document
from integrations.sandbox.webhooks import changes
from integrations.sandbox.xero import answers, where

MAX_PAGE_SIZE, DEFAULT_PAGE_SIZE = 1000, 100


@dataclass
class Entry:
    """A stored record and its row. `record` holds plain days and Decimals, never Xero's formats."""

    row: Document
    record: dict[str, Any]

    @property
    def id(self) -> str:
        return self.row.document_id

    @property
    def tenant(self) -> str:
        return self.row.tenant


def entry(row: Document) -> Entry:
    return Entry(row, loads(row.content))


def rows(tenant: str, kind: str) -> QuerySet[Document]:
    return Document.objects.filter(tenant=tenant, kind=kind)


def find(tenant: str, kind: str, document_id: str) -> Entry | None:
    row = rows(tenant, kind).filter(document_id=document_id.lower()).first()
    return entry(row) if row else None


def existing(call: Call, kind: str, key: str) -> Entry:
    found = find(call.tenant, kind, key)
    if found is None:
        raise answers.not_found()
    return found


def add(call: Call, kind: str, record: dict[str, Any], **columns: str) -> Entry:
    row = Document(
        tenant=call.tenant,
        kind=kind,
        document_id=str(uuid.uuid4()),
        is_ours=not call.is_by_hand,
        body_sha256=call.body_sha256,
        updated_at=0,
    )
    new = Entry(row, record)
    store(new, **columns)
    return new


def store(changed: Entry, **columns: str) -> None:
    """Store a record that was made or changed, and its webhook event if wanted."""
    is_new = changed.row.pk is None
    # Two changes in one millisecond still get different times.
    changed.row.updated_at = max(clock.now(), changed.row.updated_at + 1)
    store_silently(changed, **columns)
    changes.note(changed.row, changed.record, is_new=is_new)


def store_silently(changed: Entry, **columns: str) -> None:
    """Store a change that does not count as one: `UpdatedDateUTC` stays, and no webhook event is stored."""
    for name, value in columns.items():
        setattr(changed.row, name, value)
    changed.row.content = dumps(changed.record)
    changed.row.save()


def changed_since(call: Call, found: QuerySet[Document]) -> QuerySet[Document]:
    """If-Modified-Since, in whole seconds UTC."""
    header = call.request.headers.get("If-Modified-Since")
    if not header:
        return found
    try:
        moment = datetime.fromisoformat(header)
    except ValueError as error:
        raise answers.bad_request(
            17, "InvalidDataException", f"If-Modified-Since is not a date and time: {header}"
        ) from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return found.filter(updated_at__gte=clock.milliseconds(moment.replace(microsecond=0)))


def identifiers(query: QueryDict, name: str) -> list[str]:
    """A comma-separated list of ids, lower-cased."""
    values = [value.strip().lower() for value in query.get(name, "").split(",") if value.strip()]
    for value in values:
        if not is_guid(value):
            raise answers.bad_request(17, "InvalidDataException", f"{name} holds {value!r}, which is not an id")
    return values


def is_guid(text: str) -> bool:
    return re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text) is not None


def is_true(query: QueryDict, name: str) -> bool:
    return query.get(name, "").lower() == "true"


View = Callable[[Entry], Mapping[str, Any]]


def filtered(query: QueryDict, found: Iterable[Entry], fields: where.Fields, view: View) -> list[Entry]:
    """The entries that match the `where` parameter, in the order that `order` asks for."""
    text = query.get("where", "").strip()
    found = list(found)
    if text:
        try:
            condition = where.parse(text, fields)
        except where.WhereError as error:
            raise answers.query_parse_error(str(error)) from error
        found = [one for one in found if condition(view(one))]
    return _ordered(query.get("order", "").strip(), found, fields, view)


def _ordered(order: str, found: list[Entry], fields: where.Fields, view: View) -> list[Entry]:
    if not order:
        return found
    known = {name.lower(): name for name in fields}
    for part in reversed(order.split(",")):
        name, _, direction = part.strip().partition(" ")
        if name.lower() not in known or direction.strip().upper() not in {"", "ASC", "DESC"}:
            raise answers.query_parse_error(f"Cannot order by '{part.strip()}'")
        field = known[name.lower()]
        empty = {"number": Decimal(0), "date": datetime.min.replace(tzinfo=UTC), "flag": False}.get(fields[field], "")
        found.sort(
            key=lambda one, field=field, empty=empty: _sortable(view(one).get(field), empty),  # type: ignore[misc]
            reverse=direction.strip().upper() == "DESC",
        )
    return found


def _sortable(value: Any, empty: Any) -> Any:
    if value is None:
        return empty
    return value.lower() if isinstance(value, str) else value


def paged(
    query: QueryDict, found: list[Entry], *, has_page_size: bool = True
) -> tuple[list[Entry], dict[str, int] | None]:
    """One page and its description; without `page` everything and no description."""
    if "page" not in query and (not has_page_size or "pageSize" not in query):
        return found, None
    page = _whole(query, "page", 1)
    size = _whole(query, "pageSize", DEFAULT_PAGE_SIZE) if has_page_size else DEFAULT_PAGE_SIZE
    size = min(size, MAX_PAGE_SIZE)
    pages = -(-len(found) // size)
    pagination = {"page": page, "pageSize": size, "pageCount": pages, "itemCount": len(found)}
    return found[(page - 1) * size : page * size], pagination


def _whole(query: QueryDict, name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) < 10**9:
        raise answers.bad_request(17, "InvalidDataException", f"{name} is a whole number from 1, not {text!r}")
    return int(text[:9])


def utc_day(day: str | None) -> datetime | None:
    """A plain day as `where` compares it."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC) if day else None
