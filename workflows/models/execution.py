"""What the machine records: what it listens to, what it noticed, and what it did.

StepRun rows are the log; there is no second one. Every change by the engine is made under the run's lease token, so a
worker that was thought dead cannot overwrite what came after it.
"""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models

from integrations.core.exact_json import ExactJSONField
from integrations.models import Connection, Team, TeamQuerySet
from workflows.models.definition import Workflow, WorkflowVersion


class TriggerState(models.Model):
    """One poll that serves every workflow listening to the same trigger with the same inputs on the same connection."""

    class Status(models.TextChoices):
        BASELINE = "baseline", "Noting what is there already"
        LISTENING = "listening", "Listening"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="trigger_states")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="trigger_states")
    operation = models.CharField(max_length=100)
    inputs = ExactJSONField(default=dict)
    inputs_hash = models.CharField(max_length=64)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.BASELINE)
    cursor = models.TextField(blank=True, default="")
    next_due_at = models.DateTimeField(null=True, blank=True, db_index=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_token = models.BigIntegerField(default=0)
    last_polled_at = models.DateTimeField(null=True, blank=True)
    #: When every page was last read. In between, a poll may stop at a page on which everything is known.
    thorough_at = models.DateTimeField(null=True, blank=True)
    #: Where an interrupted poll of every page continues, and when that poll began.
    resume = models.TextField(blank=True, default="")
    reading_since = models.DateTimeField(null=True, blank=True)
    #: Minutes to the next poll as last planned: more than asked for where the day's calls run low.
    every_minutes = models.PositiveIntegerField(null=True, blank=True)
    #: Calls that the last ordinary poll made, which the next ones are expected to make too.
    calls_per_look = models.PositiveIntegerField(default=1)
    last_found = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True, default="")

    objects = TeamQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "operation", "inputs_hash"], name="one_poll_serves_all_listeners"
            )
        ]

    def __str__(self) -> str:
        return f"{self.operation} on {self.connection}"


class SeenItem(models.Model):
    """The key of an item that a trigger has noticed, in the baseline or later. Being unique, it prevents duplicates."""

    trigger_state = models.ForeignKey(TriggerState, on_delete=models.CASCADE, related_name="seen_items", db_index=False)
    key = models.CharField(max_length=200)
    seen_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["trigger_state", "key"], name="an_item_is_new_once")]

    def __str__(self) -> str:
        return self.key


class Event(models.Model):
    """An item accepted once: for a trigger, or, where none is polled, for the one workflow that it starts."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="events")
    trigger_state = models.ForeignKey(
        TriggerState, on_delete=models.SET_NULL, null=True, blank=True, related_name="events", db_index=False
    )
    #: The workflow that it starts, where it came from a schedule, a webhook, a person, a file or a call.
    starts = models.ForeignKey(
        Workflow, on_delete=models.SET_NULL, null=True, blank=True, related_name="starts", db_index=False
    )
    operation = models.CharField(max_length=100)
    connection = models.ForeignKey(Connection, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    key = models.CharField(max_length=200)
    data = ExactJSONField()
    #: Who started it manually, from a file or by the API; None for what came by itself.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    accepted_at = models.DateTimeField(auto_now_add=True)

    objects = TeamQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trigger_state", "key"], name="an_event_is_accepted_once"),
            models.UniqueConstraint(fields=["starts", "key"], name="a_start_is_accepted_once"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.key}"


#: The operation of an event by which a person takes back what a run has written; such a run is an undo.
UNDO = "undo"
#: What a run is called that succeeded although steps failed.
WITH_ERRORS = "Succeeded with errors"
#: The runs that a person has to see to: those that failed or wait for a decision, and those that went on over failed
#: steps, until somebody has acknowledged that.
_WITH_ERRORS_NOT_SEEN = models.Q(status="succeeded", error__gt="", acknowledged_at__isnull=True)
NEEDS_ATTENTION = models.Q(status__in=["failed", "needs_review", "crashed"]) | _WITH_ERRORS_NOT_SEEN


class RunQuerySet(TeamQuerySet):
    """Runs of a team."""

    def needing_attention(self) -> Self:
        """Only those that a person has to see to. The list's partial index holds just these."""
        return self.filter(NEEDS_ATTENTION)


