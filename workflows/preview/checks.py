"""What is said about a write before it is sent: each finding with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.framework import checks
from integrations.framework.base import Action
from integrations.framework.checks import Finding
from integrations.transport.http import ApiClient
from workflows.preview.context import PreviewContext


def findings_of(
    context: PreviewContext,
    step: Mapping[str, Any],
    action: Action,
    api: ApiClient,
    inputs: Any,
    found: Any,
) -> list[Finding]:
    """The findings about this write. It reads through the client, once per question in the whole preview, and writes
    nothing."""
    facts = context.walk.facts_of(step.get("connection") or 0, api)
    return checks.findings_of(action, facts.for_inputs(context.predicted.inputs_of(step)), inputs, found)
