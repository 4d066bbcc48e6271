"""Lookup tables: what finance keeps for its workflows, such as which account belongs to which board.

A table is edited as a whole: each saved change is a version with a number, who, when and why. Rows are stored once for
as many versions as they stood in: from `added_in` up to, not including, `gone_in`. The database holds both fast: a
version never changes, a row only ends.
"""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from integrations.core.exact_json import ExactJSONField
from integrations.models import Team, TeamQuerySet


class LookupPartQuerySet(models.QuerySet[Any]):
    """Rows that belong to a team through their lookup table."""

    def for_team(self, team: Team | None) -> Self:
        """Only the team's rows; none without a team."""
        return self.none() if team is None else self.filter(table__team=team)


class LookupTable(models.Model):
    """A table as it stands now. `version` is the number in force, 0 before the first; workflows name it by `name`."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="lookup_tables")
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True, default="")
    version = models.PositiveIntegerField(default=0)
    #: Put away: not offered, not found by workflows, kept for what it once said.
    is_archived = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(Lower("name"), "team", name="lookup_table_names_differ_in_a_team"),
        ]

    def __str__(self) -> str:
        return self.name


class LookupVersion(models.Model):
    """One saved change: what the columns were from then on, what it did to how many rows, who made it and why."""

    table = models.ForeignKey(LookupTable, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    columns = ExactJSONField()
    key_column = models.CharField(max_length=100)
    row_count = models.PositiveIntegerField()
    added = models.PositiveIntegerField()
    changed = models.PositiveIntegerField()
    removed = models.PositiveIntegerField()
    note = models.TextField(blank=True, default="")
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    saved_at = models.DateTimeField(auto_now_add=True)

    objects = LookupPartQuerySet.as_manager()

    class Meta:
        ordering = ["table", "-number"]
        constraints = [models.UniqueConstraint(fields=["table", "number"], name="lookup_version_numbers_differ")]

    def __str__(self) -> str:
        return f"{self.table}, version {self.number}"


class LookupRow(models.Model):
    """A row over the versions in which it stood. `key` is folded, as keys are compared; empty `cells` are left out."""

    table = models.ForeignKey(LookupTable, on_delete=models.CASCADE, related_name="rows")
    key = models.CharField(max_length=400)
    cells = ExactJSONField()
    position = models.PositiveIntegerField()
    added_in = models.PositiveIntegerField()
    gone_in = models.PositiveIntegerField(null=True, blank=True)

    objects = LookupPartQuerySet.as_manager()

    class Meta:
        ordering = ["table", "position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["table", "key"], condition=models.Q(gone_in__isnull=True), name="lookup_keys_differ"
            )
        ]
        indexes = [models.Index(fields=["table", "key"], name="lookup_row_by_key")]

    def __str__(self) -> str:
        return f"{self.table}: {self.key}"