class Run(models.Model):
    """One execution of a version for one event.

    Each query that is made for every run has an index of its own, most of them partial: it must cost the same with a
    million runs as with ten. Foreign keys have no index by default, because each change of a row is written into every
    index that holds it.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        WAITING = "waiting", "Waiting"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        FILTERED = "filtered", "Filtered"
        NEEDS_REVIEW = "needs_review", "Needs a person"
        CRASHED = "crashed", "Crashed"
        CANCELLED = "cancelled", "Cancelled"

    class WaitReason(models.TextChoices):
        RETRY = "retry", "to try again"
        UNCERTAIN = "uncertain", "to find out whether the write happened"
        BUDGET = "budget", "for room in the call budget"
        CONNECTION = "connection", "for the connection to be reconnected"
        DELAY = "delay", "for its time to come"
        CALL = "call", "for the workflow that it called"
        HOLD = "hold", "for a person to let it go"
        DOWN = "down", "for the provider to be back"
        FREEZE = "freeze", "for the organisation to be thawed"
        APPROVAL = "approval", "for approval"

    OPEN = (Status.QUEUED, Status.RUNNING, Status.WAITING)
    STUCK = (Status.FAILED, Status.NEEDS_REVIEW, Status.CRASHED)

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="runs", db_index=False)
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="runs", db_index=False)
    version = models.ForeignKey(WorkflowVersion, on_delete=models.PROTECT, related_name="runs", db_index=False)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="runs", db_index=False)
    #: 0 for the run that the event started; counted up by replays, so that an event starts each workflow once.
    replay = models.PositiveIntegerField(default=0)
    #: The run whose step called this one, and how many calls deep it is: 0 for one that nobody called.
    called_by = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="called", db_index=False
    )
    depth = models.PositiveSmallIntegerField(default=0, db_default=0)
    #: The loop iterations and calls that this run and those that it called have made; counted on the first of them.
    #: (The column keeps an older name.)
    turns = models.PositiveIntegerField(default=0, db_default=0)
    #: The run that wrote what started this one, so that workflows which start each other are detected.
    caused_by = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="caused", db_index=False
    )
    #: The run that failed and that this one took the place of, on a newer version.
    again_of = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="again", db_index=False
    )
    #: The connection that its writes go to, for lists and filters; each step has its own.
    connection = models.ForeignKey(
        Connection, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.QUEUED)
    wait_reason = models.CharField(max_length=20, choices=WaitReason.choices, blank=True, default="")
    wake_at = models.DateTimeField(null=True, blank=True)
    waiting_since = models.DateTimeField(null=True, blank=True)
    #: Which connection the run waits for while wait_reason is connection, budget, down or freeze.
    waits_for = models.ForeignKey(
        Connection, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_token = models.BigIntegerField(default=0)
    claims = models.PositiveIntegerField(default=0)
    #: Claims since a step was last recorded: a run that kills its workers is parked by this count.
    kills = models.PositiveIntegerField(default=0)
    #: When a person cancelled it while it was running; its worker ends it before its next write.
    cancel_asked_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="")
    title = models.CharField(max_length=200, blank=True, default="")
    result = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    #: When a person acknowledged that it succeeded with errors, which takes it out of what needs attention.
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    #: When its bodies were removed because their retention period was over.
    trimmed_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["event", "workflow", "replay"], name="an_event_starts_a_workflow_once"),
            models.UniqueConstraint(
                fields=["again_of"], condition=models.Q(again_of__isnull=False), name="a_run_is_run_again_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(status="waiting") | ~models.Q(wait_reason=""), name="a_waiting_run_says_why"
            ),
        ]
        indexes = [
            models.Index(fields=["team", "-id"], name="run_list"),
            models.Index(fields=["team", "status", "-id"], name="run_list_by_status"),
            models.Index(fields=["team", "-id"], name="run_list_attention", condition=NEEDS_ATTENTION),
            models.Index(
                fields=["team", "-id"],
                name="run_list_with_errors",
                condition=models.Q(status="succeeded", error__gt=""),
            ),
            models.Index(fields=["workflow", "-id"], name="run_list_by_workflow"),
            models.Index(
                fields=["connection", "-id"],
                name="run_list_by_connection",
                condition=models.Q(connection__isnull=False),
            ),
            models.Index(fields=["workflow", "created_at"], name="runs_of_the_hour"),
            models.Index(fields=["team", "created_at", "status"], name="runs_by_day"),
            models.Index(
                fields=["finished_at"],
                name="runs_to_trim",
                condition=models.Q(trimmed_at__isnull=True, finished_at__isnull=False),
            ),
            # What a worker may claim: queued, woken, left behind. Of the last there are no more than workers, and their
            # lease, which is renewed more often than anything else changes, stands in no index.
            models.Index(fields=["id"], name="runs_queued", condition=models.Q(status="queued")),
            models.Index(
                fields=["wake_at"], name="runs_to_wake", condition=models.Q(status="waiting", wake_at__isnull=False)
            ),
            models.Index(fields=["id"], name="runs_under_way", condition=models.Q(status="running")),
            models.Index(fields=["wait_reason", "waits_for"], name="runs_held", condition=models.Q(status="waiting")),
            *(
                models.Index(fields=[each], name=f"runs_{each}", condition=models.Q(**{f"{each}__isnull": False}))
                for each in ("called_by", "caused_by", "waits_for")
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"

    @property
    def has_errors(self) -> bool:
        """Whether it succeeded although steps failed, because the workflow says to go on."""
        return self.status == self.Status.SUCCEEDED and bool(self.error)

    def get_status_display(self) -> str:  # type: ignore[no-redef]  # in the place of Django's
        """The status for people."""
        return WITH_ERRORS if self.has_errors else self.Status(self.status).label

    @property
    def is_undo(self) -> bool:
        """Whether it takes back what another run wrote; its `Undo` rows say what, and are its plan."""
        return self.event_id is not None and self.event.operation == UNDO

    @property
    def is_open(self) -> bool:
        """Whether the machine still has something to do with it."""
        return self.status in self.OPEN


class StepRunQuerySet(models.QuerySet[Any]):
    """Rows that belong to a team through their run."""

    def for_team(self, team: Team | None) -> Self:
        """Only the team's rows; none without a team."""
        return self.none() if team is None else self.filter(run__team=team)


