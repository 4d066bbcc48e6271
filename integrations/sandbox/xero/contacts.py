"""Contacts: find, create, change. Names are unique among active contacts, as at Xero."""

import re
from typing import Any

from integrations.sandbox.data.organisations import ORGANISATIONS
from integrations.sandbox.exchange import clock
from integrations.sandbox.exchange.answers import Answer
from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.models import Document
from integrations.sandbox.xero import answers, batch, books, history
from integrations.sandbox.xero.batch import Invalid, Record
from integrations.sandbox.xero.books import Entry

KIND = "Contacts"
FIELDS = {
    "ContactID": "guid",
    "ContactNumber": "text",
    "AccountNumber": "text",
    "ContactStatus": "text",
    "Name": "text",
    "FirstName": "text",
    "LastName": "text",
    "EmailAddress": "text",
    "TaxNumber": "text",
    "DefaultCurrency": "text",
    "IsSupplier": "flag",
    "IsCustomer": "flag",
    "UpdatedDateUTC": "date",
}
_TEXT_LIMITS = {
    "Name": 255,
    "FirstName": 255,
    "LastName": 255,
    "EmailAddress": 255,
    "ContactNumber": 50,
    "AccountNumber": 50,
    "CompanyNumber": 50,
    "TaxNumber": 50,
    "DefaultCurrency": 3,
    "BankAccountDetails": 100,
    "AccountsReceivableTaxType": 50,
    "AccountsPayableTaxType": 50,
}
_PHONE_TYPES = ("DDI", "DEFAULT", "FAX", "MOBILE")
_KNOWN_TYPES = {
    "Phones": ("PhoneType", ("DEFAULT", "DDI", "MOBILE", "FAX", "OFFICE")),
    "Addresses": ("AddressType", ("POBOX", "STREET")),
}
_PHONE_PARTS = {"PhoneNumber": 50, "PhoneAreaCode": 10, "PhoneCountryCode": 20}
_ADDRESS_PARTS = dict.fromkeys(("AddressLine1", "AddressLine2", "AddressLine3", "AddressLine4"), 500) | {
    "City": 255,
    "Region": 255,
    "PostalCode": 50,
    "Country": 50,
    "AttentionTo": 255,
}
_LISTS = {"Phones", "Addresses", "ContactPersons", "HasAttachments"}
_EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+")


def list_contacts(call: Call) -> Answer:
    query = call.request.GET
    found = books.changed_since(call, books.rows(call.tenant, KIND))
    ids = books.identifiers(query, "IDs")
    if ids:
        found = found.filter(document_id__in=ids)
    if not books.is_true(query, "includeArchived"):
        found = found.filter(status="ACTIVE")
    entries = [books.entry(row) for row in found.order_by("name", "id")]
    term = query.get("searchTerm", "").strip().lower()
    if term:
        entries = [one for one in entries if term in _searchable(one)]
    entries = books.filtered(query, entries, FIELDS, view)
    page, pagination = books.paged(query, entries)
    is_short, is_paged = books.is_true(query, "summaryOnly"), pagination is not None
    return answers.envelope(KIND, [render(one, summary=is_short, merged=is_paged) for one in page], pagination)


def get_contact(call: Call, key: str) -> Answer:
    return answers.envelope(KIND, [render(_existing(call, key), merged=True)])


def create_contacts(call: Call) -> Answer:
    """PUT: a name that is taken is an error."""
    return batch.write(call, KIND, "ContactID", lambda sent: render(create(call, sent)))


def save_contacts(call: Call, key: str | None = None) -> Answer:
    """POST: changes the contact with this id, else this ContactNumber, else this name; else creates one."""
    only = _existing(call, key).id if key else None
    return batch.write(call, KIND, "ContactID", lambda sent: render(save(call, sent)), only)


def _existing(call: Call, key: str) -> Entry:
    found = books.find(call.tenant, KIND, key) if books.is_guid(key) else by_number(call.tenant, key)
    if found is None:
        raise answers.not_found()
    return found


def save(call: Call, sent: Record) -> Entry:
    found = match(call.tenant, sent)
    if found is None and sent.get("ContactID"):
        raise Invalid(sent, ["The contact with this ContactID was not found."])
    if found is None:
        return create(call, sent)
    by_id = bool(sent.get("ContactID") or sent.get("ContactNumber"))
    # A name that was only used to find the contact does not change its spelling.
    return _change(call, found, sent if by_id else {name: sent[name] for name in sent if name != "Name"})


