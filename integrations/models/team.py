"""Who may act: teams and the roles of their members."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models

from integrations.core.clock import DatabaseNow


class Role(models.TextChoices):
    """What a member of a team may do."""

    BUILDER = "builder", "Builder: connects, builds, switches on, retries"
    APPROVER = "approver", "Approver: looks, and decides what waits for approval"
    AUDITOR = "auditor", "Auditor: reads everything, changes nothing"
    ADMINISTRATOR = "administrator", "Administrator: decides who belongs to the team, and reads everything"


class TeamQuerySet(models.QuerySet[Any]):
    """Rows that belong to a team, directly."""

    def for_team(self, team: Team | None) -> Self:
        """Only the team's rows; none without a team."""
        return self.none() if team is None else self.filter(team=team)


class Team(models.Model):
    """A group of people who share workflows and connections; nothing is shared between teams."""

    name = models.CharField(max_length=100, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    #: The roles that need a second factor here, besides those that need it everywhere.
    second_factor_roles = models.JSONField(default=list, db_default=[], blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


def in_force(path: str = "") -> models.Q:
    """The condition for memberships that have not ended. `path` leads to them from another table: "memberships__"."""
    return models.Q(**{f"{path}ends_at__isnull": True}) | models.Q(**{f"{path}ends_at__gt": DatabaseNow()})


class MembershipQuerySet(TeamQuerySet):
    """Memberships. Whoever asks what somebody may do, or whom to tell, asks those in force."""

    def in_force(self) -> Self:
        """Those that have not ended."""
        return self.filter(in_force())


class Membership(models.Model):
    """A person's role in a team, until `ends_at` where it has one. From then on it counts as none, and a worker soon
    removes it. `created_at` is unknown for those older than this column.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True, null=True)
    ends_at = models.DateTimeField(null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["team", "user"]
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="one_role_per_member")]
        indexes = [models.Index(fields=["ends_at"], name="memberships_that_end")]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()} in {self.team}"


class SecondFactorDemand(models.Model):
    """Since when somebody has needed a second factor: the grace period begins here, once and for all."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.user}, since {self.since}"


class Invitation(models.Model):
    """Somebody who is to join a team, by a link that was mailed to them. Of the link only a hash is stored.

    It is open until it is accepted or withdrawn or `expires_at` has come. `ends_at` is the end of the membership that
    it leads to.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=20, choices=Role.choices)
    ends_at = models.DateTimeField(null=True, blank=True)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["team", "-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(accepted_at__isnull=True) | models.Q(withdrawn_at__isnull=True),
                name="an_invitation_is_accepted_or_withdrawn",
            )
        ]

    def __str__(self) -> str:
        return f"Invitation {self.pk}"
