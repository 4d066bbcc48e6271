"""Settling a write without a clear answer before anything else happens; see `write_protocol`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from integrations.core.errors import InvalidInputError, ReconnectError, RejectedError, TemporaryError
from integrations.framework.base import Action
from integrations.framework.recovery import Proof
from integrations.transport import call_budget
from integrations.transport.http import ApiClient
from workflows.engine import step_support
from workflows.engine.waits import LOOK_AGAIN, RESEND_PAUSE, SETTLE, WaitError
from workflows.engine.writes import belonging, gates, resource_lock, sending, uncertain
from workflows.engine.writes.safety_switches import Safety, is_on
from workflows.models import StepRun
from workflows.runtime.clock import database_now

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext

#: How often a write that was not found is sent again before a person is asked.
MOST_KEYS = 5


def inputs_as_sent(context: RunContext, step: Mapping[str, Any], step_run: StepRun, action: Action) -> Any:
    """The inputs of an uncertain write as sent; mapping them again might give others. Raises ReviewError where it
    cannot be settled any more: what may have been written must not end as a failure."""
    problem = ""
    if action.connector.needs_connection and context.connections.get(step["connection"]) is None:
        problem = "its connection no longer exists"
    try:
        inputs = action.Inputs.clean(step_run.inputs or {})
    except InvalidInputError:
        problem = problem or "its inputs do not fit this version of Pinxero any more"
    if problem:
        raise uncertain.review(
            context,
            step_run,
            f"It was sent, no clear answer came, and it cannot be looked up because {problem}. "
            "Look at the provider yourself, then say whether it was written.",
        )
    return inputs


def settle(
    context: RunContext, step: Mapping[str, Any], step_run: StepRun, action: Action, api: ApiClient, inputs: Any
) -> None:
    """Find out whether it was written, and send it again where it certainly was not."""
    now = database_now()
    repeats = uncertain.may_repeat_key(step_run, action, now) and abs(api.clock_skew()) <= call_budget.LARGEST_SKEW
    if not repeats and not action.has_lookup:
        raise uncertain.cannot_look_up(context, step_run)
    if not repeats and not is_on(Safety.LOOKUP):
        sending.again(step_run)
        sending.commit_intent(context, step_run)
        sending.send(context, step, step_run, action, api)
        return
    if repeats:
        pause = 0 if uncertain.is_only_deferred(step_run) else RESEND_PAUSE
        uncertain.wait_until(step_run.last_sent_at, pause, now)
    else:
        _wait_for_lists(step_run, now)
    with resource_lock.locked(context, step, step_run, action, inputs):
        if repeats:
            if _is_settled_by_reading(context, step, step_run, action, api, inputs):
                return
            gates.ask(context, step, step_run, action, api, inputs)
            sending.commit_intent(context, step_run)
            sending.send(context, step, step_run, action, api)
        else:
            _look_up(context, step, step_run, action, api, inputs)


def _wait_for_lists(step_run: StepRun, now: datetime) -> None:
    uncertain.wait_until(step_run.last_sent_at, SETTLE, now)
    if step_run.looked_up_at is not None and step_run.look_ups:
        uncertain.wait_until(step_run.looked_up_at, LOOK_AGAIN * step_run.look_ups, now)


def _is_settled_by_reading(
    context: RunContext, step: Mapping[str, Any], step_run: StepRun, action: Action, api: ApiClient, inputs: Any
) -> bool:
    """Read again what the stored bytes were made from, because the provider may not have executed them yet. False where
    they may be repeated under their key; True where the step is done.

    Raises ReviewError where somebody has changed the record, WaitError where the bytes would be different by now, so
    that only a look-up can tell.
    """
    if not action.rereads:
        return False
    try:
        reading = sending.read(step_run, action, api, inputs)
    except (TemporaryError, ReconnectError) as error:
        step_support.attempt(step_run, "read", "not now", response=error.response, message=error.message)
        raise uncertain.later(context, step, step_run, error) from None
    except RejectedError as error:
        # The obstacle may be what this step wrote itself.
        raise _rather_look_up(context, step_run, error.message) from None
    if reading.output is not None and action.proof(inputs) is Proof.STATE:
        step_support.attempt(step_run, "read", "found", message="It is as it should be.")
        sending.succeed(context, step_run, action, api, reading.output)
        return True
    if reading.output is not None:
        raise _rather_look_up(context, step_run, "It is there by now, written by this run or by another.")
    if message := belonging.changed(step_run, reading.seen):
        step_support.attempt(step_run, "read", "changed", message=message)
        raise uncertain.review(context, step_run, message)
    if reading.request is not None and reading.request.sha256 != step_run.request_sha256:
        raise _rather_look_up(context, step_run, "It would be written differently by now.")
    return False


def _rather_look_up(context: RunContext, step_run: StepRun, message: str) -> WaitError:
    """Stop using the key: from now on the write is looked up."""
    step_support.attempt(step_run, "read", "changed", message=message)
    context.lease.record(step_run)
    return uncertain.wait(message, SETTLE)


def _look_up(
    context: RunContext, step: Mapping[str, Any], step_run: StepRun, action: Action, api: ApiClient, inputs: Any
) -> None:
    needed = uncertain.look_ups_needed(step_run)
    is_last = step_run.look_ups + 1 >= needed
    try:
        hits, since = _find(step_run, action, api, inputs)
        asks = not hits and is_last and not _may_go_again(step_run, action)
        strays = action.strays(api, inputs, step_run.marker, since=since) if asks else []
    except (TemporaryError, ReconnectError) as error:
        step_support.attempt(step_run, "look up", "not now", response=error.response, message=error.message)
        raise uncertain.later(context, step, step_run, error) from None
    except RejectedError as error:
        step_support.attempt(step_run, "look up", "refused", response=error.response, message=error.message)
        raise uncertain.review(
            context, step_run, f"Whether it was written could not be looked up: {error.message}"
        ) from None
    step_run.look_ups += 1
    step_run.looked_up_at = database_now()
    if hits:
        _adopt(context, step_run, action, api, inputs, hits)
        return
    step_support.attempt(step_run, "look up", "not found")
    if not is_last:
        context.lease.record(step_run)
        raise uncertain.wait(
            "It was not found; looking once more, later, in case the provider is slow.",
            LOOK_AGAIN * step_run.look_ups,
        )
    _not_found(context, step, step_run, action, api, inputs, strays)


def _find(
    step_run: StepRun, action: Action, api: ApiClient, inputs: Any
) -> tuple[list[dict[str, Any]], datetime | None]:
    """What was found and is ours, and since when it was asked for.

    What was changed since a moment is asked for by the provider's clock: where that is behind, from so much earlier.
    """
    skew, hits, since = api.clock_skew(), [], step_run.started_at
    for _ in range(2):
        if step_run.started_at is not None:
            since = step_run.started_at + timedelta(seconds=min(0, skew))
        hits = belonging.own(step_run, action, inputs, action.find(api, inputs, step_run.marker, since=since))
        thought, skew = skew, api.clock_skew()
        # The answers themselves tell the time: it may be another one than was thought.
        if hits or skew >= thought - call_budget.WARNED_SKEW:
            break
    return hits, since


def _adopt(
    context: RunContext, step_run: StepRun, action: Action, api: ApiClient, inputs: Any, hits: list[dict[str, Any]]
) -> None:
    """One hit is the write; more are an alarm, and so is one that another run may have written as well."""
    is_marked = action.proof(inputs) is Proof.MARKER
    alike = [hit for hit in hits if not action.differs(inputs, hit)]
    hits = alike or hits
    names = ", ".join(f"{action.describe(_whole(step_run, hit))} ({action.identify(hit)})" for hit in hits[:5])
    if len(hits) > 1:
        trait = "carry this step's marker" if is_marked else "look like what was sent and were not there before"
        problem = f"{len(hits)} objects at the provider {trait}; one is expected: {names}."
        step_support.attempt(step_run, "look up", "several", message=problem)
    elif not alike:
        problem = (
            f"It was sent, no clear answer came, and what is there now is not as it was sent: {names}; "
            f"{action.differs(inputs, hits[0])}. Look at the provider yourself, then say whether it was written."
        )
        step_support.attempt(step_run, "look up", "several", message=problem)
    elif doubt := _why_not_ours(step_run, action, inputs, hits[0]):
        problem = (
            f"It was sent, no clear answer came, and one object at the provider looks like it: {names}. {doubt} Look "
            "at the provider yourself, then say whether it was written."
        )
        step_support.attempt(step_run, "look up", "several", message=problem)
    else:
        message = "Found by its marker; it was written once." if is_marked else "Found at the provider as it was sent."
        step_support.attempt(step_run, "look up", "found", message=message)
        sending.succeed(context, step_run, action, api, sending.read_back(step_run, action, api, hits[0]))
        return
    step_run.outcome = {**(step_run.outcome or {}), "found": [action.identify(hit) for hit in hits]}
    raise uncertain.review(context, step_run, problem)


def _why_not_ours(step_run: StepRun, action: Action, inputs: Any, hit: dict[str, Any]) -> str:
    """Why a hit that looks like what was sent may still be another run's; empty where it is this step's."""
    if action.proof(inputs) is not Proof.LIKENESS:
        return ""
    if not belonging.is_noted(step_run):
        return "Whether it was there before is not known."
    if belonging.has_rival(step_run, action.hit_key(hit)):
        return "Another run sent the very same without an answer, so which of the two wrote it is not known."
    return ""


def _whole(step_run: StepRun, hit: dict[str, Any]) -> dict[str, Any]:
    return {**hit, **(step_run.outcome or {}).get(sending.REMEMBERED, {})}


def _may_go_again(step_run: StepRun, action: Action) -> bool:
    """Whether it may be sent again because of the look-ups alone."""
    return action.lookup_reliable or uncertain.look_ups_needed(step_run) == 1


def _not_found(
    context: RunContext,
    step: Mapping[str, Any],
    step_run: StepRun,
    action: Action,
    api: ApiClient,
    inputs: Any,
    strays: list[dict[str, Any]] | None,
) -> None:
    refused = [line for line in uncertain.since_new_key(step_run) if line["what"] == "send"][-1:]
    if refused and refused[0]["outcome"] == "refused":
        raise step_support.fail(context, step_run, refused[0].get("message", "The provider refused it."))
    skew = abs(api.clock_skew())
    if skew > call_budget.LARGEST_SKEW:
        raise uncertain.review(
            context,
            step_run,
            "It was sent, no clear answer came, and it was not found at the provider afterwards. Its clock differs "
            f"from this installation's by {skew // 60:,} minutes, so nothing is sent a second time by itself. "
            "Look there yourself, then say whether it was written.",
        )
    doubt = _doubt(step_run, action, strays)
    if doubt is not None:
        raise uncertain.review(
            context,
            step_run,
            "It was sent, no clear answer came, and it was not found at the provider afterwards. "
            f"{doubt}Look there yourself, then say whether it was written.",
        )
    if uncertain.new_keys(step_run) >= MOST_KEYS:
        raise uncertain.review(
            context,
            step_run,
            f"It was sent {MOST_KEYS + 1} times, never got a clear answer, and was not found at the provider after any "
            "of them. Look there yourself, then say whether it was written.",
        )
    sending.again(step_run, keeps=True)
    if sending.intend(context, step, step_run, action, api, inputs):
        sending.send(context, step, step_run, action, api)


def _doubt(step_run: StepRun, action: Action, strays: list[dict[str, Any]] | None) -> str | None:
    """Why it may have been written although it was not found; empty where that is unknown; None where it was not."""
    if strays is None:
        return ""
    unexplained = belonging.unexplained(step_run, action, strays)
    if not unexplained:
        return None
    step_run.outcome = {**(step_run.outcome or {}), "found": [action.identify(each) for each in unexplained]}
    names = ", ".join(action.describe(_whole(step_run, each)) for each in unexplained[:5])
    return f"Changed there since then, and perhaps this without its code: {names}. "
