"""The checks of a document: its period, contact, currency, number, rows and total.

Each kind of document declares its rules once (`DocumentRules`); the checks are the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from integrations.connectors.xero.checks.contacts import contact_findings
from integrations.connectors.xero.checks.currencies import currency_findings
from integrations.connectors.xero.checks.lines import RowRules, row_findings
from integrations.connectors.xero.checks.lists import ORGANISATION, details_now
from integrations.connectors.xero.checks.stock import STOCK_CHECK, stock_findings
from integrations.connectors.xero.client import XeroClient
from integrations.connectors.xero.fields.lock_dates import lock_over
from integrations.connectors.xero.fields.totals import Basis
from integrations.connectors.xero.plain import today_in
from integrations.connectors.xero.search.by_id import by_id
from integrations.core.sameness import same
from integrations.framework.checks import Facts, Finding, stops, warns
from integrations.schema.documents import Document, day_words
from integrations.transport.http import ApiClient

_GONE = {"DELETED", "VOIDED"}
REVENUE, COSTS = frozenset({"REVENUE"}), frozenset({"EXPENSE", "ASSET"})


@dataclass(frozen=True, kw_only=True)
class DocumentRules:
    """What Xero asks of one kind of document.

    `called` as in "a sales invoice"; `usual` are the classes of accounts that are expected on its rows, any if empty;
    `number` is the input with its own number, and `number_name` Xero's field of it. `takes_stock` is 1 where its rows,
    once it is approved, take goods out of stock, -1 where they bring them in, 0 where they move none.
    """

    called: str
    usual: frozenset[str] = frozenset()
    is_purchase: bool = False
    has_final_status: bool = True
    takes_negative: bool = False
    takes_stock: int = 0
    number: str = ""
    plural: str = ""
    number_name: str = ""


def document_findings(
    facts: Facts,
    inputs: Any,
    rules: DocumentRules,
    *,
    day_input: str,
    number: str | None,
    document: Callable[[Mapping[str, Any]], Document | None],
) -> Iterator[Finding]:
    """What Xero would refuse of a new document, and what is doubtful. `day_input` holds its day, "" where lock dates do
    not matter; `number` is its own, if Xero keeps that unique; `document` is what it
    comes to, given the organisation's details."""
    if day_input:
        yield from period_findings(facts, day_input, getattr(inputs, day_input), rules.called)
    yield from contact_findings(facts, "contact_id", inputs.contact_id)
    yield from currency_findings(facts, "currency", inputs.currency)
    yield from number_findings(facts, number, rules)
    yield from rows_findings(facts, inputs, rules)
    if not facts.is_predicted("lines"):
        yield from facts.tried("what it comes to", lambda: total_findings(_document_now(facts, document), rules))


def _document_now(facts: Facts, document: Callable[[Mapping[str, Any]], Document | None]) -> Document | None:
    """What the document comes to: by the stored details, else by the tax rates as they are now."""
    made = document(facts.details)
    return document(details_now(facts)) if made is not None and made.totals is None else made


def rows_findings(
    facts: Facts, inputs: Any, rules: DocumentRules, *, like: Mapping[str, Any] | None = None
) -> Iterator[Finding]:
    """What is wrong with the rows. `like` is the document that is changed, which keeps what the inputs leave out."""
    kept = like or {}
    basis, status = (
        str(getattr(getattr(inputs, ours, None), "value", None) or kept.get(theirs) or "")
        for ours, theirs in (("line_amount_types", "LineAmountTypes"), ("status", "Status"))
    )
    of_rows = RowRules(
        document=rules.called,
        usual=rules.usual,
        is_purchase=rules.is_purchase,
        is_final=rules.has_final_status and status not in {"", "DRAFT"},
        has_tax=not basis or Basis.of(basis) is not Basis.NO_TAX,
    )
    for index, row in enumerate(inputs.lines):
        yield from row_findings(facts, index, row, of_rows)
    if rules.takes_stock:
        yield from facts.tried(
            STOCK_CHECK,
            lambda: stock_findings(facts, inputs.lines, takes=rules.takes_stock, status=status, like=kept),
        )


def period_findings(facts: Facts, path: str, given: date | None, document: str) -> Iterator[Finding]:
    """A day on or before a lock date; without a day, today in the organisation."""
    if facts.is_predicted(path):
        return
    day = given or today_in(str(facts.details.get("timezone") or "UTC"), datetime.now(UTC))
    yield from facts.tried("whether the period is open", lambda: _locked(facts, path, day, document))


def _locked(facts: Facts, path: str, day: date, document: str) -> Iterator[Finding]:
    # As the engine does: before anything is found locked, Xero is asked anew.
    organisation = facts.find(ORGANISATION, lambda each: lock_over(each, day) is None)
    if organisation is not None:
        return
    lock = lock_over(facts.listed(ORGANISATION)[0], day)
    if lock is not None:
        name, until = lock
        yield stops(
            "period_locked",
            path,
            f"The books of {facts.name} are locked up to {day_words(until)} ({name}), and {document} would be dated "
            f"{day_words(day)}.",
            "Use a later date, or let an adviser move the lock date in Xero.",
        )


def number_findings(facts: Facts, number: str | None, rules: DocumentRules) -> Iterator[Finding]:
    """A number that is used already."""
    if number and not facts.is_predicted(rules.number):
        yield from facts.tried("whether the number is free", lambda: _number_taken(facts, number, rules))


def _number_taken(facts: Facts, number: str, rules: DocumentRules) -> Iterator[Finding]:
    found = facts.ask(f"{rules.plural} numbered {number}", _reader(rules.plural, number))
    taken = [
        each
        for each in found
        # Bills may repeat a number, and a supplier's credit notes.
        if each.get("Status") not in _GONE
        and each.get("Type") not in {"ACCPAY", "ACCPAYCREDIT"}
        and same(each.get(rules.number_name), number)
    ]
    if taken:
        contact = (taken[0].get("Contact") or {}).get("Name") or "no contact"
        yield stops(
            "number_taken",
            rules.number,
            f"The number {number} is used in {facts.name} already (for {contact}), and Xero takes it only once.",
            "Give another number, or leave it empty so that Xero numbers it.",
        )


def _reader(plural: str, number: str) -> Callable[[ApiClient], list[dict[str, Any]]]:
    """How documents of a number are read. Text that people enter is never put into Xero's filter language."""
    queries = {
        # A comma would split one number into two.
        "Invoices": {"searchTerm": number} if "," in number else {"InvoiceNumbers": number},
        "Quotes": {"QuoteNumber": number},
    }

    def read(api: ApiClient) -> list[dict[str, Any]]:
        assert isinstance(api, XeroClient)
        if plural not in queries:
            return by_id(api, plural, number)
        size = None if plural == "Quotes" else 100
        return next(api.pages(f"/{plural}", plural, queries[plural], page_size=size), [])

    return read


def total_findings(document: Document | None, rules: DocumentRules) -> Iterator[Finding]:
    """A total of zero or less. A total that only Xero knows is not judged."""
    total = document.totals.total if document is not None and document.totals is not None else None
    if document is None or total is None or total > Decimal(0):
        return
    if total == 0:
        yield warns("total_zero", "lines", f"The total of {rules.called} is zero.", "Check the quantities and prices.")
        return
    found = warns if rules.takes_negative else stops
    yield found(
        "total_negative",
        "lines",
        f"The total of {rules.called} is negative: {total:,.2f} {document.currency}".rstrip() + ".",
        "Check the signs of the quantities and prices.",
    )
