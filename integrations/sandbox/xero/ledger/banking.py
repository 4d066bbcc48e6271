"""Money moved between accounts: payments of invoices, refunds of credit notes, and transfers between banks."""

import uuid
from decimal import Decimal
from typing import Any

from integrations.sandbox.data.organisations import ORGANISATIONS
from integrations.sandbox.exchange import clock
from integrations.sandbox.exchange.answers import Answer
from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.xero import answers, batch, books, history, tracking
from integrations.sandbox.xero.batch import Invalid, Record
from integrations.sandbox.xero.books import Entry
from integrations.sandbox.xero.documents import credit_notes, invoice_rules, invoices, rules, totals

PAYMENTS, TRANSFERS = "Payments", "BankTransfers"
_PAYMENT_FIELDS = dict.fromkeys(("Status", "PaymentType", "Reference", "Invoice.InvoiceNumber"), "text") | {
    "PaymentID": "guid",
    "Invoice.InvoiceID": "guid",
    "Date": "date",
    "UpdatedDateUTC": "date",
    "Amount": "number",
}
_TRANSFER_FIELDS = {"Status": "text", "Reference": "text", "BankTransferID": "guid", "Amount": "number"}
_TRANSFER_FIELDS |= {"Date": "date", "CreatedDateUTC": "date"}
_TYPES = {
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
}


def account(tenant: str, sent: Any) -> Record | None:
    """The account with the given `{"AccountID"}` or `{"Code"}`."""
    if not isinstance(sent, dict):
        return None
    wanted, code = str(sent.get("AccountID") or "").lower(), str(sent.get("Code") or "")
    for one in ORGANISATIONS[tenant].accounts():
        if one["AccountID"] == wanted or (not wanted and one["Code"] == code):
            return one
    return None


def day_of(call: Call, sent: Record, messages: list[str]) -> str:
    day = rules.read_day(sent.get("Date") or clock.today(ORGANISATIONS[call.tenant].timezone).isoformat())
    if day is None:
        messages.append(f"Date is not a date: {str(sent.get('Date'))[:40]!r}. Use YYYY-MM-DD.")
        return ""
    rules.check_lock_dates(call.tenant, day, messages)
    return day


def list_payments(call: Call) -> Answer:
    found = books.changed_since(call, books.rows(call.tenant, PAYMENTS))
    entries = [books.entry(row) for row in found.order_by("id")]
    entries = books.filtered(call.request.GET, entries, _PAYMENT_FIELDS, _payment_view)
    page, pagination = books.paged(call.request.GET, entries)
    return answers.envelope(PAYMENTS, [_payment(one) for one in page], pagination)


def get_payment(call: Call, key: str) -> Answer:
    return answers.envelope(PAYMENTS, [_payment(books.existing(call, PAYMENTS, key))])


def create_payments(call: Call) -> Answer:
    return batch.write(call, PAYMENTS, "PaymentID", lambda sent: _payment(pay(call, sent)))


def change_payment(call: Call, key: str) -> Answer:
    """POST: a payment can only be deleted."""
    found = books.existing(call, PAYMENTS, key)
    return batch.write(call, PAYMENTS, "PaymentID", lambda sent: _payment(_delete_payment(call, found, sent)), found.id)


def pay(call: Call, sent: Record) -> Entry:
    messages: list[str] = []
    amount = rules.money(sent, "Amount", messages)
    day = day_of(call, sent, messages)
    target = _target(call.tenant, sent)
    bank = account(call.tenant, sent.get("Account") or {"Code": sent.get("Code")})
    if bank is None or not (bank["Type"] == "BANK" or bank["EnablePaymentsToAccount"]):
        messages.append("Account must be a bank account or one that payments can be made to")
    if target is None:
        messages.append("The invoice or credit note to pay was not found")
    if messages or target is None or bank is None:
        raise Invalid(sent, messages)
    _check_payment(call.tenant, target, bank, amount, messages)
    kept: Record = {}
    rules.texts(sent, kept, {"Reference": 255}, messages)
    if messages:
        raise Invalid(sent, messages)
    return _paid(call, target, bank, {**kept, "Amount": amount, "Date": day, "Asked": sent.get("CurrencyRate")}, sent)


def _target(tenant: str, sent: Record) -> Entry | None:
    invoice = sent.get("Invoice") or {"InvoiceNumber": sent.get("InvoiceNumber")}
    note = sent.get("CreditNote") or {"CreditNoteNumber": sent.get("CreditNoteNumber")}
    found = invoices.find(tenant, invoice) if isinstance(invoice, dict) else None
    if found is not None or not isinstance(note, dict):
        return found
    if note.get("CreditNoteID"):
        return books.find(tenant, credit_notes.KIND.plural, str(note["CreditNoteID"]))
    row = books.rows(tenant, credit_notes.KIND.plural).filter(number=str(note.get("CreditNoteNumber") or "-")).first()
    return books.entry(row) if row else None


