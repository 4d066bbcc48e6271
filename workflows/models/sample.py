"""What a workflow is built and previewed with: items that its trigger gave, and outputs that its reading steps fetched.

They hold real data of the team. They go with the workflow, are in no export, and no run reads them.
"""

from __future__ import annotations

from django.db import models

from integrations.core.exact_json import ExactJSONField
from integrations.models import Connection
from workflows.models.definition import Step, Workflow, WorkflowPartQuerySet


class SampleItem(models.Model):
    """One item of a workflow's trigger: as it was read, or as a person typed it. One of them may be chosen.

    `made_for` is a hash of the trigger, its connection and its inputs: what was read for others is not used.
    """

    class Origin(models.TextChoices):
        REAL = "real", "Real"
        TYPED = "typed", "Edited by hand"

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="sample_items")
    operation = models.CharField(max_length=100)
    made_for = models.CharField(max_length=64)
    origin = models.CharField(max_length=10, choices=Origin.choices)
    title = models.CharField(max_length=200, blank=True, default="")
    #: The day or the moment at which it came into being, as the provider gave it; empty if it gives none.
    happened = models.CharField(max_length=40, blank=True, default="")
    data = ExactJSONField()
    #: Whether long texts or lists in it were shortened to be kept.
    is_cut = models.BooleanField(default=False)
    is_chosen = models.BooleanField(default=False)
    taken_at = models.DateTimeField(auto_now_add=True)

    objects = WorkflowPartQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["workflow"], condition=models.Q(is_chosen=True), name="one_sample_item_is_chosen"
            )
        ]

    def __str__(self) -> str:
        return self.title


class SampleReading(models.Model):
    """When a workflow's trigger was last asked for samples, for which inputs, and why it gave none."""

    workflow = models.OneToOneField(Workflow, on_delete=models.CASCADE, related_name="sample_reading")
    made_for = models.CharField(max_length=64)
    read_at = models.DateTimeField()
    error = models.TextField(blank=True, default="")

    objects = WorkflowPartQuerySet.as_manager()

    def __str__(self) -> str:
        return f"samples of {self.workflow}"


class FetchedOutput(models.Model):
    """What a reading step gave when a person fetched it while building, or why it could not be fetched."""

    step = models.OneToOneField(Step, on_delete=models.CASCADE, related_name="fetched")
    operation = models.CharField(max_length=100)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    output = ExactJSONField(null=True, blank=True)
    is_cut = models.BooleanField(default=False)
    fetched_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return f"fetched output of {self.step}"
