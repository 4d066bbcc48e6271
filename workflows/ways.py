"""The ways out of a run: what a person can do with it, by where it stands. `lifecycle` does it."""

from __future__ import annotations

from dataclasses import dataclass

from workflows.models import Run

Status = Run.Status


@dataclass(frozen=True)
class WayOut:
    """Something a person can do with a run now; `key` is the name of the function here that does it."""

    key: str
    label: str
    explanation: str
    needs_reason: bool = False
    is_dangerous: bool = False


_RETRY = WayOut("retry", "Try again", "Goes on from the step that failed. Steps that are done are not repeated.")
_RETRY_REST = WayOut(
    "retry",
    "Try what failed again",
    "Does the steps once more that failed and were passed over. Steps that are done are not repeated.",
)
_SKIP = WayOut(
    "skip",
    "Skip the step",
    "Goes on as if the step that failed were not there. Later steps that use its values may fail for want of them.",
    needs_reason=True,
    is_dangerous=True,
)
_DONE_BY_HAND = WayOut(
    "mark_done",
    "It was done by hand: go on",
    "Say this after you have done by hand what the step that failed was to write. It counts as done.",
    needs_reason=True,
)
_NOW = WayOut("retry", "Go on now", "Stops waiting and goes on at once.")
_REPLAY = WayOut(
    "replay",
    "Run the event again",
    "Starts a new run of the same event with the version published today. It writes again what this run wrote.",
    needs_reason=True,
    is_dangerous=True,
)
_RELEASE = WayOut("release", "Let it go", "The run starts at once, as if it had never been held.")
_CANCEL = WayOut(
    "cancel", "Cancel", "Ends the run here. What it has written stays.", needs_reason=True, is_dangerous=True
)
_CANCEL_UNCERTAIN = WayOut(
    "cancel",
    "Cancel",
    "Ends the run here. A write was sent and got no clear answer, so the document may exist at the provider: "
    "look there first. Running the event again later may then write it a second time.",
    needs_reason=True,
    is_dangerous=True,
)
_MARK_DONE = WayOut(
    "mark_done",
    "It was written: go on",
    "Say this after you have seen the document at the provider. The step counts as done and the run goes on.",
    needs_reason=True,
)
_SEND_AGAIN = WayOut(
    "send_again",
    "It was not written: send it again",
    "Say this only after you have looked at the provider and it is not there, or it will be there twice.",
    needs_reason=True,
    is_dangerous=True,
)


def ways_out(run: Run) -> list[WayOut]:
    """What a person can do with the run now; every state that is not final has at least one."""
    if run.trimmed_at is not None:
        return []
    if run.status == Status.NEEDS_REVIEW:
        return [_MARK_DONE, _SEND_AGAIN, _CANCEL_UNCERTAIN]
    if run.status == Status.FAILED:
        return [_RETRY, _SKIP, _DONE_BY_HAND, _REPLAY, _CANCEL]
    if run.status == Status.CRASHED:
        return [_RETRY, _REPLAY, _CANCEL]
    if run.status == Status.WAITING and run.wait_reason == Run.WaitReason.HOLD:
        return [_RELEASE, _CANCEL]
    if run.status == Status.WAITING:
        waits_for_proof = run.wait_reason == Run.WaitReason.UNCERTAIN
        return [_CANCEL_UNCERTAIN] if waits_for_proof else [_NOW, _CANCEL]
    if run.status == Status.QUEUED:
        return [_CANCEL]
    if run.status == Status.SUCCEEDED and run.error:
        return [_RETRY_REST, _REPLAY]
    if run.status in (Status.SUCCEEDED, Status.FILTERED, Status.CANCELLED):
        return [_REPLAY]
    return []
