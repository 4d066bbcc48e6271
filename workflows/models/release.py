"""Backfills: what was there before a workflow was switched on, and is to start runs all the same."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from workflows.models.definition import Workflow, WorkflowPartQuerySet
from workflows.models.execution import TriggerState


class Release(models.Model):
    """One request for a backfill: start runs for everything since a day. `counted` is the number that the person was
    shown before confirming, None where none was shown. (Model and table keep an older name, which rows depend on.)

    The first poll after switching on does the backfill, for this workflow only: others that share the poll are not
    affected. However often it is requested, an event starts a workflow once; the database holds that (Run).
    """

    class Status(models.TextChoices):
        PENDING = "pending", "Being released"
        DONE = "done", "Released"
        DROPPED = "dropped", "Dropped before it was done"

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="releases")
    trigger_state = models.ForeignKey(TriggerState, on_delete=models.CASCADE, related_name="releases")
    since = models.DateField()
    counted = models.PositiveIntegerField(null=True, blank=True)
    #: The count stopped early: there were more than it says.
    is_capped = models.BooleanField(default=False)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.PENDING)
    released = models.PositiveIntegerField(default=0)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    asked_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = WorkflowPartQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["workflow"], condition=models.Q(status="pending"), name="one_release_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.workflow} from {self.since}"
