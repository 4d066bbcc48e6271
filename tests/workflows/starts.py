"""Workflows that nobody polls for, on the scripted provider beside the real starts."""

from __future__ import annotations

from typing import Any

from tests.base import Cast
from tests.workflows.conftest import Make
from workflows.models import Mapping, Workflow
from workflows.publishing import activation, publish

CONNECTORS = ["tests.workflows.scripted", "integrations.connectors.start"]

FIELDS = [
    {"label": "Title"},
    {"label": "Amount", "holds": "number", "is_required": "false"},
    {"label": "Paid on", "holds": "date", "is_required": "false"},
    {"label": "Kind", "holds": "choice", "options": "Sale, Refund", "is_required": "false"},
]


def started_by(
    cast: Cast,
    make_workflow: Make,
    operation: str,
    inputs: dict[str, Any] | None = None,
    *,
    value: str = "",
    name: str = "Copy things",
    is_active: bool = True,
) -> Workflow:
    """A published workflow that writes one value of what starts it."""
    workflow = make_workflow(name=name, is_active=False)
    workflow.trigger_operation, workflow.trigger_connection = operation, None
    workflow.trigger_inputs = {"fields_asked": FIELDS} if inputs is None else inputs
    workflow.save()
    if value:
        Mapping.objects.filter(step__workflow=workflow).update(value=value)
    publish.publish(workflow, by=cast.builder)
    if is_active:
        activation.activate(workflow, by=cast.builder)
    return workflow
