"""Sales invoices (ACCREC) and bills (ACCPAY): lists, creating, changing, numbering."""

from typing import Any

from integrations.sandbox.data import counters
from integrations.sandbox.exchange import clock
from integrations.sandbox.exchange.answers import Answer
from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.xero import answers, batch, books, contacts, history
from integrations.sandbox.xero.batch import Invalid, Record
from integrations.sandbox.xero.books import Entry
from integrations.sandbox.xero.documents import invoice_rules, lines, stock, totals

KIND = "Invoices"
FIELDS = (
    dict.fromkeys(
        ("Type", "Status", "InvoiceNumber", "Reference", "Url", "CurrencyCode", "LineAmountTypes"),
        "text",
    )
    | dict.fromkeys(("AmountDue", "AmountPaid", "AmountCredited", "Total", "SubTotal", "TotalTax"), "number")
    | dict.fromkeys(("Date", "DueDate", "UpdatedDateUTC"), "date")
    | {"InvoiceID": "guid", "BrandingThemeID": "guid", "SentToContact": "flag"}
    | {"Contact.ContactID": "guid", "Contact.Name": "text", "Contact.ContactNumber": "text"}
)
_DAYS = ("Date", "DueDate")


def list_invoices(call: Call) -> Answer:
    query = call.request.GET
    found = books.changed_since(call, books.rows(call.tenant, KIND))
    for name, column in (("IDs", "document_id"), ("ContactIDs", "contact_id")):
        ids = books.identifiers(query, name)
        if ids:
            found = found.filter(**{f"{column}__in": ids})
    for name, column in (("Statuses", "status"), ("InvoiceNumbers", "number")):
        values = [value.strip() for value in query.get(name, "").split(",") if value.strip()]
        if values:
            found = found.filter(**{f"{column}__in": values})
    if books.is_true(query, "createdByMyApp"):
        found = found.filter(is_ours=True)
    entries = [books.entry(row) for row in found.order_by("id")]
    people = contacts_of(call.tenant, entries)
    term = query.get("searchTerm", "").strip().lower()
    if term:
        entries = [one for one in entries if term in _searchable(one, people)]
    entries = books.filtered(query, entries, FIELDS, lambda one: _view(one, people))
    page, pagination = books.paged(query, entries)
    is_brief = pagination is None or books.is_true(query, "summaryOnly")
    places = unit_places(call)
    rendered = [_render(one, people[one.row.contact_id], places, is_brief=is_brief) for one in page]
    return answers.envelope(KIND, rendered, pagination)


def get_invoice(call: Call, key: str) -> Answer:
    return answers.envelope(KIND, [_rendered_full(call, _existing(call, key))])


def create_invoices(call: Call) -> Answer:
    """PUT: a number already in use is an error on a sales invoice."""
    return batch.write(call, KIND, "InvoiceID", lambda sent: _rendered_full(call, create(call, sent)))


def save_invoices(call: Call, key: str | None = None) -> Answer:
    """POST: changes the invoice with this id, else the sales invoice with this number; else creates one."""
    only = _existing(call, key).id if key else None
    return batch.write(call, KIND, "InvoiceID", lambda sent: _rendered_full(call, save(call, sent)), only)


def _existing(call: Call, key: str) -> Entry:
    found = books.find(call.tenant, KIND, key) if books.is_guid(key) else _by_number(call.tenant, key)
    if found is None:
        raise answers.not_found()
    return found


def find(tenant: str, details: Record) -> Entry | None:
    """The invoice or bill with the given `{"InvoiceID"}` or, for a sales invoice, `{"InvoiceNumber"}`."""
    if details.get("InvoiceID"):
        return books.find(tenant, KIND, str(details["InvoiceID"]))
    return _by_number(tenant, str(details["InvoiceNumber"])) if details.get("InvoiceNumber") else None


def _by_number(tenant: str, number: str) -> Entry | None:
    for row in books.rows(tenant, KIND).filter(number=number).exclude(status="DELETED").order_by("id"):
        one = books.entry(row)
        if one.record["Type"] == "ACCREC":
            return one
    return None


