"""The rules for sales invoices and bills, and how their totals are computed."""

from decimal import Decimal

from integrations.sandbox.data.organisations import ORGANISATIONS, Organisation
from integrations.sandbox.exchange import clock
from integrations.sandbox.xero.batch import Invalid, Record
from integrations.sandbox.xero.documents import lines, rules

TYPES = ("ACCREC", "ACCPAY")
NEW_STATUSES = ("DRAFT", "SUBMITTED", "AUTHORISED")
# What a caller may change a status to; only payments make it PAID.
MOVES = {
    "DRAFT": ("DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"),
    "SUBMITTED": ("SUBMITTED", "DRAFT", "AUTHORISED", "DELETED"),
    "AUTHORISED": ("AUTHORISED", "VOIDED"),
}
NOT_MODIFIABLE = "Invoice not of valid status for modification"
HAS_PAYMENTS = "This document cannot be edited as it has a payment or credit note allocated to it."
# Fields that may not change once something is paid or credited.
_FIXED_WHEN_PAID = {"LineItems", "Date", "CurrencyCode", "CurrencyRate", "LineAmountTypes"}


def clean(tenant: str, sent: Record, existing: Record | None, unit_places: int) -> Record:
    """The record as it will be stored, without number and contact. Raises Invalid with all problems."""
    messages: list[str] = []
    organisation = ORGANISATIONS[tenant]
    record = dict(existing or {})
    record["Type"] = rules.one_of(sent, "Type", TYPES, record.get("Type"), messages)
    record["Status"] = _status(sent, existing, messages)
    _check_payments(sent, existing, record)
    if record["Status"] in {"DELETED", "VOIDED"}:
        rules.check_lock_dates(tenant, record["Date"], messages)
        if messages:
            raise Invalid(sent, messages)
        return record
    record["LineAmountTypes"] = rules.one_of(
        sent, "LineAmountTypes", rules.LINE_AMOUNT_TYPES, record.get("LineAmountTypes", "Exclusive"), messages
    )
    _dates(tenant, organisation, sent, record, messages)
    _texts(organisation, sent, record, messages)
    if existing is None or "LineItems" in sent:
        record["LineItems"] = lines.clean(_document(tenant, record, unit_places), sent.get("LineItems"), messages)
    elif record["Status"] != "DRAFT":
        lines.clean(_document(tenant, record, 4), record["LineItems"], messages)
    if not sent.get("Contact") and not existing:
        messages.insert(0, rules.NO_CONTACT)
    rules.add_totals(record)
    set_amounts(record)
    if record["Total"] < 0:
        messages.append("The total of the document cannot be negative")
    if messages:
        raise Invalid(sent, messages)
    return record


def _document(tenant: str, record: Record, unit_places: int) -> lines.Document:
    return lines.Document(
        tenant=tenant,
        kind=record["Type"],
        line_amount_types=record["LineAmountTypes"],
        is_final=record["Status"] != "DRAFT",
        unit_places=unit_places,
    )


def _status(sent: Record, existing: Record | None, messages: list[str]) -> str:
    asked = sent.get("Status")
    if existing is None:
        return rules.one_of(sent, "Status", NEW_STATUSES, "DRAFT", messages)
    before = str(existing["Status"])
    moves = MOVES.get(before, ())
    if before == "PAID" and existing["Total"] == 0:
        moves = ("PAID", "VOIDED")  # nothing was paid: a stock adjustment, for example
    if (asked or before) not in moves:
        raise Invalid(sent, [NOT_MODIFIABLE])
    return str(asked or before)


def _check_payments(sent: Record, existing: Record | None, record: Record) -> None:
    if not existing or not (existing["AmountPaid"] or existing["AmountCredited"]):
        return
    if record["Status"] == "VOIDED" or set(sent) & _FIXED_WHEN_PAID:
        raise Invalid(sent, [HAS_PAYMENTS])


def _dates(tenant: str, organisation: Organisation, sent: Record, record: Record, messages: list[str]) -> None:
    rules.days(sent, record, ("Date", "DueDate", "ExpectedPaymentDate", "PlannedPaymentDate"), messages)
    record.setdefault("Date", clock.today(organisation.timezone).isoformat())
    rules.check_lock_dates(tenant, record["Date"], messages)
    if record["Status"] != "DRAFT" and not record.get("DueDate"):
        messages.append("Due date must be specified")


def _texts(organisation: Organisation, sent: Record, record: Record, messages: list[str]) -> None:
    rules.texts(sent, record, {"InvoiceNumber": 255, "Reference": 255, "Url": 2000}, messages)
    if record["Type"] == "ACCPAY":
        record.pop("Reference", None)  # bills have none
    rules.url(record, messages)
    rules.currency(organisation, sent, record, messages)
    rules.theme(organisation, sent, record, messages)
    if "SentToContact" in sent:
        record["SentToContact"] = sent["SentToContact"] is True and record["Status"] == "AUTHORISED"


def set_amounts(record: Record) -> None:
    """Set what is due, from the total and what was paid and credited; with nothing left to pay it is PAID."""
    paid = sum((one["Amount"] for one in record.get("Payments", [])), Decimal("0.00"))
    credited = sum((one["AppliedAmount"] for one in record.get("CreditNotes", [])), Decimal("0.00"))
    record |= {"AmountPaid": paid, "AmountCredited": credited, "AmountDue": record["Total"] - paid - credited}
    if record["Status"] in {"AUTHORISED", "PAID"}:
        record["Status"] = "AUTHORISED" if record["AmountDue"] else "PAID"
