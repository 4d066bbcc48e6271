"""A team's settings of its guards: reading them for a write, and changing them with an entry in the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction

from integrations.audit.actions import Audited
from integrations.audit.record import About, record_difference
from integrations.models import Team
from workflows.models import GuardLimit, TeamGuards

Duplicates = TeamGuards.Duplicates


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a team's guards do; as it stands here, nothing."""

    #: The largest amount payable by currency.
    largest: Mapping[str, Decimal] = field(default_factory=dict)
    duplicates: str = Duplicates.OFF
    duplicate_days: int = 30

    @property
    def are_off(self) -> bool:
        """Whether no guard has anything to look at."""
        return not self.largest and self.duplicates == Duplicates.OFF


def of_team(team_id: int) -> Settings:
    """What is set now."""
    row = TeamGuards.objects.filter(team=team_id).first()
    if row is None:
        return Settings()  # limits are only ever saved together with the row
    limits = GuardLimit.objects.filter(team=team_id).order_by("currency")
    return Settings(
        largest={each.currency: each.largest for each in limits},
        duplicates=row.duplicates,
        duplicate_days=row.duplicate_days,
    )


def save(team: Team, settings: Settings, *, by: User) -> bool:
    """Set them, from the next write on; False if they were just so."""
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=team.pk)
        before = of_team(team.pk)
        values = {"duplicates": settings.duplicates, "duplicate_days": settings.duplicate_days}
        TeamGuards.objects.update_or_create(team=team, defaults=values)
        GuardLimit.objects.filter(team=team).delete()
        limits = [GuardLimit(team=team, currency=code, largest=most) for code, most in settings.largest.items()]
        GuardLimit.objects.bulk_create(limits)
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
    words = {f"Largest single amount in {code}": f"{most:,.2f}" for code, most in settings.largest.items()}
    words["Duplicate bills"] = str(Duplicates(settings.duplicates).label)
    if settings.duplicates != Duplicates.OFF:
        words["Days between bills over the same amount"] = str(settings.duplicate_days)
    return words
