"""Where a write is stopped before it is sent: policies, approvals and guards ask for a word here.

The engine knows none of them. Rooms above register a gate in `GATES`, and `apps.ready` fills it. Each gate is asked
with the exact bytes, after they were built and before they are recorded as sent, at every send, the repeated ones
included: nothing reaches a provider past it. A gate lets a write pass by returning; else it raises what `wait`, `hold`
or `step_support.fail` gives.

What changes a write instead of stopping it, as a date that moves out of a locked period, stands in `ADJUSTERS`: they
are asked with the cleaned inputs before anything is read or built.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.db import transaction

from integrations.core.messages import Request
from integrations.framework.base import Action
from integrations.models import Connection
from integrations.schema.documents import Document
from integrations.transport.http import ApiClient
from workflows.engine import step_support
from workflows.engine.waits import WaitError
from workflows.engine.writes import document_snapshot
from workflows.models import Run, StepRun, WriteHold
from workflows.runtime.clock import database_now

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext


@dataclass(frozen=True)
class Intent:
    """A write that is about to be sent. `request` has its final bytes; `is_repeat` says that they may have been sent
    before, so that what is found at the provider may be this very write."""

    context: RunContext
    step: Mapping[str, Any]
    step_run: StepRun
    action: Action
    api: ApiClient
    inputs: Any
    request: Request
    is_repeat: bool

    @property
    def run(self) -> Run:
        """The run that wants to write."""
        return self.context.run

    @property
    def connection(self) -> Connection | None:
        """Where it is written to; None for operations without a connection."""
        return self.step_run.connection

    @property
    def document(self) -> Document | None:
        """The document as it would be written; None where the operation shows none."""
        return document_snapshot.document_of(self.step_run, self.action)

    @property
    def fingerprint(self) -> str:
        """The sha256 of the exact bytes, the organisation and the version: what a person allows is this and no other
        write."""
        return fingerprint(self.request.sha256, self.connection, self.run.version_id)


#: Asked in this order; the first that raises decides.
GATES: list[Callable[[Intent], None]] = []
#: Give other inputs in the place of those they get, or the same.
ADJUSTERS: list[Callable[[RunContext, Mapping[str, Any], StepRun, Action, ApiClient, Any], Any]] = []


def fingerprint(request_sha256: str, connection: Connection | None, version_id: int) -> str:
    """What identifies a write for those who allow it."""
    organisation = f"{connection.provider}:{connection.external_id}" if connection else ""
    return hashlib.sha256(f"{request_sha256}\n{organisation}\n{version_id}".encode()).hexdigest()


def adjusted(
    context: RunContext, step: Mapping[str, Any], step_run: StepRun, action: Action, api: ApiClient, inputs: Any
) -> Any:
    """The inputs after every adjuster. One that changes them also changes `step_run.inputs`, from which they are read
    again later."""
    for adjust in ADJUSTERS:
        inputs = adjust(context, step, step_run, action, api, inputs)
    return inputs


def ask(
    context: RunContext, step: Mapping[str, Any], step_run: StepRun, action: Action, api: ApiClient, inputs: Any
) -> None:
    """Ask every gate about what the step run holds as its request. Raises what the first one that stops it raises."""
    if not GATES:
        return
    request = Request.from_dict(step_run.request or {})
    is_repeat = step_run.state != StepRun.State.PENDING
    intent = Intent(context, step, step_run, action, api, inputs, request, is_repeat)
    for gate in GATES:
        gate(intent)


def let_go(run: Run, *, by: User | None) -> int:
    """A person lets the held writes of a run go, exactly as they stand now: holds of other bytes stay. How many."""
    count = 0
    held = WriteHold.objects.filter(step_run__run=run, released_at__isnull=True)
    for each in held.select_related("step_run__connection"):
        write = each.step_run
        if each.fingerprint == fingerprint(write.request_sha256, write.connection, run.version_id):
            each.released_at, each.released_by = database_now(), by
            each.save(update_fields=["released_at", "released_by"])
            count += 1
    return count


def wait(intent: Intent, reason: Run.WaitReason, message: str, *, what: str) -> WaitError:
    """The wait of a write that a person has to decide about; the step run is stored as it is. `what` names the gate in
    the step's attempts, as "approval"."""
    step_support.attempt(intent.step_run, what, "not now", message=message)
    intent.context.lease.record(intent.step_run)
    return WaitError(reason, pause=None, message=message)


def hold(intent: Intent, code: str, message: str) -> None:
    """Hold the write until a person lets it go; returns where somebody has done that for exactly these bytes and this
    reason. Raises WaitError."""
    known = intent.step_run.pk and intent.step_run.holds.filter(code=code, fingerprint=intent.fingerprint).first()
    if known and known.released_at is not None:
        return
    # Holding and its reason are stored together: a run that waits says why.
    with transaction.atomic():
        stopped = wait(intent, Run.WaitReason.HOLD, message, what="guard")
        if not known:
            WriteHold.objects.create(
                step_run=intent.step_run, code=code, fingerprint=intent.fingerprint, message=message
            )
    raise stopped
