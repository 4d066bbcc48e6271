"""What reading and writing steps share: inputs from mappings, the client, and what an error means for the run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from integrations import connections, registry
from integrations.base import Action, Effect
from integrations.clock import seconds
from integrations.errors import IntegrationError, InvalidInputError, ReconnectError, TemporaryError
from integrations.http import ApiClient, Response
from integrations.models import Connection
from integrations.schema import Field, Kind
from workflows import mapping, rows
from workflows.engine.lease import database_now
from workflows.engine.outcomes import StepFailedError
from workflows.engine.waiting import GIVES_UP, REASONS, WaitError, growing
from workflows.models import Run, StepRun
from workflows.values import Tables, day_of

if TYPE_CHECKING:
    from workflows.engine.walk import Walk

_KEPT_HEADERS = {
    "content-type",
    "date",
    "retry-after",
    "x-rate-limit-problem",
    "x-daylimit-remaining",
    "x-minlimit-remaining",
    "xero-correlation-id",
    "x-pinterest-rid",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
}
_KEPT_BODY = 200_000
#: For so long what was read of a connection is taken for current.
_CURRENT_SECONDS = 2.0


def action_of(step: Mapping[str, Any]) -> Action:
    """The action that a step of the plan names."""
    return registry.action(step["operation"])


def client(walk: Walk, step: Mapping[str, Any], step_run: StepRun) -> ApiClient:
    """The client of the step's connection. Raises WaitError while it is down, StepFailedError when it is gone."""
    connector = action_of(step).connector
    if not connector.needs_connection:
        return connector.client_class(None, before_call=walk.lease.keep)
    connection = walk.connections.get(step["connection"])
    if connection is None:
        raise fail(walk, step_run, "The connection of this step no longer exists. Choose another one in the workflow.")
    _keep_current(connection)
    if not connection.is_usable:
        raise down(connection)
    if connection.frozen_at is not None and action_of(step).effect is not Effect.READS:
        raise frozen(connection)
    return connector.client_class(connection, before_call=walk.lease.keep)


def _keep_current(connection: Connection) -> None:
    """Look again whether it may be used where the run has been under way for a while, as in a long loop."""
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


def inputs_of(walk: Walk, step: Mapping[str, Any], step_run: StepRun, action: Action) -> Any:
    """The step's inputs: mapped, then cleaned. Raises StepFailedError with a sentence per input."""
    raw: dict[str, Any] = {}
    problems: dict[str, str] = {}
    context = walk.context(walk.home(step))
    fields = {f.name: f for f in action.Inputs.fields()}
    for name, value in step["inputs"].items():
        declared = fields.get(name)
        if declared is not None and declared.kind is Kind.ROWS and isinstance(value, list):
            raw[name] = _rows(declared, value, walk, context, problems)
        else:
            raw[name] = _value(value, declared, walk.data, context, name, problems)
    note_tables(step_run, context.tables)
    try:
        if problems:
            raise InvalidInputError(problems)
        cleaned = action.Inputs.clean(raw)
    except InvalidInputError as error:
        step_run.inputs, step_run.problems = raw, error.problems
        raise fail(walk, step_run, "Some inputs do not fit: " + error.message) from None
    step_run.inputs, step_run.problems = raw, None
    return cleaned


def note_tables(step_run: StepRun, tables: Tables | None) -> None:
    """Write down which versions of which lookup tables have answered."""
    if tables is not None and tables.used:
        step_run.looked_in = {**(step_run.looked_in or {}), **tables.used}


def _rows(
    declared: Field,
    value: list[dict[str, str]],
    walk: Walk,
    context: mapping.MappingContext,
    problems: dict[str, str],
) -> list[dict[str, Any]]:
    """The rows of a table input; one that is repeated becomes a row per item of its list."""
    columns = {f.name: f for f in declared.columns}
    made: list[dict[str, Any]] = []
    for row in value:
        for data in _each(row, declared.name, walk.data, context, problems):
            path = f"{declared.name}.{len(made)}"
            made.append(
                {
                    column: _value(source, columns.get(column), data, context, f"{path}.{column}", problems)
                    for column, source in rows.cells(row)
                }
            )
    return made


def _each(
    row: dict[str, str], name: str, data: Mapping[str, Any], context: mapping.MappingContext, problems: dict[str, str]
) -> list[Mapping[str, Any]]:
    """The data that a row is worked out over: once, or once per item."""
    if not rows.repeats(row):
        return [data]
    try:
        return [{**data, "item": item} for item in rows.items_of(mapping.evaluate(row[rows.EACH], data, context))]
    except mapping.MappingError as error:
        problems[name] = error.message
        return []


