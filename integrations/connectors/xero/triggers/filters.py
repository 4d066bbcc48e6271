"""The filters of triggers, as Xero spells them, and the inputs that several triggers share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import TextChoices

from integrations.connectors.xero.fields import choices
from integrations.connectors.xero.samples import records as samples
from integrations.connectors.xero.search.contacts import is_guid
from integrations.connectors.xero.search.documents import no_id
from integrations.schema.schema import Schema, field

REACHED = "It counts when it first meets all of these, also by a later change."


class InvoiceStates(TextChoices):
    """The statuses that a new invoice, bill or credit note may have."""

    DRAFT = "DRAFT", "Draft"
    SUBMITTED = "SUBMITTED", "Awaiting approval"
    AUTHORISED = "AUTHORISED", "Approved, awaiting payment"
    PAID = "PAID", "Paid"


class ChangedInvoiceStates(TextChoices):
    """The statuses that an invoice may have after a change."""

    DRAFT = "DRAFT", "Draft"
    SUBMITTED = "SUBMITTED", "Awaiting approval"
    AUTHORISED = "AUTHORISED", "Approved, awaiting payment"
    PAID = "PAID", "Paid"
    VOIDED = "VOIDED", "Voided"
    DELETED = "DELETED", "Deleted"


class OrderStates(TextChoices):
    """The statuses that a new purchase order may have."""

    DRAFT = "DRAFT", "Draft"
    SUBMITTED = "SUBMITTED", "Awaiting approval"
    AUTHORISED = "AUTHORISED", "Approved"
    BILLED = "BILLED", "Billed"


class QuoteStates(TextChoices):
    """The statuses that a new quote may have."""

    DRAFT = "DRAFT", "Draft"
    SENT = "SENT", "Sent"
    ACCEPTED = "ACCEPTED", "Accepted"
    DECLINED = "DECLINED", "Declined"
    INVOICED = "INVOICED", "Invoiced"


class ChangedQuoteStates(TextChoices):
    """The statuses that a quote may have changed to."""

    DRAFT = "DRAFT", "Draft again"
    SENT = "SENT", "Sent"
    ACCEPTED = "ACCEPTED", "Accepted"
    DECLINED = "DECLINED", "Declined"
    INVOICED = "INVOICED", "Invoiced"
    DELETED = "DELETED", "Deleted"


class PaymentKind(TextChoices):
    """Whether a payment is received or made, and what it is booked against."""

    ANY = "any", "All payments"
    RECEIVED = "ACCRECPAYMENT", "Received for sales invoices"
    MADE = "ACCPAYPAYMENT", "Made for bills"
    REFUNDED = "ARCREDITPAYMENT", "Refunds of credit notes to customers"
    REFUND_RECEIVED = "APCREDITPAYMENT", "Refunds of suppliers' credit notes"


class MoneyDirection(TextChoices):
    """Whether a bank transaction receives or spends money."""

    ANY = "any", "Received and spent"
    RECEIVED = "RECEIVE", "Received"
    SPENT = "SPEND", "Spent"


class OfContact(Schema):
    """Only records of one contact."""

    contact_id: str | None = field(
        "Contact", choices=choices.contacts, default=None, max_length=36, help="Left empty: of any contact."
    )

    def check(self) -> Mapping[str, str]:
        """The contact's id: it becomes part of a filter sent to Xero."""
        if self.contact_id is None or is_guid(self.contact_id):
            return {}
        return {"contact_id": no_id(self.contact_id, "contact", samples.CONTACT["ContactID"])}


class WithAmount(OfContact):
    """Only records of one contact, of at least an amount."""

    amount_at_least: Decimal | None = field(
        "Amount at least",
        default=None,
        minimum=0,
        decimal_places=2,
        help="The total with tax, in the record's own currency. Left empty: any amount.",
    )


def is_of_contact(record: Mapping[str, Any], contact_id: str | None) -> bool:
    """Whether the record is of this contact; always true if `contact_id` is empty."""
    contact = record.get("Contact")
    return contact_id is None or (
        isinstance(contact, Mapping) and str(contact.get("ContactID", "")).lower() == contact_id.lower()
    )


def is_large_enough(record: Mapping[str, Any], least: Decimal | None, name: str = "Total") -> bool:
    """Whether the field `name` is at least this amount."""
    return least is None or Decimal(str(record.get(name) or 0)) >= least


def has_status(record: Mapping[str, Any], statuses: Iterable[TextChoices]) -> bool:
    """Whether the record has one of the statuses; always true if there are none."""
    wanted = {status.value for status in statuses}
    return not wanted or record.get("Status") in wanted


def day_of(day: Any) -> str:
    """A day as Xero's filter language writes it."""
    return f"DateTime({day.year}, {day.month}, {day.day})"
