"""Recording a write byte for byte, and sending it; see `write_protocol`."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from integrations.core.errors import (
    IntegrationError,
    OutcomeUnknownError,
    ReconnectError,
    RejectedError,
    TemporaryError,
)
from integrations.core.exact_json import dumps, loads
from integrations.core.messages import Request, Response
from integrations.framework.base import Action, Backup, Writing
from integrations.transport.http import ApiClient
from workflows.engine import step_support
from workflows.engine.lease import CancelAskedError, LostLeaseError
from workflows.engine.waits import SETTLE
from workflows.engine.writes import backups, belonging, document_snapshot, gates, uncertain
from workflows.engine.writes.safety_switches import Safety, is_on
from workflows.models import StepRun
from workflows.runtime.clock import database_now

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext

logger = logging.getLogger(__name__)

State = StepRun.State
#: The part of a step's outcome with what was read beforehand and belongs to the output.
REMEMBERED = "remembered"


@dataclass(frozen=True)
class Reading:
    """What a write is made from, as read just now: `output` where there is nothing to write, else the request."""

    found: Any
    output: dict[str, Any] | None
    request: Request | None
    seen: dict[str, Any]


def read(step_run: StepRun, action: Action, api: ApiClient, inputs: Any) -> Reading:
    """Read what the write depends on, and say what would be sent. Raises what the action does."""
    found = action.prepare(api, inputs)
    seen = loads(dumps(action.seen(inputs, found)))
    output = action.settled(inputs, found)
    if output is not None:
        return Reading(found, output, None, seen)
    writing = Writing(
        marker=step_run.marker,
        back_link=back_link(step_run.marker),
        organisation=api.organisation,
        found=found,
    )
    return Reading(found, None, action.request(inputs, writing), seen)


def intend(
    context: RunContext, step: Mapping[str, Any], step_run: StepRun, action: Action, api: ApiClient, inputs: Any
) -> bool:
    """Record what is to be sent. False if there turns out to be nothing to write: then the step is done.

    Raises ReviewError if somebody may have changed since what an earlier send wrote, and what a gate raises.
    """
    kept = belonging.kept(step_run)
    step_run.outcome = {**document_snapshot.snapshot_of(action, inputs, api), **kept} or None
    try:
        reading = read(step_run, action, api, inputs)
        if reading.output is not None:
            step_support.attempt(step_run, "read", "found", message="There was nothing to write.")
            succeed(context, step_run, action, api, reading.output)
            return False
        if message := belonging.changed(step_run, reading.seen):
            step_support.attempt(step_run, "read", "changed", message=message)
            raise uncertain.review(context, step_run, message)
        noted = kept or belonging.noted(action, api, inputs, step_run.marker, reading.seen)
    except RejectedError as error:
        step_support.attempt(step_run, "read", "refused", response=error.response, message=error.message)
        raise step_support.fail(context, step_run, error.message) from None
    except (TemporaryError, ReconnectError) as error:
        step_support.attempt(step_run, "read", "not now", response=error.response, message=error.message)
        raise step_support.not_now(context, step, step_run, error) from None
    assert reading.request is not None
    step_run.request = reading.request.to_dict()
    step_run.request_sha256 = reading.request.sha256
    remembered = action.remember(reading.found)
    for_output = {REMEMBERED: remembered} if remembered else {}
    step_run.outcome = {**(step_run.outcome or {}), **noted, **for_output} or None
    gates.ask(context, step, step_run, action, api, inputs)
    commit_intent(context, step_run, action.backup(reading.found))
    return True


def commit_intent(context: RunContext, step_run: StepRun, backup: Backup | None = None) -> None:
    """Store the row, and a backup of what the write takes away, before sending: from here it may have happened."""
    now = database_now()
    is_first = step_run.state == State.PENDING
    step_run.first_sent_at = step_run.first_sent_at or now
    step_run.last_sent_at = now
    step_run.idempotency_key = _key(step_run)
    if step_run.state == State.PENDING:
        step_run.state = State.SENT
    if is_on(Safety.INTENT):
        try:
            with transaction.atomic():
                # What may have been written is settled even in a cancelled run.
                context.lease.record(step_run, unless_cancelled=is_first)
                if backup is not None:
                    backups.keep(step_run, backup)
        except LostLeaseError:
            if not is_first or not context.lease.is_cancelled(step_run):
                raise
            raise CancelAskedError(f"run {context.run.pk}") from None


def _key(step_run: StepRun) -> str:
    text = f"{step_run.marker}:{step_run.key_group}:{step_run.request_sha256}"
    return hashlib.sha256(text.encode()).hexdigest()


def send(context: RunContext, step: Mapping[str, Any], step_run: StepRun, action: Action, api: ApiClient) -> None:
    """Send the stored bytes. A write that was uncertain before stays so until an answer settles it."""
    was_uncertain = step_run.state == State.UNCERTAIN
    request = Request.from_dict(step_run.request or {})
    try:
        key = (step_run.idempotency_key or "") if action.key_window else ""
        response = api.write(request, idempotency_key=key, had_401=uncertain.had_401(step_run))
        output = _output(action, response)
    except (TemporaryError, ReconnectError) as error:
        step_support.attempt(step_run, "send", "not now", response=error.response, message=error.message)
        if uncertain.is_only_deferred(step_run) and action.has_lookup:
            # A gateway may answer so after the write was made: it is looked up before a second send.
            step_run.state = State.PENDING
        elif not was_uncertain:
            # Certainly not executed: as if it had never been sent.
            step_run.state, step_run.first_sent_at, step_run.idempotency_key = State.PENDING, None, None
            step_run.outcome = belonging.dropped(step_run)
        raise (uncertain.later if was_uncertain else step_support.not_now)(context, step, step_run, error) from None
    except OutcomeUnknownError as error:
        step_support.attempt(step_run, "send", "unknown", response=error.response, message=error.message)
        step_run.state = State.UNCERTAIN
        if not action.has_lookup and not uncertain.may_repeat_key(step_run, action, database_now()):
            raise uncertain.cannot_look_up(context, step_run) from None
        context.lease.record(step_run)
        raise uncertain.wait(error.message, uncertain.pause_after_send(step_run, action)) from None
    except RejectedError as error:
        step_support.attempt(step_run, "send", "refused", response=error.response, message=error.message)
        if not was_uncertain:
            raise step_support.fail(context, step_run, error.message) from None
        # The refusal may be of the repetition ("number must be unique"): only a look-up can tell.
        context.lease.record(step_run)
        raise uncertain.wait(error.message, SETTLE) from None
    step_support.attempt(step_run, "send", "done", response=response)
    succeed(context, step_run, action, api, read_back(step_run, action, api, output))


def _output(action: Action, response: Response) -> dict[str, Any]:
    try:
        return action.output(response)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        error = OutcomeUnknownError(
            "The provider answered with success, but the answer cannot be read; it is not known what was written."
        )
        error.response = response
        raise error from None


def read_back(step_run: StepRun, action: Action, api: ApiClient, output: dict[str, Any]) -> dict[str, Any]:
    """The output with what is read after the write. The write happened, so a fault in reading must not undo that."""
    try:
        return action.read_back(api, action.Inputs.clean(step_run.inputs or {}), output)
    except IntegrationError as error:
        step_support.attempt(step_run, "read", "not now", message=error.message)
        return {**output, "warning": f"It was written, but reading it afterwards did not work: {error.message}"}


def succeed(context: RunContext, step_run: StepRun, action: Action, api: ApiClient, output: dict[str, Any]) -> None:
    output = {**output, **(step_run.outcome or {}).get(REMEMBERED, {})}
    step_run.output = output
    step_run.provider_id, step_run.link, described = _in_words(action, api, output)
    step_run.outcome = {"described": described, **document_snapshot.kept(step_run)}
    # Until this is stored, the write counts as one of unknown outcome, which can be settled without harm. So storing it
    # may wait for the next step's intent or the end of the run, but must come before anything else is sent.
    step_support.succeed(context, step_run, was_sent=step_run.state in (State.SENT, State.UNCERTAIN))


def _in_words(action: Action, api: ApiClient, output: dict[str, Any]) -> tuple[str, str, str]:
    """Id, link and description of what was written. The write happened, so a fault in describing it must not undo
    that."""
    try:
        return (
            action.identify(output)[:200],
            action.link(output, api.organisation),
            action.describe(output),
        )
    except Exception:
        logger.exception("%s wrote something that it cannot describe.", action.full_key)
        return "", "", action.name


def again(step_run: StepRun, *, keeps: bool = False) -> None:
    """Prepare the write to be sent as if for the first time, under a new key: it is known not to have happened.

    With `keeps`, what was recorded at the first intent stays, so that changes by others since then are noticed. A
    person who has it sent again has checked that.
    """
    if not keeps:
        step_run.outcome = belonging.dropped(step_run)
    step_run.key_group += 1
    step_run.state = State.PENDING
    step_run.first_sent_at = None
    step_run.look_ups = 0
    step_run.looked_up_at = None
    step_run.attempts = [*step_run.attempts, {"at": database_now().isoformat(), "what": "new key", "outcome": "done"}]


def back_link(marker: str) -> str:
    """The address that is written into documents: it leads to the run that wrote them."""
    return f"{settings.BASE_URL}{reverse('run_by_marker', args=[marker])}"
