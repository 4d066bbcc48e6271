"""A backtest for its page and its files: figures, reasons, documents, totals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from integrations.core.workbooks import csv_parts
from integrations.schema import documents
from integrations.schema.documents import Document
from integrations.schema.fields import Choices
from workflows.models import Backtest, BacktestDocument, BacktestItem
from workflows.presenters.labels import ChoiceLabels, choice_labels
from workflows.presenters.runs.documents import money
from workflows.preview import backtest as backtests

Outcome = BacktestItem.Outcome
_TONES = {Outcome.RAN: "ok", Outcome.FILTERED: "muted", Outcome.FAILED: "bad", Outcome.UNFINISHED: "warn"}
_STATUS_TONES = {
    Backtest.Status.READING: "info",
    Backtest.Status.WALKING: "info",
    Backtest.Status.DONE: "ok",
    Backtest.Status.FAILED: "bad",
}
#: The files that can be saved, with what they hold.
FILES = {"documents": "Documents", "lines": "Lines of the documents", "items": "Items"}


@dataclass(frozen=True)
class Figure:
    """How many items came out one way; `query` shows them."""

    outcome: str
    label: str
    count: int
    tone: str
    query: str


@dataclass(frozen=True)
class Reason:
    """Why items would not have run, and how many; `query` shows them."""

    label: str
    tone: str
    group: str
    count: int
    query: str


@dataclass(frozen=True)
class DocumentRow:
    """One document as a row of the list."""

    stored: BacktestDocument
    whom: str
    total: str
    stops: list[str]
    warns: list[str]


def tone_of(outcome: str) -> str:
    """The colour of an outcome."""
    return _TONES.get(Outcome(outcome), "muted")


def status_tone(backtest: Backtest) -> str:
    """The colour of the backtest's status."""
    return _STATUS_TONES.get(Backtest.Status(backtest.status), "warn")


def figures(backtest: Backtest) -> list[Figure]:
    """How many items would have run, been filtered, failed; the others only where there are any."""
    counted = backtests.outcomes(backtest)
    always = (Outcome.RAN, Outcome.FILTERED, Outcome.FAILED)
    return [
        Figure(each, each.label, counted.get(each, 0), tone_of(each), urlencode({"show": "items", "outcome": each}))
        for each in (*always, Outcome.UNFINISHED, Outcome.PENDING)
        if each in always or counted.get(each)
    ]


def reasons(backtest: Backtest) -> list[Reason]:
    """The reasons, the most frequent first."""
    return [
        Reason(
            Outcome(row["outcome"]).label,
            tone_of(row["outcome"]),
            row["group"],
            row["many"],
            urlencode({"show": "items", "outcome": row["outcome"], "group": row["group"]}),
        )
        for row in backtests.groups(backtest)
    ]


def document_rows(found: Iterable[BacktestDocument]) -> list[DocumentRow]:
    """The documents with the names of whom they are for, as far as these are known."""
    rows = list(found)
    labels = choice_labels(row.connection for row in rows)
    return [_document_row(row, labels) for row in rows]


def _document_row(row: BacktestDocument, labels: ChoiceLabels) -> DocumentRow:
    document = _document(row)
    total = document.totals.total if document is not None and document.totals is not None else None
    return DocumentRow(row, _whom(row, document, labels), money(total), _said(row, "stops"), _said(row, "warns"))


def _document(row: BacktestDocument) -> Document | None:
    return documents.from_dict(row.document) if row.document else None


def _whom(row: BacktestDocument, document: Document | None, labels: ChoiceLabels) -> str:
    def name(choices: Choices, value: str) -> str:
        return labels.get((row.connection_id or 0, choices.key), {}).get(value, "")

    if document is None or isinstance(document.whom, str):
        return row.whom
    return document.whom.display(name)


def _said(row: BacktestDocument, level: str) -> list[str]:
    return [str(each.get("message", "")) for each in row.findings if each.get("level") == level]


def totals(backtest: Backtest) -> dict[str, list[dict[str, Any]]]:
    """The totals with their amounts as people read them, the largest kind first."""
    stored = backtest.totals
    return {
        "documents": [
            {**row, **{name: money(row[name]) for name in ("sub_total", "tax", "total")}}
            for row in sorted(stored.get("documents", []), key=_order)
        ],
        "accounts": [
            {**row, "amount": money(row["amount"])}
            for row in sorted(stored.get("accounts", []), key=lambda row: (*_order(row), row["account"]))
        ],
    }


def _order(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["organisation"], row["what"], row["currency"]


# --- files ------------------------------------------------------------------------------------------------------------


def csv_of(backtest: Backtest, name: str) -> bytes:
    """One of the files as CSV in UTF-8 with a byte order mark, as spreadsheets expect it. No cell is run as a formula,
    and numbers are numbers."""
    return b"".join(csv_parts(_FILE_ROWS[name](backtest)))


def _items(backtest: Backtest) -> Iterator[tuple[Any, ...]]:
    yield "Number", "Item", "Key", "Created", "Outcome", "Why", "Message", "Documents"
    for each in backtest.items.order_by("number").defer("data").iterator(chunk_size=500):
        outcome = Outcome(each.outcome).label
        yield (
            each.number, each.title, each.key, each.happened, outcome, each.group, each.message, each.documents_count,
        )  # fmt: skip


def _stored(backtest: Backtest) -> Iterator[tuple[BacktestDocument, Document | None, ChoiceLabels]]:
    rows = list(backtest.documents.select_related("item", "connection").order_by("pk"))
    labels = choice_labels(row.connection for row in rows)
    return ((row, _document(row), labels) for row in rows)


def _documents(backtest: Backtest) -> Iterator[tuple[Any, ...]]:
    yield (
        "Item", "Step", "What", "For", "Reference", "Organisation", "Currency", "Subtotal", "Tax", "Total",
        "Would be refused", "Partly predicted", "To look at",
    )  # fmt: skip
    for row, document, labels in _stored(backtest):
        sums = document.totals if document is not None else None
        amounts = (sums.sub_total, sums.tax, sums.total) if sums is not None else (None, None, None)
        organisation = document.organisation if document is not None else ""
        yield (
            row.item.title, row.name, row.what, _whom(row, document, labels), row.reference, organisation,
            row.currency, *amounts, _yes(row.is_refused), _yes(row.is_predicted),
            " ".join([*_said(row, "stops"), *_said(row, "warns")]),
        )  # fmt: skip


def _lines(backtest: Backtest) -> Iterator[tuple[Any, ...]]:
    yield (
        "Item", "What", "For", "Reference", "Currency", "Description", "Quantity", "Unit price", "Account", "Tax rate",
        "Tax", "Amount", "Prices",
    )  # fmt: skip
    for row, document, labels in _stored(backtest):
        for line in document.lines if document is not None else ():
            yield (
                row.item.title, row.what, _whom(row, document, labels), row.reference, row.currency, line.description,
                line.quantity, line.unit_amount, line.account, line.tax_rate, line.tax, line.amount,
                document.prices if document is not None else "",
            )  # fmt: skip


def _yes(value: bool) -> str:
    return "yes" if value else "no"


_FILE_ROWS = {"documents": _documents, "lines": _lines, "items": _items}
