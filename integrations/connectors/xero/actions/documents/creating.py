"""What creating invoices, bills, quotes, purchase orders and credit notes has in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any, ClassVar

from integrations.connectors.xero.actions.reading_back import ReadsBack
from integrations.connectors.xero.actions.undoing import take_back
from integrations.connectors.xero.answers import complete, only_record
from integrations.connectors.xero.checks.documents import DocumentRules, document_findings
from integrations.connectors.xero.client import PAGE_SIZE, XeroClient
from integrations.connectors.xero.fields import document_preview
from integrations.connectors.xero.fields.lines import line_payload, line_problems
from integrations.connectors.xero.fields.lock_dates import refuse_locked
from integrations.connectors.xero.organisation import time_zone
from integrations.connectors.xero.plain import money, plain, today_in
from integrations.core.clock import seconds
from integrations.core.messages import Request, Response
from integrations.framework.base import Action, Effect
from integrations.framework.checks import Facts, Finding
from integrations.schema.documents import Document, WrittenDocument
from integrations.transport.http import ApiClient

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
    "rate_problems",
]

#: A lookup begins this many seconds before the write was sent: the provider's clock may differ from ours.
_CLOCK_MARGIN = 600
#: How far back a lookup goes if it is not known when the write was sent.
_LONGEST_LOOK_BACK = timedelta(days=30)
#: The room a workflow's own reference must leave for the marker in brackets after it.
MARKER_ROOM = 25
#: A marker as a document carries it: alone, or in brackets at the end.
_MARKER = re.compile(r"(^|\()PX-[0-9a-f]{16}\)?$")


class CreateDocument(ReadsBack, Action):
    """Create a document with lines.

    PUT, never POST: POST would overwrite a document that has the same number. Xero honours a repeated key for six
    minutes; we use five.
    """

    effect = Effect.CREATES
    undo_words = "A draft, quote or order is deleted; an approved invoice, bill or credit note is voided."
    scopes: ClassVar[tuple[str, ...]] = ("accounting.invoices",)
    key_window = 300
    lookup_reliable = True
    #: The list in Xero's envelope, which is also the path, and two of a record's fields.
    plural: ClassVar[str]
    id_name: ClassVar[str]
    number_name: ClassVar[str]
    #: The document's noun, with a capital.
    noun: ClassVar[str]
    #: The largest page; None if Xero does not let us choose.
    page_size: ClassVar[int | None] = PAGE_SIZE
    #: Filters of a lookup, apart from the time.
    lookup_query: ClassVar[Mapping[str, str]] = {}
    #: The input that holds the document's date.
    day_input: ClassVar[str]
    #: Whether it posts to the ledger, where lock dates apply.
    is_posted: ClassVar[bool] = True
    #: What Xero asks of this kind of document.
    rules: ClassVar[DocumentRules]

    def written_on(self, inputs: Any) -> date | None:
        """The date that the workflow gives the document."""
        day: date | None = getattr(inputs, self.day_input)
        return day

    def carries(self, document: Mapping[str, Any], inputs: Any, marker: str) -> bool:
        """Whether Xero's record is the one that was written with this marker."""
        raise NotImplementedError

    def own_number(self, inputs: Any) -> str | None:
        """The number that the workflow gives, which Xero keeps unique."""
        return None

    def rules_of(self, inputs: Any) -> DocumentRules:
        """What Xero asks of the document with these inputs."""
        return self.rules

    def prepare(self, api: ApiClient, inputs: Any) -> dict[str, str]:
        """Today in the organisation's time zone, if the workflow gives no date.

        Raises RejectedError for a document dated in a locked period.
        """
        found = today_for(api, self.written_on(inputs))
        if self.is_posted:
            refuse_locked(api, date.fromisoformat(day_of(self.written_on(inputs), found)), f"the {self.noun.lower()}")
        return found

    def output(self, response: Response) -> dict[str, Any]:
        return complete(only_record(response, self.plural, self.id_name), self.sample)

    def find(self, api: ApiClient, inputs: Any, marker: str, *, since: datetime | None = None) -> list[dict[str, Any]]:
        """Searches what changed since then; compared here, because Xero cannot filter by the marker."""
        changed = self._changed(api, since)
        return [self._told(document) for document in changed if self.carries(document, inputs, marker)]

    def strays(
        self, api: ApiClient, inputs: Any, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]] | None:
        """What changed since then and carries no marker. If the workflow gives its own number, only documents with that
        number: Xero keeps it unique."""
        if self.lookup_reliable:
            return []
        number = self.own_number(inputs)
        unmarked = [document for document in self._changed(api, since) if not self._has_marker(document)]
        return [self._told(each) for each in unmarked if number is None or each.get(self.number_name) == number]

    def _has_marker(self, document: Mapping[str, Any]) -> bool:
        return any(_MARKER.search(str(document.get(name) or "")) for name in ("Reference", self.number_name))

    def _told(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return complete(plain(document), self.sample)

    def _changed(self, api: ApiClient, since: datetime | None) -> Iterator[dict[str, Any]]:
        assert isinstance(api, XeroClient)
        pages = api.pages(
            f"/{self.plural}",
            self.plural,
            {**self.lookup_query, "order": "UpdatedDateUTC ASC"},
            headers={"If-Modified-Since": look_from(since)},
            page_size=self.page_size,
        )
        return chain.from_iterable(pages)

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output[self.id_name])

    def describe(self, output: Mapping[str, Any]) -> str:
        number = output.get(self.number_name) or "without a number"
        return f"{self.noun} {number}, {money(output.get('Total'))} {output.get('CurrencyCode') or ''}".rstrip()

    def undo(self, api: ApiClient, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> Request | None:
        """Delete a draft, void an approved document: one read finds its present status."""
        return take_back(
            api, self.plural, self.id_name, self.identify(output), number_name=self.number_name, noun=self.noun
        )

    def checks(self, facts: Facts, inputs: Any, found: Any) -> Iterable[Finding]:
        return document_findings(
            facts,
            inputs,
            self.rules_of(inputs),
            day_input=self.day_input if self.is_posted else "",
            number=self.own_number(inputs),
            document=lambda details: self.document(inputs, details),
        )

    def document(self, inputs: Any, organisation: Mapping[str, Any]) -> Document | None:
        return document_preview.document_of(self.title(inputs), inputs, organisation, day=self.day_input)

    def title(self, inputs: Any) -> str:
        """What the document is called."""
        return self.noun

    def written_document(self, output: Mapping[str, Any]) -> WrittenDocument | None:
        return document_preview.written_document(output, self.number_name)


def today_for(api: ApiClient, given: date | None) -> dict[str, str]:
    """For `day_of`: today in the organisation's time zone, if no day is given."""
    return {} if given else {"today": today_in(time_zone(api), datetime.now(UTC)).isoformat()}


def look_from(since: datetime | None) -> str:
    """The time a lookup starts from, in the format of If-Modified-Since."""
    begin = (since or datetime.now(UTC) - _LONGEST_LOOK_BACK) - seconds(_CLOCK_MARGIN)
    return begin.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_of(inputs_day: date | None, found: Any) -> str:
    """The document's date: the workflow's, else the day from `prepare`."""
    return (inputs_day or date.fromisoformat(found["today"])).isoformat()


def rate_problems(inputs: Any) -> dict[str, str]:
    """What is wrong with an exchange rate: Xero accepts none for the organisation's own currency."""
    if inputs.currency_rate is not None and inputs.currency is None:
        return {"currency_rate": "An exchange rate needs a currency beside it."}
    return {}


def iso(day: date | None) -> str | None:
    """A day as Xero takes it."""
    return day.isoformat() if day else None


# --- the marker -------------------------------------------------------------------------------------------------------


def marked(text: str | None, marker: str) -> str:
    """A reference that carries the marker: alone, or in brackets after the workflow's own."""
    return f"{text} ({marker})" if text else marker


def is_marked(text: Any, marker: str) -> bool:
    """Whether a reference was made by `marked` with this marker."""
    return text == marker or str(text or "").endswith(f"({marker})")


def leads_to(address: Any, marker: str) -> bool:
    """Whether a URL is that of the run that wrote with this marker."""
    return str(address or "").rstrip("/").rsplit("/", 1)[-1] == marker
