"""Changes that a second person decides on: publishing a workflow, and a team being less strict with itself."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from integrations.core.exact_json import ExactJSONField
from integrations.models import Team, TeamQuerySet
from workflows.models.definition import Workflow, WorkflowVersion


class SecondPerson(models.Model):
    """What one person asks for and another one decides on; never changed once it is decided."""

    class Status(models.TextChoices):
        OPEN = "open", "Waits for a second person"
        DONE = "done", "Agreed"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn"
        VOID = "void", "Void: it has changed since it was asked"

    note = models.TextField()
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.OPEN)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, default="")
    #: A superuser has done it without a second person.
    is_break_glass = models.BooleanField(default=False)

    class Meta:
        abstract = True

    @property
    def is_open(self) -> bool:
        """Whether it waits for a decision."""
        return self.status == self.Status.OPEN


def _decided_by_another(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=~models.Q(status="done")
        | models.Q(is_break_glass=True)
        | models.Q(decided_by__isnull=True)
        | ~models.Q(decided_by=models.F("asked_by")),
        name=name,
    )


class PublicationRequest(SecondPerson):
    """A workflow as it is to be published. `sha256` is of its plan: what is published is this and nothing else.

    `before` and `summary` say in words what the published version does and what the new one would do.
    """

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="publication_requests")
    number = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    before = models.TextField(blank=True, default="")
    summary = models.TextField()
    version = models.ForeignKey(WorkflowVersion, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["workflow", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["workflow", "number"], name="publication_numbers_differ"),
            models.UniqueConstraint(
                fields=["workflow"], condition=models.Q(status="open"), name="one_publication_is_asked_for"
            ),
            _decided_by_another("a_second_person_publishes"),
        ]

    def __str__(self) -> str:
        return f"Publication {self.number} of {self.workflow}"


class ControlsChange(SecondPerson):
    """Less strict controls of a team; `values` are the new ones by the names of TeamControls' fields."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="controls_changes")
    values = ExactJSONField(default=dict)

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["team"], condition=models.Q(status="open"), name="one_controls_change_is_proposed"
            ),
            _decided_by_another("a_second_person_loosens_controls"),
        ]

    def __str__(self) -> str:
        return f"Controls of {self.team}"