def match(tenant: str, sent: Record) -> Entry | None:
    """The contact that these details mean: by id, else by number, else by name."""
    contact_id, number, name = (_text(sent.get(field)) for field in ("ContactID", "ContactNumber", "Name"))
    if contact_id:
        return books.find(tenant, KIND, contact_id)
    return (by_number(tenant, number) if number else None) or (by_name(tenant, name) if name else None)


def by_number(tenant: str, number: str) -> Entry | None:
    row = books.rows(tenant, KIND).filter(number=number).first()
    return books.entry(row) if row else None


def by_name(tenant: str, name: str) -> Entry | None:
    row = books.rows(tenant, KIND).filter(name=name, status="ACTIVE").first()
    return books.entry(row) if row else None


def create(call: Call, sent: Record) -> Entry:
    record = {"ContactStatus": "ACTIVE", "IsSupplier": False, "IsCustomer": False, **_accepted(call.tenant, sent)}
    if not record.get("Name"):
        raise Invalid(sent, ["The contact name must be specified"])
    _check_unique(call.tenant, sent, record, own_id="")
    new = books.add(call, KIND, record, **_columns(record))
    history.write(call, new.id, "Created", f"Contact {record['Name']} created {call.how}.")
    call.wrote(f"created contact {record['Name']}", new.id)
    return new


def _change(call: Call, found: Entry, sent: Record) -> Entry:
    """Omitted fields stay as they are."""
    changes = _accepted(call.tenant, sent)
    if "Name" in sent and not changes.get("Name"):
        raise Invalid(sent, ["The contact name must be specified"])
    if all(found.record.get(name) == value for name, value in changes.items()):
        return found
    record = {**found.record, **changes}
    if record["ContactStatus"] == "ACTIVE":
        record.pop("MergedToContactID", None)  # restored: separate again, and its documents stay with the other contact
    _check_unique(call.tenant, sent, record, own_id=found.id)
    found.record = record
    books.store(found, **_columns(record))
    history.write(call, found.id, "Edited", f"Contact changed {call.how}.")
    call.wrote(f"updated contact {record['Name']}", found.id)
    return found


def _columns(record: Record) -> dict[str, str]:
    return {
        "name": record["Name"],
        "number": record.get("ContactNumber", ""),
        "status": record["ContactStatus"],
    }


def _check_unique(tenant: str, sent: Record, record: Record, own_id: str) -> None:
    messages = []
    others = books.rows(tenant, KIND).exclude(document_id=own_id)
    if record["ContactStatus"] == "ACTIVE" and others.filter(name=record["Name"], status="ACTIVE").exists():
        messages.append(
            f"The contact name {record['Name']} is already assigned to another contact. "
            "The contact name must be unique across all active contacts."
        )
    number = record.get("ContactNumber")
    if number and others.filter(number=number).exists():
        messages.append(f"The contact number {number} is already assigned to another contact.")
    if messages:
        raise Invalid(sent, messages)


def _accepted(tenant: str, sent: Record) -> Record:
    """The fields that a caller may set, cleaned. Raises Invalid with all problems."""
    record: Record = {}
    messages: list[str] = []
    for name, limit in _TEXT_LIMITS.items():
        if name in sent:
            record[name] = _text(sent[name])
            if len(record[name]) > limit:
                messages.append(f"The {name} field cannot be longer than {limit} characters")
    if "<" in record.get("Name", "") or ">" in record.get("Name", ""):
        messages.append("The contact name cannot contain < or >")
    email = record.get("EmailAddress")
    if email and not (email.isascii() and _EMAIL.fullmatch(email)):
        messages.append("Email address must be valid.")
    if "ContactStatus" in sent:
        record["ContactStatus"] = sent["ContactStatus"]
        if sent["ContactStatus"] not in ("ACTIVE", "ARCHIVED"):
            messages.append("The ContactStatus must be ACTIVE or ARCHIVED")
    currency = record.get("DefaultCurrency")
    if currency and currency not in ORGANISATIONS[tenant].currencies:
        messages.append(f"Organisation is not subscribed to currency {currency}")
    try:
        record |= _lists(sent, messages)
    except (TypeError, AttributeError):
        messages.append("Phones, Addresses and ContactPersons are lists of records")
    if len(record.get("ContactPersons", [])) > 5:
        messages.append("A contact can have at most 5 contact persons")
    if messages:
        raise Invalid(sent, messages)
    return record


