"""Changes of what exists already: whether it is there, and in a status that allows the change.

https://developer.xero.com/documentation/api/accounting/invoices
https://developer.xero.com/documentation/api/accounting/quotes
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from integrations.connectors.xero.checks.documents import period_findings
from integrations.connectors.xero.checks.money import missing_record, name_of, record_of
from integrations.framework.checks import Facts, Finding, stops

#: What the status of an invoice, and of a quote, can become.
_INVOICE_MOVES: Mapping[str, frozenset[str]] = {
    "DRAFT": frozenset({"DRAFT", "SUBMITTED", "AUTHORISED"}),
    "SUBMITTED": frozenset({"SUBMITTED", "DRAFT", "AUTHORISED"}),
    "AUTHORISED": frozenset({"AUTHORISED"}),
}
_QUOTE_MOVES: Mapping[str, frozenset[str]] = {
    "DRAFT": frozenset({"DRAFT", "SENT"}),
    "SENT": frozenset({"SENT", "DRAFT", "ACCEPTED", "DECLINED"}),
    "ACCEPTED": frozenset({"ACCEPTED", "SENT", "DRAFT", "DECLINED", "INVOICED"}),
    "DECLINED": frozenset({"DECLINED", "SENT", "DRAFT"}),
    "INVOICED": frozenset({"INVOICED"}),
}
#: What cannot change once something is paid or credited.
_FIXED_WHEN_PAID = ("invoice_date", "currency", "line_amount_types", "lines")


def present_findings(facts: Facts, path: str, plural: str, noun: str, key: str) -> Iterator[Finding]:
    """A record that is not there."""
    if facts.is_predicted(path):
        return
    yield from facts.tried(f"whether the {noun} exists", lambda: _present(facts, path, plural, noun, key))


def _present(facts: Facts, path: str, plural: str, noun: str, key: str) -> Iterator[Finding]:
    if record_of(facts, plural, key) is None:
        yield missing_record(facts, path, noun, key)


def change_findings(facts: Facts, invoice: Mapping[str, Any], inputs: Any) -> Iterator[Finding]:
    """What prevents a change of an invoice or bill as it is now."""
    status, wanted = str(invoice.get("Status")), getattr(inputs, "status", None)
    if status not in _INVOICE_MOVES or (wanted is not None and wanted.value not in _INVOICE_MOVES[status]):
        to = f" and cannot become {wanted.label.lower()}" if wanted is not None else " and cannot be changed"
        yield stops("status_unfit", "status" if wanted else "invoice_id", f"{_named(invoice)} is {status.lower()}{to}.")
        return
    given = getattr(inputs, "invoice_date", None)
    day = given or _day(invoice.get("Date"))
    yield from period_findings(facts, "invoice_date" if given else "invoice_id", day, "the document")
    if wanted is not None and wanted.value != "DRAFT" and not (inputs.due_date or invoice.get("DueDate")):
        said = f"{_named(invoice)} has no due date, which its new status needs."
        yield stops("due_date_missing", "due_date", said, "Give one.")
    if invoice.get("AmountPaid") or invoice.get("AmountCredited"):
        for name in _FIXED_WHEN_PAID:
            if getattr(inputs, name, None):
                said = f"{_named(invoice)} is paid or credited in part, so this cannot change any more."
                yield stops("partly_paid", name, said, "Leave it empty, or remove the payments in Xero first.")


def quote_findings(facts: Facts, inputs: Any, quote: Any) -> Iterator[Finding]:
    """What prevents a change of a quote's status."""
    status = str((quote or {}).get("Status") or "")
    if status in _QUOTE_MOVES and inputs.status.value not in _QUOTE_MOVES[status]:
        said = f"Quote {quote.get('QuoteNumber')} is {status.lower()} and cannot become {inputs.status.label.lower()}."
        yield stops("status_unfit", "status", said, "Choose a status that follows the present one.")


def _named(invoice: Mapping[str, Any]) -> str:
    return name_of(dict(invoice))


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None
