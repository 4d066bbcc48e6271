"""Fetching a reading step once for a person who builds: no run, and what it gives is kept as the step's sample."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from integrations.connections import service
from integrations.core.errors import IntegrationError, InvalidInputError, ReconnectError
from integrations.framework import registry
from integrations.framework.base import Action, Effect
from integrations.framework.waiting_person import client_for_person
from integrations.models import Connection
from integrations.schema.fields import sentences
from workflows.definitions import samples
from workflows.definitions.step_rows import step_inputs
from workflows.language import mapped_inputs
from workflows.language.values import MappingContext
from workflows.models import Step

logger = logging.getLogger(__name__)


class NotFetchedError(Exception):
    """The step gave nothing; `message` says why and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def fetch(step: Step, data: Mapping[str, Any], context: MappingContext) -> None:
    """Do the step's read with these data, and keep what it gives. Raises NotFetchedError, which is kept too."""
    try:
        output = _read(step, data, context)
    except NotFetchedError as error:
        samples.note_not_fetched(step, error.message)
        raise
    samples.keep_fetched(step, output)


def _read(step: Step, data: Mapping[str, Any], context: MappingContext) -> dict[str, Any]:
    action = registry.operation_or_none(step.operation)
    if not isinstance(action, Action) or action.effect is not Effect.READS:
        raise NotFetchedError("Only steps that read can be fetched; this one writes.")
    connection = _connection_of(step, action)
    try:
        inputs = _inputs(step, action, data, context)
        return action.run(client_for_person(action.connector, connection), inputs)
    except InvalidInputError as error:
        raise NotFetchedError(f"With this sample some inputs do not fit: {error.message}") from error
    except ReconnectError as error:
        if connection is not None:
            service.mark_needs_reconnect(connection, error.message, reach=error.scope)
        raise NotFetchedError(error.message) from error
    except IntegrationError as error:
        raise NotFetchedError(error.message) from error
    except Exception as error:
        # The page must open even if an answer is of a shape that nobody expected; the log has the traceback.
        logger.exception("Step %s could not be fetched.", step.pk)
        raise NotFetchedError(f"The answer of {action.connector.name} was not understood.") from error


def _connection_of(step: Step, action: Action) -> Connection | None:
    """The step's connection. Raises NotFetchedError if it is needed and cannot be used."""
    if not action.connector.needs_connection:
        if closed := action.connector.closed():
            raise NotFetchedError(closed)
        return None
    if step.connection is None or not step.connection.is_usable:
        raise NotFetchedError(f"{action.connector.name} is not connected now. Reconnect it on the connections page.")
    return step.connection


def _inputs(step: Step, action: Action, data: Mapping[str, Any], context: MappingContext) -> Any:
    """The step's inputs, cleaned. Raises InvalidInputError."""
    fields = action.Inputs.fields()
    mapped = mapped_inputs.mapped(step_inputs(step), fields, data, context)
    if mapped.problems:
        raise InvalidInputError(mapped.problems, sentences(fields, mapped.problems))
    return action.Inputs.clean(mapped.values)
