"""Workflows for proofs, in few words: rows as a person's forms would make them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.stage import Stage
    from workflows.models import Step, Workflow

#: What every paper of a proof has on its one line.
LINE = {"quantity": "1", "unit_amount": "10", "account_code": "200", "tax_type": "OUTPUT2"}


def new_workflow(stage: Stage, name: str, operation: str, *, provider: str = "pinterest", **inputs: Any) -> Workflow:
    """A workflow without steps that looks every minute, or is started by the clock where the provider is empty."""
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
    """A step at the end of its parent's; conditions are (left, operator, right) of texts and must all be met."""
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
    """A step that writes a paper of one line to Xero, which says so in its description."""
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
    """Publish it and let it listen."""
    from workflows import lifecycle, publishing

    publishing.publish(workflow, by=None, note="Proof")
    lifecycle.activate(workflow, by=None)
