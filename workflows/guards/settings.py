"""A team's settings of its guards: reading them for a write, and changing them with an entry in the record."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from integrations.audit.actions import Audited
from integrations.audit.record import About, record_difference
from integrations.models import Team
from integrations.schema.documents import day_words
from workflows.models import GuardLimit, Run, TeamGuards

Duplicates = TeamGuards.Duplicates
Period = TeamGuards.Period
#: The settings with a column of their own, as they are called here and there.
_COLUMNS = (
    *("duplicates", "duplicate_days", "period", "lock_until", "holds_first_live"),
    *("documents_per_hour", "documents_per_day"),
)
#: How long a run trusts what it has read of them, as it does the policy.
_CURRENT_SECONDS = 2.0
_AMOUNTS = ("largest", "per_hour", "per_day")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a team's guards do; as it stands here, nothing."""

    #: The largest amount payable by currency.
    largest: Mapping[str, Decimal] = field(default_factory=dict)
    duplicates: str = Duplicates.OFF
    duplicate_days: int = 30
    period: str = Period.OFF
    lock_until: date | None = None
    holds_first_live: bool = False
    documents_per_hour: int | None = None
    documents_per_day: int | None = None
    #: What may be created within the time in sum, by currency.
    per_hour: Mapping[str, Decimal] = field(default_factory=dict)
    per_day: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def counts(self) -> bool:
        """Whether anything limits how much is written within a time."""
        numbers = (self.documents_per_hour, self.documents_per_day)
        return bool(self.per_hour or self.per_day) or any(each is not None for each in numbers)

    @property
    def are_off(self) -> bool:
        """Whether no guard has anything to look at."""
        looks = self.largest or self.counts or self.holds_first_live
        return not looks and self.duplicates == Duplicates.OFF and self.period == Period.OFF


def of_team(team_id: int) -> Settings:
    """What is set now."""
    row = TeamGuards.objects.filter(team=team_id).first()
    if row is None:
        return Settings()  # limits are only ever saved together with the row
    limits = list(GuardLimit.objects.filter(team=team_id).order_by("currency"))
    amounts: dict[str, Any] = {
        name: {each.currency: most for each in limits if (most := getattr(each, name)) is not None} for name in _AMOUNTS
    }
    return Settings(**amounts, **{name: getattr(row, name) for name in _COLUMNS})


def of_run(run: Run) -> Settings:
    """What is set for the team of a run, read again once it is two seconds old."""
    now = time.monotonic()
    known: tuple[float, Settings] | None = getattr(run, "known_guards", None)
    if known is None or now - known[0] > _CURRENT_SECONDS:
        known = (now, of_team(run.team_id))
        run.known_guards = known  # type: ignore[attr-defined]
    return known[1]


def save(team: Team, settings: Settings, *, by: User) -> bool:
    """Set them, from the next write on; False if they were just so."""
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=team.pk)
        before = of_team(team.pk)
        TeamGuards.objects.update_or_create(team=team, defaults={name: getattr(settings, name) for name in _COLUMNS})
        GuardLimit.objects.filter(team=team).delete()
        amounts = {name: getattr(settings, name) for name in _AMOUNTS}
        GuardLimit.objects.bulk_create(
            GuardLimit(team=team, currency=code, **{name: most.get(code) for name, most in amounts.items()})
            for code in sorted({code for most in amounts.values() for code in most})
        )
        return (
            record_difference(
                Audited.GUARDS_CHANGED,
                team_id=team.pk,
                about=About("teamguards", team.pk, f"Guards of {team}"),
                by=by,
                before=in_words(before),
                after=in_words(settings),
            )
            is not None
        )


def in_words(settings: Settings) -> dict[str, str]:
    """Each setting by its label, for the record of activity."""
    amounts = (
        ("Largest single amount in", settings.largest),
        ("Within 60 minutes at most, in", settings.per_hour),
        ("Within 24 hours at most, in", settings.per_day),
    )
    words = {f"{label} {code}": f"{most:,.2f}" for label, limits in amounts for code, most in limits.items()}
    documents = {"60 minutes": settings.documents_per_hour, "24 hours": settings.documents_per_day}
    words |= {f"Documents within {span} at most": f"{most:,}" for span, most in documents.items() if most is not None}
    words["Duplicate bills"] = str(Duplicates(settings.duplicates).label)
    if settings.duplicates != Duplicates.OFF:
        words["Days between bills over the same amount"] = str(settings.duplicate_days)
    words["Dates in a locked period"] = str(Period(settings.period).label)
    if settings.holds_first_live:
        words["First document in live books after a demo company"] = "Held"
    if settings.lock_until is not None:
        words["Locked by the team up to"] = day_words(settings.lock_until)
    return words
