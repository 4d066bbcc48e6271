"""Finding entries: the filter of the activity page and its pages."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from integrations.audit import objects
from integrations.audit.actions import keys_of, label_of
from integrations.core.address_values import AddressFilter, day_problem, in_days, number_of, occurring
from integrations.models import AuditEntry

#: In the filter, for entries that name no person.
NOBODY = "nobody"
NOBODYS = "Pinxero itself, or somebody who is not signed in"


@dataclass(frozen=True)
class Filter(AddressFilter):
    """The query of the page's address; "" where a part does not matter. `since` and `until` are included; `what` is an
    action or a group of them; `about` is a kind and an id, as "workflow-12", or a kind alone."""

    since: str = ""
    until: str = ""
    person: str = ""
    what: str = ""
    about: str = ""

    @property
    def is_narrow(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.to_dict())

    @property
    def thing(self) -> tuple[str, str]:
        """The kind that is asked for, and the id; each empty where it does not matter."""
        kind, dash, pk = self.about.rpartition("-")
        return (kind, pk) if dash else (pk, "")

    def problems(self) -> dict[str, str]:
        """What cannot be read, by the part's name: nothing is found until it is put right."""
        days = {name: day_problem(getattr(self, name)) for name in ("since", "until")}
        return {name: problem for name, problem in days.items() if problem}

    def find(self, chain: int) -> QuerySet[AuditEntry]:
        """The entries of the chain, newest first."""
        found: QuerySet[AuditEntry] = AuditEntry.objects.filter(chain=chain).order_by("-number")
        if self.problems():
            return found.none()
        if self.person == NOBODY:
            found = found.filter(person=None)
        elif self.person:
            found = found.filter(person=number_of(self.person) or 0)
        if self.what:
            found = found.filter(action__in=keys_of(self.what))
        kind, pk = self.thing
        if kind:
            found = found.filter(object_type=kind)
        if pk:
            found = found.filter(object_id=pk)
        return found.filter(**in_days("at", self.since, self.until))

    def words(self, chain: int) -> list[tuple[str, str]]:
        """The filter for people: (label, value)."""
        who = NOBODYS if self.person == NOBODY else name_of_person(self.person)
        about = name_of(chain, *self.thing) if self.about else ""
        return self._pairs(who, about)

    def recorded_words(self) -> list[tuple[str, str]]:
        """The same for the record itself, in which people stand by their number only."""
        return self._pairs(self.person, self.about)

    def _pairs(self, who: str, about: str) -> list[tuple[str, str]]:
        days = [("On or after", self.since), ("On or before", self.until)]
        pairs = [*days, ("Who", who), ("What", label_of(self.what)), ("About", about)]
        return [(label, value) for label, value in pairs if value]


def name_of_person(text: str) -> str:
    """The name of the person with this id; the text itself where it is no id."""
    number = number_of(text)
    return text if number is None else objects.people([number]).get(number, objects.ERASED)


def name_of(chain: int, kind: str, pk: str) -> str:
    """What a thing is, and what it was called in its last entry; a kind alone without an id."""
    label = objects.label_of(kind)
    if not pk:
        return label
    if kind == objects.PERSON:
        return objects.titled(label, name_of_person(pk))
    entries = AuditEntry.objects.filter(chain=chain, object_type=kind, object_id=pk).order_by("-number")
    name = entries.values_list("object_name", flat=True).first()
    return objects.titled(label, name) if name else f"{label} {pk}"


def after(found: QuerySet[AuditEntry], mark: str) -> QuerySet[AuditEntry]:
    """What follows the entry with this number; everything where the mark is no number."""
    number = number_of(mark)
    return found if number is None else found.filter(number__lt=number)


def people_in(chain: int) -> list[tuple[int, str]]:
    """Everybody who has done something in the chain, by name."""
    ids = occurring(AuditEntry, "person", where=("chain", chain), above=-1)
    names = objects.people(ids)
    return sorted(((pk, names.get(pk, objects.ERASED)) for pk in ids), key=lambda each: (each[1].casefold(), each[0]))