def _check_payment(tenant: str, target: Entry, bank: Record, amount: Decimal, messages: list[str]) -> None:
    record = target.record
    left = record["AmountDue"] if "AmountDue" in record else record["RemainingCredit"]
    if record["Status"] != "AUTHORISED":
        messages.append("Payment can only be made against AUTHORISED documents")
    elif amount > left:
        messages.append("Payment amount exceeds the amount outstanding on this document")
    if bank.get("CurrencyCode", record["CurrencyCode"]) not in {ORGANISATIONS[tenant].currency, record["CurrencyCode"]}:
        messages.append("The bank account is in another currency than the document")


def _paid(call: Call, target: Entry, bank: Record, details: Record, sent: Record) -> Entry:
    organisation, record = ORGANISATIONS[call.tenant], target.record
    rate = rules.rate(organisation, record["CurrencyCode"], details.pop("Asked") or record["CurrencyRate"])
    amount = details["Amount"]
    is_own = bank.get("CurrencyCode", organisation.currency) == organisation.currency
    payment = {
        **details,
        "CurrencyRate": rate,
        "BankAmount": totals.rounded(amount / rate) if is_own else amount,
        "AccountID": bank["AccountID"],
        "Code": bank["Code"],
        "PaymentType": _TYPES[record["Type"]],
        "Status": "AUTHORISED",
        "IsReconciled": sent.get("IsReconciled") is True,
        "TargetID": target.id,
        "TargetKind": target.row.kind,
        "Number": record.get("InvoiceNumber", record.get("CreditNoteNumber", "")),
        "CurrencyCode": record["CurrencyCode"],
    }
    new = books.add(call, PAYMENTS, payment, status="AUTHORISED", contact_id=target.row.contact_id)
    line = {"PaymentID": new.id, "Date": details["Date"], "Amount": amount, "CurrencyRate": rate}
    record.setdefault("Payments", []).append(line | {"Reference": details.get("Reference", "")})
    _settled(call, target, f"Payment of {amount} received or made {call.how}.")
    history.write(call, new.id, "Created", f"Payment of {amount} created {call.how}.")
    call.wrote(f"paid {amount} on {payment['Number']}", new.id)
    return new


def _settled(call: Call, target: Entry, details: str) -> None:
    if target.row.kind == invoices.KIND:
        invoice_rules.set_amounts(target.record)
    else:
        credit_notes.set_remaining(target.record)
    books.store(target, status=target.record["Status"])
    history.write(call, target.id, "Payment", details)


def _delete_payment(call: Call, found: Entry, sent: Record) -> Entry:
    if sent.get("Status") != "DELETED":
        raise Invalid(sent, ["A payment can only be deleted: send the Status DELETED"])
    messages: list[str] = []
    rules.check_lock_dates(call.tenant, found.record["Date"], messages)
    if found.record["Status"] == "DELETED":
        messages.append("The payment is deleted already")
    if messages:
        raise Invalid(sent, messages)
    target = books.existing(call, found.record["TargetKind"], found.record["TargetID"])
    target.record["Payments"] = [one for one in target.record["Payments"] if one["PaymentID"] != found.id]
    found.record["Status"] = "DELETED"
    books.store(found, status="DELETED")
    _settled(call, target, f"Payment of {found.record['Amount']} deleted.")
    call.wrote(f"deleted the payment of {found.record['Amount']}", found.id)
    return found


def _payment_view(one: Entry) -> Record:
    record = one.record
    return {
        **{name: record.get(name) for name in _PAYMENT_FIELDS},
        "PaymentID": one.id,
        "Invoice.InvoiceID": record["TargetID"],
        "Invoice.InvoiceNumber": record["Number"],
        "Date": books.utc_day(record["Date"]),
        "UpdatedDateUTC": clock.moment(one.row.updated_at),
    }


def _payment(one: Entry) -> Record:
    record = one.record
    is_invoice = record["TargetKind"] == invoices.KIND
    person = books.find(one.tenant, "Contacts", one.row.contact_id)
    target: Record = {"Contact": invoices.brief_person(person)} if person else {}
    target["CurrencyCode"] = record["CurrencyCode"]
    own = ("InvoiceID", "InvoiceNumber") if is_invoice else ("CreditNoteID", "CreditNoteNumber")
    target |= dict(zip(own, (record["TargetID"], record["Number"]), strict=True))
    target["Type"] = next(kind for kind, name in _TYPES.items() if name == record["PaymentType"])
    names = ("Amount", "BankAmount", "CurrencyRate", "PaymentType", "Status", "IsReconciled")
    return {
        "PaymentID": one.id,
        "Date": answers.xero_date(record["Date"]),
        **{name: record[name] for name in names},
        "Reference": record.get("Reference", ""),
        "UpdatedDateUTC": answers.xero_moment(one.row.updated_at),
        "HasAccount": True,
        "Account": {"AccountID": record["AccountID"], "Code": record["Code"]},
        "Invoice" if is_invoice else "CreditNote": target,
        "HasValidationErrors": False,
    }


