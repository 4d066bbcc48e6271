"""Which state a row is in: how often people have saved it, who did so last, and when.

A form carries the number of the row that it was filled from; `definitions/changes/revisions.py` compares the two.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone


def saved_now() -> datetime:
    """Now, to the millisecond: a step that is deleted and put back goes through JSON, which keeps no more."""
    now = timezone.now()
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


class Revised(models.Model):
    """A row that a form is filled from."""

    #: How often it was saved: a form that began with an older number is told.
    revision = models.PositiveIntegerField(default=1, db_default=1)
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    saved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class WorkflowPart(Revised):
    """What a workflow has besides its trigger and its steps, each saved by a form of its own."""

    class Part(models.TextChoices):
        NAME = "name", "Name and purpose"
        ORDER = "order", "Order of the steps"
        SAMPLE = "sample", "Sample of the trigger"
        SAFEGUARDS = "safeguards", "Safeguards"
        ADDRESS = "address", "Address and signature of calls"

    workflow = models.ForeignKey("workflows.Workflow", on_delete=models.CASCADE, related_name="parts")
    part = models.CharField(max_length=20, choices=Part.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workflow", "part"], name="workflow_parts_differ")]

    def __str__(self) -> str:
        return f"{self.get_part_display()} of {self.workflow}"
