"""What starts a workflow where nobody polls: the clock, an address of its own, a file, a key for the API."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from integrations.encryption import EncryptedTextField
from integrations.jsonfield import ExactJSONField
from integrations.models import Team, TeamQuerySet
from workflows.models.definition import Workflow, WorkflowPartQuerySet


class Schedule(models.Model):
    """When an active workflow starts next by the clock, as its published version says.

    `rule` is the trigger's inputs of that version. `next_at` is None while nothing is planned: paused, or no next time.
    """

    workflow = models.OneToOneField(Workflow, on_delete=models.CASCADE, related_name="schedule")
    rule = ExactJSONField(default=dict)
    next_at = models.DateTimeField(null=True, blank=True, db_index=True)
    #: The key of the start at `next_at`: the local date and time, which comes once whatever the clock does.
    next_key = models.CharField(max_length=100, blank=True, default="")
    last_at = models.DateTimeField(null=True, blank=True)
    #: Starts that were left out by the rule for missed ones, since it was switched on.
    skipped = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True, default="")

    objects = WorkflowPartQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.workflow}, next {self.next_at}"


class InboundHook(models.Model):
    """The secret address that starts a workflow, and the signature that a call has to carry, where one is wanted.

    The address is found by the token's SHA-256; the token itself is encrypted, because its owner has to see it.
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
    secret = EncryptedTextField(blank=True, default="")
    #: The last call's data, for choosing values while building.
    sample = ExactJSONField(null=True, blank=True)
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
    """A CSV file to start a run per row: its rows until they are started, then only what came of it."""

    class Status(models.TextChoices):
        SHOWN = "shown", "Shown, not started"
        STARTED = "started", "Started"

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64, db_index=True)
    columns = ExactJSONField(default=list)
    rows = ExactJSONField(default=list)
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
    """A key with which a program acts for one person in one team. Only its SHA-256 is kept."""

    class Scope(models.TextChoices):
        READ = "read", "Read workflows and runs"
        START = "start", "Read, and start workflows"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="api_tokens")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    scope = models.CharField(max_length=10, choices=Scope.choices, default=Scope.READ)
    #: The beginning of the token, by which people tell theirs apart.
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
    """A start asked for by the API under an Idempotency-Key: who has it, of which body, and what was answered.

    Without `answered_at` it is under way, or its process is gone; the start itself is idempotent by this row's id.
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