def list_transfers(call: Call) -> Answer:
    found = books.changed_since(call, books.rows(call.tenant, TRANSFERS))
    if not books.is_true(call.request.GET, "includeDeleted"):
        found = found.exclude(status="DELETED")
    entries = [books.entry(row) for row in found.order_by("id")]
    entries = books.filtered(call.request.GET, entries, _TRANSFER_FIELDS, _transfer_view)
    return answers.envelope(TRANSFERS, [_transfer(one) for one in entries])


def get_transfer(call: Call, key: str) -> Answer:
    return answers.envelope(TRANSFERS, [_transfer(books.existing(call, TRANSFERS, key))])


def create_transfers(call: Call) -> Answer:
    return batch.write(call, TRANSFERS, "BankTransferID", lambda sent: _transfer(move(call, sent)))


def delete_transfers(call: Call, key: str | None = None) -> Answer:
    """POST deletes; a transfer cannot be changed."""
    only = books.existing(call, TRANSFERS, key).id if key else None
    return batch.write(call, TRANSFERS, "BankTransferID", lambda sent: _transfer(_delete_transfer(call, sent)), only)


def move(call: Call, sent: Record) -> Entry:
    messages: list[str] = []
    amount = rules.money(sent, "Amount", messages)
    day = day_of(call, sent, messages)
    ends: list[Record] = []
    for name in ("FromBankAccount", "ToBankAccount"):
        bank = account(call.tenant, sent.get(name))
        if bank is None or bank["Type"] != "BANK":
            messages.append(f"{name} must be a bank account")
        else:
            ends.append(bank)
    if len(ends) == 2 and ends[0] == ends[1]:
        messages.append("The bank accounts must be different")
    elif len(ends) == 2 and ends[0]["CurrencyCode"] != ends[1]["CurrencyCode"]:
        messages.append("Transfers between bank accounts in different currencies are not supported")
    record: Record = {"Amount": amount, "Date": day, "Status": "AUTHORISED"}
    for end in ("From", "To"):
        name = f"{end}Tracking"
        record[name] = tracking.chosen(call.tenant, sent.get(name), name, messages, is_by_id=True)
        record[f"{end}IsReconciled"] = sent.get(f"{end}IsReconciled") is True
    rules.texts(sent, record, {"Reference": 255}, messages)
    if messages:
        raise Invalid(sent, messages)
    for name, bank in zip(("From", "To"), ends, strict=True):
        record[f"{name}BankAccount"] = {part: bank[part] for part in ("AccountID", "Code", "Name")}
        record[f"{name}BankTransactionID"] = str(uuid.uuid4())
    record["CurrencyRate"] = rules.rate(ORGANISATIONS[call.tenant], ends[0]["CurrencyCode"], None)
    record["CreatedAt"] = clock.now()
    new = books.add(call, TRANSFERS, record, status="AUTHORISED")
    history.write(call, new.id, "Created", f"Bank transfer of {amount} created {call.how}.")
    call.wrote(f"transferred {amount}", new.id)
    return new


def _delete_transfer(call: Call, sent: Record) -> Entry:
    found = books.find(call.tenant, TRANSFERS, str(sent.get("BankTransferID") or ""))
    if found is None:
        raise Invalid(sent, ["The bank transfer with this BankTransferID was not found."])
    messages: list[str] = []
    if sent.get("Status") != "DELETED":
        messages.append("A bank transfer can only be deleted: send the Status DELETED")
    if found.record["Status"] == "DELETED":
        messages.append("The bank transfer is deleted already")
    if found.record["FromIsReconciled"] or found.record["ToIsReconciled"]:
        messages.append("A reconciled bank transfer cannot be deleted")
    rules.check_lock_dates(call.tenant, found.record["Date"], messages)
    if messages:
        raise Invalid(sent, messages)
    found.record["Status"] = "DELETED"
    books.store(found, status="DELETED")
    call.wrote(f"deleted the transfer of {found.record['Amount']}", found.id)
    return found


def _transfer_view(one: Entry) -> Record:
    return {name: one.record.get(name) for name in _TRANSFER_FIELDS} | {
        "BankTransferID": one.id,
        "Date": books.utc_day(one.record["Date"]),
        "CreatedDateUTC": clock.moment(one.record["CreatedAt"]),
    }


def _transfer(one: Entry) -> Record:
    kept = {name: value for name, value in one.record.items() if name not in {"Date", "CreatedAt"}}
    return {
        "BankTransferID": one.id,
        "CreatedDateUTC": answers.xero_moment(one.record["CreatedAt"]),
        "DateString": f"{one.record['Date']}T00:00:00",
        "Date": answers.xero_date(one.record["Date"]),
        "Reference": "",
        **kept,
        "HasAttachments": bool(one.record.get("HasAttachments")),
    }
