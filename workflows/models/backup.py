"""What a write was about to take away, kept before it was sent."""

from __future__ import annotations

from typing import Any, Self

from django.db import models

from integrations.models import Team
from workflows.models.execution import StepRun


class BackupQuerySet(models.QuerySet[Any]):
    """Rows that belong to a team through their run."""

    def for_team(self, team: Team | None) -> Self:
        """Only the team's rows; none without a team."""
        return self.none() if team is None else self.filter(step_run__run__team=team)


class Backup(models.Model):
    """The last one that was kept before the step was sent. It is kept as long as its run.

    `content` is JSON, compressed with zlib; `size` and `sha256` are of the JSON itself.
    """

    step_run = models.OneToOneField(StepRun, on_delete=models.CASCADE, related_name="backup")
    title = models.CharField(max_length=300)
    content = models.BinaryField()
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    kept_at = models.DateTimeField()

    objects = BackupQuerySet.as_manager()

    def __str__(self) -> str:
        return self.title
