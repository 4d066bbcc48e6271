"""What stands between a write and its sending: policies, requests for approval with their approvals, and holds.

Requests and approvals outlive their runs and refer to everything by ids alone, so that they can be kept for ever: the
database lets none be deleted, and none be changed but for how a request ends. It also refuses a step's `sent` while a
request for that step is not granted, and an approval by somebody who may not give it; see migration 0037.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from integrations.core.exact_json import ExactJSONField
from integrations.models import Team, TeamQuerySet
from workflows.models.execution import StepRun, StepRunQuerySet


def _kept(to: Any, **options: Any) -> Any:
    """A reference that stays when what it leads to is deleted."""
    return models.ForeignKey(
        to, on_delete=models.DO_NOTHING, db_constraint=False, null=True, blank=True, related_name="+", **options
    )


class TeamControls(models.Model):
    """How strict a team is with itself. One without a row has the defaults."""

    team = models.OneToOneField(Team, on_delete=models.CASCADE, primary_key=True, related_name="controls")
    #: Whether what one person has built is published by another.
    second_person_publishes = models.BooleanField(default=False)
    #: Whether whoever built a workflow may let its held runs go.
    builders_release = models.BooleanField(default=True)
    #: After so many days without a decision, a request counts as refused.
    approval_days = models.PositiveSmallIntegerField(
        default=7, validators=[MinValueValidator(1), MaxValueValidator(90)]
    )

    objects = TeamQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "team controls"

    def __str__(self) -> str:
        return f"Controls of {self.team}"


class PolicyVersion(models.Model):
    """A team's policy as somebody has proposed it: an ordered list of rules, of which the first that fits decides.

    Immutable but for what becomes of it. `rules` is a list of what `approvals/rules.py` reads.
    """

    class Status(models.TextChoices):
        PROPOSED = "proposed", "Waits for a second person"
        IN_FORCE = "in_force", "In force"
        REFUSED = "refused", "Refused"
        REPLACED = "replaced", "Replaced"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="policy_versions")
    number = models.PositiveIntegerField()
    rules = ExactJSONField(default=list)
    note = models.TextField(blank=True, default="")
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.PROPOSED)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    proposed_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, default="")
    #: A superuser has put it into force without a second person.
    is_break_glass = models.BooleanField(default=False)

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["team", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["team", "number"], name="policy_numbers_differ"),
            models.UniqueConstraint(
                fields=["team"], condition=models.Q(status="in_force"), name="one_policy_is_in_force"
            ),
            models.UniqueConstraint(
                fields=["team"], condition=models.Q(status="proposed"), name="one_policy_is_proposed"
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=["in_force", "replaced"])
                | models.Q(is_break_glass=True)
                | models.Q(decided_by__isnull=True)
                | ~models.Q(decided_by=models.F("proposed_by")),
                name="a_second_person_decides_on_a_policy",
            ),
        ]

    def __str__(self) -> str:
        return f"Policy {self.number} of {self.team}"


class PolicyDraft(models.Model):
    """A change of the policy that somebody is still writing; each person has one of their own."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="policy_drafts")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    rules = ExactJSONField(default=list)
    #: The policy in force when it was begun; None where there was none.
    based_on = models.PositiveIntegerField(null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = TeamQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "by"], name="one_policy_draft_each")]

    def __str__(self) -> str:
        return f"Draft of {self.by}"


class ApprovalRequest(models.Model):
    """A write that waits for people: the exact bytes, the organisation and the version that they are to allow.

    `stages` is a list of {"role", "people", "count"}: the approvals needed, one stage after the other; `needed` is the
    sum of their counts. `document` is the document as it would be written, `findings` what the checks found.
    """

    class Kind(models.TextChoices):
        WRITE = "write", "Write"
        QUESTION = "question", "Question"

    class Status(models.TextChoices):
        OPEN = "open", "Waits for approval"
        GRANTED = "granted", "Approved"
        REFUSED = "refused", "Refused"
        EXPIRED = "expired", "Expired"
        VOID = "void", "Void: what was to be written has changed"

    team = _kept(Team, db_index=False)
    run = _kept("workflows.Run", db_index=False)
    step_run = _kept(StepRun)
    workflow = _kept("workflows.Workflow", db_index=False)
    version = _kept("workflows.WorkflowVersion", db_index=False)
    connection = _kept("integrations.Connection", db_index=False)
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.WRITE)
    policy_number = models.PositiveIntegerField(null=True, blank=True)
    #: The rule that asks, in words.
    rule = models.TextField(blank=True, default="")
    stages = ExactJSONField(default=list)
    needed = models.PositiveSmallIntegerField()
    #: Of the request's bytes; `fingerprint` is of these, the organisation and the version together.
    request_sha256 = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64)
    title = models.CharField(max_length=300, blank=True, default="")
    organisation = models.CharField(max_length=200, blank=True, default="")
    contact = models.CharField(max_length=200, blank=True, default="")
    amount = models.DecimalField(max_digits=24, decimal_places=4, null=True, blank=True)
    currency = models.CharField(max_length=10, blank=True, default="")
    document = ExactJSONField(null=True, blank=True)
    findings = ExactJSONField(default=list)
    message = models.TextField(blank=True, default="")
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.OPEN)
    asked_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["step_run"], condition=models.Q(status__in=["open", "granted"]), name="one_request_per_write"
            ),
            models.CheckConstraint(condition=models.Q(needed__gte=1), name="a_request_needs_somebody"),
        ]
        indexes = [
            models.Index(fields=["team", "-id"], name="approval_requests"),
            models.Index(fields=["team", "id"], name="approvals_open", condition=models.Q(status="open")),
            models.Index(fields=["expires_at"], name="approvals_to_expire", condition=models.Q(status="open")),
            models.Index(fields=["run"], name="approvals_of_run"),
        ]

    def __str__(self) -> str:
        return self.title or f"Request {self.pk}"


