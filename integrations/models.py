"""Who may act (teams), with what (grants, connections) and how much (call budgets).

One consent is a Grant and holds the tokens; it may serve several Connections, each one organisation or account. Every
row belongs to a team, and what pages and the API show comes through `for_team`.
"""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models

from integrations.core.encryption import EncryptedTextField
from integrations.core.exact_json import ExactJSONField


class Role(models.TextChoices):
    """What a member of a team may do."""

    BUILDER = "builder", "Builder: connects, builds, switches on, retries"
    APPROVER = "approver", "Approver: looks, and decides what waits for approval"
    AUDITOR = "auditor", "Auditor: reads everything, changes nothing"


class TeamQuerySet(models.QuerySet[Any]):
    """Rows that belong to a team, directly."""

    def for_team(self, team: Team | None) -> Self:
        """Only the team's rows; none without a team."""
        return self.none() if team is None else self.filter(team=team)


class Team(models.Model):
    """A group of people who share workflows and connections; nothing is shared between teams."""

    name = models.CharField(max_length=100, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's role in a team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)

    class Meta:
        ordering = ["team", "user"]
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="one_role_per_member")]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()} in {self.team}"


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


class AuditQuerySet(models.QuerySet[Any]):
    """Entries by the team whose chain they stand in. Teams are numbers here, because a chain outlives its team."""

    def for_team(self, team: Team | None) -> Self:
        """Only the team's rows; none without a team."""
        return self.none() if team is None else self.filter(chain=team.pk)


class AuditEntry(models.Model):
    """One line of the audit trail. Append-only and hash-chained; the database refuses to change or delete it.

    `chain` is a team's id, 0 for the installation. Everything is stored without foreign keys, so that teams, users and
    objects can be deleted and the chain stays whole. `person` is a user's id (None: Pinxero itself, or nobody known);
    `role` is what the person was then. `before` and `after` are {label: words}.
    """

    chain = models.PositiveBigIntegerField()
    number = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    person = models.PositiveBigIntegerField(null=True)
    role = models.CharField(max_length=20, blank=True)
    #: The id of an AuditOrigin, and the hash that holds it fast as long as it is kept.
    origin = models.PositiveBigIntegerField(null=True)
    origin_seal = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=40, blank=True)
    object_id = models.CharField(max_length=40, blank=True)
    object_name = models.CharField(max_length=200, blank=True)
    reason = models.TextField(blank=True)
    before = ExactJSONField(default=dict)
    after = ExactJSONField(default=dict)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering = ["chain", "number"]
        constraints = [models.UniqueConstraint(fields=["chain", "number"], name="audit_numbers_differ_in_a_chain")]
        indexes = [
            models.Index(fields=["chain", "object_type", "object_id", "number"], name="audit_of_an_object"),
            models.Index(fields=["chain", "person", "number"], name="audit_of_a_person"),
            models.Index(fields=["chain", "action", "number"], name="audit_of_an_action"),
            models.Index(fields=["chain", "at"], name="audit_of_a_period"),
        ]

    def __str__(self) -> str:
        return f"Entry {self.number}: {self.action}"


class AuditHead(models.Model):
    """The last entry of a chain. Whoever adds one locks this row first, so that numbers have no gaps."""

    chain = models.PositiveBigIntegerField(primary_key=True)
    number = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True, default="")

    def __str__(self) -> str:
        return f"Chain {self.chain}: {self.number}"


class AuditOrigin(models.Model):
    """The IP address from which a person acted: personal data, so it stands beside the chain and may be deleted.

    Entries hold a hash of it with the salt: a changed address is noticed, a deleted one cannot be guessed from it.
    """

    person = models.PositiveBigIntegerField(default=0)
    address = models.CharField(max_length=45)
    salt = models.CharField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "address"], name="one_origin_per_person_and_address")]

    def __str__(self) -> str:
        return self.address
