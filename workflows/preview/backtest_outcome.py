"""What a walk says about an item: whether the workflow would have run, and if not, why, in words that equal reasons
share; and the documents that it would have written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from integrations.core.exact_json import dumps, loads
from integrations.framework import registry
from integrations.schema import documents
from integrations.schema.documents import Document, Named, Text
from integrations.schema.fields import place_of
from workflows.definitions import plans
from workflows.engine.writes import document_snapshot
from workflows.models import BacktestDocument, BacktestItem, Preview, Step
from workflows.preview.rows import PreviewRow
from workflows.preview.service import Walked

Outcome = BacktestItem.Outcome
_ENDED = {
    Preview.Status.DONE: Outcome.RAN,
    Preview.Status.FILTERED: Outcome.FILTERED,
    Preview.Status.FAILED: Outcome.FAILED,
    Preview.Status.UNFINISHED: Outcome.UNFINISHED,
}
_LONGEST_GROUP = 300
#: What in a sentence may be an item's own: a quoted text, a number, a date.
_OWN = re.compile(r"“[^”]*”|\"[^\"]*\"|'[^']*'|\d[\d.,:/-]*")


@dataclass
class Judged:
    """The outcome of one item. `readable` are the documents that count in the totals."""

    outcome: BacktestItem.Outcome
    group: str = ""
    message: str = ""
    documents: list[BacktestDocument] = field(default_factory=list)
    readable: list[Document] = field(default_factory=list)


def judge(walked: Walked, item: BacktestItem) -> Judged:
    """What came of the item. A check that says the provider would refuse a write ends it as a run would end."""
    rows = list(walked.rows)
    refused = _first_refused(walked, rows)
    if refused is not None:
        said = _refusal(refused)
        found = Judged(Outcome.FAILED, _shared(refused.step_run.name, said), f"{refused.step_run.name}: {said}")
        rows = rows[: rows.index(refused) + 1]
    else:
        outcome = _ENDED[Preview.Status(walked.ending.status)]
        message = walked.ending.message
        found = Judged(outcome, _group(outcome, message, rows)[:_LONGEST_GROUP], message)
    for row in _written(rows):
        _add(found, row, item)
    return found


def _first_refused(walked: Walked, rows: list[PreviewRow]) -> PreviewRow | None:
    """The first write that the provider would refuse and whose failure ends the run."""
    tolerated = plans.passed_over(walked.run.version.plan)
    return next((row for row in rows if _is_refused(row) and row.step_run.step not in tolerated), None)


def _is_refused(row: PreviewRow) -> bool:
    return any(each.get("level") == "stops" for each in row.findings)


def _refusal(row: PreviewRow) -> str:
    return next(str(each.get("message", "")) for each in row.findings if each.get("level") == "stops")


def _group(outcome: BacktestItem.Outcome, message: str, rows: list[PreviewRow]) -> str:
    if outcome == Outcome.RAN:
        return ""
    last = rows[-1].step_run if rows else None
    if outcome == Outcome.FILTERED:
        stopped = last is not None and last.kind == Step.Kind.STOP
        # A filter's sentence is the same for every item; what a stop says is made from the item.
        return f"{last.name}" if stopped and last is not None else message
    failed = next((row.step_run for row in reversed(rows) if row.step_run.state == "failed"), None)
    if failed is None:
        return _shared("", message)
    if isinstance(failed.problems, Mapping) and failed.problems:
        return f"{failed.name}: {_places(failed.operation, failed.problems)}"
    return _shared(failed.name, failed.error)


def _places(operation: str, problems: Mapping[str, Any]) -> str:
    """The fields that are wrong, as the form names them."""
    declared = registry.operation_or_none(operation)
    fields = declared.Inputs.fields() if declared is not None else ()
    return ", ".join(dict.fromkeys(place_of(fields, path) for path in problems))


def _shared(name: str, sentence: str) -> str:
    """The sentence without what is the item's own."""
    said = _OWN.sub("…", sentence)
    return (f"{name}: {said}" if name else said)[:_LONGEST_GROUP]


def _written(rows: list[PreviewRow]) -> Iterator[PreviewRow]:
    """What would be written, by workflows that are called too."""
    for row in rows:
        if row.is_written:
            yield row
        if row.called is not None:
            yield from _written(row.called.rows)


def _add(found: Judged, row: PreviewRow, item: BacktestItem) -> None:
    step_run = row.step_run
    kept = document_snapshot.kept(step_run)
    stored = next(iter(kept.values()), None)
    document = documents.from_dict(stored) if stored else None
    made = BacktestDocument(
        backtest_id=item.backtest_id,
        item=item,
        step=step_run.step,
        name=step_run.name,
        iteration=step_run.iteration,
        operation=step_run.operation,
        connection_id=step_run.connection_id,
        what=_what(step_run.operation, document)[:120],
        is_predicted=bool(row.predicted_inputs),
        is_refused=_is_refused(row),
        findings=loads(dumps(row.findings)),
        document=stored or {},
    )
    if document is not None:
        made.whom, made.reference = _text(document.whom)[:200], document.reference[:200]
        made.currency, made.total = document.currency[:10], _storable(document)
    found.documents.append(made)
    if document is not None and not made.is_refused:
        found.readable.append(document)


def _what(operation: str, document: Document | None) -> str:
    if document is not None:
        return document.what
    known = registry.operation_or_none(operation)
    return known.name if known is not None else operation


def _text(text: Text) -> str:
    return text.code if isinstance(text, Named) else text


def _storable(document: Document) -> Decimal | None:
    """The total for the column that lists are sorted by; None where it is not known, or longer than the column."""
    total = document.totals.total if document.totals is not None else None
    return total if total is not None and abs(total) < Decimal(10) ** 18 else None
