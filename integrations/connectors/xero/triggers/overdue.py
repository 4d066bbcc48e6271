"""The trigger on invoices that become overdue: nothing changes at Xero on that day except the date.

https://developer.xero.com/documentation/api/accounting/invoices
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from integrations.connectors.xero.client import XeroClient
from integrations.connectors.xero.plain import plain
from integrations.connectors.xero.samples import fitting
from integrations.connectors.xero.samples import noticed as samples
from integrations.connectors.xero.triggers.filters import WithAmount, day_of, is_large_enough, is_of_contact
from integrations.connectors.xero.triggers.watched_lists import Record, RecordTrigger, today
from integrations.framework.base import Item, Poll
from integrations.schema.schema import field
from integrations.transport.http import ApiClient

#: An ordinary poll asks for what became overdue within this many days; the day's thorough poll asks for all. A week's
#: outage is caught up on at once, and a thousand old debts are not fetched every five minutes.
_LOOKS_BACK = timedelta(days=7)


class OverdueInvoice(RecordTrigger):
    """A sales invoice is overdue by so many days and not fully paid.

    An invoice becomes overdue without being edited, so If-Modified-Since is of no use: each poll asks by due date, and
    the day is the organisation's. An invoice counts once per number of days; one paid before then does not.
    """

    key = "overdue_invoice"
    name = "Overdue invoice"
    words = ("late", "unpaid", "reminder", "dunning", "due")
    happening = "a sales invoice is overdue"
    noun = "invoice"
    dated_by = "the day on which it became that overdue"
    sample = samples.OVERDUE_INVOICE
    plural, id_name = "Invoices", "InvoiceID"
    date_name, amount_name = "overdue_on", "AmountDue"
    fixed_query = {"unitdp": "4", "Statuses": "AUTHORISED"}

    class Inputs(WithAmount):
        days: int = field(
            "Days overdue", default=1, minimum=1, maximum=3650, help="1: from the day after the due date on."
        )

    def query(self, inputs: Any, *, reads_all: bool) -> dict[str, str]:
        return {"ContactIDs": inputs.contact_id} if inputs.contact_id else {}

    def conditions(self, inputs: Any, api: ApiClient, *, reads_all: bool) -> list[str]:
        latest = today(api) - timedelta(days=inputs.days)
        found = ['Type=="ACCREC"', f"DueDate<={day_of(latest)}"]
        return found if reads_all else [*found, f"DueDate>={day_of(latest - _LOOKS_BACK)}"]

    def is_wanted(self, record: Record, inputs: Any) -> bool:
        is_open = record.get("Type") == "ACCREC" and record.get("Status") == "AUTHORISED" and record.get("DueDate")
        is_meant = is_of_contact(record, inputs.contact_id)
        is_meant = is_meant and is_large_enough(record, inputs.amount_at_least, "AmountDue")
        return bool(is_open and record.get("AmountDue") and is_meant)

    def sense(self, sample: Record, inputs: Mapping[str, Any], names: Mapping[str, str]) -> Record:
        return fitting.overdue_by(sample, inputs.get("days"))

    def items(self, records: list[Record], poll: Poll) -> Iterator[Item]:
        now = today(poll.api)
        for record in records:
            due = date.fromisoformat(str(record["DueDate"]))
            told = {
                **record,
                "days_overdue": (now - due).days,
                "overdue_on": (due + timedelta(days=poll.inputs.days)).isoformat(),
            }
            yield self.item(told, f"{record[self.id_name]}:{poll.inputs.days}")

    def poll(self, poll: Poll) -> Iterator[Item]:
        assert isinstance(poll.api, XeroClient)
        if poll.newest is not None:
            yield from self.newest(replace(poll, is_thorough=True), "DueDate")
            return
        reads_all = poll.is_baseline or poll.is_thorough or poll.cursor is None
        query = {**self.whole_query(poll, reads_all=reads_all), "order": f"{self.id_name} ASC"}
        for page in poll.api.pages(f"/{self.plural}", self.plural, query):
            yield from self.items(self.chosen([plain(record) for record in page], poll), poll)
        if poll.cursor is None:
            # It only says that everything was read once; the query follows from the date.
            yield Item.mark(cursor="by due date")
