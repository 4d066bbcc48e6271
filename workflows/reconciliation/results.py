"""What reconciliations have found: for their pages, and for the documents of other pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet
from django.utils import timezone

from workflows.books.comparison import Change
from workflows.models import Posting, Reconciliation, ReconciliationFinding

#: So many of an organisation's latest reconciliations are looked through for one that covers a document.
_LOOKED_THROUGH = 30


@dataclass(frozen=True)
class Filter:
    """What is shown of the findings: the verdict, the change, the dates of the documents, a text."""

    verdict: str = ""
    change: str = ""
    since: date | None = None
    until: date | None = None
    q: str = ""

    def of(self, reconciliation: Reconciliation) -> QuerySet[ReconciliationFinding]:
        """The findings, what should be looked at first."""
        found: QuerySet[ReconciliationFinding] = reconciliation.findings.select_related("posting__workflow", "run")
        if self.verdict:
            found = found.filter(verdict=self.verdict)
        if self.change in Change.values:
            found = found.filter(changes__contains=f" {self.change} ")
        if self.since is not None:
            found = found.filter(day__gte=self.since)
        if self.until is not None:
            found = found.filter(day__lte=self.until)
        if self.q:
            named = found.filter(number__icontains=self.q) | found.filter(contact__icontains=self.q)
            found = named | found.filter(described__icontains=self.q)
        return found.order_by("pk")


def changes_in(reconciliation: Reconciliation) -> list[tuple[str, str]]:
    """The changes that occur among the findings, as (value, label)."""
    held = {
        name for text in reconciliation.findings.order_by().values_list("changes", flat=True).distinct()
        for name in text.split()
    }  # fmt: skip
    return [(value, str(label)) for value, label in Change.choices if value in held]


def latest_findings(postings: Iterable[Posting]) -> dict[int, ReconciliationFinding]:
    """By the postings' ids what the last reconciliation that went through them found; what was the same is left out. In
    two queries."""
    wanted = [each for each in postings if each.connection_id is not None]
    if not wanted:
        return {}
    done = Reconciliation.objects.filter(
        connection__in={each.connection_id for each in wanted}, status=Reconciliation.Status.DONE
    ).order_by("-pk")[:_LOOKED_THROUGH]
    last: dict[int, int] = {}
    covering = list(done)
    for posting in wanted:
        day = timezone.localtime(posting.written_at).date()
        for each in covering:
            is_of_it = each.connection_id == posting.connection_id and each.asked_at >= posting.written_at
            if is_of_it and each.since <= day <= each.until:
                last[posting.pk] = each.pk
                break
    if not last:
        return {}
    found = ReconciliationFinding.objects.filter(posting__in=list(last), reconciliation__in=set(last.values()))
    return {
        each.posting_id: each
        for each in found
        if each.posting_id is not None and last[each.posting_id] == each.reconciliation_id
    }
