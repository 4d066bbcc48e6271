"""Action steps that write: the step protocol.

A write is written down, to the byte, before it is sent; what is known about it is then one of three things. It
happened: the answer said so, or a lookup found its marker. It certainly did not: the provider refused it, or it never
left. Or nobody knows: then it is *uncertain*, and it is settled before anything else happens:

1. Inside the provider's window for repeated keys the same bytes go out again under the same key, after a pause.
2. Later, or where the provider keeps no keys, or where the key's stored answer is an error: wait until the last send
   has certainly come to an end, then look for the marker. One hit is adopted; two are an alarm; none is looked for
   once more, later.
3. Found nowhere twice: sent again under a new key where the lookup is reliable, else a person decides.

Where there is nothing to look the write up in (an e-mail, a call to some host), a person decides at once.

Source: Xero's idempotency guide (a key's answer, errors included, is kept for six minutes) and the experiments in which
key alone, and lookup without the settling time, still wrote twice.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.urls import reverse

from integrations.base import Action, Backup, Writing
from integrations.clock import seconds, unscaled
from integrations.errors import (
    Hold,
    IntegrationError,
    InvalidInputError,
    OutcomeUnknownError,
    ReconnectError,
    RejectedError,
    TemporaryError,
)
from integrations.http import ApiClient, Request, Response
from workflows import backups, paperwork
from workflows.engine import steps, turning
from workflows.engine.lease import database_now
from workflows.engine.outcomes import ReviewError, StepFailedError
from workflows.engine.safety import Safety, is_on
from workflows.engine.waiting import GIVES_UP, LOOK_AGAIN, RESEND_PAUSE, SETTLE, WaitError
from workflows.models import Decision, Run, StepRun

if TYPE_CHECKING:
    from workflows.engine.walk import Walk

logger = logging.getLogger(__name__)

State = StepRun.State
#: How often a write is sent anew after it was found nowhere, before a person is asked.
MOST_KEYS = 5
#: Where a step's outcome holds what was read beforehand and belongs to the output.
_REMEMBERED = "remembered"


def perform(walk: Walk, step: Mapping[str, Any], step_run: StepRun) -> None:
    """Take the write as far as it goes now. Raises what the run is to do where it is not settled yet."""
    action = steps.action_of(step)
    if step_run.state == State.SENT:
        # Found so after a claim: whoever sent it is gone, and with him the answer.
        step_run.state = State.UNCERTAIN
        steps.attempt(step_run, "send", "unknown", message="The worker died before the answer was recorded.")
        walk.lease.record(step_run)
    if step_run.state == State.UNCERTAIN:
        sent = _inputs_as_sent(walk, step, step_run, action)
        _settle(walk, step, step_run, action, steps.client(walk, step, step_run), sent)
        return
    api, inputs = steps.client(walk, step, step_run), steps.inputs_of(walk, step, step_run, action)
    with turning.turn_of(walk, step, step_run, action, inputs):
        if _intend(walk, step, step_run, action, api, inputs):
            _send(walk, step, step_run, action, api)


def _inputs_as_sent(walk: Walk, step: Mapping[str, Any], step_run: StepRun, action: Action) -> Any:
    """The inputs of an uncertain write; mapping them again might give others. Raises ReviewError where it cannot be
    settled any more: what may have been written must not end as a failure."""
    problem = ""
    if action.connector.needs_connection and walk.connections.get(step["connection"]) is None:
        problem = "its connection no longer exists"
    try:
        inputs = action.Inputs.clean(step_run.inputs or {})
    except InvalidInputError:
        problem = problem or "its inputs do not fit this version of Pinxero any more"
    if problem:
        raise _review(
            walk,
            step_run,
            f"It was sent, no clear answer came, and it cannot be looked up because {problem}. "
            "Look at the provider yourself, then say whether it was written.",
        )
    return inputs


# --- intent and send ------------------------------------------------------------------------------------------------


def _intend(
    walk: Walk, step: Mapping[str, Any], step_run: StepRun, action: Action, api: ApiClient, inputs: Any
) -> bool:
    """Write down what is to be sent. False where there turns out to be nothing to write: then the step is done."""
    step_run.marker = step_run.marker or f"PX-{secrets.token_hex(8)}"
    step_run.outcome = paperwork.drawn(action, inputs, api) or None
    try:
        found = action.prepare(api, inputs)
        output = action.settled(inputs, found)
        if output is not None:
            steps.attempt(step_run, "read", "found", message="There was nothing to write.")
            _succeed(walk, step_run, action, api, output)
            return False
        writing = Writing(
            marker=step_run.marker,
            back_link=back_link(step_run.marker),
            organisation=api.organisation,
            found=found,
        )
        request = action.request(inputs, writing)
    except RejectedError as error:
        steps.attempt(step_run, "read", "refused", response=error.response, message=error.message)
        raise steps.fail(walk, step_run, error.message) from None
    except (TemporaryError, ReconnectError) as error:
        steps.attempt(step_run, "read", "not now", response=error.response, message=error.message)
        raise steps.not_now(walk, step, step_run, error) from None
    step_run.request = request.to_dict()
    step_run.request_sha256 = request.sha256
    remembered = action.remember(found)
    step_run.outcome = {**(step_run.outcome or {}), **({_REMEMBERED: remembered} if remembered else {})} or None
    _commit_intent(walk, step_run, action.backup(found))
    return True


def _commit_intent(walk: Walk, step_run: StepRun, backup: Backup | None = None) -> None:
    """The row before the wire, with what the write takes away: from here it may have happened."""
    now = database_now()
    step_run.first_sent_at = step_run.first_sent_at or now
    step_run.last_sent_at = now
    step_run.idempotency_key = _key(step_run)
    if step_run.state == State.PENDING:
        step_run.state = State.SENT
    if is_on(Safety.INTENT):
        with transaction.atomic():
            walk.lease.record(step_run)
            if backup is not None:
                backups.keep(step_run, backup)


def _key(step_run: StepRun) -> str:
    text = f"{step_run.marker}:{step_run.key_group}:{step_run.request_sha256}"
    return hashlib.sha256(text.encode()).hexdigest()


def _send(walk: Walk, step: Mapping[str, Any], step_run: StepRun, action: Action, api: ApiClient) -> None:
    """Send the stored bytes. A write that was uncertain before stays so until an answer settles it."""
    was_uncertain = step_run.state == State.UNCERTAIN
    request = Request.from_dict(step_run.request or {})
    try:
        response = api.write(request, idempotency_key=(step_run.idempotency_key or "") if action.key_window else "")
        output = _output(action, response)
    except (TemporaryError, ReconnectError) as error:
        steps.attempt(step_run, "send", "not now", response=error.response, message=error.message)
        if not was_uncertain:
            # Certainly not executed: as if it had never been sent.
            step_run.state, step_run.first_sent_at, step_run.idempotency_key = State.PENDING, None, None
        raise (_later if was_uncertain else steps.not_now)(walk, step, step_run, error) from None
    except OutcomeUnknownError as error:
        steps.attempt(step_run, "send", "unknown", response=error.response, message=error.message)
        step_run.state = State.UNCERTAIN
        if not action.has_lookup and not _may_repeat_key(step_run, action, database_now()):
            raise _cannot_look_up(walk, step_run) from None
        walk.lease.record(step_run)
        raise _wait(error.message, _pause_after_send(step_run, action)) from None
    except RejectedError as error:
        steps.attempt(step_run, "send", "refused", response=error.response, message=error.message)
        if not was_uncertain:
            raise steps.fail(walk, step_run, error.message) from None
        # The refusal may be of the repetition ("number must be unique"): only a lookup tells.
        walk.lease.record(step_run)
        raise _wait(error.message, SETTLE) from None
    steps.attempt(step_run, "send", "done", response=response)
    _succeed(walk, step_run, action, api, _read_back(step_run, action, api, output))


def _output(action: Action, response: Response) -> dict[str, Any]:
    try:
        return action.output(response)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        error = OutcomeUnknownError(
            "The provider said yes with an answer that cannot be read; whether it wrote is not known."
        )
        error.response = response
        raise error from None


def _read_back(step_run: StepRun, action: Action, api: ApiClient, output: dict[str, Any]) -> dict[str, Any]:
    """The output with what is read after the write. It was written, so a fault in reading must not undo that."""
    try:
        return action.read_back(api, action.Inputs.clean(step_run.inputs or {}), output)
    except IntegrationError as error:
        steps.attempt(step_run, "read", "not now", message=error.message)
        return {**output, "warning": f"It was written, but reading it afterwards did not work: {error.message}"}


def _succeed(walk: Walk, step_run: StepRun, action: Action, api: ApiClient, output: dict[str, Any]) -> None:
    output = {**output, **(step_run.outcome or {}).get(_REMEMBERED, {})}
    step_run.output = output
    step_run.provider_id, step_run.link, described = _told(action, api, output)
    step_run.outcome = {"described": described, **paperwork.kept(step_run)}
    # Until it is stored the write is one of unknown outcome, which is settled without harm; so it may wait for what
    # follows at once, the next step's intent or the end of the run, but not for anything on the wire.
    steps.succeed(walk, step_run, was_sent=step_run.state in (State.SENT, State.UNCERTAIN))


def _told(action: Action, api: ApiClient, output: dict[str, Any]) -> tuple[str, str, str]:
    """Id, link and words for what was written. It was written, so a fault in saying so must not undo that."""
    try:
        return (
            action.identify(output)[:200],
            action.link(output, api.organisation),
            action.describe(output),
        )
    except Exception:
        logger.exception("%s wrote something that it cannot describe.", action.full_key)
        return "", "", action.name


# --- uncertain ------------------------------------------------------------------------------------------------------


def _settle(
    walk: Walk, step: Mapping[str, Any], step_run: StepRun, action: Action, api: ApiClient, inputs: Any
) -> None:
    now = database_now()
    if _may_repeat_key(step_run, action, now):
        _wait_until(step_run.last_sent_at, RESEND_PAUSE, now)
        _commit_intent(walk, step_run)
        _send(walk, step, step_run, action, api)
        return
    if not action.has_lookup:
        raise _cannot_look_up(walk, step_run)
    if not is_on(Safety.LOOKUP):
        again(step_run)
        _commit_intent(walk, step_run)
        _send(walk, step, step_run, action, api)
        return
    _wait_until(step_run.last_sent_at, SETTLE, now)
    if step_run.looked_up_at is not None and step_run.look_ups:
        _wait_until(step_run.looked_up_at, LOOK_AGAIN, now)
    _look_up(walk, step, step_run, action, api, inputs)


def _may_repeat_key(step_run: StepRun, action: Action, now: datetime) -> bool:
    """Whether the same bytes under the same key are still answered like the first, and not with a stored error."""
    first, last = step_run.first_sent_at, step_run.last_sent_at
    if not action.key_window or step_run.look_ups or first is None or last is None:
        return False
    sends = [line for line in _since_new_key(step_run) if line["what"] == "send" and line["outcome"] != "not now"]
    answered_again = len(sends) > 1 and sends[-1].get("status") is not None
    ends = first + seconds(action.key_window)
    return not answered_again and max(now, last + seconds(RESEND_PAUSE)) < ends


def _since_new_key(step_run: StepRun) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = step_run.attempts
    starts = [index for index, line in enumerate(lines) if line["what"] == "new key"]
    return lines[starts[-1] + 1 :] if starts else lines


def _pause_after_send(step_run: StepRun, action: Action) -> float:
    return RESEND_PAUSE if _may_repeat_key(step_run, action, database_now()) else SETTLE


def _wait_until(since: datetime | None, pause: float, now: datetime) -> None:
    if since is None:
        return
    left = (since + seconds(pause) - now).total_seconds()
    if left > 0:
        raise _wait("Waiting until the last send has certainly come to an end.", unscaled(left))


def _wait(message: str, pause: float) -> WaitError:
    return WaitError(Run.WaitReason.UNCERTAIN, pause=pause, message=message)


def _look_up(
    walk: Walk, step: Mapping[str, Any], step_run: StepRun, action: Action, api: ApiClient, inputs: Any
) -> None:
    try:
        hits = action.find(api, inputs, step_run.marker, since=step_run.started_at)
    except (TemporaryError, ReconnectError) as error:
        steps.attempt(step_run, "look up", "not now", response=error.response, message=error.message)
        raise _later(walk, step, step_run, error) from None
    except RejectedError as error:
        steps.attempt(step_run, "look up", "refused", response=error.response, message=error.message)
        raise _review(walk, step_run, f"Whether it was written could not be looked up: {error.message}") from None
    step_run.look_ups += 1
    step_run.looked_up_at = database_now()
    if len(hits) == 1:
        steps.attempt(step_run, "look up", "found", message="Found by its marker; it was written once.")
        _succeed(walk, step_run, action, api, _read_back(step_run, action, api, hits[0]))
        return
    if len(hits) > 1:
        steps.attempt(step_run, "look up", "several", message=f"{len(hits)} objects carry the marker.")
        step_run.outcome = {**(step_run.outcome or {}), "found": [action.identify(hit) for hit in hits]}
        raise _review(walk, step_run, f"{len(hits)} objects at the provider carry this step's marker; one is expected.")
    steps.attempt(step_run, "look up", "not found")
    if step_run.look_ups == 1:
        walk.lease.record(step_run)
        raise _wait("It was not found; looking once more, later, in case the provider is slow.", LOOK_AGAIN)
    _not_found(walk, step, step_run, action, api)


def _not_found(walk: Walk, step: Mapping[str, Any], step_run: StepRun, action: Action, api: ApiClient) -> None:
    refused = [line for line in _since_new_key(step_run) if line["what"] == "send"][-1:]
    if refused and refused[0]["outcome"] == "refused":
        raise steps.fail(walk, step_run, refused[0].get("message", "The provider refused it."))
    if not action.lookup_reliable:
        raise _review(
            walk,
            step_run,
            "It was sent, no clear answer came, and it was not found at the provider afterwards. "
            "Look there yourself, then say whether it was written.",
        )
    if _new_keys(step_run) >= MOST_KEYS:
        raise _review(
            walk,
            step_run,
            f"It was sent {MOST_KEYS + 1} times, never got a clear answer, and was not found at the provider after any "
            "of them. Look there yourself, then say whether it was written.",
        )
    again(step_run)
    _commit_intent(walk, step_run)
    _send(walk, step, step_run, action, api)


def _later(
    walk: Walk, step: Mapping[str, Any], step_run: StepRun, error: IntegrationError
) -> WaitError | StepFailedError | ReviewError:
    """The next try to find out whether a write happened; after a day of none that worked, a person is asked."""
    if isinstance(error, TemporaryError) and error.hold is not Hold.BUDGET:
        since = min((_moment(line) for line in _undecided(step_run) if line["what"] == "send"), default=None)
        if since is not None and database_now() - since > seconds(GIVES_UP):
            return _review(
                walk,
                step_run,
                "It was sent, no clear answer came, and for 24 hours it could not be looked up: "
                f"{error.message} Look at the provider yourself, then say whether it was written.",
            )
    return steps.not_now(walk, step, step_run, error, gives_up=False)


def _new_keys(step_run: StepRun) -> int:
    return sum(line["what"] == "new key" for line in _undecided(step_run))


def _undecided(step_run: StepRun) -> list[dict[str, Any]]:
    """The attempts since a person has decided about the run last."""
    decided = Decision.objects.filter(run=step_run.run_id).aggregate(last=Max("at"))["last"]
    return [line for line in step_run.attempts if decided is None or _moment(line) > decided]


def _moment(line: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(line["at"])


def again(step_run: StepRun) -> None:
    """Make the write ready to be sent as if for the first time, under a new key: it is known not to have happened."""
    step_run.key_group += 1
    step_run.state = State.PENDING
    step_run.first_sent_at = None
    step_run.look_ups = 0
    step_run.looked_up_at = None
    step_run.attempts = [*step_run.attempts, {"at": database_now().isoformat(), "what": "new key", "outcome": "done"}]


def _cannot_look_up(walk: Walk, step_run: StepRun) -> ReviewError:
    return _review(
        walk,
        step_run,
        "It was sent, no clear answer came, and Pinxero has no way to look it up. "
        "Find out at the other side whether it arrived, then say whether it was written.",
    )


def _review(walk: Walk, step_run: StepRun, message: str) -> ReviewError:
    step_run.state, step_run.error = State.NEEDS_REVIEW, message
    walk.lease.record(step_run)
    return ReviewError(f"{step_run.name}: {message}")


def back_link(marker: str) -> str:
    """The address that a written document carries: it leads to the run that wrote it."""
    return f"{settings.BASE_URL}{reverse('run_by_marker', args=[marker])}"
