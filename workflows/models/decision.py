"""What people decided about runs."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from workflows.models.execution import Run, StepRunQuerySet


class Decision(models.Model):
    """A person's decision about a run: who, what, why, when. Append-only; the database enforces it."""

    class What(models.TextChoices):
        RETRY = "retry", "Tried again"
        MARK_DONE = "mark_done", "Marked as done by hand"
        SEND_AGAIN = "send_again", "Sent again"
        SKIP = "skip", "Skipped"
        CANCEL = "cancel", "Cancelled"
        RELEASE = "release", "Let go"
        REPLAY = "replay", "Replayed"
        RUN_AGAIN = "run_again", "Run again with a newer version"
        ACKNOWLEDGE = "acknowledge", "Errors acknowledged"
        UNDO = "undo", "Taken back"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="decisions")
    step = models.CharField(max_length=50, blank=True, default="")
    what = models.CharField(max_length=20, choices=What.choices)
    reason = models.TextField(blank=True, default="")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    #: The decision about many runs that this one is part of.
    batch = models.ForeignKey(
        "workflows.Batch", on_delete=models.SET_NULL, null=True, blank=True, related_name="decisions", db_index=False
    )

    objects = StepRunQuerySet.as_manager()

    class Meta:
        ordering = ["run", "id"]
        indexes = [
            models.Index(fields=["batch"], name="decisions_of_a_batch", condition=models.Q(batch__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.get_what_display()} by {self.by}"