class ApprovalExclusion(models.Model):
    """Somebody who may not approve a request, and why: they published, edited or started what asks."""

    WHY: ClassVar[dict[str, str]] = {
        "published": "published this version",
        "edited": "edited the workflow",
        "started": "started the run",
        "same_address": "has the mail address of somebody who may not approve it",
    }

    request = models.ForeignKey(
        ApprovalRequest, on_delete=models.DO_NOTHING, db_constraint=False, related_name="exclusions"
    )
    user = _kept(settings.AUTH_USER_MODEL)
    why = models.CharField(max_length=20)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "user"], name="a_person_is_excluded_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.WHY.get(self.why, self.why)}"

    @property
    def reason(self) -> str:
        """Why, for a sentence that begins with the person: "published this version"."""
        return self.WHY.get(self.why, self.why)


class Approval(models.Model):
    """One person's decision on a request: never changed, never deleted.

    `seal` is a keyed hash of the rest: a row that was written past the application does not have it, and the worker
    does not count it.
    """

    class Decision(models.TextChoices):
        APPROVE = "approve", "Approved"
        REFUSE = "refuse", "Refused"

    class Method(models.TextChoices):
        PAGE = "page", "On the page"
        API = "api", "By the API"
        BREAK_GLASS = "break_glass", "In an emergency, past the policy"

    request = models.ForeignKey(
        ApprovalRequest, on_delete=models.DO_NOTHING, db_constraint=False, related_name="approvals"
    )
    by = _kept(settings.AUTH_USER_MODEL)
    #: The person in whose place they decided, where that one is away.
    on_behalf_of = _kept(settings.AUTH_USER_MODEL)
    stage = models.PositiveSmallIntegerField(default=0)
    decision = models.CharField(max_length=20, choices=Decision.choices)
    method = models.CharField(max_length=20, choices=Method.choices, default=Method.PAGE)
    reason = models.TextField(blank=True, default="")
    fingerprint = models.CharField(max_length=64)
    at = models.DateTimeField()
    seal = models.CharField(max_length=64)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["request", "by"], name="a_person_decides_once"),
            models.CheckConstraint(
                condition=models.Q(decision="approve", method__in=["page", "api"]) | ~models.Q(reason=""),
                name="a_refusal_and_an_emergency_have_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_decision_display()} by {self.by_id}"


class ApprovalDelegation(models.Model):
    """While one person is away, another decides in their place; from the first day to the last, both included."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="delegations")
    away = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    stand_in = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    first_day = models.DateField()
    last_day = models.DateField()

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["-first_day", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(away=models.F("stand_in")), name="nobody_stands_in_for_themselves"
            ),
            models.CheckConstraint(
                condition=models.Q(last_day__gte=models.F("first_day")), name="a_delegation_ends_after_it_begins"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stand_in} for {self.away}"


class WriteHold(models.Model):
    """A write that a guard or a policy has held back, until a person lets exactly these bytes go.

    One hold per reason (`code`) and fingerprint: what was let go once is not held again for the same reason.
    """

    step_run = models.ForeignKey(StepRun, on_delete=models.CASCADE, related_name="holds")
    code = models.CharField(max_length=60)
    #: Of the request's bytes, the organisation and the version together, as in an ApprovalRequest.
    fingerprint = models.CharField(max_length=64)
    message = models.TextField()
    held_at = models.DateTimeField(auto_now_add=True)
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = StepRunQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["step_run", "code", "fingerprint"], name="a_write_is_held_once_per_reason")
        ]

    def __str__(self) -> str:
        return self.message
