"""What the folder of a run holds as JSON: exact amounts, times in UTC, secrets masked as on the run's page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.db.models import Prefetch

from integrations.core.messages import Request
from integrations.framework.base import Action
from integrations.framework.registry import operation_or_none
from integrations.models import Connection
from workflows.engine.writes import document_snapshot
from workflows.evidence.archive import json_bytes
from workflows.models import Decision, Posting, Run, StepRun, WorkflowVersion
from workflows.presenters.presentation import masked, person
from workflows.presenters.runs.run_presenter import sent_request, sentence

#: Of a run's steps this many are read at once.
_PORTION = 50
#: What the pages of a run never show of a step, or what stands in a file of its own.
_APART = ("request", "response_headers", "response_body")
_REMOVED = "Removed when its retention period was over, as the settings of this installation say."


def run_facts(run: Run) -> dict[str, Any]:
    """What `run.json` says: the run, what came in, its workflow and version."""
    event = run.event
    return {
        "run": run.pk,
        "title": run.title,
        "status": run.status,
        "status_in_words": sentence(run),
        "waits": run.wait_reason,
        "error": run.error,
        "result": run.result,
        "workflow": {"id": run.workflow_id, "name": run.workflow.name},
        "version": version_facts(run.version),
        "writes_to": _connection(run.connection),
        "came_in": {
            "operation": event.operation,
            "key": event.key,
            "from": _connection(event.connection),
            "accepted_at": moment(event.accepted_at),
            "started_by": person(event.by) if event.by_id else None,
            "data": event.data,
        },
        "replay": run.replay,
        "called_by_run": run.called_by_id,
        "in_place_of_run": run.again_of_id,
        "created_at": moment(run.created_at),
        "started_at": moment(run.started_at),
        "finished_at": moment(run.finished_at),
        **({"trimmed_at": moment(run.trimmed_at), "trimmed": trimmed_words(run)} if run.trimmed_at else {}),
    }


def trimmed_words(run: Run) -> str:
    """What of the run is no longer kept; "" where all of it is."""
    if run.trimmed_at is None:
        return ""
    return (
        "What came in, the results of steps that wrote nothing, and the provider's answers are no longer kept: they "
        "were removed when their retention period was over. What was sent, and what was written, is kept."
    )


def version_facts(version: WorkflowVersion) -> dict[str, Any]:
    """A version, without what it does."""
    return {
        "number": version.number,
        "sha256_of_plan": version.plan_sha256,
        "published_at": moment(version.published_at),
        "published_by": person(version.published_by),
        "note": version.note,
    }


def steps(run: Run) -> Iterator[dict[str, Any]]:
    """The steps in their order, those of iterations after those around them."""
    rows = StepRun.objects.filter(run=run).select_related("connection").defer(*_APART).order_by("pk")
    for row in rows.iterator(chunk_size=_PORTION):
        yield {
            **_which(row),
            "kind": row.kind,
            "state": row.state,
            "writes_to": _connection(row.connection),
            "inputs": row.inputs,
            "outcome": row.outcome,
            "output": row.output,
            "provider_id": row.provider_id,
            "link": row.link,
            "error": row.error,
            "problems": row.problems,
            "looked_in": row.looked_in,
            "attempts": row.attempts,
            "started_at": moment(row.started_at),
            "finished_at": moment(row.finished_at),
        }


def documents(run: Run) -> Iterator[dict[str, Any]]:
    """What was written: the posting of each object, its amounts by account and tax rate, and the document as people
    read it."""
    found = Posting.objects.filter(run=run).order_by("step_run_id")
    found = found.prefetch_related("lines", Prefetch("step_run", StepRun.objects.select_related("connection")))
    for posting in found.iterator(chunk_size=_PORTION):
        yield {
            "step": posting.step,
            "iteration": posting.iteration,
            "operation": posting.operation,
            "kind": posting.noun,
            "what_happened": str(posting.get_effect_display()),
            "how_it_is_known": str(posting.get_origin_display()),
            "organisation": posting.organisation,
            "number": posting.number,
            "date": posting.day.isoformat(),
            "contact": posting.contact,
            "contact_id": posting.contact_id,
            "reference": posting.reference,
            "status": posting.status,
            "currency": posting.currency,
            "subtotal": posting.sub_total,
            "tax": posting.tax,
            "total": posting.amount,
            "by_account": [
                {
                    "account": line.account,
                    "tax_rate": line.tax_rate,
                    "net": line.net,
                    "tax": line.tax,
                    "lines": line.count,
                    "without_amount": line.unknown,
                }
                for line in posting.lines.all()
            ],
            "provider_id": posting.provider_id,
            "link": posting.link,
            "marker": posting.marker,
            "fingerprint": posting.fingerprint,
            "written_at": moment(posting.written_at),
            "document": document_snapshot.kept(posting.step_run).get("document"),
        }


def decisions(run: Run) -> Iterator[dict[str, Any]]:
    """What people decided about the run, the first decision first."""
    for each in Decision.objects.filter(run=run).select_related("by").order_by("pk"):
        yield {
            "what": each.what,
            "in_words": str(each.get_what_display()),
            "step": each.step,
            "by": person(each.by),
            "reason": each.reason,
            "at": moment(each.at),
        }


def calls(run: Run) -> Iterator[tuple[str, bytes]]:
    """The files about what was sent and answered, as (name, content): for each step that sent something what it was,
    and beside it the exact bytes of both bodies."""
    rows = StepRun.objects.filter(run=run).exclude(request=None, response_status=None).order_by("pk")
    rows = rows.select_related("connection__grant").defer("inputs", "outcome", "output")
    for number, row in enumerate(rows.iterator(chunk_size=_PORTION), 1):
        stem = f"{number:05}"
        sent, answer = _request_body(row), row.response_body.encode("utf-8", "replace")
        asked = f"{stem}-request-body.{_extension(sent)}" if sent else ""
        told = f"{stem}-answer-body.{_extension(answer)}" if answer else ""
        yield f"{stem}-call.json", json_bytes(_call(run, row, asked, told))
        if sent:
            yield asked, sent
        if answer:
            yield told, answer


def _call(run: Run, row: StepRun, asked: str, told: str) -> dict[str, Any]:
    operation = operation_or_none(row.operation)
    sent = sent_request(row, operation)
    answer = {"status": row.response_status, "headers": masked(row.response_headers or {}), "body": told or None}
    if run.trimmed_at:
        answer["removed"] = _REMOVED
    return {
        **_which(row),
        "effect": str(operation.effect) if isinstance(operation, Action) else "",
        "state": row.state,
        "request": sent and {
            "method": sent.method,
            "address": sent.url,
            "headers": sent.headers,
            "body": asked or None,
            "sha256_of_method_path_query_and_body": row.request_sha256,
            "idempotency_key": row.idempotency_key or "",
            "marker": row.marker,
            "first_sent_at": moment(row.first_sent_at),
            "last_sent_at": moment(row.last_sent_at),
        },
        "answer": answer,
        "attempts": row.attempts,
    }  # fmt: skip


def _which(row: StepRun) -> dict[str, Any]:
    return {"step": row.step, "iteration": row.iteration, "name": row.name, "operation": row.operation}


def _request_body(row: StepRun) -> bytes:
    try:
        return Request.from_dict(row.request or {}).body
    except (KeyError, TypeError, ValueError):
        return b""


def _extension(body: bytes) -> str:
    try:
        json.loads(body)
        return "json"
    except (ValueError, RecursionError):
        return "bin" if b"\0" in body else "txt"


def _connection(connection: Connection | None) -> dict[str, Any] | None:
    if connection is None:
        return None
    return {"name": connection.name, "provider": connection.provider, "id_at_the_provider": connection.external_id}


def moment(at: datetime | None) -> str | None:
    """A time in UTC, to the microsecond."""
    return None if at is None else at.astimezone(UTC).isoformat()
