"""Workflows for proofs, in little code: rows as a person's forms would create them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.stage import Stage
    from workflows.models import Step, Workflow

#: The one line of every document in a proof.
LINE = {"quantity": "1", "unit_amount": "10", "account_code": "200", "tax_type": "OUTPUT2"}


def new_workflow(stage: Stage, name: str, operation: str, *, provider: str = "pinterest", **inputs: Any) -> Workflow:
    """A workflow without steps that polls every minute, or has a schedule if the provider is empty."""
    from workflows.models import Workflow

    return Workflow.objects.create(
        team=stage.team,
        name=name,
        trigger_operation=operation,
        trigger_connection=stage.connections[provider] if provider else None,
        trigger_inputs=inputs,
        interval_minutes=1,
    )


def add_step(
    workflow: Workflow,
    kind: str,
    key: str,
    *,
    parent: Step | None = None,
    settings: Mapping[str, Any] | None = None,
    conditions: Iterable[tuple[str, str, str]] = (),
) -> Step:
    """A step at the end of its parent's steps; conditions are (left, operator, right) as texts and must all be met."""
    from workflows.models import Condition, Step

    step = Step.objects.create(
        workflow=workflow,
        key=key,
        name=key.replace("_", " ").capitalize(),
        kind=kind,
        parent=parent,
        position=workflow.steps.filter(parent=parent).count() + 1,
        settings=dict(settings or {}),
    )
    for position, (left, operator, right) in enumerate(conditions, start=1):
        Condition.objects.create(step=step, position=position, left=left, type="text", operator=operator, right=right)
    return step


def add_write(
    stage: Stage,
    workflow: Workflow,
    key: str,
    operation: str,
    *,
    says: str,
    parent: Step | None = None,
    **inputs: str,
) -> Step:
    """A step that writes a document to Xero with one line, which has this description."""
    from workflows.models import Mapping as Row

    step = add_step(workflow, "action", key, parent=parent)
    step.operation, step.connection, step.max_attempts = operation, stage.connections["xero"], 20
    step.save()
    for name, value in {"contact_id": stage.contact_id, **inputs}.items():
        Row.objects.create(step=step, input=name, value=value)
    for column, value in {**LINE, "description": says}.items():
        Row.objects.create(step=step, input="lines", row=0, column=column, value=value)
    return step


def switch_on(workflow: Workflow) -> None:
    """Publish it and switch it on."""
    from workflows.publishing import activation, publish

    publish.publish(workflow, by=None, note="Proof")
    activation.activate(workflow, by=None)