class StepRun(models.Model):
    """One step within a run: what was decided, sent and answered, and the result.

    `request` is Request.to_dict(), committed with `first_sent_at` before anything is sent. `attempts` is a list of
    {"at", "what": "send" | "look up" | "read" | "adopt" | "person", "outcome", "status", "took", "message", "times"}.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        SENT = "sent", "Sent"
        UNCERTAIN = "uncertain", "Uncertain"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        NEEDS_REVIEW = "needs_review", "Needs a person"
        SKIPPED = "skipped", "Skipped"

    FINISHED = (State.SUCCEEDED, State.SKIPPED)

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="step_runs", db_index=False)
    step = models.CharField(max_length=50)
    iteration = models.CharField(max_length=100, blank=True, default="")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=120)
    operation = models.CharField(max_length=100, blank=True, default="")
    connection = models.ForeignKey(Connection, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=20, choices=State.choices, default=State.PENDING)
    inputs = ExactJSONField(null=True, blank=True)
    outcome = ExactJSONField(null=True, blank=True)
    request = ExactJSONField(null=True, blank=True)
    request_sha256 = models.CharField(max_length=64, blank=True, default="")
    idempotency_key = models.CharField(max_length=64, null=True, blank=True)
    marker = models.CharField(max_length=40, blank=True, default="")
    #: Increased when a write is sent again under a new key, after a look-up has shown that it never happened.
    key_group = models.PositiveSmallIntegerField(default=0)
    first_sent_at = models.DateTimeField(null=True, blank=True)
    last_sent_at = models.DateTimeField(null=True, blank=True)
    looked_up_at = models.DateTimeField(null=True, blank=True)
    look_ups = models.PositiveSmallIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)
    response_headers = ExactJSONField(null=True, blank=True)
    response_body = models.TextField(blank=True, default="")
    output = ExactJSONField(null=True, blank=True)
    provider_id = models.CharField(max_length=200, blank=True, default="")
    link = models.TextField(blank=True, default="")
    error = models.TextField(blank=True, default="")
    problems = ExactJSONField(null=True, blank=True)
    #: Lookup tables that were asked, each with the number of the version that answered.
    looked_in = ExactJSONField(null=True, blank=True)
    attempts = ExactJSONField(default=list)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = StepRunQuerySet.as_manager()

    class Meta:
        ordering = ["run", "position", "iteration"]
        constraints = [
            models.UniqueConstraint(fields=["run", "step", "iteration"], name="a_step_runs_once_per_iteration"),
            models.UniqueConstraint(fields=["idempotency_key"], name="a_key_is_used_once"),
        ]
        indexes = [
            models.Index(fields=["marker"], name="step_runs_by_marker", condition=~models.Q(marker="")),
            models.Index(
                fields=["connection", "provider_id"], name="records_written", condition=~models.Q(provider_id="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} of run {self.run_id}"


class Beat(models.Model):
    """A heartbeat: when a part of a worker was last alive (`worker` by a task that ran, `monitor` by an acknowledged
    result), when a chore last ran, when a run was left behind. (The model keeps an older name.)"""

    name = models.CharField(max_length=100, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at}"
