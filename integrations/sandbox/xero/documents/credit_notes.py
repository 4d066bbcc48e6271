"""Credit notes and their allocation to invoices and bills."""

import uuid
from decimal import Decimal

from integrations.sandbox.data.organisations import ORGANISATIONS
from integrations.sandbox.exchange import clock
from integrations.sandbox.exchange.answers import Answer
from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.xero import answers, batch, books, history
from integrations.sandbox.xero.batch import Invalid, Record
from integrations.sandbox.xero.books import Entry
from integrations.sandbox.xero.documents import invoice_rules, invoices, lines, numbered, rules, stock

TYPES = ("ACCRECCREDIT", "ACCPAYCREDIT")
NOT_MODIFIABLE = "Credit note not of valid status for modification"
FIELDS = (
    dict.fromkeys(("Type", "Status", "CreditNoteNumber", "Reference", "CurrencyCode"), "text")
    | dict.fromkeys(("Total", "SubTotal", "TotalTax", "RemainingCredit"), "number")
    | {"Date": "date", "UpdatedDateUTC": "date", "CreditNoteID": "guid"}
    | {"Contact.ContactID": "guid", "Contact.Name": "text", "Contact.ContactNumber": "text"}
)


def list_credit_notes(call: Call) -> Answer:
    query = call.request.GET
    found = books.changed_since(call, books.rows(call.tenant, KIND.plural))
    entries = [books.entry(row) for row in found.order_by("id")]
    people = invoices.contacts_of(call.tenant, entries)
    entries = books.filtered(query, entries, FIELDS, lambda one: numbered.view(one, people, KIND, FIELDS))
    page, pagination = books.paged(query, entries)
    places, is_brief = invoices.unit_places(call), pagination is None
    rendered = [numbered.render(one, people[one.row.contact_id], KIND, places, is_brief=is_brief) for one in page]
    return answers.envelope(KIND.plural, rendered, pagination)


def _clean(call: Call, sent: Record, existing: Record | None) -> Record:
    messages: list[str] = []
    organisation = ORGANISATIONS[call.tenant]
    record = dict(existing or {})
    record["Type"] = rules.one_of(sent, "Type", TYPES, record.get("Type"), messages)
    record["Status"] = _status(sent, existing, messages)
    is_used = bool(existing and (existing["Allocations"] or existing["Payments"]))
    if is_used and (record["Status"] == "VOIDED" or "LineItems" in sent):
        raise Invalid(sent, ["This credit note cannot be edited as it is allocated or refunded."])
    if record["Status"] not in {"DELETED", "VOIDED"}:
        rules.days(sent, record, ("Date",), messages)
        record.setdefault("Date", clock.today(organisation.timezone).isoformat())
        _content(call, sent, record, messages, is_new=existing is None)
    rules.check_lock_dates(call.tenant, record["Date"], messages)
    if messages:
        raise Invalid(sent, messages)
    return record


def _content(call: Call, sent: Record, record: Record, messages: list[str], *, is_new: bool) -> None:
    organisation = ORGANISATIONS[call.tenant]
    record["LineAmountTypes"] = rules.one_of(
        sent, "LineAmountTypes", rules.LINE_AMOUNT_TYPES, record.get("LineAmountTypes", "Exclusive"), messages
    )
    rules.texts(sent, record, {"CreditNoteNumber": 255, "Reference": 255}, messages)
    if record["Type"] == "ACCPAYCREDIT":
        record.pop("Reference", None)
    rules.currency(organisation, sent, record, messages)
    rules.theme(organisation, sent, record, messages)
    if "SentToContact" in sent:
        record["SentToContact"] = sent["SentToContact"] is True and record["Status"] == "AUTHORISED"
    document = lines.Document(
        tenant=call.tenant,
        kind=record["Type"],
        line_amount_types=record["LineAmountTypes"],
        is_final=record["Status"] != "DRAFT",
        unit_places=invoices.unit_places(call),
    )
    if is_new or "LineItems" in sent:
        record["LineItems"] = lines.clean(document, sent.get("LineItems"), messages)
    elif record["Status"] != "DRAFT":
        lines.clean(document, record["LineItems"], messages)
    if is_new and not sent.get("Contact"):
        messages.insert(0, rules.NO_CONTACT)
    rules.add_totals(record)
    record.setdefault("Allocations", [])
    record.setdefault("Payments", [])
    set_remaining(record)
    if record["Total"] < 0:
        messages.append("The total of the document cannot be negative")


def _status(sent: Record, existing: Record | None, messages: list[str]) -> str:
    if existing is None:
        return rules.one_of(sent, "Status", invoice_rules.NEW_STATUSES, "DRAFT", messages)
    before = str(existing["Status"])
    moves = invoice_rules.MOVES.get(before, ())
    if before == "PAID" and existing["Total"] == 0:
        moves = ("PAID", "VOIDED")
    asked = sent.get("Status") or before
    if asked not in moves:
        raise Invalid(sent, [NOT_MODIFIABLE])
    return str(asked)


def set_remaining(record: Record) -> None:
    """Set what is left to allocate or refund; with nothing left it is PAID."""
    used = sum((one["Amount"] for one in (*record["Allocations"], *record["Payments"])), Decimal("0.00"))
    record["RemainingCredit"] = record["Total"] - used
    if record["Status"] in {"AUTHORISED", "PAID"}:
        record["Status"] = "AUTHORISED" if record["RemainingCredit"] else "PAID"