def _value(
    source: str,
    declared: Field | None,
    data: Mapping[str, Any],
    context: mapping.MappingContext,
    path: str,
    problems: dict[str, str],
) -> Any:
    try:
        value = mapping.evaluate(source, data, context)
        if declared is not None and declared.kind is Kind.DATE and isinstance(value, str) and "T" in value:
            # A moment is a day only somewhere: late on 31 October in UTC is 1 November in Auckland's books.
            value = day_of(value, context).isoformat()
    except mapping.MappingError as error:
        problems[path] = error.message
        return None
    return value


def _has_waited_long(run: Run, error: TemporaryError) -> bool:
    """Whether the provider has been down, and the run has waited, for longer than runs wait for that."""
    if run.waiting_since is None or error.since is None:
        return False
    return database_now() - max(run.waiting_since, error.since) > seconds(GIVES_UP)


def fail(walk: Walk, step_run: StepRun, message: str) -> StepFailedError:
    """Write the step down as failed; the caller raises what comes back."""
    step_run.state, step_run.error, step_run.finished_at = StepRun.State.FAILED, message, database_now()
    walk.lease.record(step_run)
    return StepFailedError(f"{step_run.name}: {message}")


#: What a write's intent has stored already and its end does not change.
_SINCE_INTENT = frozenset(
    {"run", "step", "iteration", "position", "kind", "name", "operation", "connection", "inputs", "request"}
    | {"request_sha256", "marker", "idempotency_key", "started_at", "first_sent_at", "id"}
)
_ENDED = frozenset(each.name for each in StepRun._meta.concrete_fields) - _SINCE_INTENT


def succeed(walk: Walk, step_run: StepRun, *, was_sent: bool = False) -> None:
    """The step is done. Where it `was_sent`, that must be stored before anything else leaves the process."""
    step_run.state, step_run.error, step_run.finished_at = StepRun.State.SUCCEEDED, "", database_now()
    walk.lease.note(step_run, fields=_ENDED if was_sent else None, presses=was_sent)


def attempt(step_run: StepRun, what: str, outcome: str, *, response: Response | None = None, message: str = "") -> None:
    """Add a line to the step's attempts, and keep the answer that came with it."""
    line: dict[str, Any] = {"at": database_now().isoformat(), "what": what, "outcome": outcome}
    if response is not None:
        line |= {"status": response.status, "took": response.took}
        step_run.response_status = response.status
        step_run.response_headers = {k: v for k, v in response.headers.items() if k in _KEPT_HEADERS}
        step_run.response_body = response.text[:_KEPT_BODY]
    if message:
        line["message"] = message
    step_run.attempts = _with(step_run.attempts, line)


def _with(lines: list[dict[str, Any]], line: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines and one more. A step that waits for room in the budget asks again and again: what it was told in vain
    before, with nothing else between, is one line with the number of `times`."""
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
    walk: Walk, step: Mapping[str, Any], step_run: StepRun, error: IntegrationError, *, gives_up: bool = True
) -> WaitError | StepFailedError:
    """What a TemporaryError or ReconnectError means for the run: a wait, or after enough tries a failure.

    The step run's state is saved as it stands. Waiting for room in the budget never counts as a try.
    """
    if isinstance(error, ReconnectError):
        connection = walk.connections[step["connection"]]
        connections.mark_needs_reconnect(connection, error.message, reach=error.scope)
        walk.lease.record(step_run)
        return down(connection, error.message)
    assert isinstance(error, TemporaryError)
    reason = REASONS[error.hold]
    if reason is Run.WaitReason.RETRY:
        step_run.tries += 1
        if gives_up and step_run.tries >= step.get("max_attempts", 5):
            return fail(walk, step_run, f"{error.message} Tried {step_run.tries} times; nothing was written.")
    if reason is Run.WaitReason.DOWN:
        if gives_up and _has_waited_long(walk.run, error):
            return fail(walk, step_run, f"{error.message} It was waited for during 24 hours; nothing was written.")
        walk.lease.record(step_run)
        # No time: the sweeper wakes one run a minute to try, and all of them once the provider is back.
        return WaitError(reason, pause=None, message=error.message, connection=walk.connections[step["connection"]])
    walk.lease.record(step_run)
    pause = error.retry_after if error.retry_after is not None else growing(step_run.tries)
    return WaitError(reason, pause=pause, message=error.message)