def save(call: Call, sent: Record) -> Entry:
    if sent.get("InvoiceID"):
        found = books.find(call.tenant, KIND, str(sent["InvoiceID"]))
        if found is None:
            raise Invalid(sent, ["The invoice with this InvoiceID was not found."])
        return _change(call, found, sent)
    number = str(sent.get("InvoiceNumber") or "").strip()
    found = _by_number(call.tenant, number) if number and sent.get("Type") == "ACCREC" else None
    return create(call, sent) if found is None else _change(call, found, sent)


def create(call: Call, sent: Record) -> Entry:
    record = invoice_rules.clean(call.tenant, lines.with_ids(sent, []), None, unit_places(call))
    contact_id = contact_of(call, sent)
    _number(call.tenant, sent, record)
    stock.settle(call, None, record)
    new = books.add(call, KIND, record, **_columns(record), contact_id=contact_id)
    contacts.mark_use(call.tenant, contact_id, record["Type"])
    history.write(call, new.id, "Created", f"{_word(record)} created {call.how}.")
    call.wrote(f"created {_word(record)}", new.id)
    return new


def _change(call: Call, found: Entry, sent: Record) -> Entry:
    sent = lines.with_ids(sent, found.record["LineItems"])
    record = invoice_rules.clean(call.tenant, sent, found.record, unit_places(call))
    contact_id = contact_of(call, sent) if sent.get("Contact") else found.row.contact_id
    _check_number(call.tenant, sent, record, own_id=found.id)
    stock.settle(call, found.record, record)
    keep = books.store_silently if _is_silent(found.record, record) else books.store
    found.record = record
    keep(found, **_columns(record), contact_id=contact_id)
    history.write(call, found.id, "Edited", f"{_word(record)} changed {call.how}.")
    call.wrote(f"updated {_word(record)} to {record['Status']}", found.id)
    return found


def _is_silent(before: Record, after: Record) -> bool:
    """Whether only fields have changed that do not count as a change of a partly paid document."""
    is_part_paid = before["Status"] == "AUTHORISED" and (before["AmountPaid"] or before["AmountCredited"])
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    return bool(is_part_paid and changed and changed <= {"DueDate", "SentToContact"})


def _word(record: Record) -> str:
    kind = "invoice" if record["Type"] == "ACCREC" else "bill"
    return f"{kind} {record['InvoiceNumber']}".strip()


def _columns(record: Record) -> dict[str, str]:
    return {"number": record["InvoiceNumber"], "status": record["Status"]}


def contact_of(call: Call, sent: Record) -> str:
    """The id of the contact; an unknown name creates one, and details sent with it change it, as at Xero."""
    details = sent["Contact"]
    if not isinstance(details, dict):
        raise Invalid(sent, ['Contact is a record, for example {"ContactID": "..."}'])
    try:
        found = contacts.save(call, details)
    except Invalid as error:
        element = {**sent, "Contact": error.element}
        raise Invalid(element, ["A Contact must be specified for this type of transaction"], error.messages) from error
    if found.record["ContactStatus"] != "ACTIVE":
        raise Invalid(sent, [f"The contact {found.record['Name']} is archived and cannot be used"])
    return found.id


def _number(tenant: str, sent: Record, record: Record) -> None:
    """Sales invoices get the next free number, from INV-0001; bills keep theirs."""
    if record.get("InvoiceNumber"):
        _check_number(tenant, sent, record, own_id="")
        return
    if record["Type"] != "ACCREC":
        record["InvoiceNumber"] = ""
        return
    while not record.get("InvoiceNumber"):
        number = f"INV-{counters.take(f'INV {tenant}'):04d}"
        if not books.rows(tenant, KIND).filter(number=number).exists():
            record["InvoiceNumber"] = number


def _check_number(tenant: str, sent: Record, record: Record, own_id: str) -> None:
    if record["Type"] != "ACCREC" or not record.get("InvoiceNumber"):
        return
    taken = _by_number(tenant, record["InvoiceNumber"])
    if taken is not None and taken.id != own_id:
        raise Invalid(sent, ["Invoice # must be unique."])


def contacts_of(tenant: str, entries: list[Entry]) -> dict[str, Entry]:
    ids = {one.row.contact_id for one in entries}
    found = books.rows(tenant, contacts.KIND).filter(document_id__in=ids) if len(ids) < 500 else None
    rows = books.rows(tenant, contacts.KIND) if found is None else found
    return {row.document_id: books.entry(row) for row in rows}


