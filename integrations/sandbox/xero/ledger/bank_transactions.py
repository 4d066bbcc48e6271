"""Money received and spent: RECEIVE and SPEND, with lines, against a bank account."""

from integrations.sandbox.data.organisations import ORGANISATIONS
from integrations.sandbox.exchange import clock
from integrations.sandbox.exchange.answers import Answer
from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.xero import answers, batch, books, contacts, history
from integrations.sandbox.xero.batch import Invalid, Record
from integrations.sandbox.xero.books import Entry
from integrations.sandbox.xero.documents import invoices, lines, rules, stock
from integrations.sandbox.xero.ledger import banking

KIND = "BankTransactions"
TYPES = ("RECEIVE", "SPEND")
FIELDS = dict.fromkeys(("Type", "Status", "Reference", "CurrencyCode"), "text") | {
    "BankTransactionID": "guid",
    "Contact.ContactID": "guid",
    "Contact.Name": "text",
    "BankAccount.AccountID": "guid",
    "Date": "date",
    "UpdatedDateUTC": "date",
    "Total": "number",
    "IsReconciled": "flag",
}


def list_bank_transactions(call: Call) -> Answer:
    found = books.changed_since(call, books.rows(call.tenant, KIND))
    entries = [books.entry(row) for row in found.order_by("id")]
    people = invoices.contacts_of(call.tenant, entries)
    entries = books.filtered(call.request.GET, entries, FIELDS, lambda one: _view(one, people))
    page, pagination = books.paged(call.request.GET, entries)
    places = invoices.unit_places(call)
    return answers.envelope(KIND, [_render(one, people[one.row.contact_id], places) for one in page], pagination)


def get_bank_transaction(call: Call, key: str) -> Answer:
    return answers.envelope(KIND, [_printed(call, books.existing(call, KIND, key))])


def create_bank_transactions(call: Call) -> Answer:
    return batch.write(call, KIND, "BankTransactionID", lambda sent: _printed(call, create(call, sent)))


def save_bank_transactions(call: Call, key: str | None = None) -> Answer:
    only = books.existing(call, KIND, key).id if key else None
    return batch.write(call, KIND, "BankTransactionID", lambda sent: _printed(call, _save(call, sent)), only)


def create(call: Call, sent: Record) -> Entry:
    record = _clean(call, lines.with_ids(sent, []), {"Status": "AUTHORISED"})
    contact_id = invoices.contact_of(call, sent)
    stock.settle(call, None, record)
    new = books.add(call, KIND, record, status="AUTHORISED", contact_id=contact_id)
    history.write(call, new.id, "Created", f"Bank transaction created {call.how}.")
    call.wrote(f"created bank transaction of {record['Total']}", new.id)
    return new


def _save(call: Call, sent: Record) -> Entry:
    if not sent.get("BankTransactionID"):
        return create(call, sent)
    found = books.find(call.tenant, KIND, str(sent["BankTransactionID"]))
    if found is None:
        raise Invalid(sent, ["The bank transaction with this BankTransactionID was not found."])
    if found.record["Status"] == "DELETED" or found.record["IsReconciled"]:
        raise Invalid(sent, ["A bank transaction that is deleted or reconciled cannot be changed"])
    if sent.get("Status") == "DELETED":
        messages: list[str] = []
        rules.check_lock_dates(call.tenant, found.record["Date"], messages)
        if messages:
            raise Invalid(sent, messages)
        record = {**found.record, "Status": "DELETED"}
    else:
        record = _clean(call, lines.with_ids(sent, found.record["LineItems"]), found.record)
    contact_id = invoices.contact_of(call, sent) if sent.get("Contact") else found.row.contact_id
    stock.settle(call, found.record, record)
    found.record = record
    books.store(found, status=record["Status"], contact_id=contact_id)
    call.wrote(f"updated bank transaction to {record['Status']}", found.id)
    return found


def _clean(call: Call, sent: Record, existing: Record) -> Record:
    messages: list[str] = []
    record = dict(existing)
    record["Type"] = rules.one_of(sent, "Type", TYPES, record.get("Type"), messages)
    rules.one_of(sent, "Status", ("AUTHORISED",), "AUTHORISED", messages)
    if "Date" in sent or "Date" not in record:
        record["Date"] = banking.day_of(call, sent, messages)
    record["LineAmountTypes"] = rules.one_of(
        sent, "LineAmountTypes", rules.LINE_AMOUNT_TYPES, record.get("LineAmountTypes", "Exclusive"), messages
    )
    rules.texts(sent, record, {"Reference": 255, "Url": 2000}, messages)
    rules.url(record, messages)
    bank = banking.account(call.tenant, sent.get("BankAccount") or record.get("BankAccount"))
    if bank is None or bank["Type"] != "BANK":
        messages.append("BankAccount must be a bank account")
    else:
        record["BankAccount"] = {part: bank[part] for part in ("AccountID", "Code", "Name")}
        # The account decides the currency.
        asked = {"CurrencyCode": bank["CurrencyCode"], "CurrencyRate": sent.get("CurrencyRate")}
        rules.currency(ORGANISATIONS[call.tenant], asked, record, messages)
    record["IsReconciled"] = sent.get("IsReconciled", record.get("IsReconciled")) is True
    if "LineItems" in sent or "LineItems" not in record:
        document = lines.Document(
            tenant=call.tenant,
            kind=record["Type"],
            line_amount_types=record["LineAmountTypes"],
            is_final=True,
            unit_places=invoices.unit_places(call),
        )
        record["LineItems"] = lines.clean(document, sent.get("LineItems"), messages)
    if not sent.get("Contact") and not existing.get("Type"):
        messages.insert(0, rules.NO_CONTACT)
    rules.add_totals(record)
    if record["Total"] <= 0 and not messages:
        messages.append("The total of a bank transaction must be greater than zero")
    if messages:
        raise Invalid(sent, messages)
    return record


def _view(one: Entry, people: dict[str, Entry]) -> Record:
    record, person = one.record, people[one.row.contact_id]
    return {name: record.get(name) for name in FIELDS} | {
        "BankTransactionID": one.id,
        "Contact.ContactID": person.id,
        "Contact.Name": person.record["Name"],
        "BankAccount.AccountID": record["BankAccount"]["AccountID"],
        "Date": books.utc_day(record["Date"]),
        "UpdatedDateUTC": clock.moment(one.row.updated_at),
    }


def _printed(call: Call, one: Entry) -> Record:
    person = books.find(call.tenant, contacts.KIND, one.row.contact_id)
    assert person is not None
    return _render(one, person, invoices.unit_places(call))


def _render(one: Entry, person: Entry, places: int) -> Record:
    record = one.record
    names = ("Type", "Status", "LineAmountTypes", "SubTotal", "TotalTax", "Total", "CurrencyCode", "CurrencyRate")
    return {
        "BankTransactionID": one.id,
        "BankAccount": record["BankAccount"],
        "Contact": contacts.render(person),
        "DateString": f"{record['Date']}T00:00:00",
        "Date": answers.xero_date(record["Date"]),
        "Reference": record.get("Reference", ""),
        **{name: record[name] for name in names},
        **({"Url": record["Url"]} if record.get("Url") else {}),
        "IsReconciled": record["IsReconciled"],
        "HasAttachments": bool(record.get("HasAttachments")),
        "UpdatedDateUTC": answers.xero_moment(one.row.updated_at),
        "LineItems": [invoices.printed_line(line, places) for line in record["LineItems"]],
    }
