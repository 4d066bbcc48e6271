"""What keeps a workflow from doing harm, and how people hear of it: safeguards, notices, decisions about many runs."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from integrations.core.exact_json import ExactJSONField
from integrations.models import Connection, Team, TeamQuerySet
from workflows.models.definition import Workflow, WorkflowPartQuerySet
from workflows.models.execution import Run


class Safeguards(models.Model):
    """How much a workflow may do without a person. One without a row has the defaults; 0 switches a limit off."""

    PAUSE_AFTER: ClassVar[int] = 10
    HOLD_ABOVE: ClassVar[int] = 50
    MOST_PER_HOUR: ClassVar[int] = 500

    class Notify(models.TextChoices):
        DEFAULT = "default", "Its author and the builders of the team"
        PEOPLE = "people", "These people only"
        NOBODY = "nobody", "Nobody by e-mail; the notices page shows them all the same"

    class Expected(models.TextChoices):
        NEVER = "", "No particular time"
        DAILY = "daily", "Every day"
        WEEKDAYS = "weekdays", "Monday to Friday"
        WEEKLY = "weekly", "Every week"
        MONTHLY = "monthly", "Every month"

    class Weekday(models.IntegerChoices):
        MONDAY = 0, "Monday"
        TUESDAY = 1, "Tuesday"
        WEDNESDAY = 2, "Wednesday"
        THURSDAY = 3, "Thursday"
        FRIDAY = 4, "Friday"
        SATURDAY = 5, "Saturday"
        SUNDAY = 6, "Sunday"

    workflow = models.OneToOneField(Workflow, on_delete=models.CASCADE, related_name="safeguards")
    #: The workflow is paused after this many failed runs in a row.
    pause_after = models.PositiveIntegerField(default=PAUSE_AFTER)
    #: Earlier failures are not counted: a person has switched it on again since.
    counts_from = models.DateTimeField(null=True, blank=True)
    #: If one poll starts more new runs that would write than this, they are held for a person.
    hold_above = models.PositiveIntegerField(default=HOLD_ABOVE)
    #: If more new runs that would write than this start within an hour, they are held for a person.
    most_per_hour = models.PositiveIntegerField(default=MOST_PER_HOUR)
    notify = models.CharField(max_length=20, choices=Notify.choices, default=Notify.DEFAULT)
    people = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    expected = models.CharField(max_length=20, choices=Expected.choices, blank=True, default=Expected.NEVER)
    expected_at = models.TimeField(null=True, blank=True)
    expected_zone = models.CharField(max_length=60, blank=True, default="")
    expected_weekday = models.PositiveSmallIntegerField(choices=Weekday.choices, default=Weekday.MONDAY)
    #: The day of the month; in a shorter month, its last day.
    expected_day = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(31)])
    #: A run counts if it was started within this many hours before the time.
    expected_within = models.PositiveSmallIntegerField(
        default=24, validators=[MinValueValidator(1), MaxValueValidator(744)]
    )
    #: Expected times up to here have been checked.
    expected_checked = models.DateTimeField(null=True, blank=True)

    objects = WorkflowPartQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "safeguards"

    def __str__(self) -> str:
        return f"Safeguards of {self.workflow}"


class Notice(models.Model):
    """A message to people, one per matter: what happens again while it is unread is counted.

    A matter is a kind and a subject (`workflow:5`, `connection:3`, nothing for the whole installation). What lasts,
    such as a provider that is down, has one notice, and `ended_at` says when it was over.
    """

    class Kind(models.TextChoices):
        FAILED = "failed", "Runs failed"
        REVIEW = "review", "Runs need a person"
        CRASHED = "crashed", "Runs crashed"
        PAUSED = "paused", "Workflow paused"
        HELD = "held", "Runs are held"
        LOOP = "loop", "Workflows start each other"
        EXPECTED = "expected", "A run is missing"
        RECONNECT = "reconnect", "Needs reconnecting"
        DOWN = "down", "Provider is down"
        TRIGGER = "trigger", "Looking fails"
        DISK = "disk", "Disk is nearly full"
        APPROVAL = "approval", "Approval is asked for"
        EXPIRING = "expiring", "Approval is needed soon"
        POLICY = "policy", "Change of the policy"
        PUBLICATION = "publication", "Publishing is asked for"
        BREAK_GLASS = "break_glass", "Past the policy"
        BOOKS = "books", "Books were changed"

    #: Kinds that last until something has changed; the others are single events.
    LASTING = (Kind.RECONNECT, Kind.DOWN, Kind.TRIGGER, Kind.DISK, Kind.EXPIRING)

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    subject = models.CharField(max_length=100, blank=True, default="")
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, null=True, blank=True, related_name="notices")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    #: The latest run that it is about.
    run = models.ForeignKey(Run, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True, default="")
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    read_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    #: How many occurrences the last e-mail covered, when it was sent, and what went wrong with it.
    mailed_count = models.PositiveIntegerField(default=0)
    mailed_at = models.DateTimeField(null=True, blank=True)
    mail_problem = models.CharField(max_length=300, blank=True, default="")

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["-last_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "kind", "subject"],
                condition=models.Q(read_at__isnull=True),
                name="one_unread_notice_per_matter",
            )
        ]
        indexes = [models.Index(fields=["team", "read_at", "-last_at"], name="notice_list")]

    def __str__(self) -> str:
        return self.title


class Batch(models.Model):
    """One decision about many runs: what is to be done with those that a filter showed, and the progress so far.

    `filter` is the list's query; `up_to` the newest run that the person was shown, so that later ones are not included.
    """

    class What(models.TextChoices):
        RETRY = "retry", "Try again"
        RUN_AGAIN = "run_again", "Run again on today’s version"
        RELEASE = "release", "Let go"
        CANCEL = "cancel", "Cancel"
        ACKNOWLEDGE = "acknowledge", "Acknowledge"

    class Status(models.TextChoices):
        UNDER_WAY = "under_way", "Under way"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="batches")
    what = models.CharField(max_length=20, choices=What.choices)
    filter = ExactJSONField(default=dict)
    #: Whether runs are run again that have written something, which is then written a second time.
    writes_twice = models.BooleanField(default=False, db_default=False)
    up_to = models.BigIntegerField()
    counted = models.PositiveIntegerField()
    #: The id of the run that was processed last; the next one has a higher id.
    reached = models.BigIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.UNDER_WAY)
    reason = models.TextField(blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "batches"

    def __str__(self) -> str:
        return f"{self.get_what_display()}: {self.counted} runs"
