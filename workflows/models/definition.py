"""What people define: a workflow with its trigger, its filter and its steps; and the versions that publishing creates.

A workflow is edited as rows and run as a version: `WorkflowVersion.plan` is one immutable JSON, so that an edit never
changes a run in flight and the engine reads one row instead of a graph.
"""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import User
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from integrations.core.exact_json import ExactJSONField
from integrations.models import Connection, Team, TeamQuerySet
from workflows.models.revision import Revised


class WorkflowPartQuerySet(models.QuerySet[Any]):
    """Rows that belong to a team through their workflow."""

    def for_team(self, team: Team | None) -> Self:
        """Only the team's rows; none without a team."""
        return self.none() if team is None else self.filter(workflow__team=team)


class WorkflowQuerySet(TeamQuerySet):
    """Workflows of a team. One that was deleted is reached through its runs only, unless asked for."""

    def for_team(self, team: Team | None) -> Self:
        """The team's workflows that are not deleted; none without a team."""
        return super().for_team(team).filter(deleted_at__isnull=True)

    def deleted(self, team: Team | None) -> Self:
        """The team's workflows that are deleted: their versions and runs stay."""
        return super().for_team(team).filter(deleted_at__isnull=False)


class Workflow(Revised):
    """One trigger, an optional filter, and ordered steps, as people are editing them. Its revision is its trigger's.

    Deleting one that was published only hides it: its versions and runs are the record of what was written.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="workflows")
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True, default="")
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.DRAFT)
    pause_reason = models.CharField(max_length=300, blank=True, default="")
    #: Whether Pinxero paused it because its runs kept failing.
    has_paused_itself = models.BooleanField(default=False, db_default=False)
    trigger_operation = models.CharField(max_length=100, blank=True, default="")
    trigger_connection = models.ForeignKey(
        Connection, on_delete=models.SET_NULL, null=True, blank=True, related_name="triggered_workflows"
    )
    trigger_inputs = ExactJSONField(default=dict)
    interval_minutes = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(1), MaxValueValidator(15)]
    )
    published = models.ForeignKey(
        "workflows.WorkflowVersion", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    #: What it listens to while it is active; shared with other workflows that listen to the same.
    listens_to = models.ForeignKey(
        "workflows.TriggerState", on_delete=models.SET_NULL, null=True, blank=True, related_name="listeners"
    )
    #: True from switching on until the next poll has recorded what is there already; until then nothing runs.
    awaits_baseline = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = WorkflowQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "name"],
                condition=models.Q(deleted_at__isnull=True),
                name="workflow_names_differ_in_a_team",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Step(Revised):
    """One place in a workflow. `key` is the name by which later steps refer to its output.

    Steps form a tree. A branch holds paths, a path and a loop hold steps, and an action holds the steps of its error
    path. `settings` is what a kind needs beside the columns; the kinds in `definitions/kinds` declare it.
    """

    class Kind(models.TextChoices):
        FILTER = "filter", "Filter"
        ACTION = "action", "Action"
        BRANCH = "branch", "Branch"
        PATH = "path", "Path of a branch"
        LOOP = "loop", "Loop"
        DELAY = "delay", "Delay"
        FORMAT = "format", "Format"
        LOOKUP = "lookup", "Lookup table"
        CALL = "call", "Call another workflow"
        STOP = "stop", "Stop"

    class OnError(models.TextChoices):
        STOP = "stop", "Stop the run"
        GO_ON = "go_on", "Go on with the next step"
        ERROR_PATH = "error_path", "Take the error path"

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="steps")
    key = models.SlugField(max_length=50)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="children")
    #: Its place among the children of its parent.
    position = models.PositiveIntegerField()
    settings = ExactJSONField(default=dict)
    operation = models.CharField(max_length=100, blank=True, default="")
    connection = models.ForeignKey(Connection, on_delete=models.SET_NULL, null=True, blank=True, related_name="steps")
    on_error = models.CharField(max_length=20, choices=OnError.choices, default=OnError.STOP)
    max_attempts = models.PositiveSmallIntegerField(default=5, validators=[MinValueValidator(1), MaxValueValidator(20)])

    objects = WorkflowPartQuerySet.as_manager()

    class Meta:
        ordering = ["workflow", "position"]
        constraints = [models.UniqueConstraint(fields=["workflow", "key"], name="step_keys_differ_in_a_workflow")]

    def __str__(self) -> str:
        return f"{self.position}. {self.name}"


class Mapping(models.Model):
    """What a step puts into one input; for a table input, into one cell: `row` and `column` name it."""

    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="mappings")
    input = models.CharField(max_length=100)
    row = models.PositiveSmallIntegerField(null=True, blank=True)
    column = models.CharField(max_length=100, blank=True, default="")
    value = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["step", "input", "row", "column"]
        constraints = [
            models.UniqueConstraint(fields=["step", "input", "row", "column"], name="one_mapping_per_cell"),
            models.UniqueConstraint(
                fields=["step", "input"], condition=models.Q(row__isnull=True), name="one_mapping_per_input"
            ),
        ]

    def __str__(self) -> str:
        place = self.input if self.row is None else f"{self.input}.{self.row}.{self.column}"
        return f"{place} = {self.value[:60]}"


class Condition(models.Model):
    """One typed comparison, or a group of them (all, any, not), of a filter step."""

    class Kind(models.TextChoices):
        ALL = "all", "All of"
        ANY = "any", "Any of"
        NOT = "not", "None of"
        COMPARISON = "comparison", "Comparison"

    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="conditions")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="items")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.COMPARISON)
    left = models.TextField(blank=True, default="")
    type = models.CharField(max_length=20, blank=True, default="text")
    operator = models.CharField(max_length=50, blank=True, default="")
    right = models.TextField(blank=True, default="")
    right_until = models.TextField(blank=True, default="")
    is_case_sensitive = models.BooleanField(default=False)

    class Meta:
        ordering = ["step", "position"]

    def __str__(self) -> str:
        return (
            self.get_kind_display()
            if self.kind != self.Kind.COMPARISON
            else f"{self.left} {self.operator} {self.right}"
        )


class DeletedStep(models.Model):
    """The last step that was deleted from a workflow, with all inside it, so that it can be put back."""

    workflow = models.OneToOneField(Workflow, on_delete=models.CASCADE, related_name="deleted_step")
    name = models.CharField(max_length=120)
    #: Its rows as `definitions/deleting.py` keeps them.
    rows = models.TextField()
    #: The step that followed it, which says where it was; empty at the end.
    before_id = models.PositiveBigIntegerField(null=True, blank=True)
    deleted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    deleted_at = models.DateTimeField()

    objects = WorkflowPartQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name}, deleted from {self.workflow}"


class WorkflowVersion(models.Model):
    """A workflow as published. Immutable; the database enforces it. `plan_sha256` is of the plan's stored text."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    plan = ExactJSONField()
    plan_sha256 = models.CharField(max_length=64)
    summary = models.TextField(blank=True, default="")
    note = models.TextField(blank=True, default="")
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    published_at = models.DateTimeField(auto_now_add=True)

    objects = WorkflowPartQuerySet.as_manager()

    class Meta:
        ordering = ["workflow", "-number"]
        constraints = [models.UniqueConstraint(fields=["workflow", "number"], name="version_numbers_differ")]

    def __str__(self) -> str:
        return f"{self.workflow}, version {self.number}"
