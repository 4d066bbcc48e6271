"""What a write step writes, as a document on the run's page, beside what the provider says it has written."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.utils.formats import date_format

from integrations.base import Action, Effect, Operation
from integrations.documents import Answered, Document, DocumentLine, Named, Text, Totals
from integrations.documents import Name as NameOf
from integrations.errors import InvalidInputError
from integrations.schema import Choices
from workflows import paperwork
from workflows.models import StepRun
from workflows.views.common import ChoiceLabels

logger = logging.getLogger(__name__)

_TOTALS = (("Subtotal", "sub_total"), ("Tax", "tax"), ("Total", "total"))


@dataclass(frozen=True)
class Line:
    """A row of the document, every value as it is shown."""

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
class Sum:
    """One of the totals: what was computed here, what the provider wrote, and whether they agree."""

    label: str
    ours: str
    theirs: str
    is_different: bool


@dataclass
class Paper:
    """A document ready for the template."""

    what: str
    provider: str
    number: str = ""
    facts: list[tuple[str, str]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    sums: list[Sum] = field(default_factory=list)
    currency: str = ""
    has_discounts: bool = False
    has_accounts: bool = False
    is_compared: bool = False
    differences: list[str] = field(default_factory=list)
    notes: tuple[str, ...] = ()


def paper_of(step_run: StepRun, operation: Operation | None, labels: ChoiceLabels) -> Paper | None:
    """The document that the step writes or has written; None where there is none to show."""
    if not isinstance(operation, Action) or operation.effect is Effect.READS or not step_run.inputs:
        return None
    try:
        document = paperwork.document_of(step_run, operation)
        answered = operation.answered(step_run.output) if step_run.output else None
    except InvalidInputError:
        return None  # which the page says input by input
    except Exception:
        # The page of a run must open even if one of its documents has a bug; the log has the traceback.
        logger.exception("The document of %s in step run %s could not be shown.", operation.full_key, step_run.pk)
        return None

    def name(choices: Choices, value: str) -> str:
        return labels.get((step_run.connection_id or 0, choices.key), {}).get(value, "")

    return None if document is None else _paper(document, answered, name, operation.connector.name)


def _paper(document: Document, answered: Answered | None, name: NameOf, provider: str) -> Paper:
    ours, theirs = document.totals, answered.totals if answered else None
    currency = document.currency or (answered.currency if answered else "")
    lines = [_line(number, line) for number, line in enumerate(document.lines, 1)]
    return Paper(
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


def _facts(document: Document, answered: Answered | None, name: NameOf) -> Iterator[tuple[str, str]]:
    whom = _said(document.whom, name)
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
        yield label, _said(text, name)
    if document.prices:
        yield "Prices", document.prices


def _said(text: Text, name: NameOf) -> str:
    return text.said(name) if isinstance(text, Named) else text


def _day(day: date | None) -> str:
    return date_format(day, "j M Y") if day else "The day on which it is written"


def _line(number: int, line: DocumentLine) -> Line:
    return Line(
        number=number,
        what=line.description or f"Item {line.item}",
        details=((f"Item {line.item}",) if line.item and line.description else ()) + line.tracking,
        quantity="" if line.quantity is None else f"{_short(line.quantity, 0)}",
        unit_amount="" if line.unit_amount is None else _short(line.unit_amount, 2),
        discount=line.discount,
        account=line.account,
        tax_rate=line.tax_rate,
        tax=_money(line.tax),
        amount=_money(line.amount),
    )


def _short(number: Decimal, least: int) -> str:
    """Without zeros at the end, but with at least so many places."""
    whole, _, places = f"{number:,f}".partition(".")
    kept = places.rstrip("0").ljust(least, "0")
    return f"{whole}.{kept}" if kept else whole


def _money(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:,.2f}"


def _sums(ours: Totals | None, theirs: Totals | None) -> Iterator[Sum]:
    if ours is None and theirs is None:
        return
    for label, part in _TOTALS:
        here, there = (getattr(each, part) if each else None for each in (ours, theirs))
        is_different = here is not None and there is not None and here != there
        yield Sum(label, _money(here), _money(there), is_different)


def _differences(document: Document, answered: Answered | None, provider: str) -> Iterator[str]:
    if answered is None:
        return
    for each in _sums(document.totals, answered.totals):
        if each.is_different:
            yield f"{each.label}: {provider} wrote {each.theirs}; worked out here it is {each.ours}."
    if document.currency and answered.currency and document.currency != answered.currency:
        yield f"Currency: {provider} wrote {answered.currency}, not {document.currency}."
