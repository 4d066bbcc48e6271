"""What a write step writes, as a document on the run's page, compared with what the provider says it wrote."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.utils.formats import date_format

from integrations.core.errors import InvalidInputError
from integrations.core.numbers import with_places
from integrations.framework.base import Action, Effect, Operation
from integrations.schema.documents import Document, DocumentLine, Named, Text, Totals, WrittenDocument
from integrations.schema.documents import Name as NameOf
from integrations.schema.schema import Choices
from workflows.engine.writes import document_snapshot
from workflows.models import StepRun
from workflows.presenters.labels import ChoiceLabels

logger = logging.getLogger(__name__)

_TOTALS = (("Subtotal", "sub_total"), ("Tax", "tax"), ("Total", "total"))


@dataclass(frozen=True)
class DocumentRow:
    """A row of the document, with every value as shown."""

    number: int
    what: str
    details: tuple[str, ...]
    quantity: str
    unit_amount: str
    discount: str
    account: str
    tax_rate: str
    tax: str
    amount: str


@dataclass(frozen=True)
class TotalRow:
    """One of the totals: what was computed here, what the provider wrote, and whether they agree."""

    label: str
    ours: str
    theirs: str
    is_different: bool


@dataclass
class DocumentCard:
    """A document ready for the template."""

    what: str
    provider: str
    number: str = ""
    facts: list[tuple[str, str]] = field(default_factory=list)
    lines: list[DocumentRow] = field(default_factory=list)
    sums: list[TotalRow] = field(default_factory=list)
    currency: str = ""
    has_discounts: bool = False
    has_accounts: bool = False
    is_compared: bool = False
    differences: list[str] = field(default_factory=list)
    notes: tuple[str, ...] = ()


def document_card(step_run: StepRun, operation: Operation | None, labels: ChoiceLabels) -> DocumentCard | None:
    """The document that the step writes or has written; None if there is none to show."""
    if not isinstance(operation, Action) or operation.effect is Effect.READS or not step_run.inputs:
        return None
    try:
        document = document_snapshot.document_of(step_run, operation)
        answered = operation.written_document(step_run.output) if step_run.output else None
    except InvalidInputError:
        return None  # the page names the problem of each input
    except Exception:
        # The page of a run must open even if one of its documents has a bug; the log has the traceback.
        logger.exception("The document of %s in step run %s could not be shown.", operation.full_key, step_run.pk)
        return None

    def name(choices: Choices, value: str) -> str:
        return labels.get((step_run.connection_id or 0, choices.key), {}).get(value, "")

    return None if document is None else _card(document, answered, name, operation.connector.name)


def kept_card(
    document: Document, operation: Operation | None, connection: int | None, labels: ChoiceLabels
) -> DocumentCard:
    """A document that was kept before anything was sent."""

    def name(choices: Choices, value: str) -> str:
        return labels.get((connection or 0, choices.key), {}).get(value, "")

    return _card(document, None, name, operation.connector.name if operation is not None else "")


def _card(document: Document, answered: WrittenDocument | None, name: NameOf, provider: str) -> DocumentCard:
    ours, theirs = document.totals, answered.totals if answered else None
    currency = document.currency or (answered.currency if answered else "")
    lines = [_line(number, line) for number, line in enumerate(document.lines, 1)]
    return DocumentCard(
        what=document.what,
        provider=provider,
        number=answered.number if answered else "",
        facts=list(_facts(document, answered, name)),
        lines=lines,
        sums=list(_sums(ours, theirs)),
        currency=currency,
        has_discounts=any(line.discount for line in lines),
        has_accounts=any(line.account for line in lines),
        is_compared=ours is not None and theirs is not None,
        differences=list(_differences(document, answered, provider)),
        notes=() if theirs else document.notes,
    )


def _facts(document: Document, answered: WrittenDocument | None, name: NameOf) -> Iterator[tuple[str, str]]:
    whom = _text(document.whom, name)
    if answered and answered.whom and (not whom or (isinstance(document.whom, Named) and whom == document.whom.code)):
        whom = answered.whom
    if whom:
        yield document.whom_label, whom
    if document.organisation:
        yield "Organisation", document.organisation
    if document.status:
        yield "Status", document.status
    for label, day in document.dates:
        yield label, _day(day or (answered.day if answered else None))
    if document.reference:
        yield "Reference", document.reference
    for label, text in document.facts:
        yield label, _text(text, name)
    if document.prices:
        yield "Prices", document.prices


def _text(text: Text, name: NameOf) -> str:
    return text.display(name) if isinstance(text, Named) else text


def _day(day: date | None) -> str:
    return date_format(day, "j M Y") if day else "The day on which it is written"


def _line(number: int, line: DocumentLine) -> DocumentRow:
    return DocumentRow(
        number=number,
        what=line.description or f"Item {line.item}",
        details=((f"Item {line.item}",) if line.item and line.description else ()) + line.tracking,
        quantity="" if line.quantity is None else with_places(line.quantity, 0),
        unit_amount="" if line.unit_amount is None else with_places(line.unit_amount, 2),
        discount=line.discount,
        account=line.account,
        tax_rate=line.tax_rate,
        tax=money(line.tax),
        amount=money(line.amount),
    )


def money(amount: Decimal | None) -> str:
    """An amount with two places; empty if it is unknown."""
    return "" if amount is None else f"{amount:,.2f}"


def total_parts(totals: Totals) -> list[tuple[str, str]]:
    """Each of the totals with its label, as a document shows them."""
    return [(label, money(getattr(totals, part))) for label, part in _TOTALS]


def _sums(ours: Totals | None, theirs: Totals | None) -> Iterator[TotalRow]:
    if ours is None and theirs is None:
        return
    for label, part in _TOTALS:
        here, there = (getattr(each, part) if each else None for each in (ours, theirs))
        is_different = here is not None and there is not None and here != there
        yield TotalRow(label, money(here), money(there), is_different)


def _differences(document: Document, answered: WrittenDocument | None, provider: str) -> Iterator[str]:
    if answered is None:
        return
    for each in _sums(document.totals, answered.totals):
        if each.is_different:
            yield f"{each.label}: {provider} wrote {each.theirs}; calculated here it is {each.ours}."
    if document.currency and answered.currency and document.currency != answered.currency:
        yield f"Currency: {provider} wrote {answered.currency}, not {document.currency}."
