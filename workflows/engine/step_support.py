"""What reading and writing steps share: inputs from mappings, the client, and what an error means for the run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from integrations.connections import service
from integrations.core.clock import seconds
from integrations.core.errors import IntegrationError, InvalidInputError, ReconnectError, TemporaryError
from integrations.framework import registry
from integrations.framework.base import Action, Effect
from integrations.models import Connection
from integrations.schema.fields import sentences
from integrations.transport.http import ApiClient, Response
from workflows.engine.outcomes import StepFailedError
from workflows.engine.waits import GIVES_UP, REASONS, WaitError
from workflows.language import mapped_inputs
from workflows.language.values import Tables
from workflows.models import Run, StepRun
from workflows.runtime.clock import backoff, database_now

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext

#: Headers of an answer that are kept whoever gave it; a connector adds those of its provider.
_KEPT_HEADERS = frozenset({"content-type", "date", "retry-after"})
_KEPT_BODY = 200_000
#: How long the state of a connection is trusted after it was read.
_CURRENT_SECONDS = 2.0


def action_of(step: Mapping[str, Any]) -> Action:
    """The action that a step of the plan names."""
    return registry.action(step["operation"])


def client(context: RunContext, step: Mapping[str, Any], step_run: StepRun) -> ApiClient:
    """The client of the step's connection. Raises WaitError while it is down, or frozen and the step writes;
    StepFailedError when it is gone."""
    api = reading_client(context, step, step_run)
    connection = context.connections.get(step["connection"]) if action_of(step).connector.needs_connection else None
    if connection is not None and connection.frozen_at is not None and action_of(step).effect is not Effect.READS:
        raise frozen(connection)
    return api


def reading_client(context: RunContext, step: Mapping[str, Any], step_run: StepRun) -> ApiClient:
    """The same for one who only reads, which a frozen connection allows."""
    connector = action_of(step).connector
    if not connector.needs_connection:
        return connector.client_class(None, before_call=context.lease.keep)
    connection = context.connections.get(step["connection"])
    if connection is None:
        raise fail(
            context, step_run, "The connection of this step no longer exists. Choose another one in the workflow."
        )
    _keep_current(connection)
    if not connection.is_usable:
        raise down(connection)
    return connector.client_class(connection, purpose=context.purpose, before_call=context.lease.keep)


def _keep_current(connection: Connection) -> None:
    """Read the connection's state again if the run has gone on for a while, as in a long loop."""
    now = time.monotonic()
    if now - getattr(connection, "looked_at", now) > _CURRENT_SECONDS:
        connection.refresh_from_db(fields=["status", "frozen_at", "freeze_reason"])
        connection.looked_at = now  # type: ignore[attr-defined]
    elif not hasattr(connection, "looked_at"):
        connection.looked_at = now  # type: ignore[attr-defined]


def frozen(connection: Connection) -> WaitError:
    """The wait for a person to allow writing to the organisation again."""
    why = f" ({connection.freeze_reason})" if connection.freeze_reason else ""
    message = (
        f"Nothing may be written to {connection.name} just now: it is frozen{why}. The run goes on by itself after."
    )
    return WaitError(Run.WaitReason.FREEZE, pause=None, message=message, connection=connection)


def down(connection: Connection, message: str = "") -> WaitError:
    """The wait for a connection to be reconnected."""
    return WaitError(
        Run.WaitReason.CONNECTION,
        pause=None,
        message=message
        or f"The connection {connection.name} needs reconnecting; the run goes on by itself after that.",
        connection=connection,
    )


def inputs_of(context: RunContext, step: Mapping[str, Any], step_run: StepRun, action: Action) -> Any:
    """The step's inputs: mapped, then cleaned. Raises StepFailedError with a sentence per input."""
    mapping_context = context.mapping_context(context.home(step))
    mapped = mapped_inputs.mapped(step["inputs"], action.Inputs.fields(), context.data, mapping_context)
    note_tables(step_run, mapping_context.tables)
    try:
        if mapped.problems:
            raise InvalidInputError(mapped.problems, sentences(action.Inputs.fields(), mapped.problems))
        cleaned = action.Inputs.clean(mapped.values)
    except InvalidInputError as error:
        step_run.inputs, step_run.problems = mapped.values, error.problems
        raise fail(context, step_run, "Some inputs do not fit: " + error.message) from None
    step_run.inputs, step_run.problems = mapped.values, None
    return cleaned


def note_tables(step_run: StepRun, tables: Tables | None) -> None:
    """Record which versions of which lookup tables were used."""
    if tables is not None and tables.used:
        step_run.looked_in = {**(step_run.looked_in or {}), **tables.used}


