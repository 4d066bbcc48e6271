"""Postings: what was written at providers, one row per object; which run takes one back; what has become of them."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models

from integrations.models import Connection, Team, TeamQuerySet
from workflows.models.definition import Workflow, WorkflowVersion
from workflows.models.execution import Run, StepRun, StepRunQuerySet
from workflows.models.portions import InPortions


class Posting(models.Model):
    """One object that a run created, changed or deleted.

    Made in the transaction that records the step as done, and never changed afterwards: it says what was written, and
    not what has become of it. It is kept as long as its run. Amounts are in `currency`; None where they are not known,
    or where the object has none.
    """

    class Effect(models.TextChoices):
        CREATES = "creates", "Created"
        UPDATES = "updates", "Changed"
        DELETES = "deletes", "Deleted"

    class Origin(models.TextChoices):
        ANSWERED = "answered", "The provider confirmed it"
        FOUND = "found", "Found at the provider after a send without an answer"
        PERSON = "person", "A person said that it is there"

    #: The step that wrote it. That it is the key holds the rule of one posting per write.
    step_run = models.OneToOneField(StepRun, on_delete=models.CASCADE, primary_key=True, related_name="posting")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="postings", db_index=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="postings", db_index=False)
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="postings", db_index=False)
    version = models.ForeignKey(WorkflowVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    #: What the connection was called at the time.
    organisation = models.CharField(max_length=200, blank=True, default="")
    step = models.CharField(max_length=50)
    iteration = models.CharField(max_length=100, blank=True, default="")
    operation = models.CharField(max_length=100)
    effect = models.CharField(max_length=20, choices=Effect.choices, blank=True, default="")
    origin = models.CharField(max_length=20, choices=Origin.choices)
    #: What it is: "Sales invoice", "Board", "Change of a board".
    noun = models.CharField(max_length=120)
    described = models.CharField(max_length=300, blank=True, default="")
    provider_id = models.CharField(max_length=200, blank=True, default="")
    link = models.TextField(blank=True, default="")
    marker = models.CharField(max_length=40, blank=True, default="")
    number = models.CharField(max_length=200, blank=True, default="")
    #: The date on the document; where it has none, the day on which it was written, in the organisation's time zone.
    day = models.DateField()
    contact = models.CharField(max_length=200, blank=True, default="")
    contact_id = models.CharField(max_length=200, blank=True, default="")
    reference = models.CharField(max_length=200, blank=True, default="")
    status = models.CharField(max_length=60, blank=True, default="")
    currency = models.CharField(max_length=10, blank=True, default="")
    sub_total = models.DecimalField(max_digits=24, decimal_places=4, null=True, blank=True)
    tax = models.DecimalField(max_digits=24, decimal_places=4, null=True, blank=True)
    amount = models.DecimalField(max_digits=24, decimal_places=4, null=True, blank=True)
    #: SHA-256 of the fields that reconciliation compares, lines included.
    fingerprint = models.CharField(max_length=64)
    written_at = models.DateTimeField()

    objects = TeamQuerySet.as_manager()

    #: Columns of which the page offers the values that occur.
    OFFERED: ClassVar[tuple[str, ...]] = ("noun", "status", "currency")

    class Meta:
        ordering = ["-written_at", "-step_run_id"]
        indexes = [
            models.Index(fields=["team", "-written_at", "-step_run"], name="postings_by_time"),
            models.Index(fields=["team", "day", "step_run"], name="postings_by_day"),
            models.Index(fields=["team", "amount", "step_run"], name="postings_by_amount"),
            models.Index(fields=["team", "noun", "-written_at", "-step_run"], name="postings_by_noun"),
            models.Index(fields=["team", "status", "-written_at", "-step_run"], name="postings_by_status"),
            models.Index(fields=["team", "currency", "-written_at", "-step_run"], name="postings_by_currency"),
            models.Index(fields=["connection", "-written_at", "-step_run"], name="postings_by_connection"),
            models.Index(fields=["workflow", "-written_at", "-step_run"], name="postings_by_workflow"),
            models.Index(fields=["run", "step_run"], name="postings_by_run"),
        ]

    def __str__(self) -> str:
        return self.described or self.noun


class PostingLineQuerySet(models.QuerySet[Any]):
    """Rows that belong to a team through their posting."""

    def for_team(self, team: Team | None) -> Self:
        """Only the team's rows; none without a team."""
        return self.none() if team is None else self.filter(posting__team=team)


