"""What creating invoices, bills, quotes, purchase orders and credit notes has in common."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from integrations.base import Action, Effect
from integrations.clock import seconds
from integrations.documents import Answered, Document
from integrations.http import ApiClient, Request, Response
from integrations.xero import papers
from integrations.xero.answers import complete, only_record
from integrations.xero.client import PAGE_SIZE, XeroClient
from integrations.xero.lines import line_payload, line_problems
from integrations.xero.locks import refuse_locked
from integrations.xero.organisation import time_zone
from integrations.xero.plain import plain, today_in
from integrations.xero.undoing import take_back

__all__ = [
    "MARKER_ROOM",
    "CreateDocument",
    "day_of",
    "is_marked",
    "iso",
    "leads_to",
    "line_payload",
    "line_problems",
    "look_from",
    "marked",
    "money",
    "rate_problems",
]

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
    scopes: ClassVar[tuple[str, ...]] = ("accounting.invoices",)
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
    #: The input that holds the document's date.
    day_input: ClassVar[str]
    #: Whether it stands in the ledger, where lock dates hold.
    is_posted: ClassVar[bool] = True

    def written_on(self, inputs: Any) -> date | None:
        """The date that the workflow gives the document."""
        day: date | None = getattr(inputs, self.day_input)
        return day

    def carries(self, document: Mapping[str, Any], inputs: Any, marker: str) -> bool:
        """Whether Xero's record is the one that was written with this marker."""
        raise NotImplementedError

    def prepare(self, api: ApiClient, inputs: Any) -> dict[str, str]:
        """The day it is in the organisation, where the workflow leaves the date to that.

        Raises RejectedError for a document whose day lies in a locked period.
        """
        found = today_for(api, self.written_on(inputs))
        if self.is_posted:
            refuse_locked(api, date.fromisoformat(day_of(self.written_on(inputs), found)), f"the {self.noun.lower()}")
        return found

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

    def undo(self, api: ApiClient, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> Request | None:
        """Delete a draft, void what is approved: by the state in which it is now, which one read tells."""
        return take_back(
            api, self.plural, self.id_name, self.identify(output), number_name=self.number_name, noun=self.noun
        )

    def document(self, inputs: Any, organisation: Mapping[str, Any]) -> Document | None:
        return papers.document_of(self.title(inputs), inputs, organisation, day=self.day_input)

    def title(self, inputs: Any) -> str:
        """What the document is called."""
        return self.noun

    def answered(self, output: Mapping[str, Any]) -> Answered | None:
        return papers.answered(output, self.number_name)


def today_for(api: ApiClient, given: date | None) -> dict[str, str]:
    """For `day_of`: the day it is in the organisation, where no other is given."""
    return {} if given else {"today": today_in(time_zone(api), datetime.now(UTC)).isoformat()}


def look_from(since: datetime | None) -> str:
    """Where a lookup starts, as If-Modified-Since takes it."""
    begin = (since or datetime.now(UTC) - _LONGEST_LOOK_BACK) - seconds(_CLOCK_MARGIN)
    return begin.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_of(inputs_day: date | None, found: Any) -> str:
    """The document's date: the workflow's, else the day that `prepare` found."""
    return (inputs_day or date.fromisoformat(found["today"])).isoformat()


def rate_problems(inputs: Any) -> dict[str, str]:
    """What is wrong with an exchange rate: Xero takes none for the organisation's own currency."""
    if inputs.currency_rate is not None and inputs.currency is None:
        return {"currency_rate": "An exchange rate needs a currency beside it."}
    return {}


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
