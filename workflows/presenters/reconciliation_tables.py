"""Reconciliations for their pages and their file: figures, findings field by field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from integrations.core.workbooks import Cell
from integrations.framework.registry import connector
from workflows.books.comparison import Change
from workflows.models import Reconciliation, ReconciliationFinding
from workflows.presenters.posting_tables import PostingRow, amount_text, posting_rows

Verdict = ReconciliationFinding.Verdict
_STATUS_TONES = {
    Reconciliation.Status.COMPARING: "info",
    Reconciliation.Status.LISTING: "info",
    Reconciliation.Status.DONE: "ok",
    Reconciliation.Status.FAILED: "bad",
}
_TONES = {
    Verdict.SAME: "ok",
    Verdict.MOVED_ON: "info",
    Verdict.CHANGED: "warn",
    Verdict.GONE: "bad",
    Verdict.UNKNOWN: "bad",
    Verdict.WRITTEN_AGAIN: "muted",
    Verdict.UNREADABLE: "muted",
}
_ORDER = (
    Verdict.CHANGED, Verdict.GONE, Verdict.UNKNOWN, Verdict.SAME, Verdict.MOVED_ON, Verdict.WRITTEN_AGAIN,
    Verdict.UNREADABLE,
)  # fmt: skip
#: Those that have findings, so that there is something to list.
_LISTED = frozenset(_ORDER) - {Verdict.SAME, Verdict.WRITTEN_AGAIN}
_LABELS = dict(Change.choices)
COLUMNS = (
    "Verdict", "What", "New", "Kind", "Number", "Contact", "Date", "Currency", "Total as written", "Field",
    "As written", "As it is now", "Note", "Run", "ID at the provider", "Address at the provider",
)  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """How many came out one way; `query` shows them, "" where there are none to list."""

    label: str
    count: int
    tone: str
    query: str
    is_chosen: bool


@dataclass(frozen=True)
class FindingRow:
    """A finding, its changes by their names, the differences as (label, was, now), and the document's row."""

    finding: ReconciliationFinding
    tone: str
    changes: list[str]
    fields: list[tuple[str, str, str]]
    amount: str
    document: PostingRow | None


def status_tone(reconciliation: Reconciliation) -> str:
    """The colour of its status."""
    return _STATUS_TONES.get(Reconciliation.Status(reconciliation.status), "muted")


def verdict_tone(verdict: str) -> str:
    """The colour of a verdict."""
    return _TONES.get(Verdict(verdict), "muted")


def figures(reconciliation: Reconciliation, chosen: str) -> list[Figure]:
    """How many came out how. The three to look at always stand there; others where there are any."""
    found = []
    for verdict in _ORDER:
        count = int(reconciliation.counts.get(verdict.value, 0))
        if count or verdict in (*ReconciliationFinding.ALARMING, Verdict.SAME):
            query = urlencode({"verdict": verdict.value}) if verdict in _LISTED and count else ""
            found.append(Figure(str(verdict.label), count, verdict_tone(verdict), query, verdict == chosen))
    return found


def alarming(reconciliation: Reconciliation) -> int:
    """How many of them somebody should look at."""
    return sum(int(reconciliation.counts.get(verdict.value, 0)) for verdict in ReconciliationFinding.ALARMING)


def provider_of(reconciliation: Reconciliation) -> str:
    """What the provider is called; the organisation where its connection is no longer there."""
    made = reconciliation.connection
    return connector(made.provider).name if made is not None else reconciliation.organisation


def others_of(reconciliation: Reconciliation) -> str:
    """What the provider lists of what was written with our access, as "invoices and bills"; "" if nothing."""
    made = reconciliation.connection
    return connector(made.provider).own_records_are if made is not None else ""


def rows(findings: Iterable[ReconciliationFinding]) -> list[FindingRow]:
    """Findings for a page."""
    listed = list(findings)
    documents = {row.posting.pk: row for row in posting_rows(each.posting for each in listed if each.posting)}
    return [
        FindingRow(
            finding=each,
            tone=verdict_tone(each.verdict),
            changes=[str(_LABELS.get(name, name)) for name in each.changes.split()],
            fields=[(label, was or "empty", now or "empty") for _, label, was, now in each.fields],
            amount=amount_text(each.amount),
            document=documents.get(each.posting_id or 0),
        )
        for each in listed
    ]


def file_rows(found: Iterable[ReconciliationFinding], root: str) -> Iterator[list[Cell]]:
    """A row for each field that differs; one for a finding without any. `root` is the installation's address."""
    for each in found:
        head: list[Cell] = [
            each.get_verdict_display(), ", ".join(str(_LABELS.get(name, name)) for name in each.changes.split()),
            "new" if each.is_fresh else "", each.noun, each.number or each.described, each.contact,
            each.day.isoformat() if each.day else "", each.currency, each.amount,
        ]  # fmt: skip
        run = f"{root}{reverse('run', args=[each.run_id])}" if each.run_id else ""
        tail: list[Cell] = [each.note, run, each.provider_id, each.link]
        for _, label, was, now in each.fields or [("", "", "", "")]:
            yield [*head, label, was, now, *tail]