def _lists(sent: Record, messages: list[str]) -> Record:
    record: Record = {}
    for name, parts in (("Phones", ("PhoneType", *_PHONE_PARTS)), ("Addresses", ("AddressType", *_ADDRESS_PARTS))):
        if isinstance(sent.get(name), list):
            record[name] = [{part: _text(one.get(part)) for part in parts if part in one} for one in sent[name]]
            for one in record[name]:
                _check_parts(name, one, messages)
    if isinstance(sent.get("ContactPersons"), list):
        record["ContactPersons"] = [
            {name: _text(one.get(name)) for name in ("FirstName", "LastName", "EmailAddress")}
            | {"IncludeInEmails": bool(one.get("IncludeInEmails"))}
            for one in sent["ContactPersons"]
        ]
    return record


def _check_parts(name: str, one: Record, messages: list[str]) -> None:
    kind, known = _KNOWN_TYPES[name]
    if one.get(kind) and one[kind] not in known:
        messages.append(f"The {kind} must be {', '.join(known[:-1])} or {known[-1]}")
    for part, limit in {**_PHONE_PARTS, **_ADDRESS_PARTS}.items():
        if len(one.get(part, "")) > limit:
            messages.append(f"The {part} field cannot be longer than {limit} characters")
        elif part == "Country" and not re.fullmatch(r"[A-Za-z ]*", one.get(part, "")):
            messages.append("The Country field can hold the letters A to Z only")


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def mark_use(tenant: str, contact_id: str, invoice_type: str) -> None:
    """A first invoice makes a contact a customer, a first bill a supplier; `UpdatedDateUTC` stays, as at Xero."""
    field = "IsCustomer" if invoice_type == "ACCREC" else "IsSupplier"
    found = books.find(tenant, KIND, contact_id)
    if found and not found.record.get(field):
        found.record[field] = True
        Document.objects.filter(pk=found.row.pk).update(content=books.dumps(found.record))


def view(one: Entry) -> Record:
    return {
        **{name: value if value != "" else None for name, value in one.record.items() if name in FIELDS},
        "ContactID": one.id,
        "UpdatedDateUTC": clock.moment(one.row.updated_at),
    }


def _searchable(one: Entry) -> str:
    names = ("Name", "FirstName", "LastName", "ContactNumber", "EmailAddress")
    return "\n".join(one.record.get(name, "") for name in names).lower()


def render(one: Entry, *, summary: bool = False, merged: bool = False) -> Record:
    """A contact as Xero returns it; where it was merged to is shown in pages and when it is requested itself."""
    record = one.record
    hidden = _LISTS if merged else _LISTS | {"MergedToContactID"}
    plain = {name: value for name, value in record.items() if name not in hidden}
    rendered = {"ContactID": one.id, **plain, "UpdatedDateUTC": answers.xero_moment(one.row.updated_at)}
    if not rendered.get("DefaultCurrency"):
        rendered.pop("DefaultCurrency", None)
    rendered |= {"EmailAddress": record.get("EmailAddress", ""), "BankAccountDetails": ""}
    if summary:
        return rendered
    return rendered | {
        "ContactPersons": record.get("ContactPersons", []),
        "Addresses": _both_addresses(record.get("Addresses", [])),
        "Phones": _all_phones(record.get("Phones", [])),
        "ContactGroups": [],
        "HasAttachments": bool(record.get("HasAttachments")),
        "HasValidationErrors": False,
    }


def _all_phones(stored: list[Record]) -> list[Record]:
    by_type = {phone.get("PhoneType") or "DEFAULT": phone for phone in stored}
    empty = dict.fromkeys(_PHONE_PARTS, "")
    return [{**empty, **by_type.get(kind, {}), "PhoneType": kind} for kind in _PHONE_TYPES]


def _both_addresses(stored: list[Record]) -> list[Record]:
    by_type = {address.get("AddressType") or "POBOX": address for address in stored}
    empty = {"City": "", "Region": "", "PostalCode": "", "Country": ""}
    return [{**empty, **by_type.get(kind, {}), "AddressType": kind} for kind in ("STREET", "POBOX")]
