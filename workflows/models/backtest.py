"""Backtests: what a workflow would have done with the items of past days. They are kept for a week."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models

from integrations.core.exact_json import ExactJSONField
from integrations.models import Connection, Team, TeamQuerySet
from workflows.models.definition import Workflow, WorkflowVersion
from workflows.models.portions import InPortions


class Backtest(InPortions):
    """A preview of a plan over every item since a day. `version` is None where it is of the draft.

    A worker first reads the items, then walks the plan with each. `totals` holds what the documents come to so far, by
    what they are and by account, as `preview/backtest_totals.py` adds it up.
    """

    class Status(models.TextChoices):
        READING = "reading", "Reading the items"
        WALKING = "walking", "Under way"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"
        FAILED = "failed", "Could not go on"

    UNDER_WAY = (Status.READING, Status.WALKING)

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="backtests", db_index=False)
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="backtests")
    version = models.ForeignKey(
        WorkflowVersion, on_delete=models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    plan = ExactJSONField()
    plan_sha256 = models.CharField(max_length=64)
    days = models.PositiveSmallIntegerField()
    since = models.DateField()
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.READING)
    #: There were more items than are taken.
    is_cut = models.BooleanField(default=False)
    #: Where reading goes on after an interruption.
    resume = models.TextField(blank=True, default="")
    found = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    totals = ExactJSONField(default=dict)

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["workflow"],
                condition=models.Q(status__in=["reading", "walking"]),
                name="one_backtest_of_a_workflow_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"backtest {self.pk}"


class BacktestPartQuerySet(models.QuerySet[Any]):
    """Rows that belong to a team through their backtest."""

    def for_team(self, team: Team | None) -> Self:
        """Only the team's rows; none without a team."""
        return self.none() if team is None else self.filter(backtest__team=team)


class BacktestItem(models.Model):
    """One item, and what the workflow would have done with it. `group` is the reason without what is the item's own, so
    that equal reasons are counted together."""

    class Outcome(models.TextChoices):
        PENDING = "pending", "Not reached yet"
        RAN = "ran", "Would have run"
        FILTERED = "filtered", "Filtered"
        FAILED = "failed", "Would have failed"
        UNFINISHED = "unfinished", "Not known"

    backtest = models.ForeignKey(Backtest, on_delete=models.CASCADE, related_name="items", db_index=False)
    #: In the order in which they were read, from 1.
    number = models.PositiveIntegerField()
    key = models.CharField(max_length=200)
    title = models.CharField(max_length=200, blank=True, default="")
    happened = models.CharField(max_length=40, blank=True, default="")
    data = ExactJSONField()
    outcome = models.CharField(max_length=20, choices=Outcome.choices, default=Outcome.PENDING)
    group = models.CharField(max_length=300, blank=True, default="")
    message = models.TextField(blank=True, default="")
    #: How often it was begun: one that kills its workers is given up.
    tries = models.PositiveSmallIntegerField(default=0)
    documents_count = models.PositiveIntegerField(default=0)

    objects = BacktestPartQuerySet.as_manager()

    class Meta:
        ordering = ["backtest", "number"]
        constraints = [
            models.UniqueConstraint(fields=["backtest", "key"], name="an_item_is_backtested_once"),
            models.UniqueConstraint(fields=["backtest", "number"], name="a_backtested_item_has_its_number"),
        ]
        indexes = [models.Index(fields=["backtest", "outcome", "number"], name="backtest_items_by_outcome")]

    def __str__(self) -> str:
        return f"{self.title or self.key} of backtest {self.backtest_id}"


class BacktestDocument(models.Model):
    """One document that would have been written. `document` is as in StepRun.outcome; {} where there is none to show.

    `total` is for sorting; the exact amount stands in the document.
    """

    backtest = models.ForeignKey(Backtest, on_delete=models.CASCADE, related_name="documents", db_index=False)
    item = models.ForeignKey(BacktestItem, on_delete=models.CASCADE, related_name="documents")
    step = models.CharField(max_length=50)
    name = models.CharField(max_length=120)
    iteration = models.CharField(max_length=100, blank=True, default="")
    operation = models.CharField(max_length=100)
    connection = models.ForeignKey(Connection, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    what = models.CharField(max_length=120)
    whom = models.CharField(max_length=200, blank=True, default="")
    reference = models.CharField(max_length=200, blank=True, default="")
    currency = models.CharField(max_length=10, blank=True, default="")
    total = models.DecimalField(max_digits=24, decimal_places=4, null=True, blank=True)
    is_predicted = models.BooleanField(default=False)
    #: A check says that the provider would refuse it; it counts in no total.
    is_refused = models.BooleanField(default=False)
    findings = ExactJSONField(default=list)
    document = ExactJSONField(default=dict)

    objects = BacktestPartQuerySet.as_manager()

    class Meta:
        ordering = ["backtest", "id"]
        indexes = [models.Index(fields=["backtest", "id"], name="documents_of_a_backtest")]

    def __str__(self) -> str:
        return f"{self.what} of backtest {self.backtest_id}"
