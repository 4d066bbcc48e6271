"""Previews: what a workflow would do with an item. They are kept for a week and are no runs: nothing was written."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from integrations.core.exact_json import ExactJSONField
from integrations.models import Connection, Team, TeamQuerySet
from workflows.models.definition import Workflow, WorkflowVersion


class Preview(models.Model):
    """One walk of a plan with one item. `version` is None where it walked the draft, or a workflow that it called."""

    KEPT_DAYS: ClassVar[int] = 7

    class Status(models.TextChoices):
        DONE = "done", "Reached its end"
        FILTERED = "filtered", "Ended by a filter"
        FAILED = "failed", "Failed"
        UNFINISHED = "unfinished", "Not finished"

    class Origin(models.TextChoices):
        REAL = "real", "a real item"
        TYPED = "typed", "a sample edited by hand"
        INVENTED = "invented", "an invented sample"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="previews", db_index=False)
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="previews", db_index=False)
    version = models.ForeignKey(
        WorkflowVersion, on_delete=models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )
    #: The preview in which a step calls this workflow.
    called_by = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="called")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    plan = ExactJSONField()
    #: The fingerprint of the plan, so that publishing can tell whether it was previewed as it is.
    plan_sha256 = models.CharField(max_length=64)
    data = ExactJSONField()
    title = models.CharField(max_length=200, blank=True, default="")
    origin = models.CharField(max_length=20, choices=Origin.choices, default=Origin.INVENTED)
    #: Which of the items at hand it was, so that a preview can be made again with it.
    item = models.CharField(max_length=40, blank=True, default="", db_default="")
    #: The step after which it was to end, and the one that was taken as failed, by their keys.
    upto = models.CharField(max_length=50, blank=True, default="")
    fail_step = models.CharField(max_length=50, blank=True, default="")
    #: The filters, stops and paths that it went on at although a run would not, by their keys; None if there are none.
    forced = ExactJSONField(null=True, blank=True)
    status = models.CharField(max_length=20, choices=Status.choices)
    message = models.TextField(blank=True, default="")
    #: Sentences about what was left out.
    notes = ExactJSONField(default=list)
    writes = models.PositiveIntegerField(default=0)
    stops = models.PositiveIntegerField(default=0)
    warns = models.PositiveIntegerField(default=0)
    #: How many of the warnings say that a check broke, so that a write is not known to be right.
    unchecked = models.PositiveIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["workflow", "-id"], name="previews_of_a_workflow"),
            models.Index(fields=["created_at"], name="previews_by_age"),
        ]

    def __str__(self) -> str:
        return f"preview {self.pk}"


class PreviewStep(models.Model):
    """One step as a preview went through it; what it shares with StepRun is named alike.

    `predicted` holds {"inputs": [paths of inputs with predicted values], "examples": [paths in the output that come
    from an example], "earlier": [paths in the output that come from the last real one], "run": id of that one's run}.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Not finished"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        SKIPPED = "skipped", "Skipped"
        FILTERED = "filtered", "Not met"
        WRITTEN = "written", "Would be written"
        PASSED = "passed", "Passed"

    #: The columns that a step of a run has too, by the same name.
    SHARED: ClassVar[tuple[str, ...]] = (
        "step",
        "iteration",
        "position",
        "kind",
        "name",
        "operation",
        "connection_id",
        "inputs",
        "outcome",
        "request",
        "request_sha256",
        "marker",
        "output",
        "error",
        "problems",
        "looked_in",
    )

    preview = models.ForeignKey(Preview, on_delete=models.CASCADE, related_name="steps", db_index=False)
    #: In the order in which they were reached, from 1.
    number = models.PositiveIntegerField()
    step = models.CharField(max_length=50)
    iteration = models.CharField(max_length=100, blank=True, default="")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=120)
    operation = models.CharField(max_length=100, blank=True, default="")
    connection = models.ForeignKey(Connection, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=20, choices=State.choices)
    note = models.CharField(max_length=300, blank=True, default="")
    inputs = ExactJSONField(null=True, blank=True)
    outcome = ExactJSONField(null=True, blank=True)
    request = ExactJSONField(null=True, blank=True)
    request_sha256 = models.CharField(max_length=64, blank=True, default="")
    marker = models.CharField(max_length=40, blank=True, default="")
    output = ExactJSONField(null=True, blank=True)
    error = models.TextField(blank=True, default="")
    problems = ExactJSONField(null=True, blank=True)
    looked_in = ExactJSONField(null=True, blank=True)
    findings = ExactJSONField(default=list)
    is_predicted = models.BooleanField(default=False)
    #: Whether it was only reached, or passed, because the preview was forced to go on.
    is_forced = models.BooleanField(default=False, db_default=False)
    predicted = ExactJSONField(default=dict)
    #: The preview of the workflow that the step calls.
    called = models.ForeignKey(Preview, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["preview", "number"]
        constraints = [
            models.UniqueConstraint(fields=["preview", "number"], name="a_previewed_step_has_its_number"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of preview {self.preview_id}"