def _searchable(one: Entry, people: dict[str, Entry]) -> str:
    record = one.record
    names = (record["InvoiceNumber"], record.get("Reference", ""), people[one.row.contact_id].record["Name"])
    return "\n".join(names).lower()


def _view(one: Entry, people: dict[str, Entry]) -> Record:
    record, person = one.record, people[one.row.contact_id]
    values: Record = {name: record.get(name) for name in FIELDS}
    values |= {name: books.utc_day(record.get(name)) for name in _DAYS}
    return values | {
        "InvoiceID": one.id,
        "UpdatedDateUTC": clock.moment(one.row.updated_at),
        "SentToContact": bool(record.get("SentToContact")),
        "Contact.ContactID": person.id,
        "Contact.Name": person.record["Name"],
        "Contact.ContactNumber": person.record.get("ContactNumber"),
    }


def unit_places(call: Call) -> int:
    asked = call.request.GET.get("unitdp", "2")
    if asked not in {"2", "4"}:
        raise answers.bad_request(17, "InvalidDataException", f"unitdp is 2 or 4, not {asked!r}")
    return int(asked)


def _rendered_full(call: Call, one: Entry) -> Record:
    person = books.find(call.tenant, contacts.KIND, one.row.contact_id)
    assert person is not None
    return _render(one, person, unit_places(call), is_brief=False)


def _render(one: Entry, person: Entry, places: int, *, is_brief: bool) -> Record:
    record = one.record
    rendered: Record = {
        "Type": record["Type"],
        "InvoiceID": one.id,
        "InvoiceNumber": record["InvoiceNumber"],
        "Reference": record.get("Reference", ""),
        "Payments": [_payment(one) for one in record.get("Payments", [])],
        "CreditNotes": [_credit(one) for one in record.get("CreditNotes", [])],
        "Prepayments": [],
        "Overpayments": [],
        "AmountDue": record["AmountDue"] if record["Status"] != "VOIDED" else totals.CENT * 0,
        "AmountPaid": record["AmountPaid"],
        "AmountCredited": record["AmountCredited"],
        "SentToContact": bool(record.get("SentToContact")),
        "CurrencyRate": record["CurrencyRate"],
        "IsDiscounted": "TotalDiscount" in record,
        "HasAttachments": bool(record.get("HasAttachments")),
        "HasErrors": False,
        "Contact": brief_person(person) if is_brief else contacts.render(person),
        "DateString": f"{record['Date']}T00:00:00",
        "Date": answers.xero_date(record["Date"]),
    }
    if record.get("DueDate"):
        rendered |= {"DueDateString": f"{record['DueDate']}T00:00:00", "DueDate": answers.xero_date(record["DueDate"])}
    if record["Status"] == "PAID":
        ends = [one["Date"] for one in (*record.get("Payments", []), *record.get("CreditNotes", []))]
        rendered["FullyPaidOnDate"] = answers.xero_date(max(ends, default=record["Date"]))
    for name in ("ExpectedPaymentDate", "PlannedPaymentDate"):
        if record.get(name):
            rendered[name] = answers.xero_date(record[name])
    rendered |= {
        "Status": record["Status"],
        "LineAmountTypes": record["LineAmountTypes"],
        "SubTotal": record["SubTotal"],
        "TotalTax": record["TotalTax"],
        "Total": record["Total"],
        "UpdatedDateUTC": answers.xero_moment(one.row.updated_at),
        "CurrencyCode": record["CurrencyCode"],
    }
    rendered |= {name: record[name] for name in ("Url", "BrandingThemeID", "TotalDiscount") if record.get(name)}
    if not is_brief:
        rendered["LineItems"] = [printed_line(line, places) for line in record["LineItems"]]
    return rendered


def _payment(one: Record) -> Record:
    return {**one, "Date": answers.xero_date(one["Date"]), "HasAccount": True, "HasValidationErrors": False}


def _credit(one: Record) -> Record:
    return {**one, "Date": answers.xero_date(one["Date"]), "Total": one["Total"]}


def brief_person(person: Entry) -> dict[str, Any]:
    return {"ContactID": person.id, "Name": person.record["Name"]}


def printed_line(line: Record, places: int) -> Record:
    return {**line, "UnitAmount": totals.rounded(line["UnitAmount"], places)}
