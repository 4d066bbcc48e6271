"""The duplicate bill: one of the same supplier with the same number, or over the same amount within some days.

It looks at what this team's runs have written to the same organisation and not taken back since. A bill that somebody
entered there by hand is none of these: a step that writes bills looks for its number at the provider itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Q, QuerySet
from django.utils import timezone

from integrations.framework.base import Effect
from integrations.framework.registry import actions
from integrations.schema.documents import Named, day_words
from workflows.definitions.mapping_context import zone_of
from workflows.engine.writes.gates import Intent
from workflows.guards import amounts
from workflows.guards.settings import Settings
from workflows.guards.stops import Stop
from workflows.models import Posting, TeamGuards, Undo

_CODE = "duplicate_bill"


@dataclass(frozen=True)
class Bill:
    """What two bills of one supplier are compared by."""

    number: str
    day: date
    amount: Decimal | None
    currency: str
    title: str = ""
    run: int | None = None


def look(intent: Intent, settings: Settings) -> Stop | None:
    """Read what was written for this supplier, and decide."""
    if settings.duplicates == TeamGuards.Duplicates.OFF or not intent.action.bill_number:
        return None
    bill, supplier = _bill(intent), _supplier(intent)
    if bill is None or not supplier:
        return None
    known = _written(intent, supplier, bill, settings.duplicate_days)
    found = decide(bill, (_of_posting(each) for each in known), within=settings.duplicate_days)
    if found is None:
        return None
    return Stop(_CODE, found, refuses=settings.duplicates == TeamGuards.Duplicates.FAIL)


def decide(bill: Bill, written: Iterable[Bill], *, within: int) -> str | None:
    """Why the bill looks like one that was written before; None if it does not. The same number counts before the same
    amount, whenever it was written."""
    others, number = list(written), _plain(bill.number)
    for other in others:
        if number and number == _plain(other.number):
            return f"A bill of this supplier with the number {other.number} was written before: {_which(other)}."
    for other in others:
        if bill.amount is None or (bill.amount, bill.currency) != (other.amount, other.currency):
            continue
        if abs((bill.day - other.day).days) <= within:
            days = f"{within} {'day' if within == 1 else 'days'}"
            told = f"{bill.amount:,.2f} {bill.currency}"
            return f"A bill of this supplier over the same {told} was written within {days}: {_which(other)}."
    return None


def _which(bill: Bill) -> str:
    where = f", by run {bill.run}" if bill.run else ""
    return f"{bill.title or 'a bill'} of {day_words(bill.day)}{where}"


def _plain(number: str) -> str:
    """A number without what people write differently: case, spaces, and what stands between."""
    return "".join(each for each in number.casefold() if each.isalnum())


def _bill(intent: Intent) -> Bill | None:
    document, found = intent.document, amounts.of_intent(intent)
    if document is None or found is None:
        return None
    today = timezone.now().astimezone(zone_of(intent.connection)).date()
    day = document.dates[0][1] if document.dates else None
    number = str(getattr(intent.inputs, intent.action.bill_number, None) or "")
    return Bill(number, day or today, found.amount, found.currency)


def _supplier(intent: Intent) -> str:
    whom = intent.document.whom if intent.document is not None else ""
    return whom.code if isinstance(whom, Named) else ""


def _written(intent: Intent, supplier: str, bill: Bill, within: int) -> QuerySet[Posting]:
    """What may be the same: with any number where this one has one, else only of these days. Newest first."""
    bills = [each.full_key for each in actions() if each.bill_number]
    known = Posting.objects.filter(
        team=intent.run.team_id, connection=intent.connection, contact_id=supplier, operation__in=bills
    ).filter(effect=Effect.CREATES.value)
    near = Q(day__range=(bill.day - timedelta(days=within), bill.day + timedelta(days=within)))
    if bill.number:
        near |= ~Q(number="")
    taken_back = Undo.objects.filter(state=Undo.State.DONE).values("posting")
    # This very write, where it may have been sent already, is not another one.
    return known.filter(near).exclude(pk=intent.step_run.pk or 0).exclude(pk__in=taken_back).order_by("-written_at")


def _of_posting(posting: Posting) -> Bill:
    return Bill(posting.number, posting.day, posting.amount, posting.currency, str(posting), posting.run_id)
