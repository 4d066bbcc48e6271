"""Publish a workflow: its rows become an immutable version, or it is said why they cannot."""

from __future__ import annotations

import hashlib

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max

from integrations.jsonfield import dumps
from workflows.checking import TRIGGER, Problem, problems
from workflows.compiling import compile_plan, condition_tree, step_inputs
from workflows.describing import describe
from workflows.models import Workflow, WorkflowVersion

__all__ = [
    "TRIGGER",
    "Problem",
    "PublishError",
    "compile_plan",
    "condition_tree",
    "has_unpublished_changes",
    "problems",
    "publish",
    "step_inputs",
]


class PublishError(Exception):
    """The workflow cannot be published as it is; `problems` says why, all at once."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(each.message for each in problems))
        self.problems = problems


def publish(workflow: Workflow, *, by: User | None, note: str = "") -> WorkflowVersion:
    """Make the rows as they are now the version that new events run. Raises PublishError.

    Runs under way go on with their own version. An active workflow keeps listening where its trigger is the same;
    with another trigger it starts with a baseline.
    """
    found = problems(workflow)
    if found:
        raise PublishError(found)
    plan = compile_plan(workflow)
    text = dumps(plan)
    with transaction.atomic():
        locked = Workflow.objects.select_for_update().get(pk=workflow.pk)
        last = locked.versions.aggregate(last=Max("number"))["last"] or 0
        version = WorkflowVersion.objects.create(
            workflow=locked,
            number=last + 1,
            plan=plan,
            plan_sha256=hashlib.sha256(text.encode()).hexdigest(),
            summary=describe(plan),
            note=note,
            published_by=by,
        )
        locked.published = version
        locked.save(update_fields=["published", "changed_at"])
        workflow.published = version
        if locked.status == Workflow.Status.ACTIVE:
            from workflows.starting import listen

            listen(locked)
    return version


def has_unpublished_changes(workflow: Workflow) -> bool:
    """Whether the rows say something else than the published version."""
    return workflow.published is None or dumps(workflow.published.plan) != dumps(compile_plan(workflow))