def _details(one: Entry, places: int) -> Record:
    record = one.record
    printed: Record = {
        "Type": record["Type"],
        "Reference": record.get("Reference", ""),
        "RemainingCredit": record["RemainingCredit"] if record["Status"] != "VOIDED" else Decimal("0.00"),
        "Allocations": [_allocation(allocation) for allocation in record["Allocations"]],
        "Payments": [{**paid, "Date": answers.xero_date(paid["Date"])} for paid in record["Payments"]],
        "SentToContact": bool(record.get("SentToContact")),
        "HasErrors": False,
    }
    if record["Status"] == "PAID":
        ends = [used["Date"] for used in (*record["Allocations"], *record["Payments"])]
        printed["FullyPaidOnDate"] = answers.xero_date(max(ends, default=record["Date"]))
    return printed


def _allocation(one: Record) -> Record:
    return {
        "AllocationID": one["AllocationID"],
        "Amount": one["Amount"],
        "Date": answers.xero_date(one["Date"]),
        "Invoice": {"InvoiceID": one["InvoiceID"], "InvoiceNumber": one["InvoiceNumber"]},
        "IsDeleted": False,
    }


KIND = numbered.Kind(
    plural="CreditNotes",
    id_name="CreditNoteID",
    number_name="CreditNoteNumber",
    prefix="CN",
    word="credit note",
    duplicate="Credit note number must be unique",
    clean=_clean,
    contact=invoices.contact_of,
    details=_details,
    is_numbered=lambda record: record.get("Type") == "ACCRECCREDIT",
    settle=stock.settle,
)


def allocate(call: Call, key: str) -> Answer:
    note = numbered.existing(call, key, KIND)
    return batch.write(call, "Allocations", "AllocationID", lambda sent: _allocate(call, note, sent))


def _allocate(call: Call, note: Entry, sent: Record) -> Record:
    messages: list[str] = []
    amount = rules.money(sent, "Amount", messages)
    day = rules.read_day(sent.get("Date") or clock.today(ORGANISATIONS[call.tenant].timezone).isoformat())
    if day is None:
        messages.append("Date is not a date. Use YYYY-MM-DD.")
    details = sent.get("Invoice")
    target = invoices.find(call.tenant, details) if isinstance(details, dict) else None
    if target is None:
        messages.append("The invoice to allocate to was not found")
    if messages or target is None or day is None:
        raise Invalid(sent, messages)
    rules.check_lock_dates(call.tenant, day, messages)
    _check_allocation(note, target, amount, messages)
    if messages:
        raise Invalid(sent, messages)
    one: Record = {"AllocationID": str(uuid.uuid4()), "Amount": amount, "Date": day, "InvoiceID": target.id}
    one["InvoiceNumber"] = target.record["InvoiceNumber"]
    note.record["Allocations"].append(one)
    target.record.setdefault("CreditNotes", []).append(
        {
            "CreditNoteID": note.id,
            "CreditNoteNumber": note.record["CreditNoteNumber"],
            "ID": one["AllocationID"],
            "Date": day,
            "Total": note.record["Total"],
            "AppliedAmount": amount,
            "CurrencyRate": note.record["CurrencyRate"],
        }
    )
    _settle(call, note, target, f"{amount} credited by {note.record['CreditNoteNumber'] or 'a credit note'}.")
    call.wrote(f"allocated {amount} to {one['InvoiceNumber']}", one["AllocationID"])
    return _allocation(one)


def _check_allocation(note: Entry, target: Entry, amount: Decimal, messages: list[str]) -> None:
    if note.record["Status"] != "AUTHORISED":
        messages.append("Only an AUTHORISED credit note with remaining credit can be allocated")
    if target.record["Status"] != "AUTHORISED":
        messages.append("Credit can only be allocated to an AUTHORISED invoice")
    if note.record["Type"] != f"{target.record['Type']}CREDIT":
        messages.append("The credit note and the invoice are of different kinds")
    if note.row.contact_id != target.row.contact_id:
        messages.append("The credit note and the invoice belong to different contacts")
    if note.record["CurrencyCode"] != target.record["CurrencyCode"]:
        messages.append("The credit note and the invoice are in different currencies")
    if amount > note.record["RemainingCredit"]:
        messages.append("Allocation amount exceeds the remaining credit of the credit note")
    if amount > target.record["AmountDue"]:
        messages.append("Allocation amount exceeds the amount outstanding on the invoice")


def _settle(call: Call, note: Entry, target: Entry, details: str) -> None:
    set_remaining(note.record)
    invoice_rules.set_amounts(target.record)
    for changed in (note, target):
        books.store(changed, status=changed.record["Status"])
        history.write(call, changed.id, "Credit Applied", details)


def delete_allocation(call: Call, key: str, allocation_id: str) -> Answer:
    note = numbered.existing(call, key, KIND)
    one = next((kept for kept in note.record["Allocations"] if kept["AllocationID"] == allocation_id.lower()), None)
    target = books.find(call.tenant, invoices.KIND, one["InvoiceID"]) if one else None
    if one is None or target is None:
        raise answers.not_found()
    note.record["Allocations"].remove(one)
    target.record["CreditNotes"] = [kept for kept in target.record["CreditNotes"] if kept["ID"] != one["AllocationID"]]
    _settle(call, note, target, "A credit was taken back.")
    call.wrote(f"removed the allocation to {one['InvoiceNumber']}", one["AllocationID"])
    return answers.plain(_allocation(one) | {"IsDeleted": True})
