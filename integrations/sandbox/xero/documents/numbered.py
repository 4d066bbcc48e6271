"""Numbered documents with lines other than invoices: quotes, purchase orders, credit notes. What creating, changing,
numbering and listing share; each kind defines its differences in a `Kind`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from integrations.sandbox.data import counters
from integrations.sandbox.exchange import clock
from integrations.sandbox.exchange.answers import Answer
from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.models import Document
from integrations.sandbox.xero import answers, batch, books, contacts, history
from integrations.sandbox.xero.batch import Invalid, Record
from integrations.sandbox.xero.books import Entry
from integrations.sandbox.xero.documents import invoices, lines, rules

Clean = Callable[[Call, Record, Record | None], Record]


def _nothing(call: Call, old: Record | None, new: Record) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Kind:
    plural: str
    id_name: str
    number_name: str
    prefix: str
    word: str
    duplicate: str  # the message if the number is in use
    clean: Clean  # the record as stored, or Invalid
    contact: Callable[[Call, Record], str]
    details: Callable[[Entry, int], Record]  # fields returned besides the common ones
    is_numbered: Callable[[Record], bool] = lambda record: True  # whether it gets the next number automatically
    unit_places: int | None = None  # decimal places of unit prices, if `unitdp` has no effect
    settle: Callable[[Call, Record | None, Record], None] = _nothing  # what a change affects elsewhere


def get(call: Call, key: str, kind: Kind) -> Answer:
    return answers.envelope(kind.plural, [rendered(call, existing(call, key, kind), kind)])


def create_all(call: Call, kind: Kind) -> Answer:
    return batch.write(
        call, kind.plural, kind.id_name, lambda sent: _printed(call, create(call, sent, kind), kind, sent)
    )


def save_all(call: Call, kind: Kind, key: str | None = None) -> Answer:
    """POST: changes the one with this id, else the one with this number; else creates one."""
    only = existing(call, key, kind).id if key else None
    return batch.write(
        call, kind.plural, kind.id_name, lambda sent: _printed(call, save(call, sent, kind), kind, sent), only
    )


def existing(call: Call, key: str, kind: Kind) -> Entry:
    found = books.find(call.tenant, kind.plural, key) if books.is_guid(key) else by_number(call.tenant, key, kind)
    if found is None:
        raise answers.not_found()
    return found


def by_number(tenant: str, number: str, kind: Kind) -> Entry | None:
    for row in books.rows(tenant, kind.plural).filter(number=number).exclude(status="DELETED").order_by("id"):
        found = books.entry(row)
        if kind.is_numbered(found.record):
            return found
    return None


def save(call: Call, sent: Record, kind: Kind) -> Entry:
    if sent.get(kind.id_name):
        found = books.find(call.tenant, kind.plural, str(sent[kind.id_name]))
        if found is None:
            raise Invalid(sent, [f"The {kind.word} with this {kind.id_name} was not found."])
        return _change(call, found, sent, kind)
    number = str(sent.get(kind.number_name) or "").strip()
    found = by_number(call.tenant, number, kind) if number else None
    if found is not None and kind.is_numbered(sent):
        return _change(call, found, sent, kind)
    return create(call, sent, kind)


def create(call: Call, sent: Record, kind: Kind) -> Entry:
    record = kind.clean(call, lines.with_ids(sent, []), None)
    contact_id = kind.contact(call, sent)
    _number(call.tenant, sent, record, kind)
    kind.settle(call, None, record)
    new = books.add(call, kind.plural, record, **_columns(record, kind), contact_id=contact_id)
    word = f"{kind.word} {record[kind.number_name]}".strip()
    history.write(call, new.id, "Created", f"{word} created {call.how}.")
    call.wrote(f"created {word}", new.id)
    return new


def _change(call: Call, found: Entry, sent: Record, kind: Kind) -> Entry:
    record = kind.clean(call, lines.with_ids(sent, found.record["LineItems"]), found.record)
    contact_id = kind.contact(call, sent) if sent.get("Contact") else found.row.contact_id
    _check_number(call.tenant, sent, record, kind, own_id=found.id)
    kind.settle(call, found.record, record)
    found.record = record
    books.store(found, **_columns(record, kind), contact_id=contact_id)
    word = f"{kind.word} {record[kind.number_name]}".strip()
    history.write(call, found.id, "Edited", f"{word} changed {call.how}.")
    call.wrote(f"updated {word} to {record['Status']}", found.id)
    return found


def _columns(record: Record, kind: Kind) -> dict[str, str]:
    return {"number": record[kind.number_name], "status": record["Status"]}


def _number(tenant: str, sent: Record, record: Record, kind: Kind) -> None:
    record.setdefault(kind.number_name, "")
    if record[kind.number_name]:
        _check_number(tenant, sent, record, kind, own_id="")
        return
    while kind.is_numbered(record) and not record[kind.number_name]:
        number = f"{kind.prefix}-{counters.take(f'{kind.prefix} {tenant}'):04d}"
        if not books.rows(tenant, kind.plural).filter(number=number).exists():
            record[kind.number_name] = number


def _check_number(tenant: str, sent: Record, record: Record, kind: Kind, own_id: str) -> None:
    if not record[kind.number_name] or not kind.is_numbered(record):
        return
    taken = by_number(tenant, record[kind.number_name], kind)
    if taken is not None and taken.id != own_id:
        raise Invalid(sent, [kind.duplicate])


def contact_is_known(call: Call, sent: Record) -> str:
    """The contact of a document that cannot create one: by id or number, and active; a name alone is not enough."""
    details = sent.get("Contact")
    keys = ("ContactID", "ContactNumber")
    named = {name: details[name] for name in keys if details.get(name)} if isinstance(details, dict) else {}
    found = contacts.match(call.tenant, named) if named else None
    if found is None:
        raise Invalid(sent, [rules.NO_CONTACT])
    if found.record["ContactStatus"] != "ACTIVE":
        raise Invalid(sent, [f"The contact {found.record['Name']} is archived and cannot be used"])
    return found.id


def between(found: QuerySet[Document], call: Call, field: str, start: str, end: str) -> list[Entry]:
    """The documents with a date from one query parameter to the other, inclusive."""
    low, high = (_day(call, name) for name in (start, end))
    entries = [books.entry(row) for row in found.order_by("id")]
    return [one for one in entries if (not low or one.record.get(field, "") >= low) and _is_until(one, field, high)]


def _is_until(one: Entry, field: str, high: str) -> bool:
    return not high or "" < one.record.get(field, "") <= high


def _day(call: Call, name: str) -> str:
    text = call.request.GET.get(name, "").strip()
    day = rules.read_day(text) if text else ""
    if day is None:
        raise answers.bad_request(17, "InvalidDataException", f"{name} is not a date: {text!r}")
    return day


def no_where(call: Call, plural: str) -> None:
    """Refuse `where`: Xero has no such filter here, and a caller that relies on it should notice."""
    if "where" in call.request.GET:
        raise answers.query_parse_error(f"{plural} cannot be filtered with where")


def view(one: Entry, people: dict[str, Entry], kind: Kind, fields: dict[str, str]) -> Record:
    """The values that `where` and `order` compare."""
    record, person = one.record, people[one.row.contact_id]
    values: Record = {name: record.get(name) for name in fields}
    values |= {name: books.utc_day(record.get(name)) for name, sort in fields.items() if sort == "date"}
    return values | {
        kind.id_name: one.id,
        "UpdatedDateUTC": clock.moment(one.row.updated_at),
        "Contact.ContactID": person.id,
        "Contact.Name": person.record["Name"],
        "Contact.ContactNumber": person.record.get("ContactNumber"),
    }


def rendered(call: Call, one: Entry, kind: Kind) -> Record:
    person = books.find(call.tenant, contacts.KIND, one.row.contact_id)
    assert person is not None
    return render(one, person, kind, kind.unit_places or invoices.unit_places(call))


def _printed(call: Call, one: Entry, kind: Kind, sent: Record) -> Record:
    printed = rendered(call, one, kind)
    asked_to_tell = sent.get("SentToContact") is True and not one.record.get("SentToContact")
    if kind.plural == "PurchaseOrders":
        message = "Only AUTHORISED and BILLED purchase orders may have SentToContact updated."
        printed["Warnings"] = [{"Message": message}] if asked_to_tell else []
        printed["StatusAttributeString"] = "WARNING" if asked_to_tell else "OK"
    return printed


def render(one: Entry, person: Entry, kind: Kind, places: int, *, is_brief: bool = False) -> Record:
    record = one.record
    printed: Record = {
        kind.id_name: one.id,
        kind.number_name: record[kind.number_name],
        "Contact": invoices.brief_person(person) if is_brief else contacts.render(person),
        "Status": record["Status"],
        "LineAmountTypes": record["LineAmountTypes"],
        "DateString": f"{record['Date']}T00:00:00",
        "Date": answers.xero_date(record["Date"]),
        "SubTotal": record["SubTotal"],
        "TotalTax": record["TotalTax"],
        "Total": record["Total"],
        "CurrencyCode": record["CurrencyCode"],
        "CurrencyRate": record["CurrencyRate"],
        "UpdatedDateUTC": answers.xero_moment(one.row.updated_at),
        "HasAttachments": bool(record.get("HasAttachments")),
    }
    printed |= {name: record[name] for name in ("BrandingThemeID", "TotalDiscount") if record.get(name)}
    if not is_brief:
        printed["LineItems"] = [invoices.printed_line(line, places) for line in record["LineItems"]]
    return printed | kind.details(one, places)


def days(record: Record, *names: str) -> dict[str, Any]:
    """The days that are set, in Xero's formats."""
    printed: dict[str, Any] = {}
    for name in names:
        if record.get(name):
            printed |= {f"{name}String": f"{record[name]}T00:00:00", name: answers.xero_date(record[name])}
    return printed
