"""What the sandbox stores. Times are whole milliseconds since 1970, UTC; Xero's records are JSON with Decimals.

All of Xero's resources share one table: the columns are what requests filter by quickly, `content` is the record
itself. A new resource needs no migration; the price is that other filters read the candidates in Python.
"""

from django.db import models


class Row(models.Model):
    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{type(self).__name__} {self.pk}"


class Setting(Row):
    name = models.CharField(max_length=40, primary_key=True)
    value = models.TextField()

    objects: models.Manager["Setting"] = models.Manager()

    class Meta:
        app_label = "sandbox"


class Grant(Row):
    """One consent of one person to one app."""

    provider = models.CharField(max_length=20)
    client_id = models.CharField(max_length=100)
    user_id = models.CharField(max_length=40)
    scope = models.TextField()
    auth_event_id = models.CharField(max_length=36)
    is_revoked = models.BooleanField(default=False)

    objects: models.Manager["Grant"] = models.Manager()

    class Meta:
        app_label = "sandbox"


class Code(Row):
    """An authorization code: valid once, for five minutes."""

    code = models.CharField(max_length=80, primary_key=True)
    grant = models.ForeignKey(Grant, on_delete=models.CASCADE)
    redirect_uri = models.TextField()
    expires_at = models.BigIntegerField()
    used_at = models.BigIntegerField(null=True)

    objects: models.Manager["Code"] = models.Manager()

    class Meta:
        app_label = "sandbox"


class Token(Row):
    """An access token with the refresh token issued beside it; `replaced_at` is when that one was used."""

    grant = models.ForeignKey(Grant, on_delete=models.CASCADE)
    access_token = models.TextField(unique=True)
    refresh_token = models.CharField(max_length=100, null=True, unique=True)
    scope = models.TextField()
    access_expires_at = models.BigIntegerField()
    refresh_expires_at = models.BigIntegerField()
    replaced_at = models.BigIntegerField(null=True)
    is_dropped = models.BooleanField(default=False)
    previous = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="successors")

    objects: models.Manager["Token"] = models.Manager()

    class Meta:
        app_label = "sandbox"


class Tenancy(Row):
    """What Xero calls a connection: one organisation opened to one app by one person."""

    connection_id = models.CharField(max_length=36, primary_key=True)
    client_id = models.CharField(max_length=100)
    user_id = models.CharField(max_length=40)
    tenant = models.CharField(max_length=36)
    auth_event_id = models.CharField(max_length=36)
    created_at = models.BigIntegerField()
    updated_at = models.BigIntegerField()

    objects: models.Manager["Tenancy"] = models.Manager()

    class Meta:
        app_label = "sandbox"
        constraints = [
            models.UniqueConstraint(fields=["client_id", "user_id", "tenant"], name="one_connection_per_organisation")
        ]


class Board(Row):
    board_id = models.CharField(max_length=20, primary_key=True)
    position = models.BigIntegerField(unique=True)
    name = models.CharField(max_length=180)
    description = models.TextField(null=True)
    privacy = models.CharField(max_length=12)
    created_at = models.BigIntegerField()
    pins_modified_at = models.BigIntegerField()

    objects: models.Manager["Board"] = models.Manager()

    class Meta:
        app_label = "sandbox"


class Section(Row):
    """A part of a board."""

    section_id = models.CharField(max_length=20, primary_key=True)
    position = models.BigIntegerField(unique=True)
    board = models.ForeignKey(Board, on_delete=models.CASCADE, related_name="sections")
    name = models.CharField(max_length=180)

    objects: models.Manager["Section"] = models.Manager()

    class Meta:
        app_label = "sandbox"


class Pin(Row):
    pin_id = models.CharField(max_length=20, primary_key=True)
    position = models.BigIntegerField(unique=True)
    board = models.ForeignKey(Board, on_delete=models.CASCADE, related_name="pins")
    section = models.ForeignKey(Section, null=True, on_delete=models.SET_NULL, related_name="pins")
    title = models.CharField(max_length=100, null=True)
    description = models.TextField(null=True)
    link = models.TextField(null=True)
    alt_text = models.TextField(null=True)
    image = models.TextField(null=True)
    created_at = models.BigIntegerField()

    objects: models.Manager["Pin"] = models.Manager()

    class Meta:
        app_label = "sandbox"
        indexes = [models.Index(fields=["board", "position"], name="pins_of_board")]


