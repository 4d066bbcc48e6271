"""How much may be written in an hour and in a day: documents, and amounts by currency. What comes on top is held.

It counts what the team's runs have created in the last 60 minutes and 24 hours, as their postings say, and as one
document each what was sent and has no clear answer yet. An amount that nobody knows counts as nothing. Runs that write
at the same moment do not see each other: each worker may pass the limit by one document. Letting go lets one document
go; the next one is held for itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Q, Sum
from django.utils import timezone

from integrations.framework.base import Effect
from integrations.framework.registry import actions
from workflows.engine.writes.gates import Intent
from workflows.guards import amounts
from workflows.guards.settings import Settings
from workflows.guards.stops import Stop
from workflows.models import Posting, Run, StepRun

_CODE = "volume"


@dataclass(frozen=True)
class Span:
    """A length of time that is counted in, and what it is called."""

    name: str
    words: str
    lasts: timedelta


HOUR = Span("hour", "the last 60 minutes", timedelta(hours=1))
DAY = Span("day", "the last 24 hours", timedelta(days=1))


def look(intent: Intent, settings: Settings) -> Stop | None:
    """Count what was written, and decide."""
    if intent.action.effect is not Effect.CREATES or not settings.counts:
        return None
    found = amounts.of_intent(intent)
    for span, documents, most in (
        (HOUR, settings.documents_per_hour, settings.per_hour),
        (DAY, settings.documents_per_day, settings.per_day),
    ):
        limit = most.get(found.currency) if found is not None else None
        if documents is None and limit is None:
            continue
        currency = found.currency if found is not None else ""
        count, total = _written(intent, span, currency)
        stop = decide_count(span, count, documents)
        if stop is None and found is not None:
            stop = decide_amount(span, total, found, limit)
        if stop is not None:
            return stop
    return None


def decide_count(span: Span, written: int, most: int | None) -> Stop | None:
    """Whether one more document is one too many."""
    if most is None or written < most:
        return None
    told = f"{most:,} {'document' if most == 1 else 'documents'}"
    return Stop(
        f"{_CODE}_{span.name}", f"The team’s runs have created {written:,} in {span.words}; its limit is {told}."
    )


def decide_amount(span: Span, written: Decimal, found: amounts.Sum, most: Decimal | None) -> Stop | None:
    """Whether it brings the sum over the limit of its currency. An amount that is not known may."""
    if most is None or (found.amount is not None and written + found.amount <= most):
        return None
    return Stop(
        f"{_CODE}_{span.name}_amount",
        f"With {found} it would be more than the team’s limit of {most:,.2f} {found.currency} in {span.words}, of "
        f"which {written:,.2f} are written.",
    )


def _written(intent: Intent, span: Span, currency: str) -> tuple[int, Decimal]:
    """How many documents, and what those in this currency come to."""
    since = timezone.now() - span.lasts
    written = Posting.objects.filter(team=intent.run.team_id, written_at__gte=since, effect=Effect.CREATES.value)
    # This very write, where it may have been sent already, is not another one.
    written = written.exclude(pk=intent.step_run.pk or 0)
    told = written.aggregate(count=Count("pk"), total=Sum("amount", filter=Q(currency=currency)))
    return told["count"] + _on_their_way(intent, since), told["total"] or Decimal(0)


def _on_their_way(intent: Intent, since: datetime) -> int:
    """What was sent since then and may have been created, of runs that are open or wait for a person to look."""
    creating = [each.full_key for each in actions() if each.effect is Effect.CREATES]
    sent = StepRun.objects.filter(
        run__team=intent.run.team_id,
        run__status__in=[*Run.OPEN, Run.Status.NEEDS_REVIEW],
        operation__in=creating,
        state__in=[StepRun.State.SENT, StepRun.State.UNCERTAIN, StepRun.State.NEEDS_REVIEW],
        first_sent_at__gte=since,
    )
    return sent.filter(posting__isnull=True).exclude(pk=intent.step_run.pk or 0).count()
