"""Runs by what a person looks for: the one filter of the list, of what is done to many, and of links into the list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from integrations.models import Connection, Team
from workflows.models import Run, Workflow

#: Statuses that belong together, by the word for them in the list's address.
ATTENTION, OPEN = "attention", "open"
STATUS_SETS = {ATTENTION: Run.NEEDS_ATTENTION, OPEN: Run.OPEN}
STATUSES = [(ATTENTION, "Needs attention"), (OPEN, "Under way"), *Run.Status.choices]
_LABELS = dict(STATUSES)


@dataclass(frozen=True)
class Filter:
    """What is looked for, as the words of the list's address; "" where it does not matter.

    `wait` is why a run waits, `since` and `until` are days (both included) on which it began.
    """

    status: str = ""
    wait: str = ""
    workflow: str = ""
    connection: str = ""
    since: str = ""
    until: str = ""
    q: str = ""

    @classmethod
    def of(cls, query: Mapping[str, object]) -> Filter:
        """From an address or as it was stored; what is no text is left out."""
        given = {name: query.get(name, "") for name in cls.__dataclass_fields__}
        return cls(**{name: value.strip()[:100] for name, value in given.items() if isinstance(value, str)})

    def to_dict(self) -> dict[str, str]:
        """What matters of it, to be stored or put into an address."""
        return {name: value for name, value in asdict(self).items() if value}

    def find(self, team: Team) -> QuerySet[Run]:
        """The team's runs that fit; none where a word makes no sense."""
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
        begins, ends = day_of(self.since), day_of(self.until)
        if begins is not None:
            found = found.filter(created_at__gte=_midnight(begins))
        if ends is not None:
            found = found.filter(created_at__lt=_midnight(ends + timedelta(days=1)))
        return self._search(found)

    def _search(self, found: QuerySet[Run]) -> QuerySet[Run]:
        search = self.q.replace("\x00", "")
        if not search:
            return found
        number = number_of(search)
        return found.filter(
            Q(title__icontains=search) | Q(result__icontains=search) | (Q() if number is None else Q(pk=number))
        )

    def words(self, team: Team) -> list[tuple[str, str]]:
        """What is looked for, for people: (label, value)."""
        said = [("Status", _LABELS.get(self.status, ""))]
        if self.wait in Run.WaitReason.values:
            said.append(("Waits", Run.WaitReason(self.wait).label))
        for label, text, model in (("Workflow", self.workflow, Workflow), ("Writes to", self.connection, Connection)):
            number = number_of(text)
            name = model.objects.filter(team=team, pk=number).first() if number is not None else None
            said.append((label, str(name) if name is not None else text))
        said += [("Began on or after", self.since), ("Began on or before", self.until), ("Search", self.q)]
        return [(label, value) for label, value in said if value]


def number_of(text: str | None) -> int | None:
    """A whole number from an address, None for anything else."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None


def day_of(text: str) -> date | None:
    """A day from an address, None for anything else and for one that no run can have."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 3000 else None


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