def _has_waited_long(run: Run, error: TemporaryError) -> bool:
    """Whether the provider has been down, and the run has waited for it, for longer than runs may wait."""
    if run.waiting_since is None or error.since is None:
        return False
    return database_now() - max(run.waiting_since, error.since) > seconds(GIVES_UP)


def fail(context: RunContext, step_run: StepRun, message: str) -> StepFailedError:
    """Record the step as failed; the caller raises what is returned."""
    step_run.state, step_run.error, step_run.finished_at = StepRun.State.FAILED, message, database_now()
    context.lease.record(step_run)
    return StepFailedError(f"{step_run.name}: {message}")


#: The fields that a write's intent has stored and its end does not change.
_SINCE_INTENT = frozenset(
    {"run", "step", "iteration", "position", "kind", "name", "operation", "connection", "inputs", "request"}
    | {"request_sha256", "marker", "idempotency_key", "started_at", "first_sent_at", "id"}
)
_ENDED = frozenset(each.name for each in StepRun._meta.concrete_fields) - _SINCE_INTENT


def succeed(context: RunContext, step_run: StepRun, *, was_sent: bool = False) -> None:
    """The step is done. Where it `was_sent`, that must be stored before anything else leaves the process."""
    step_run.state, step_run.error, step_run.finished_at = StepRun.State.SUCCEEDED, "", database_now()
    context.lease.note(step_run, fields=_ENDED if was_sent else None, is_urgent=was_sent)


def attempt(step_run: StepRun, what: str, outcome: str, *, response: Response | None = None, message: str = "") -> None:
    """Add a line to the step's attempts, and keep the answer that came with it."""
    line: dict[str, Any] = {"at": database_now().isoformat(), "what": what, "outcome": outcome}
    if response is not None:
        line |= {"status": response.status, "took": response.took}
        step_run.response_status = response.status
        operation = registry.operation_or_none(step_run.operation)
        kept = _KEPT_HEADERS | (operation.connector.kept_headers if operation is not None else frozenset())
        step_run.response_headers = {name: value for name, value in response.headers.items() if name in kept}
        step_run.response_body = response.text[:_KEPT_BODY]
    if message:
        line["message"] = message
    step_run.attempts = _with(step_run.attempts, line)


def _with(lines: list[dict[str, Any]], line: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines and one more. A step that waits for the call budget asks again and again: equal failed attempts with
    nothing else in between are one line with the number of `times`."""
    for index in range(len(lines) - 1, -1, -1):
        before = lines[index]
        if not _was_in_vain(before) or not _was_in_vain(line):
            break
        if all(before.get(name) == line.get(name) for name in ("what", "message")):
            return [*lines[:index], *lines[index + 1 :], {**line, "times": before.get("times", 1) + 1}]
    return [*lines, line]


def _was_in_vain(line: Mapping[str, Any]) -> bool:
    """Whether no call was made, or none was answered."""
    return line["outcome"] == "not now" and "status" not in line


def not_now(
    context: RunContext, step: Mapping[str, Any], step_run: StepRun, error: IntegrationError, *, gives_up: bool = True
) -> WaitError | StepFailedError:
    """What a TemporaryError or ReconnectError means for the run: a wait, or a failure after the maximum of attempts.

    The step run is saved as it is. Waiting for the call budget never counts as an attempt.
    """
    if isinstance(error, ReconnectError):
        connection = context.connections[step["connection"]]
        service.mark_needs_reconnect(connection, error.message, reach=error.scope)
        context.lease.record(step_run)
        return down(connection, error.message)
    assert isinstance(error, TemporaryError)
    reason = REASONS[error.hold]
    if reason is Run.WaitReason.RETRY:
        step_run.tries += 1
        if gives_up and step_run.tries >= step.get("max_attempts", 5):
            return fail(context, step_run, f"{error.message} Tried {step_run.tries} times; nothing was written.")
    if reason is Run.WaitReason.DOWN:
        if gives_up and _has_waited_long(context.run, error):
            return fail(context, step_run, f"{error.message} The run waited for 24 hours; nothing was written.")
        context.lease.record(step_run)
        # No wake-up time: the sweeper wakes one run a minute to try, and all of them once the provider is back.
        return WaitError(reason, pause=None, message=error.message, connection=context.connections[step["connection"]])
    context.lease.record(step_run)
    pause = error.retry_after if error.retry_after is not None else backoff(step_run.tries)
    # The connection whose budget is used up, so that a person can end the wait.
    for_room = context.connections.get(step.get("connection") or 0) if reason is Run.WaitReason.BUDGET else None
    return WaitError(reason, pause=pause, message=error.message, connection=for_room)
