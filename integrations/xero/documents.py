"""What creating invoices, bills, quotes, purchase orders and credit notes has in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from integrations.base import Action, Effect
from integrations.clock import seconds
from integrations.http import ApiClient, Response
from integrations.xero.answers import complete, only_record
from integrations.xero.client import PAGE_SIZE, XeroClient
from integrations.xero.organisation import time_zone
from integrations.xero.plain import plain, today_in

#: A lookup begins so many seconds before the write was sent: the provider's clock is not ours.
_CLOCK_MARGIN = 600
#: How far a lookup goes back where nobody says when the write was sent.
_LONGEST_LOOK_BACK = timedelta(days=30)
#: What a reference of the workflow's own leaves room for: the marker in brackets behind it.
MARKER_ROOM = 25


class CreateDocument(Action):
    """Create a document with lines.

    PUT, never POST: POST would overwrite a document that has the same number. Xero answers a repeated key for six
    minutes; five are used.
    """

    effect = Effect.CREATES
    scopes = ("accounting.invoices",)
    key_window = 300
    lookup_reliable = True
    #: The list in Xero's envelope, which is the address too, and two of a record's fields.
    plural: ClassVar[str]
    id_name: ClassVar[str]
    number_name: ClassVar[str]
    #: What people call one, with a capital.
    noun: ClassVar[str]
    #: The most on a page; None where Xero lets nobody choose.
    page_size: ClassVar[int | None] = PAGE_SIZE
    #: What narrows a lookup beside the time.
    lookup_query: ClassVar[Mapping[str, str]] = {}

    def written_on(self, inputs: Any) -> date | None:
        """The date that the workflow gives the document."""
        raise NotImplementedError

    def carries(self, document: Mapping[str, Any], inputs: Any, marker: str) -> bool:
        """Whether Xero's record is the one that was written with this marker."""
        raise NotImplementedError

    def prepare(self, api: ApiClient, inputs: Any) -> dict[str, str]:
        """The day it is in the organisation, where the workflow leaves the date to that."""
        if self.written_on(inputs) is not None:
            return {}
        return {"today": today_in(time_zone(api), datetime.now(UTC)).isoformat()}

    def output(self, response: Response) -> dict[str, Any]:
        return complete(only_record(response, self.plural, self.id_name), self.sample)

    def find(self, api: ApiClient, inputs: Any, marker: str, *, since: datetime | None = None) -> list[dict[str, Any]]:
        """Among what changed since then; compared here, because no filter of Xero's knows the marker."""
        assert isinstance(api, XeroClient)
        pages = api.pages(
            f"/{self.plural}",
            self.plural,
            {**self.lookup_query, "order": "UpdatedDateUTC ASC"},
            headers={"If-Modified-Since": look_from(since)},
            page_size=self.page_size,
        )
        return [
            complete(plain(document), self.sample)
            for page in pages
            for document in page
            if self.carries(document, inputs, marker)
        ]

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output[self.id_name])

    def describe(self, output: Mapping[str, Any]) -> str:
        number = output.get(self.number_name) or "without a number"
        return f"{self.noun} {number}, {money(output.get('Total'))} {output.get('CurrencyCode') or ''}".rstrip()


def look_from(since: datetime | None) -> str:
    """Where a lookup starts, as If-Modified-Since takes it."""
    begin = (since or datetime.now(UTC) - _LONGEST_LOOK_BACK) - seconds(_CLOCK_MARGIN)
    return begin.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_of(inputs_day: date | None, found: Any) -> str:
    """The document's date: the workflow's, else the day that `prepare` found."""
    return (inputs_day or date.fromisoformat(found["today"])).isoformat()


def iso(day: date | None) -> str | None:
    """A day as Xero takes it."""
    return day.isoformat() if day else None


def money(amount: Any) -> str:
    """An amount to two places, as people read it."""
    return f"{Decimal(str(amount)):,.2f}" if isinstance(amount, int | Decimal) else "an unknown amount"


# --- the marker -------------------------------------------------------------------------------------------------------


def marked(text: str | None, marker: str) -> str:
    """A reference that carries the marker: alone, or in brackets behind the workflow's own."""
    return f"{text} ({marker})" if text else marker


def is_marked(text: Any, marker: str) -> bool:
    """Whether a reference was made by `marked` with this marker."""
    return text == marker or str(text or "").endswith(f"({marker})")


def leads_to(address: Any, marker: str) -> bool:
    """Whether an address is the one of the run that wrote with this marker."""
    return str(address or "").rstrip("/").rsplit("/", 1)[-1] == marker


# --- lines ------------------------------------------------------------------------------------------------------------

_LINE_FIELDS = {
    "item_code": "ItemCode",
    "description": "Description",
    "quantity": "Quantity",
    "unit_amount": "UnitAmount",
    "account_code": "AccountCode",
    "tax_type": "TaxType",
    "discount_rate": "DiscountRate",
}


def line_payload(line: Any) -> dict[str, Any]:
    """A row as Xero takes it, without what was not given."""
    told = {theirs: getattr(line, ours, None) for ours, theirs in _LINE_FIELDS.items()}
    return {name: value for name, value in told.items() if value is not None}


def line_problems(lines: Sequence[Any], *, is_draft: bool, document: str) -> dict[str, str]:
    """What Xero would refuse in the rows, per input; `document` as in "an invoice"."""
    problems: dict[str, str] = {}
    for index, line in enumerate(lines):
        if not line.description and not line.item_code:
            problems[f"lines.{index}.description"] = "Each row needs a description or an item."
        if not is_draft and not line.item_code:
            for name, label in (("account_code", "Account"), ("unit_amount", "Unit price")):
                if getattr(line, name) is None:
                    problems[f"lines.{index}.{name}"] = (
                        f"{label} is needed in each row without an item, for {document} that does not stay a draft."
                    )
    return problems
