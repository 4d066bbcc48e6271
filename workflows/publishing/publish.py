"""Publish a workflow: its rows become an immutable version, or an error says why they cannot."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max

from integrations.audit.actions import Audited
from integrations.audit.record import record
from integrations.core.exact_json import dumps
from workflows.definitions.compiler import compile_plan
from workflows.definitions.description import describe
from workflows.definitions.samples import sample_checks
from workflows.definitions.validation import Problem, problems
from workflows.models import TeamControls, Workflow, WorkflowVersion
from workflows.publishing.activation import NotAllowedNowError, listen


class PublishError(Exception):
    """The workflow cannot be published as it is; `problems` holds every reason."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(each.message for each in problems))
        self.problems = problems


class ChangedError(Exception):
    """Somebody has changed the workflow since the person was shown what would be published."""


def needs_second_person(team_id: int) -> bool:
    """Whether what one person has built is published by another in this team."""
    return TeamControls.objects.filter(team=team_id, second_person_publishes=True).exists()


def plan_of(locked: Workflow) -> dict[str, Any]:
    """The plan that would be published now. Raises PublishError with what keeps it from being published."""
    # What was read lately is used and nothing is called: publishing waits for no provider.
    found = problems(locked) or sample_checks.refusals(sample_checks.sample_findings(locked, may_ask=False))
    if found:
        raise PublishError(found)
    return compile_plan(locked)


def publish(
    workflow: Workflow, *, by: User | None, note: str = "", shown: str = "", is_agreed: bool = False
) -> WorkflowVersion:
    """Make the present rows the version that new events run. Raises PublishError, and NotAllowedNowError where the
    team's second person has not agreed: `approvals/publication.py` publishes then.

    `shown` is the fingerprint of what the person has read; if the rows have changed since, ChangedError is raised and
    nothing is published. Current runs go on with their own version. An active workflow keeps listening if its trigger
    is the same; with another trigger it starts with a baseline.
    """
    with transaction.atomic():
        # Read under the lock: whoever publishes later publishes the later rows.
        locked = Workflow.objects.select_for_update().get(pk=workflow.pk)
        if not is_agreed and needs_second_person(locked.team_id):
            raise NotAllowedNowError("In this team a second person publishes. Ask for it on the page of publishing.")
        plan = plan_of(locked)
        sha256 = fingerprint(plan)
        if shown and shown != sha256:
            raise ChangedError
        last = locked.versions.aggregate(last=Max("number"))["last"] or 0
        version = WorkflowVersion.objects.create(
            workflow=locked,
            number=last + 1,
            plan=plan,
            plan_sha256=sha256,
            summary=describe(plan),
            note=note,
            published_by=by,
        )
        before = _in_words(locked.published)
        locked.published = version
        locked.save(update_fields=["published", "changed_at"])
        workflow.published = version
        if locked.status == Workflow.Status.ACTIVE:
            listen(locked)
        record(
            Audited.WORKFLOW_PUBLISHED,
            team_id=locked.team_id,
            about=locked,
            by=by,
            reason=note,
            before=before,
            after=_in_words(version),
        )
    return version


def _in_words(version: WorkflowVersion | None) -> dict[str, str]:
    return {"Version": str(version.number), "What it does": version.summary} if version else {}


def fingerprint(plan: dict[str, Any]) -> str:
    """The sha256 of a plan as it is stored: equal for equal plans."""
    return hashlib.sha256(dumps(plan).encode()).hexdigest()


def has_unpublished_changes(workflow: Workflow) -> bool:
    """Whether the draft differs from the published version."""
    return workflow.published is None or dumps(workflow.published.plan) != dumps(compile_plan(workflow))
