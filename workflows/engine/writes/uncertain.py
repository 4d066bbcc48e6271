"""What the attempts say about a write without a clear answer, and what follows: a wait, or a person's decision."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Max

from integrations.core.clock import seconds, unscaled
from integrations.core.errors import Hold, IntegrationError, TemporaryError
from integrations.framework.base import Action
from workflows.engine import step_support
from workflows.engine.outcomes import ReviewError, StepFailedError
from workflows.engine.waits import GIVES_UP, RESEND_PAUSE, SETTLE, WaitError
from workflows.models import Decision, Run, StepRun
from workflows.runtime.clock import database_now

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext

State = StepRun.State
#: Unauthorized and Too Many Requests.
DEFERRED_STATUSES = (401, 429)
MOST_LOOK_UPS = 3


def may_repeat_key(step_run: StepRun, action: Action, now: datetime) -> bool:
    """Whether the same bytes under the same key still get the answer to the first send, and not a stored error."""
    first, last = step_run.first_sent_at, step_run.last_sent_at
    if not action.key_window or step_run.look_ups or first is None or last is None:
        return False
    lines = since_new_key(step_run)
    if any(line["what"] == "read" and line["outcome"] == "changed" for line in lines):
        return False
    sends = [line for line in lines if line["what"] == "send" and line["outcome"] != "not now"]
    answered_again = len(sends) > 1 and sends[-1].get("status") is not None
    ends = first + seconds(action.key_window)
    pause = 0 if is_only_deferred(step_run) else RESEND_PAUSE
    return not answered_again and max(now, last + seconds(pause)) < ends


def since_new_key(step_run: StepRun) -> list[dict[str, Any]]:
    """The attempts since the last new key."""
    lines: list[dict[str, Any]] = step_run.attempts
    starts = [index for index, line in enumerate(lines) if line["what"] == "new key"]
    return lines[starts[-1] + 1 :] if starts else lines


def is_only_deferred(step_run: StepRun) -> bool:
    """Whether the provider, or a gateway in front of it, answered each send with 401 or 429: then it very likely did
    not happen."""
    sends = [line for line in since_new_key(step_run) if line["what"] == "send"]
    answered = [line for line in sends if line["outcome"] != "not now" or "status" in line]
    return bool(answered) and all(
        line["outcome"] == "not now" and line["status"] in DEFERRED_STATUSES for line in answered
    )


def had_401(step_run: StepRun) -> bool:
    """Whether the last send was refused its access token."""
    sends = [line for line in step_run.attempts if line["what"] == "send"]
    return bool(sends) and sends[-1].get("status") == 401


def look_ups_needed(step_run: StepRun) -> int:
    """How many look-ups in a row have to find nothing before that is trusted: lists lag behind what was written."""
    sends = [line for line in since_new_key(step_run) if line["what"] == "send"]
    return MOST_LOOK_UPS if any(line["outcome"] == "unknown" for line in sends) else 1


def pause_after_send(step_run: StepRun, action: Action) -> float:
    """How long to wait after a send without an answer, in real seconds."""
    return RESEND_PAUSE if may_repeat_key(step_run, action, database_now()) else SETTLE


def wait_until(since: datetime | None, pause: float, now: datetime) -> None:
    """Raises WaitError until so many real seconds have passed since then."""
    if since is None:
        return
    left = (since + seconds(pause) - now).total_seconds()
    if left > 0:
        raise wait("Waiting until the last send has certainly come to an end.", unscaled(left))


def wait(message: str, pause: float) -> WaitError:
    """A wait to find out whether a write happened."""
    return WaitError(Run.WaitReason.UNCERTAIN, pause=pause, message=message)


def later(
    context: RunContext, step: Mapping[str, Any], step_run: StepRun, error: IntegrationError
) -> WaitError | StepFailedError | ReviewError:
    """The next attempt to find out whether a write happened; after a day without success, a person is asked."""
    if isinstance(error, TemporaryError) and error.hold is not Hold.BUDGET:
        since = min((_moment(line) for line in undecided(step_run) if line["what"] == "send"), default=None)
        if since is not None and database_now() - since > seconds(GIVES_UP):
            return review(
                context,
                step_run,
                "It was sent, no clear answer came, and for 24 hours it could not be looked up: "
                f"{error.message} Look at the provider yourself, then say whether it was written.",
            )
    return step_support.not_now(context, step, step_run, error, gives_up=False)


def new_keys(step_run: StepRun) -> int:
    """How often it was sent under a new key since a person last decided."""
    return sum(line["what"] == "new key" for line in undecided(step_run))


def undecided(step_run: StepRun) -> list[dict[str, Any]]:
    """The attempts since a person last decided about the run."""
    decided = Decision.objects.filter(run=step_run.run_id).aggregate(last=Max("at"))["last"]
    return [line for line in step_run.attempts if decided is None or _moment(line) > decided]


def _moment(line: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(line["at"])


def cannot_look_up(context: RunContext, step_run: StepRun) -> ReviewError:
    """A person is asked, because nothing can be looked up."""
    return review(
        context,
        step_run,
        "It was sent, no clear answer came, and Pinxero has no way to look it up. "
        "Find out at the other side whether it arrived, then say whether it was written.",
    )


def review(context: RunContext, step_run: StepRun, message: str) -> ReviewError:
    """A person is asked; the caller raises what comes back."""
    step_run.state, step_run.error = State.NEEDS_REVIEW, message
    context.lease.record(step_run)
    return ReviewError(f"{step_run.name}: {message}")
