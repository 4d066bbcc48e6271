"""Making the posting of a write, in the transaction that records its step as done.

The engine saves steps in `lease`, and calls `record` there; a decision of a person calls it beside its own save. So a
posting exists exactly where a step is stored as done, however often a worker was killed on the way. What it says comes
from the provider's answer, and where that is silent from the document that was drawn when the write was made.

The price: up to two more inserts in a transaction that there is anyway.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import zip_longest
from typing import Any, TypeVar

from django.utils import timezone

from integrations.core.errors import InvalidInputError
from integrations.core.exact_json import dumps, storable_text
from integrations.framework.base import Action, Effect, Operation
from integrations.framework.registry import operation_or_none
from integrations.schema.documents import Document, WrittenDocument, WrittenLine, net_amount
from workflows.definitions.mapping_context import zone_of
from workflows.engine.writes import document_snapshot
from workflows.models import Posting, PostingLine, Step, StepRun

T = TypeVar("T")
logger = logging.getLogger(__name__)

_State, _Origin = StepRun.State, Posting.Origin
_CENTS, _MOST = Decimal("0.0001"), Decimal(10) ** 14
#: What the fingerprint is of, in this order. A new field would need a new way to compare old postings.
_COMPARED = (
    "provider_id", "number", "day", "contact_id", "reference", "status", "currency", "sub_total", "tax", "amount",
)  # fmt: skip


@dataclass(frozen=True)
class Made:
    """The values of a posting by its columns, and those of its lines."""

    posting: dict[str, Any]
    lines: list[dict[str, Any]]


def record(rows: Iterable[StepRun]) -> None:
    """Store the postings of those of the step runs that have written something. They must be stored themselves, in the
    same transaction. What has a posting already keeps it as it is."""
    made = [each for row in rows if (each := made_of(row)) is not None]
    if not made:
        return
    Posting.objects.bulk_create([Posting(**each.posting) for each in made], ignore_conflicts=True)
    lines = [PostingLine(posting_id=each.posting["step_run_id"], **line) for each in made for line in each.lines]
    if lines:
        PostingLine.objects.bulk_create(lines, ignore_conflicts=True)


def made_of(step_run: StepRun) -> Made | None:
    """The posting of a step run; None if it has written nothing. Raises nothing: where something of it cannot be read,
    the posting says less."""
    if step_run.kind != Step.Kind.ACTION or step_run.state != _State.SUCCEEDED:
        return None
    operation = operation_or_none(step_run.operation)
    if isinstance(operation, Action) and operation.effect is Effect.READS:
        return None
    origin = _origin(step_run)
    if step_run.first_sent_at is None and origin is not _Origin.PERSON:
        return None  # it found that there was nothing to write
    document, written = _read(step_run, operation)
    lines = list(_lines(document, written.lines)) if document is not None else []
    values = {
        **_identity(step_run, operation),
        **_content(step_run, operation, document or Document(what=""), written),
        "origin": origin,
    }
    return Made({**values, "fingerprint": fingerprint(values, lines)}, lines)


def fingerprint(values: Mapping[str, Any], lines: list[dict[str, Any]]) -> str:
    """SHA-256 of the values that reconciliation compares."""
    compared = [values[name] for name in _COMPARED]
    by_account = [[line[name] for name in ("account", "tax_rate", "net", "tax")] for line in lines]
    told = dumps([*(_plain(each) for each in compared), [[_plain(each) for each in line] for line in by_account]])
    return hashlib.sha256(told.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.quantize(_CENTS):f}"
    return value.isoformat() if isinstance(value, date) else value


def _origin(step_run: StepRun) -> Posting.Origin:
    """How it became known that it was written, by the last attempt that says so."""
    for line in reversed(step_run.attempts or []):
        told = (line.get("what"), line.get("outcome"))
        if told == ("person", "marked as done"):
            return _Origin.PERSON
        if told == ("send", "done"):
            return _Origin.ANSWERED
        if told in (("look up", "found"), ("read", "found")):
            return _Origin.FOUND
    return _Origin.ANSWERED


def _read(step_run: StepRun, operation: Operation | None) -> tuple[Document | None, WrittenDocument]:
    """The document as it was drawn, and as the provider wrote it."""
    if not isinstance(operation, Action):
        return None, WrittenDocument()
    document = _tried(step_run, lambda: document_snapshot.document_of(step_run, operation))
    written = _tried(step_run, lambda: operation.written_document(step_run.output) if step_run.output else None)
    return document, written or WrittenDocument()


def _tried(step_run: StepRun, read: Callable[[], T | None]) -> T | None:
    """The write happened, so a fault in reading what it was must not undo that."""
    try:
        return read()
    except InvalidInputError:
        return None  # stored by an older version of the operation
    except Exception:
        logger.exception("What step run %s has written, with %s, cannot be read.", step_run.pk, step_run.operation)
        return None


def _identity(step_run: StepRun, operation: Operation | None) -> dict[str, Any]:
    run = step_run.run
    return {
        "step_run_id": step_run.pk,
        "run_id": run.pk,
        "team_id": run.team_id,
        "workflow_id": run.workflow_id,
        "version_id": run.version_id,
        "connection_id": step_run.connection_id,
        "step": step_run.step,
        "iteration": step_run.iteration,
        "operation": step_run.operation,
        "effect": operation.effect.value if isinstance(operation, Action) else "",
        "described": _text((step_run.outcome or {}).get("described"), 300),
        "provider_id": _text(step_run.provider_id),
        "link": _text(step_run.link, 2000),
        "marker": step_run.marker,
        "written_at": step_run.finished_at or timezone.now(),
    }


def _content(
    step_run: StepRun, operation: Operation | None, document: Document, written: WrittenDocument
) -> dict[str, Any]:
    connection = step_run.connection
    provider = operation.connector.name if operation else ""
    whom = document.whom
    sums = written.totals or document.totals
    total = sums.total if sums else written.amount
    day = written.day or next((day for _, day in document.dates if day is not None), None)
    return {
        "noun": _text(document.what or (operation.name if operation else step_run.operation), 120),
        "organisation": _text(connection.name if connection else document.organisation or provider),
        "number": _text(written.number),
        "day": day or (step_run.finished_at or timezone.now()).astimezone(zone_of(connection)).date(),
        "contact": _text(written.whom or (whom if isinstance(whom, str) else "")),
        "contact_id": _text(written.whom_id or ("" if isinstance(whom, str) else whom.code)),
        "reference": _text(document.reference),
        "status": _text(written.status or document.status, 60),
        "currency": _text(written.currency or document.currency, 10),
        "sub_total": _stored(sums.sub_total if sums else None),
        "tax": _stored(sums.tax if sums else None),
        "amount": _stored(total),
    }


def _lines(document: Document, written: tuple[WrittenLine, ...]) -> Iterator[dict[str, Any]]:
    """What the lines come to by account and tax rate. The provider's own amounts count where it wrote as many lines."""
    theirs = written if len(written) == len(document.lines) else ()
    sums: dict[tuple[str, str], dict[str, Any]] = {}
    for line, answered in zip_longest(document.lines, theirs):
        net, tax = (answered.net, answered.tax) if answered else (net_amount(document, line), line.tax)
        net, tax = _stored(net), _stored(tax)
        key = (_text(line.account), _text(line.tax_rate))
        head = dict(zip(("account", "tax_rate"), key, strict=True))
        found = sums.setdefault(key, {**head, "net": Decimal(0), "tax": Decimal(0), "count": 0, "unknown": 0})
        found["count"] += 1
        if net is None:
            found["unknown"] += 1
        else:
            found["net"] += net
            found["tax"] += tax or 0
    yield from (sums[key] for key in sorted(sums))


def _stored(amount: Decimal | None) -> Decimal | None:
    """The amount as its column holds it; None if it cannot be an amount."""
    if amount is None or not amount.is_finite() or abs(amount) >= _MOST:
        return None
    return amount.quantize(_CENTS)


def _text(value: object, most: int = 200) -> str:
    """The text as its column holds it: of an outside length, and perhaps with what PostgreSQL does not store."""
    return storable_text(str(value or ""))[:most]
