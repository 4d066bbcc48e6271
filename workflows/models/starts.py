"""What starts a workflow where nobody polls: the clock, an address of its own, a file, a key for the API."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from integrations.core.encryption import EncryptedTextField
from integrations.core.exact_json import ExactJSONField
from integrations.models import Membership, Team, TeamQuerySet
from workflows.models.definition import Workflow, WorkflowPartQuerySet


class Schedule(models.Model):
    """When an active workflow starts next, by the schedule of its published version.

    `rule` is the trigger's inputs of that version. `next_at` is None while nothing is planned: paused, or no next time.
    """

    workflow = models.OneToOneField(Workflow, on_delete=models.CASCADE, related_name="schedule")
    rule = ExactJSONField(default=dict)
    next_at = models.DateTimeField(null=True, blank=True, db_index=True)
    #: The key of the start at `next_at`: the local date and time, which occurs once even when the clocks change.
    next_key = models.CharField(max_length=100, blank=True, default="")
    last_at = models.DateTimeField(null=True, blank=True)
    #: Missed starts that were left out since it was switched on, by its rule for missed starts.
    skipped = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True, default="")

    objects = WorkflowPartQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.workflow}, next {self.next_at}"


class InboundHook(models.Model):
    """The secret address that starts a workflow, and the signature that its calls must carry, where one is required.

    The address is found by the token's SHA-256; the token itself is encrypted, because its owner has to see it again.
    """

    class Signature(models.TextChoices):
        NONE = "", "None"
        HEX = "hex", "HMAC-SHA256, hexadecimal"
        BASE64 = "base64", "HMAC-SHA256, base64"

    workflow = models.OneToOneField(Workflow, on_delete=models.CASCADE, related_name="hook")
    token = EncryptedTextField()
    token_hash = models.CharField(max_length=64, unique=True)
    signature = models.CharField(max_length=10, choices=Signature.choices, blank=True, default="")
    header = models.CharField(max_length=100, blank=True, default="")
    #: The header with the time that is signed with the body; empty where none is required.
    time_header = models.CharField(max_length=100, blank=True, default="")
    secret = EncryptedTextField(blank=True, default="")
    #: The data of a recent call, for choosing values in the editor.
    sample = ExactJSONField(null=True, blank=True)
    sampled_at = models.DateTimeField(null=True, blank=True)
    called_at = models.DateTimeField(null=True, blank=True)
    #: The minute that is being counted, and the calls in it.
    minute = models.BigIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(auto_now_add=True)
    rotated_at = models.DateTimeField(null=True, blank=True)

    objects = WorkflowPartQuerySet.as_manager()

    def __str__(self) -> str:
        return f"the address of {self.workflow}"


class Upload(models.Model):
    """A CSV file that starts a run per row. Its rows are kept until they are started, then only the result."""

    class Status(models.TextChoices):
        SHOWN = "shown", "Shown, not started"
        STARTED = "started", "Started"

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64, db_index=True)
    columns = ExactJSONField(default=list)
    rows = ExactJSONField(default=list)
    #: The separator of its columns, and a sentence about the lines above the heading, which are not used.
    separator = models.CharField(max_length=1, blank=True, default="")
    above = models.TextField(blank=True, default="")
    row_count = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.SHOWN)
    started = models.PositiveIntegerField(default=0)
    left_out = models.PositiveIntegerField(default=0)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    uploaded_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)

    objects = WorkflowPartQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name


class ApiToken(models.Model):
    """A key with which a program acts for one person in one team. Only its SHA-256 is kept.

    It is tied to the membership under which it was created: without that row it opens nothing, and joining the team
    again does not revive it.
    """

    class Scope(models.TextChoices):
        READ = "read", "Read workflows and runs"
        START = "start", "Read, and start workflows"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="api_tokens")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    membership = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, related_name="api_tokens")
    name = models.CharField(max_length=100)
    scope = models.CharField(max_length=10, choices=Scope.choices, default=Scope.READ)
    #: The first characters of the token, by which people recognise it.
    prefix = models.CharField(max_length=12)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class ApiCall(models.Model):
    """A start requested through the API under an Idempotency-Key: the hash of its body, and the answer.

    Without `answered_at` it is in progress, or its process is gone; the start itself is idempotent by this row's id.
    """

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="api_calls")
    key = models.CharField(max_length=255)
    body_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = ExactJSONField(null=True, blank=True)
    asked_at = models.DateTimeField(db_index=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workflow", "key"], name="one_api_call_per_key")]

    def __str__(self) -> str:
        return f"{self.key} for {self.workflow_id}"
