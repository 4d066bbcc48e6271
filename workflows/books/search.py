"""Finding postings: the filter of the page of documents, its orders and its pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from django.db.models import F, Func, Q, QuerySet, TextField

from integrations.core.address_values import (
    AddressFilter,
    amount_of,
    day_of,
    day_problem,
    in_days,
    name_in,
    number_of,
    occurring,
)
from integrations.models import Connection, Team
from workflows.models import Posting, Workflow

WRITTEN, DATED = "written", "day"
#: By which day a period is meant.
PERIODS = [(WRITTEN, "Written"), (DATED, "Dated")]
#: The orders, by their name in the address: the label and the column, with a minus where the largest comes first.
SORTS = {
    "newest": ("Written last", "-written_at"),
    "oldest": ("Written first", "written_at"),
    "day": ("Latest date", "-day"),
    "day-up": ("Earliest date", "day"),
    "amount": ("Largest amount", "-amount"),
    "amount-up": ("Smallest amount", "amount"),
}


def as_one_text(*columns: str) -> Func:
    """The columns as one text to search in. PostgreSQL has indexes of exactly such expressions (migration 0035)."""
    names = (F(column) for column in columns)
    return Func(*names, template="(%(expressions)s)", arg_joiner=" || ' ' || ", output_field=TextField())


_SEARCHED = as_one_text("number", "contact", "reference", "described")


@dataclass(frozen=True)
class Filter(AddressFilter):
    """The query of the page's address; "" where a part does not matter. `since` and `until` are included; `q` is looked
    for in number, contact, reference and description."""

    LONGEST: ClassVar[int] = 200

    by: str = ""
    since: str = ""
    until: str = ""
    connection: str = ""
    workflow: str = ""
    run: str = ""
    noun: str = ""
    contact: str = ""
    least: str = ""
    most: str = ""
    currency: str = ""
    status: str = ""
    q: str = ""
    sort: str = ""

    @property
    def is_narrow(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.to_dict().keys() - {"sort", "by"})

    @property
    def order(self) -> str:
        """The column of the order, with a minus where the largest comes first."""
        return SORTS.get(self.sort, SORTS["newest"])[1]

    def problems(self) -> dict[str, str]:
        """What cannot be read, by the part's name: nothing is found until it is put right."""
        found = {}
        for name in ("since", "until"):
            if problem := day_problem(getattr(self, name)):
                found[name] = problem
        for name in ("least", "most"):
            text = getattr(self, name)
            if text and amount_of(text) is None:
                found[name] = f"“{text}” is not an amount. Write it as 1250.50."
        return found

    def find(self, team: Team) -> QuerySet[Posting]:
        """The team's postings, in no order."""
        found: QuerySet[Posting] = Posting.objects.for_team(team).order_by()
        if self.problems():
            return found.none()
        for name in ("connection", "workflow", "run"):
            text = getattr(self, name)
            if text:
                found = found.filter(**{f"{name}_id": number_of(text) or 0})
        for name in Posting.OFFERED:
            if getattr(self, name):
                found = found.filter(**{name: getattr(self, name)})
        if self.contact:
            found = found.filter(contact__icontains=self.contact)
        if self.q:
            found = containing(found, self.q)
        if (least := amount_of(self.least)) is not None:
            found = found.filter(amount__gte=least)
        if (most := amount_of(self.most)) is not None:
            found = found.filter(amount__lte=most)
        return self._in_period(found)

    def _in_period(self, found: QuerySet[Posting]) -> QuerySet[Posting]:
        if self.by != DATED:
            return found.filter(**in_days("written_at", self.since, self.until))
        since, until = day_of(self.since), day_of(self.until)
        found = found.filter(day__gte=since) if since else found
        return found.filter(day__lte=until) if until else found

    def words(self, team: Team) -> list[tuple[str, str]]:
        """The filter for people: (label, value)."""
        period = dict(PERIODS).get(self.by, "Written")
        pairs = [(f"{period} on or after", self.since), (f"{period} on or before", self.until)]
        pairs += [
            ("Organisation", name_in(Connection.objects.filter(team=team), self.connection)),
            ("Workflow", name_in(Workflow.objects.filter(team=team), self.workflow)),
            ("Run", self.run), ("Kind", self.noun), ("Contact", self.contact), ("Amount at least", self.least),
            ("Amount at most", self.most), ("Currency", self.currency), ("State", self.status), ("Search", self.q),
        ]  # fmt: skip
        return [(label, value) for label, value in pairs if value]

    def recorded_words(self, team: Team) -> list[tuple[str, str]]:
        """The same for the audit trail. What was typed may name a customer, and nothing is ever deleted there."""
        typed = {"Contact": self.contact, "Search": self.q}
        return [(label, "not kept" if typed.get(label) else value) for label, value in self.words(team)]


def containing(found: QuerySet[Posting], text: str) -> QuerySet[Posting]:
    """Those whose number, contact, reference or description contains the text, whatever its case."""
    return found.alias(searched=_SEARCHED).filter(searched__icontains=text)


# --- pages ------------------------------------------------------------------------------------------------------------


def ordered(found: QuerySet[Posting], order: str) -> QuerySet[Posting]:
    """In this order; what has no value in its column is left out, which is said on the page."""
    column, minus = order.removeprefix("-"), "-" if order.startswith("-") else ""
    if column == "amount":
        found = found.filter(amount__isnull=False)
    return found.order_by(f"{minus}{column}", f"{minus}step_run_id")


def after(found: QuerySet[Posting], order: str, mark: str) -> QuerySet[Posting]:
    """What follows the posting of this mark in the order; everything where the mark makes no sense."""
    column, way = order.removeprefix("-"), "lt" if order.startswith("-") else "gt"
    text, _, key = mark.rpartition("~")
    value, pk = _read(column, text), number_of(key)
    if value is None or pk is None:
        return found
    # The first part leads the database to the place in its index; the second says what follows there.
    same_or_further = Q(**{f"{column}__{way}e": value})
    return found.filter(
        same_or_further, Q(**{f"{column}__{way}": value}) | Q(**{column: value, f"step_run__{way}": pk})
    )


def mark_of(posting: Posting, order: str) -> str:
    """Where a posting is in the order, for the address of the next page."""
    value = getattr(posting, order.removeprefix("-"))
    return f"{value.isoformat() if isinstance(value, date | datetime) else value}~{posting.pk}"


def _read(column: str, text: str) -> date | datetime | Decimal | None:
    if column == "amount":
        return amount_of(text)
    if column == "day":
        return day_of(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def offered(team: Team) -> dict[str, list[str]]:
    """By column, the values that occur in the team's postings; "" is left out."""
    return {name: occurring(Posting, name, where=("team_id", team.pk), above="") for name in Posting.OFFERED}