class PostingLine(models.Model):
    """What the lines of a posting come to for one account and one tax rate. `unknown` of its `count` lines have no
    known amount and are in neither sum. `net` is without tax, as accounts hold it."""

    posting = models.ForeignKey(Posting, on_delete=models.CASCADE, related_name="lines", db_index=False)
    account = models.CharField(max_length=200, blank=True, default="")
    tax_rate = models.CharField(max_length=200, blank=True, default="")
    net = models.DecimalField(max_digits=24, decimal_places=4, default=0)
    tax = models.DecimalField(max_digits=24, decimal_places=4, default=0)
    count = models.PositiveIntegerField()
    unknown = models.PositiveIntegerField(default=0)

    objects = PostingLineQuerySet.as_manager()

    class Meta:
        ordering = ["posting", "account", "tax_rate"]
        constraints = [
            models.UniqueConstraint(
                fields=["posting", "account", "tax_rate"], name="a_posting_has_one_line_per_account_and_rate"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account or 'No account'}, {self.tax_rate or 'no tax rate'}"


class Undo(models.Model):
    """One posting that a run takes back, by one step of that run.

    The database holds that a posting is taken back once at a time: one whose run ended without it is dropped when
    somebody asks again.
    """

    class State(models.TextChoices):
        ASKED = "asked", "Asked for"
        DONE = "done", "Taken back"
        DROPPED = "dropped", "Asked for again since"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="undos")
    posting = models.ForeignKey(Posting, on_delete=models.CASCADE, related_name="undos")
    #: The key of its step; `position` is its place among the steps, from 1.
    step = models.CharField(max_length=50)
    position = models.PositiveIntegerField()
    #: SHA-256 of what somebody changed since it was written, as the person saw it who takes it back all the same;
    #: "" where nothing had changed.
    accepts = models.CharField(max_length=64, blank=True, default="")
    state = models.CharField(max_length=20, choices=State.choices, default=State.ASKED)
    done_at = models.DateTimeField(null=True, blank=True)

    objects = StepRunQuerySet.as_manager()

    class Meta:
        ordering = ["run", "position"]
        constraints = [
            models.UniqueConstraint(fields=["run", "step"], name="a_step_takes_one_posting_back"),
            models.UniqueConstraint(
                fields=["posting"],
                condition=models.Q(state__in=["asked", "done"]),
                name="a_posting_is_taken_back_once_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"Undo of {self.posting}"

    @property
    def is_done(self) -> bool:
        """Whether the posting is taken back."""
        return bool(self.state == self.State.DONE)


class Reconciliation(InPortions):
    """The postings of a period in one organisation, held against what the provider has now.

    A worker first compares the postings, then lists what else was written there with this app. `counts` holds how many
    came out how, by the values of `ReconciliationFinding.Verdict`. `by` is None for a nightly one.
    """

    class Status(models.TextChoices):
        COMPARING = "comparing", "Comparing"
        LISTING = "listing", "Looking for others"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"
        FAILED = "failed", "Could not go on"

    UNDER_WAY = (Status.COMPARING, Status.LISTING)

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="reconciliations", db_index=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    #: What the connection was called at the time.
    organisation = models.CharField(max_length=200)
    #: The days on which the postings were written, both included, in the installation's time zone.
    since = models.DateField()
    until = models.DateField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.COMPARING)
    total = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    #: Findings that the reconciliation before did not have.
    fresh = models.PositiveIntegerField(default=0)
    #: The last posting compared, and how far the list of others was read.
    last = models.PositiveBigIntegerField(default=0)
    listed_until = models.DateTimeField(null=True, blank=True)

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["team", "-id"], name="reconciliations_of_a_team"),
            models.Index(fields=["connection", "-id"], name="reconciliations_of_connection"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["connection"],
                condition=models.Q(status__in=["comparing", "listing"]),
                name="one_reconciliation_of_an_organisation_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.organisation}, {self.since:%-d %b %Y} to {self.until:%-d %b %Y}"


class ReconciliationFindingQuerySet(models.QuerySet[Any]):
    """Rows that belong to a team through their reconciliation."""

    def for_team(self, team: Team | None) -> Self:
        """Only the team's rows; none without a team."""
        return self.none() if team is None else self.filter(reconciliation__team=team)


class ReconciliationFinding(models.Model):
    """A posting that is not as it was written, or a record that no posting is of. What is the same has no row.

    `changes` are the values of `books.comparison.Change`, each between spaces; `fields` lists the same field by field,
    as [change, label, was, now]. `key` is what it is about, the same in every reconciliation.
    """

    class Verdict(models.TextChoices):
        SAME = "same", "Same"
        MOVED_ON = "moved_on", "Moved on"
        CHANGED = "changed", "Changed"
        GONE = "gone", "Gone"
        UNKNOWN = "unknown", "Not from here"
        WRITTEN_AGAIN = "written_again", "Written again later"
        UNREADABLE = "unreadable", "Not readable"

    #: What somebody should look at.
    ALARMING = (Verdict.CHANGED, Verdict.GONE, Verdict.UNKNOWN)

    reconciliation = models.ForeignKey(
        Reconciliation, on_delete=models.CASCADE, related_name="findings", db_index=False
    )
    posting = models.ForeignKey(Posting, on_delete=models.SET_NULL, null=True, blank=True, related_name="findings")
    run = models.ForeignKey(Run, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    key = models.CharField(max_length=220)
    verdict = models.CharField(max_length=20, choices=Verdict.choices)
    changes = models.CharField(max_length=300, blank=True, default="")
    fields = models.JSONField(default=list)
    note = models.TextField(blank=True, default="")
    #: SHA-256 of the verdict and the fields: the same finding the night after has the same.
    signature = models.CharField(max_length=64)
    is_fresh = models.BooleanField(default=True)
    noun = models.CharField(max_length=120)
    number = models.CharField(max_length=200, blank=True, default="")
    described = models.CharField(max_length=300, blank=True, default="")
    contact = models.CharField(max_length=200, blank=True, default="")
    day = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=60, blank=True, default="")
    currency = models.CharField(max_length=10, blank=True, default="")
    amount = models.DecimalField(max_digits=24, decimal_places=4, null=True, blank=True)
    provider_id = models.CharField(max_length=200, blank=True, default="")
    link = models.TextField(blank=True, default="")

    objects = ReconciliationFindingQuerySet.as_manager()

    class Meta:
        ordering = ["reconciliation", "id"]
        constraints = [
            models.UniqueConstraint(fields=["reconciliation", "key"], name="a_reconciliation_finds_a_thing_once")
        ]
        indexes = [models.Index(fields=["reconciliation", "verdict", "id"], name="findings_by_verdict")]

    def __str__(self) -> str:
        return f"{self.number or self.described or self.noun}: {self.get_verdict_display()}"
