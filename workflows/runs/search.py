"""The filter of runs, used by the list, by decisions about many runs, and by links into the list."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from integrations.core.address_values import AddressFilter, in_days, name_in, number_of
from integrations.models import Connection, Team
from workflows.models import Decision, Run, Workflow

#: Groups of statuses, by their name in the list's address.
ATTENTION, OPEN = "attention", "open"
STATUS_SETS = {ATTENTION: Run.NEEDS_ATTENTION, OPEN: Run.OPEN}
STATUSES = [(ATTENTION, "Needs attention"), (OPEN, "Under way"), *Run.Status.choices]
_LABELS = dict(STATUSES)


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
        if self.status in STATUS_SETS:
            found = found.filter(status__in=STATUS_SETS[self.status])
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
        return self._search(found.filter(**in_days("created_at", self.since, self.until)))

    def _search(self, found: QuerySet[Run]) -> QuerySet[Run]:
        if not self.q:
            return found
        number = number_of(self.q)
        return found.filter(
            Q(title__icontains=self.q) | Q(result__icontains=self.q) | (Q() if number is None else Q(pk=number))
        )

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