class Document(Row):
    """One record of an organisation: a contact, an invoice, an account ..."""

    tenant = models.CharField(max_length=36)
    kind = models.CharField(max_length=30)
    document_id = models.CharField(max_length=36)
    number = models.CharField(max_length=255, default="", db_collation="NOCASE")
    name = models.CharField(max_length=255, default="", db_collation="NOCASE")
    status = models.CharField(max_length=20, default="")
    contact_id = models.CharField(max_length=36, default="")
    updated_at = models.BigIntegerField()
    is_ours = models.BooleanField(default=False)  # made through the API by the connected app
    body_sha256 = models.CharField(max_length=64, default="")
    content = models.TextField()

    objects: models.Manager["Document"] = models.Manager()

    class Meta:
        app_label = "sandbox"
        constraints = [models.UniqueConstraint(fields=["tenant", "kind", "document_id"], name="one_document_per_id")]
        indexes = [
            models.Index(fields=["tenant", "kind", "number"], name="documents_by_number"),
            models.Index(fields=["tenant", "kind", "name"], name="documents_by_name"),
            models.Index(fields=["tenant", "kind", "updated_at"], name="documents_by_change"),
        ]


class Note(Row):
    """A line in a document's history."""

    tenant = models.CharField(max_length=36)
    document_id = models.CharField(max_length=36, db_index=True)
    at = models.BigIntegerField()
    changes = models.CharField(max_length=40)
    user = models.CharField(max_length=100)
    details = models.TextField()

    objects: models.Manager["Note"] = models.Manager()

    class Meta:
        app_label = "sandbox"


class StoredAnswer(Row):
    """The answer given under an Idempotency-Key, good or bad."""

    client_id = models.CharField(max_length=100)
    key = models.CharField(max_length=128)
    fingerprint = models.CharField(max_length=64)
    stored_at = models.BigIntegerField()
    status = models.PositiveSmallIntegerField()
    content_type = models.CharField(max_length=80)
    body = models.BinaryField()

    objects: models.Manager["StoredAnswer"] = models.Manager()

    class Meta:
        app_label = "sandbox"
        constraints = [models.UniqueConstraint(fields=["client_id", "key"], name="one_answer_per_key")]


class WebhookEvent(Row):
    """A change that Xero reports. It is pending until the address has accepted it."""

    seq = models.BigIntegerField(primary_key=True)
    tenant = models.CharField(max_length=36)
    category = models.CharField(max_length=20)
    resource = models.CharField(max_length=30)
    resource_id = models.CharField(max_length=36)
    event_type = models.CharField(max_length=10)
    at = models.BigIntegerField()
    data = models.TextField(default="")
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.BigIntegerField(default=0)
    is_pending = models.BooleanField(default=True)

    objects: models.Manager["WebhookEvent"] = models.Manager()

    class Meta:
        app_label = "sandbox"
        indexes = [models.Index(fields=["is_pending", "next_at"], name="events_to_deliver")]


class LedgerRow(Row):
    """One API request. Triggers in the database refuse to change or delete a row; a reset starts a new chapter."""

    seq = models.BigAutoField(primary_key=True)
    chapter = models.PositiveIntegerField()
    arrival = models.BigIntegerField()
    at = models.BigIntegerField()
    provider = models.CharField(max_length=20)
    method = models.CharField(max_length=10)
    path = models.TextField()
    query = models.TextField()
    tenant = models.CharField(max_length=36)
    idempotency_key = models.TextField()
    body_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    outcome = models.TextField()
    fault = models.CharField(max_length=30)
    is_committed = models.BooleanField()
    object_ids = models.TextField()

    objects: models.Manager["LedgerRow"] = models.Manager()

    class Meta:
        app_label = "sandbox"
        indexes = [models.Index(fields=["chapter", "seq"], name="ledger_of_chapter")]
