"""A team's guards: what is looked at once more at the moment of sending, apart from any policy. All are off at first.

`guards/settings.py` changes them, with an entry in the record of activity.
"""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from integrations.models import Team, TeamQuerySet


class TeamGuards(models.Model):
    """What a team's guards do. One without a row has none."""

    class Duplicates(models.TextChoices):
        OFF = "off", "Nothing: it is not looked at"
        HOLD = "hold", "Hold it until a person lets it go"
        FAIL = "fail", "Refuse it: the step fails"

    class Period(models.TextChoices):
        OFF = "off", "Nothing: it is not looked at"
        HOLD = "hold", "Hold it until a person lets it go"
        MOVE = "move", "Date it on the first day that is open, and say so on the run"
        FAIL = "fail", "Refuse it: the step fails"

    team = models.OneToOneField(Team, on_delete=models.CASCADE, primary_key=True, related_name="guards")
    #: What is done with a bill that looks like one that was written before.
    duplicates = models.CharField(max_length=10, choices=Duplicates.choices, default=Duplicates.OFF)
    #: How many days apart two bills of one supplier over the same amount count as the same.
    duplicate_days = models.PositiveSmallIntegerField(
        default=30, validators=[MinValueValidator(0), MaxValueValidator(365)]
    )

    #: What is done with what is dated up to the last locked day: the team's own, or the organisation's if later.
    period = models.CharField(max_length=10, choices=Period.choices, default=Period.OFF, db_default=Period.OFF)
    lock_until = models.DateField(null=True, blank=True)
    #: Whether the first document of a workflow in live books is held, after it has written to a demo company.
    holds_first_live = models.BooleanField(default=False, db_default=False)
    #: How many documents the team's runs may create in 60 minutes and in 24 hours.
    documents_per_hour = models.PositiveIntegerField(null=True, blank=True)
    documents_per_day = models.PositiveIntegerField(null=True, blank=True)

    objects = TeamQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "team guards"

    def __str__(self) -> str:
        return f"Guards of {self.team}"


class GuardLimit(models.Model):
    """How much may be written in one currency before it is held."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="guard_limits")
    currency = models.CharField(max_length=3)
    #: The amount payable of one document; None is no limit, and so below.
    largest = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    #: What the team's runs may create in 60 minutes and in 24 hours, in sum.
    per_hour = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    per_day = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["team", "currency"]
        constraints = [
            models.UniqueConstraint(fields=["team", "currency"], name="one_guard_limit_per_currency"),
            models.CheckConstraint(
                condition=~(models.Q(largest__lt=0) | models.Q(per_hour__lt=0) | models.Q(per_day__lt=0)),
                name="a_guard_limit_is_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"Limits of {self.currency}"
