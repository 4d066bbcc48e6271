"""The output of a step once a person has confirmed that its write happened.

Only a deletion's output is known without the provider's answer: what was remembered before it was sent, and that it is
gone. For any other write the answer would be needed, and what is not known is not made up.
"""

from __future__ import annotations

import logging
from typing import Any

from integrations.core.errors import IntegrationError
from integrations.framework import registry
from integrations.framework.base import Action, Effect
from integrations.framework.registry import UnknownOperationError
from integrations.transport.call_budget import Purpose
from integrations.transport.http import Response
from workflows.engine.writes import document_snapshot
from workflows.engine.writes.sending import REMEMBERED
from workflows.models import StepRun

logger = logging.getLogger(__name__)

#: A provider's empty answer to a deletion.
_NO_CONTENT = Response(status=204)


def deleted(step_run: StepRun) -> dict[str, Any]:
    """The output of a deletion that happened, as the step would have given it; {} for other writes, and where it is
    not known. May call the provider, so it must not be called in a transaction. Raises nothing."""
    try:
        action = registry.action(step_run.operation)
    except UnknownOperationError:
        return {}
    if action.effect is not Effect.DELETES:
        return {}
    output = _unanswered(action)
    if output is None:
        output = _looked_up(action, step_run)
    return {**output, **(step_run.outcome or {}).get(REMEMBERED, {})} if output else {}


def settle(step_run: StepRun, output: dict[str, Any], provider_id: str) -> None:
    """Store the output with its id, link and description; an id given by the person takes precedence."""
    step_run.output = output or step_run.output or {}
    described = _in_words(step_run, output) if output else ("", "", "")
    step_run.provider_id = (provider_id or described[0])[:200]
    if output:
        step_run.link, step_run.outcome = described[1], {"described": described[2], **document_snapshot.kept(step_run)}


def _unanswered(action: Action) -> dict[str, Any] | None:
    """What the action makes of an empty answer; None where it takes none."""
    try:
        return action.output(_NO_CONTENT)
    except (IntegrationError, ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None


def _looked_up(action: Action, step_run: StepRun) -> dict[str, Any]:
    """The record as the provider keeps it after the deletion; {} where it cannot be read or is not gone."""
    if step_run.connection is None or not step_run.connection.is_usable:
        return {}
    api = action.connector.client_class(step_run.connection, purpose=Purpose.PERSON)
    try:
        inputs = action.Inputs.clean(step_run.inputs or {})
        hits = action.find(api, inputs, step_run.marker, since=step_run.started_at)
    except IntegrationError:
        return {}
    return hits[0] if len(hits) == 1 else {}


def _in_words(step_run: StepRun, output: dict[str, Any]) -> tuple[str, str, str]:
    action = registry.action(step_run.operation)
    details = step_run.connection.details if step_run.connection else {}
    try:
        return action.identify(output), action.link(output, details), action.describe(output)
    except Exception:
        # It was deleted, so a fault in describing it must not undo that.
        logger.exception("%s deleted something that it cannot describe.", action.full_key)
        return "", "", action.name
