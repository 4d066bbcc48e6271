"""The document of a write as it stood when the write was made, kept with the step run.

A document depends on what was known of the organisation at the time: the percentages of its tax rates, the names of its
accounts. Calculated again from later facts, an old run would seem to differ from what the provider wrote.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from integrations.framework.base import Action
from integrations.schema import documents
from integrations.schema.documents import Document
from integrations.transport.http import ApiClient
from workflows.models import StepRun

logger = logging.getLogger(__name__)

#: Where a step run's outcome holds it.
_DOCUMENT = "document"


def snapshot_of(action: Action, inputs: Any, api: ApiClient) -> dict[str, Any]:
    """The part of an outcome that keeps the document of these cleaned inputs; {} where there is none."""
    details = {"name": api.connection.name, **api.organisation} if action.connector.needs_connection else {}
    try:
        document = action.document(inputs, details)
        return {} if document is None else {_DOCUMENT: documents.to_dict(document)}
    except Exception:
        # A fault in showing the document must not prevent the write.
        logger.exception("%s cannot show what it writes.", action.full_key)
        return {}


def kept(step_run: StepRun) -> dict[str, Any]:
    """The part of the step run's outcome that holds its document, for the outcome that replaces it."""
    document = (step_run.outcome or {}).get(_DOCUMENT)
    return {} if document is None else {_DOCUMENT: document}


def document_of(step_run: StepRun, action: Action) -> Document | None:
    """What the step writes or has written; None where there is nothing to show. Raises what the action does.

    For a write from before documents were kept, amounts that depend on tax rates are left out: the rates may have
    changed since.
    """
    stored: Mapping[str, Any] = kept(step_run)
    if stored:
        return documents.from_dict(stored[_DOCUMENT])
    connection = step_run.connection
    details = {"name": connection.name, **connection.details} if connection else {}
    document = action.document(action.Inputs.clean(step_run.inputs or {}), details)
    if document is None or (step_run.first_sent_at is None and not step_run.output):
        return document
    return replace(document, totals=None, lines=tuple(replace(line, tax=None) for line in document.lines))
