"""What a step gives to later steps once a person has said that its write happened.

Only a deletion's output is known without the provider's answer: what was remembered before it was sent, and that it is
gone. Of any other write the answer is needed, and what is not known is not made up.
"""

from __future__ import annotations

import logging
from typing import Any

from integrations import registry
from integrations.base import Action, Effect
from integrations.errors import IntegrationError
from integrations.http import Response
from integrations.limits import Purpose
from integrations.registry import UnknownOperationError
from workflows import paperwork
from workflows.engine.writing import _REMEMBERED
from workflows.models import StepRun

logger = logging.getLogger(__name__)

#: How a provider answers a deletion that has nothing to tell.
_NO_CONTENT = Response(status=204)


def deleted(step_run: StepRun) -> dict[str, Any]:
    """The output of a deletion that happened, as the step would have given it; {} for another write, and where nobody
    tells. May ask the provider, so it is not called in a transaction; it raises nothing."""
    try:
        action = registry.action(step_run.operation)
    except UnknownOperationError:
        return {}
    if action.effect is not Effect.DELETES:
        return {}
    output = _unanswered(action)
    if output is None:
        output = _looked_up(action, step_run)
    return {**output, **(step_run.outcome or {}).get(_REMEMBERED, {})} if output else {}


def settle(step_run: StepRun, output: dict[str, Any], provider_id: str) -> None:
    """Put the output into the step run, with its id, link and words; what the person gave as the id comes first."""
    step_run.output = output or step_run.output or {}
    told = _told(step_run, output) if output else ("", "", "")
    step_run.provider_id = (provider_id or told[0])[:200]
    if output:
        step_run.link, step_run.outcome = told[1], {"described": told[2], **paperwork.kept(step_run)}


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


def _told(step_run: StepRun, output: dict[str, Any]) -> tuple[str, str, str]:
    action = registry.action(step_run.operation)
    details = step_run.connection.details if step_run.connection else {}
    try:
        return action.identify(output), action.link(output, details), action.describe(output)
    except Exception:
        # It was deleted, so a fault in saying so must not undo that.
        logger.exception("%s deleted something that it cannot describe.", action.full_key)
        return "", "", action.name
