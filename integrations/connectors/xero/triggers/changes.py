"""Triggers on changes: the item's key includes what changed, so that each change is an event once.

https://developer.xero.com/documentation/api/accounting/overview
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from integrations.connectors.xero.fields import choices
from integrations.connectors.xero.samples import fitting
from integrations.connectors.xero.samples import noticed as samples
from integrations.connectors.xero.triggers.filters import (
    ChangedInvoiceStates,
    ChangedQuoteStates,
    OfContact,
    WithAmount,
    has_status,
    is_large_enough,
    is_of_contact,
)
from integrations.connectors.xero.triggers.new_records import NewContact, one_status
from integrations.connectors.xero.triggers.watched_lists import Record, RecordTrigger
from integrations.framework.base import Item, Poll
from integrations.schema.schema import field
from integrations.transport.http import ApiClient


class NewOrUpdatedContact(NewContact):
    """A contact was created or changed."""

    key = "new_or_updated_contact"
    name = "New or updated contact"
    words = ("customer", "client", "supplier", "edited")
    happening = "a contact is created or changed"
    dated_by = "when the contact was changed last"
    date_name = "UpdatedDateUTC"

    class Inputs(OfContact):
        pass

    def is_wanted(self, record: Record, inputs: Any) -> bool:
        return inputs.contact_id is None or str(record["ContactID"]).lower() == inputs.contact_id.lower()

    def items(self, records: list[Record], poll: Poll) -> Iterator[Item]:
        for record in records:
            yield self.item(record, version_of(record, self.id_name))


class InvoiceUpdated(RecordTrigger):
    """An invoice or bill was changed, in whatever way.

    Xero does not say what changed, or whether it was a creation or a change: an invoice that is read for the first time
    counts as new and is no event here, even if it was changed within minutes of its creation.
    """

    key = "invoice_updated"
    name = "Invoice updated"
    words = ("bill", "edited", "changed")
    happening = "an invoice or bill is changed"
    noun = "invoice"
    doorbell = "INVOICE"
    dated_by = "when the invoice was changed last"
    sample = samples.INVOICE
    plural, id_name = "Invoices", "InvoiceID"
    date_name = "UpdatedDateUTC"
    tells_of_gone = True
    fixed_query = {"unitdp": "4"}

    class Inputs(WithAmount):
        kind: choices.InvoiceKind = field("Which", default=choices.InvoiceKind.SALES)
        status: list[ChangedInvoiceStates] = field(
            "Status after the change", default=[], help="None ticked: whichever it is."
        )

    def query(self, inputs: Any, *, reads_all: bool) -> dict[str, str]:
        return {"ContactIDs": inputs.contact_id} if inputs.contact_id else {}

    def conditions(self, inputs: Any, api: ApiClient, *, reads_all: bool) -> list[str]:
        return [] if inputs.kind.value == "any" else [f'Type=="{inputs.kind.value}"']

    def is_wanted(self, record: Record, inputs: Any) -> bool:
        return inputs.kind.value in {"any", record.get("Type")} and is_of_contact(record, inputs.contact_id)

    def sense(self, sample: Record, inputs: Mapping[str, Any], names: Mapping[str, str]) -> Record:
        return super().sense(dict(samples.BILL) if inputs.get("kind") == "ACCPAY" else sample, inputs, names)

    def items(self, records: list[Record], poll: Poll) -> Iterator[Item]:
        known = poll.known([str(record[self.id_name]) for record in records])
        for record in records:
            identity = str(record[self.id_name])
            if identity not in known:
                yield Item(key=identity, data={}, is_event=False)
            # Records left out by status or amount are recorded too, so that they do not appear as changes later.
            is_meant = has_status(record, poll.inputs.status)
            is_meant = is_meant and is_large_enough(record, poll.inputs.amount_at_least)
            is_change = identity in known or poll.is_baseline or poll.newest is not None
            yield self.item(record, version_of(record, self.id_name), is_event=is_meant and is_change)


class InvoicePaid(RecordTrigger):
    """An invoice or bill was paid in full.

    Once per invoice: if the payment is removed and made again, it does not count a second time.
    """

    key = "invoice_paid"
    name = "Invoice paid"
    words = ("bill", "payment", "settled")
    happening = "an invoice or bill is paid in full"
    noun = "invoice"
    doorbell = "INVOICE"
    dated_by = "the day on which it was paid in full"
    sample = samples.PAID_INVOICE
    plural, id_name = "Invoices", "InvoiceID"
    date_name = "FullyPaidOnDate"
    fixed_query = {"unitdp": "4", "Statuses": "PAID"}

    class Inputs(WithAmount):
        kind: choices.InvoiceKind = field("Which", default=choices.InvoiceKind.SALES)

    def query(self, inputs: Any, *, reads_all: bool) -> dict[str, str]:
        return {"ContactIDs": inputs.contact_id} if inputs.contact_id else {}

    def conditions(self, inputs: Any, api: ApiClient, *, reads_all: bool) -> list[str]:
        return [] if inputs.kind.value == "any" else [f'Type=="{inputs.kind.value}"']

    def is_wanted(self, record: Record, inputs: Any) -> bool:
        is_paid = record.get("Status") == "PAID" and inputs.kind.value in {"any", record.get("Type")}
        is_meant = is_of_contact(record, inputs.contact_id) and is_large_enough(record, inputs.amount_at_least)
        return is_paid and is_meant

    def sense(self, sample: Record, inputs: Mapping[str, Any], names: Mapping[str, str]) -> Record:
        if inputs.get("kind") != "ACCPAY":
            return sample
        paid = fitting.in_status(samples.BILL, "PAID")
        payments = [{**each, "Amount": paid["AmountPaid"]} for each in sample["Payments"]]
        return {**paid, "FullyPaidOnDate": sample["FullyPaidOnDate"], "Payments": payments}

    def items(self, records: list[Record], poll: Poll) -> Iterator[Item]:
        for record in records:
            yield self.item(record, f"{record[self.id_name]}:PAID")


class QuoteStatusChanged(RecordTrigger):
    """A quote changed its status.

    Once per quote and status. A quote that is first read as a draft is new, so its status has not changed.
    """

    key = "quote_status_changed"
    name = "Quote changed status"
    words: ClassVar[tuple[str, ...]] = ("offer", "estimate", "sent", "declined")
    happening = "a quote changes its status"
    noun = "quote"
    dated_by = "when the quote was changed last"
    sample = samples.QUOTE
    plural, id_name = "Quotes", "QuoteID"
    date_name = "UpdatedDateUTC"
    tells_of_gone = True
    page_size: ClassVar[int | None] = None

    class Inputs(WithAmount):
        status: list[ChangedQuoteStates] = field(
            "New status", default=[], help="None ticked: whichever it is. Each counts once per quote."
        )

    def wanted(self, inputs: Any) -> list[Any]:
        """The statuses to notice; empty for any."""
        return list(inputs.status)

    def query(self, inputs: Any, *, reads_all: bool) -> dict[str, str]:
        wanted = self.wanted(inputs)
        # That a quote is a draft again can only be known from its status in between.
        asked = {} if ChangedQuoteStates.DRAFT in wanted else one_status(wanted)
        return {**asked, **({"ContactID": inputs.contact_id} if inputs.contact_id else {})}

    def is_wanted(self, record: Record, inputs: Any) -> bool:
        return is_of_contact(record, inputs.contact_id)

    def sense(self, sample: Record, inputs: Mapping[str, Any], names: Mapping[str, str]) -> Record:
        return fitting.in_status(sample, fitting.first(inputs.get("status")) or ChangedQuoteStates.SENT.value)

    def items(self, records: list[Record], poll: Poll) -> Iterator[Item]:
        drafts = [record for record in records if record["Status"] == "DRAFT"]
        others = [status.value for status in ChangedQuoteStates if status is not ChangedQuoteStates.DRAFT]
        seen = poll.known([f"{record[self.id_name]}:{status}" for record in drafts for status in others])
        were_more = {key.partition(":")[0] for key in seen}
        for record in records:
            identity = str(record[self.id_name])
            if record["Status"] == "DRAFT" and identity not in were_more:
                continue
            is_meant = has_status(record, self.wanted(poll.inputs))
            is_meant = is_meant and is_large_enough(record, poll.inputs.amount_at_least)
            yield self.item(record, f"{identity}:{record['Status']}", is_event=is_meant)


class QuoteAccepted(QuoteStatusChanged):
    """A quote was accepted by the customer, for the first time."""

    key = "quote_accepted"
    name = "Quote accepted"
    words = ("offer", "estimate", "won")
    happening = "a quote is accepted"

    class Inputs(WithAmount):
        pass

    def wanted(self, inputs: Any) -> list[Any]:
        return [ChangedQuoteStates.ACCEPTED]

    def sense(self, sample: Record, inputs: Mapping[str, Any], names: Mapping[str, str]) -> Record:
        return fitting.in_status(sample, ChangedQuoteStates.ACCEPTED.value)


def version_of(record: Record, id_name: str) -> str:
    """The key of a record after one change: another change gives another key."""
    return f"{record[id_name]}:{record.get('UpdatedDateUTC', '')}"
