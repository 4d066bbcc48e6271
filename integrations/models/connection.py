"""With what a team acts: grants, connections, and how much they may call."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from integrations.core.encryption import EncryptedTextField
from integrations.core.exact_json import ExactJSONField
from integrations.models.team import Team, TeamQuerySet


class Grant(models.Model):
    """One consent of one person at one provider: the tokens, encrypted, and the lease under which they are renewed."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        NEEDS_RECONNECT = "needs_reconnect", "Needs reconnecting"
        REVOKED = "revoked", "Disconnected"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="grants")
    provider = models.CharField(max_length=50)
    external_user_id = models.CharField(max_length=200)
    label = models.CharField(max_length=200, blank=True)
    access_token = EncryptedTextField(blank=True, default="")
    refresh_token = EncryptedTextField(blank=True, default="")
    expires_at = models.DateTimeField(null=True, blank=True)
    refresh_expires_at = models.DateTimeField(null=True, blank=True)
    scopes = ExactJSONField(default=list)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.ACTIVE)
    last_error = models.TextField(blank=True, default="")
    refreshed_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_holder = models.CharField(max_length=64, blank=True, default="")
    connected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["provider", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "provider", "external_user_id"], name="one_grant_per_consenting_user"
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider}: {self.label or self.external_user_id}"


class Connection(models.Model):
    """One authorised organisation or account at a provider, reached with its grant's tokens.

    `details` are facts of the organisation as last read from the provider (currency, time zone, lock dates, demo).
    """

    class Status(models.TextChoices):
        CONNECTED = "connected", "Connected"
        NEEDS_RECONNECT = "needs_reconnect", "Needs reconnecting"
        DISCONNECTED = "disconnected", "Disconnected"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="connections")
    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="connections")
    provider = models.CharField(max_length=50)
    external_id = models.CharField(max_length=200)
    provider_connection_id = models.CharField(max_length=200, blank=True, default="")
    name = models.CharField(max_length=200)
    details = ExactJSONField(default=dict)
    details_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.CONNECTED)
    last_error = models.TextField(blank=True, default="")
    last_used_at = models.DateTimeField(null=True, blank=True)
    #: Since when nothing may be written with it, who decided it and why; runs that would write wait meanwhile.
    frozen_at = models.DateTimeField(null=True, blank=True)
    frozen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    freeze_reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["provider", "name"]
        constraints = [
            models.UniqueConstraint(fields=["team", "provider", "external_id"], name="one_connection_per_organisation")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_usable(self) -> bool:
        """Whether calls may be made with it now."""
        return self.status == self.Status.CONNECTED


class CallBudget(models.Model):
    """How many calls a connection has made, so that limits are kept before the provider has to enforce them.

    `recent` holds the times (Unix seconds) of the calls of the last minute, `in_flight` the running calls as {token:
    time at which a lost caller's slot is free again}. `blocked_until` comes from a 429.
    """

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="budget")
    recent = ExactJSONField(default=list)
    in_flight = ExactJSONField(default=dict)
    day_started_at = models.DateTimeField(null=True, blank=True)
    day_used = models.IntegerField(default=0)
    day_limit = models.IntegerField(default=0)
    blocked_until = models.DateTimeField(null=True, blank=True)
    blocked_reason = models.CharField(max_length=200, blank=True, default="")
    #: Calls in a row that the provider failed to answer, since when it counts as down, and when the next may be tried.
    troubles = models.PositiveIntegerField(default=0, db_default=0)
    down_since = models.DateTimeField(null=True, blank=True)
    down_reason = models.CharField(max_length=200, blank=True, default="", db_default="")
    probe_at = models.DateTimeField(null=True, blank=True)
    #: By how many seconds the provider's clock is ahead of ours, as last seen in its answers; behind if negative.
    clock_skew = models.IntegerField(default=0, db_default=0)

    def __str__(self) -> str:
        return f"{self.connection}: {self.day_used} of {self.day_limit} calls today"


class ChoiceCache(models.Model):
    """Choices of one input as fetched last for one connection, with their age."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="cached_choices")
    key = models.CharField(max_length=200)
    inputs_hash = models.CharField(max_length=64)
    choices = ExactJSONField(default=list)
    is_cut = models.BooleanField(default=False)
    fetched_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "key", "inputs_hash"], name="one_cache_row_per_question")
        ]

    def __str__(self) -> str:
        return f"{self.key} of {self.connection}"


class ReferenceList(models.Model):
    """A whole list of an organisation's settings (accounts, tax rates) as fetched last, with its age."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="reference_lists")
    key = models.CharField(max_length=200)
    records = ExactJSONField(default=list)
    fetched_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "key"], name="one_reference_list_of_a_kind")]

    def __str__(self) -> str:
        return f"{self.key} of {self.connection}"


class Turn(models.Model):
    """A resource lock: one run is changing something at a provider that others must not change now; see
    `resource_lock`.

    `key` names it, as "/Invoices/<id>". `until` is when the lock expires; empty: nobody has it.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="turns")
    key = models.CharField(max_length=200)
    token = models.CharField(max_length=16, blank=True, default="", db_index=True)
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "key"], name="one_turn_at_a_time")]

    def __str__(self) -> str:
        return f"{self.key} at {self.connection}"


class HookKey(models.Model):
    """A key with which a provider has signed webhooks: when it was last used, and how far its numbers are complete.

    `key_id` is a part of the key's SHA-256, never the key. `heard_at` is kept to the minute.
    """

    provider = models.CharField(max_length=50)
    key_id = models.CharField(max_length=16)
    heard_at = models.DateTimeField()
    complete_to = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "key_id"], name="one_row_per_webhook_key")]

    def __str__(self) -> str:
        return f"{self.provider} {self.key_id}"


class HookDelivery(models.Model):
    """The numbers of the events in one delivery, until it is known that none before them is missing."""

    provider = models.CharField(max_length=50)
    key_id = models.CharField(max_length=16)
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "key_id", "first", "last"], name="a_delivery_is_noted_once")
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.first} to {self.last}"


class HookNotice(models.Model):
    """A provider's webhook event about a connected organisation. Its unique constraint removes duplicates."""

    provider = models.CharField(max_length=50)
    organisation = models.CharField(max_length=200)
    category = models.CharField(max_length=50)
    resource_id = models.CharField(max_length=200)
    change = models.CharField(max_length=20)
    told_at = models.CharField(max_length=40)
    received_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "organisation", "resource_id", "category", "change", "told_at"],
                name="a_notice_is_stored_once",
            )
        ]
        indexes = [models.Index(fields=["provider", "organisation", "-received_at"], name="last_notice")]

    def __str__(self) -> str:
        return f"{self.category} {self.change} {self.resource_id}"
