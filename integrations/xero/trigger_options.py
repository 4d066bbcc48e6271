"""What triggers may be narrowed to, as Xero spells it, and the inputs that several of them share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import TextChoices

from integrations.schema import Schema, field
from integrations.xero import choices, samples
from integrations.xero.contact_search import is_guid
from integrations.xero.document_search import no_id

REACHED = "It counts when it first meets all of these, also by a later change."


class InvoiceStates(TextChoices):
    """Where a new invoice, bill or credit note may stand."""

    DRAFT = "DRAFT", "Draft"
    SUBMITTED = "SUBMITTED", "Awaiting approval"
    AUTHORISED = "AUTHORISED", "Approved, awaiting payment"
    PAID = "PAID", "Paid"


class ChangedInvoiceStates(TextChoices):
    """Where an invoice may stand after a change."""

    DRAFT = "DRAFT", "Draft"
    SUBMITTED = "SUBMITTED", "Awaiting approval"
    AUTHORISED = "AUTHORISED", "Approved, awaiting payment"
    PAID = "PAID", "Paid"
    VOIDED = "VOIDED", "Voided"
    DELETED = "DELETED", "Deleted"


class OrderStates(TextChoices):
    """Where a new purchase order may stand."""

    DRAFT = "DRAFT", "Draft"
    SUBMITTED = "SUBMITTED", "Awaiting approval"
    AUTHORISED = "AUTHORISED", "Approved"
    BILLED = "BILLED", "Billed"


class QuoteStates(TextChoices):
    """Where a new quote may stand."""

    DRAFT = "DRAFT", "Draft"
    SENT = "SENT", "Sent"
    ACCEPTED = "ACCEPTED", "Accepted"
    DECLINED = "DECLINED", "Declined"
    INVOICED = "INVOICED", "Invoiced"


class ChangedQuoteStates(TextChoices):
    """What a quote may have become."""

    DRAFT = "DRAFT", "Draft again"
    SENT = "SENT", "Sent"
    ACCEPTED = "ACCEPTED", "Accepted"
    DECLINED = "DECLINED", "Declined"
    INVOICED = "INVOICED", "Invoiced"
    DELETED = "DELETED", "Deleted"


class PaymentKind(TextChoices):
    """Which way a payment goes, and against what it is booked."""

    ANY = "any", "All payments"
    RECEIVED = "ACCRECPAYMENT", "Received for sales invoices"
    MADE = "ACCPAYPAYMENT", "Made for bills"
    REFUNDED = "ARCREDITPAYMENT", "Refunds of credit notes to customers"
    REFUND_RECEIVED = "APCREDITPAYMENT", "Refunds of suppliers' credit notes"


class MoneyDirection(TextChoices):
    """Which way the money of a bank transaction goes."""

    ANY = "any", "Received and spent"
    RECEIVED = "RECEIVE", "Received"
    SPENT = "SPEND", "Spent"


class OfContact(Schema):
    """Only records of one contact."""

    contact_id: str | None = field(
        "Contact", choices=choices.contacts, default=None, max_length=36, help="Left empty: of any contact."
    )

    def check(self) -> Mapping[str, str]:
        """The contact's id: it becomes part of Xero's filter language."""
        if self.contact_id is None or is_guid(self.contact_id):
            return {}
        return {"contact_id": no_id(self.contact_id, "contact", samples.CONTACT["ContactID"])}


class WithAmount(OfContact):
    """Only records of one contact, from an amount on."""

    amount_at_least: Decimal | None = field(
        "Amount at least",
        default=None,
        minimum=0,
        decimal_places=2,
        help="The total with tax, in the record's own currency. Left empty: any amount.",
    )


def is_of_contact(record: Mapping[str, Any], contact_id: str | None) -> bool:
    """Whether the record's contact is the one meant; any is where none is."""
    contact = record.get("Contact")
    return contact_id is None or (
        isinstance(contact, Mapping) and str(contact.get("ContactID", "")).lower() == contact_id.lower()
    )


def is_large_enough(record: Mapping[str, Any], least: Decimal | None, name: str = "Total") -> bool:
    """Whether the amount under that name reaches what is asked for."""
    return least is None or Decimal(str(record.get(name) or 0)) >= least


def has_status(record: Mapping[str, Any], statuses: Iterable[TextChoices]) -> bool:
    """Whether the record is in one of the statuses; without any, whichever it is in."""
    wanted = {status.value for status in statuses}
    return not wanted or record.get("Status") in wanted


def day_of(day: Any) -> str:
    """A day as Xero's filter language writes it."""
    return f"DateTime({day.year}, {day.month}, {day.day})"
