"""The audit trail."""

from __future__ import annotations

from typing import Any, Self

from django.db import models

from integrations.core.exact_json import ExactJSONField
from integrations.models.team import Team


class AuditQuerySet(models.QuerySet[Any]):
    """Entries by the team whose chain they stand in. Teams are numbers here, because a chain outlives its team."""

    def for_team(self, team: Team | None) -> Self:
        """Only the team's rows; none without a team."""
        return self.none() if team is None else self.filter(chain=team.pk)


class AuditEntry(models.Model):
    """One line of the audit trail. Append-only and hash-chained; the database refuses to change or delete it.

    `chain` is a team's id, 0 for the installation. Everything is stored without foreign keys, so that teams, users and
    objects can be deleted and the chain stays whole. `person` is a user's id (None: Pinxero itself, or nobody known);
    `role` is what the person was then. `before` and `after` are {label: words}.
    """

    chain = models.PositiveBigIntegerField()
    number = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    person = models.PositiveBigIntegerField(null=True)
    role = models.CharField(max_length=20, blank=True)
    #: The id of an AuditOrigin, and the hash that holds it fast as long as it is kept.
    origin = models.PositiveBigIntegerField(null=True)
    origin_seal = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=40, blank=True)
    object_id = models.CharField(max_length=40, blank=True)
    object_name = models.CharField(max_length=200, blank=True)
    reason = models.TextField(blank=True)
    before = ExactJSONField(default=dict)
    after = ExactJSONField(default=dict)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering = ["chain", "number"]
        constraints = [models.UniqueConstraint(fields=["chain", "number"], name="audit_numbers_differ_in_a_chain")]
        indexes = [
            models.Index(fields=["chain", "object_type", "object_id", "number"], name="audit_of_an_object"),
            models.Index(fields=["chain", "person", "number"], name="audit_of_a_person"),
            models.Index(fields=["chain", "action", "number"], name="audit_of_an_action"),
            models.Index(fields=["chain", "at"], name="audit_of_a_period"),
        ]

    def __str__(self) -> str:
        return f"Entry {self.number}: {self.action}"


class AuditHead(models.Model):
    """The last entry of a chain. Whoever adds one locks this row first, so that numbers have no gaps."""

    chain = models.PositiveBigIntegerField(primary_key=True)
    number = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True, default="")

    def __str__(self) -> str:
        return f"Chain {self.chain}: {self.number}"


class AuditOrigin(models.Model):
    """The IP address from which a person acted: personal data, so it stands beside the chain and may be deleted.

    Entries hold a hash of it with the salt: a changed address is noticed, a deleted one cannot be guessed from it.
    """

    person = models.PositiveBigIntegerField(default=0)
    address = models.CharField(max_length=45)
    salt = models.CharField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "address"], name="one_origin_per_person_and_address")]

    def __str__(self) -> str:
        return self.address
