"""The filter of runs, used by the list, by decisions about many runs, and by links into the list."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import OuterRef, Q, QuerySet, Subquery

from integrations.core.address_values import AddressFilter, amount_of, in_days, name_in, number_of
from integrations.models import Connection, Team
from workflows.books import search as book_search
from workflows.models import Decision, Posting, Run, Workflow
from workflows.models.execution import NEEDS_ATTENTION, WITH_ERRORS

#: Groups of statuses, by their name in the list's address.
ATTENTION, OPEN, ERRORS = "attention", "open", "errors"
STATUSES = [(ATTENTION, "Needs attention"), (OPEN, "Under way"), (ERRORS, WITH_ERRORS), *Run.Status.choices]
_LABELS = dict(STATUSES)
#: What a search looks in. The index holds the runs in one of these statuses only.
_SEARCHED = book_search.as_one_text("title", "result")
_INDEXED = (
    Run.Status.SUCCEEDED, Run.Status.FAILED, Run.Status.FILTERED, Run.Status.NEEDS_REVIEW, Run.Status.CRASHED,
    Run.Status.CANCELLED,
)  # fmt: skip
#: A search that finds more runs than this is one for common words.
_MANY = 5000


@dataclass(frozen=True)
class Filter(AddressFilter):
    """The query of the list's address; "" where a part does not matter.

    `wait` is why a run waits; it began between the days `since` and `until`, both included. `batch` is a decision
    about many runs, of which this was one.
    """

    status: str = ""
    wait: str = ""
    workflow: str = ""
    connection: str = ""
    since: str = ""
    until: str = ""
    q: str = ""
    batch: str = ""

    def find(self, team: Team) -> QuerySet[Run]:
        """The team's matching runs; none where a part makes no sense."""
        found: QuerySet[Run] = Run.objects.for_team(team)
        if self.status == ATTENTION:
            found = found.filter(NEEDS_ATTENTION)
        elif self.status == OPEN:
            found = found.filter(status__in=Run.OPEN)
        elif self.status == ERRORS:
            found = found.filter(status=Run.Status.SUCCEEDED, error__gt="")
        elif self.status in Run.Status.values:
            found = found.filter(status=self.status)
        if self.wait in Run.WaitReason.values:
            found = found.filter(status=Run.Status.WAITING, wait_reason=self.wait)
        for name in ("workflow", "connection"):
            text = getattr(self, name)
            number = number_of(text)
            if number is not None:
                found = found.filter(**{f"{name}_id": number})
            elif text:
                found = found.none()
        if self.batch:
            found = found.filter(pk__in=runs_of(number_of(self.batch)).values("pk"))
        found = found.filter(**in_days("created_at", self.since, self.until))
        return _looked_for(found, team, self.q) if self.q else found

    def words(self, team: Team) -> list[tuple[str, str]]:
        """The filter for people: (label, value)."""
        pairs = [("Status", _LABELS.get(self.status, ""))]
        if self.wait in Run.WaitReason.values:
            pairs.append(("Waits", Run.WaitReason(self.wait).label))
        pairs.append(("Workflow", name_in(Workflow.objects.filter(team=team), self.workflow)))
        pairs.append(("Writes to", name_in(Connection.objects.filter(team=team), self.connection)))
        if self.batch:
            pairs.append(("Decided together", f"decision {self.batch}"))
        pairs += [("Began on or after", self.since), ("Began on or before", self.until), ("Search", self.q)]
        return [(label, value) for label, value in pairs if value]


def runs_of(batch_id: int | None) -> QuerySet[Run]:
    """The runs that a decision about many runs was made for; of those that were run again, the new runs."""
    decided = Decision.objects.filter(batch=batch_id) if batch_id is not None else Decision.objects.none()
    replaced = decided.filter(what=Decision.What.RUN_AGAIN)
    others = decided.exclude(what=Decision.What.RUN_AGAIN)
    return Run.objects.filter(Q(pk__in=others.values("run")) | Q(again_of__in=replaced.values("run")))


def _looked_for(found: QuerySet[Run], team: Team, text: str) -> QuerySet[Run]:
    """Runs whose title, result, number or workflow fits, or that have written a document whose number, contact,
    reference, description or amount does."""
    number, amount = number_of(text.removeprefix("#")), amount_of(text)
    fits = Q() if number is None else Q(pk=number)
    workflows = list(Workflow.objects.filter(team=team, name__icontains=text).values_list("pk", flat=True))
    if workflows:
        fits |= Q(workflow__in=workflows)
    few = _few(team, text, amount)
    if few is not None:
        return found.filter(fits | Q(pk__in=few))
    # Asked of each run in turn, the newest are found at once. As a subquery with a limit and not as EXISTS, because
    # PostgreSQL would make a table of all that exists first.
    of_run = Posting.objects.filter(run=OuterRef("pk")).order_by()
    written = book_search.containing(of_run, text)
    if amount is not None:
        written |= of_run.filter(amount=amount)
    found = found.alias(searched=_SEARCHED, written=Subquery(written.values("pk")[:1]))
    return found.filter(fits | Q(searched__icontains=text) | Q(written__isnull=False))


def _few(team: Team, text: str, amount: Decimal | None) -> list[int] | None:
    """The runs that fit by their own words or by those of their documents; None if they are very many."""
    runs = Run.objects.for_team(team).order_by().alias(searched=_SEARCHED).filter(searched__icontains=text)
    postings = Posting.objects.for_team(team).order_by()
    # One query for each index, put together: with OR between them a database would read every run.
    parts = [runs.filter(status__in=Run.OPEN).values("pk"), book_search.containing(postings, text).values("run")]
    if amount is not None:
        parts.append(postings.filter(amount=amount).values("run"))
    found = list(runs.filter(status__in=_INDEXED).values_list("pk", flat=True).union(*parts, all=True)[: _MANY + 1])
    return found if len(found) <= _MANY else None
