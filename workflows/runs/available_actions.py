"""The actions that a person can take on a run, by the state that it is in. `decisions` carries them out."""

from __future__ import annotations

from dataclasses import dataclass

from workflows.models import Run
from workflows.runs.running_again import newer_version

Status = Run.Status


@dataclass(frozen=True)
class RunAction:
    """Something a person can do with a run now; `key` is the name of the function in `decisions` that does it."""

    key: str
    label: str
    explanation: str
    needs_reason: bool = False
    is_dangerous: bool = False


_RETRY = RunAction("retry", "Try again", "Goes on from the step that failed. Steps that are done are not repeated.")
_RETRY_REST = RunAction(
    "retry",
    "Try what failed again",
    "Repeats the steps that failed and were skipped. Steps that are done are not repeated.",
)
_ACKNOWLEDGE = RunAction(
    "acknowledge",
    "Acknowledge",
    "Takes the run out of “Needs attention” and records that you have looked at it. What failed stays as it is and can "
    "still be tried again.",
    needs_reason=True,
)
_RETRY_AS_IT_WAS = RunAction(
    "retry",
    "Try again as it was",
    "Goes on from the step that failed, on the version that the run began with. Steps that are done are not repeated.",
)
_SKIP = RunAction(
    "skip",
    "Skip the step",
    "Goes on as if the failed step were not there. Later steps that use its values may fail because they are missing.",
    needs_reason=True,
    is_dangerous=True,
)
_DONE_MANUALLY = RunAction(
    "mark_done",
    "It was done by hand: go on",
    "Confirm this after you have written by hand what the failed step was to write. The step counts as done.",
    needs_reason=True,
)
_NOW = RunAction("retry", "Go on now", "Stops waiting and goes on at once.")
_REPLAY = RunAction(
    "replay",
    "Run the event again",
    "Starts a new run of the same event with the version published today. It writes again what this run wrote.",
    needs_reason=True,
    is_dangerous=True,
)
_RELEASE = RunAction(
    "release", "Release", "The run goes on at once. A write that it holds is sent exactly as it stands now."
)
_CANCEL = RunAction(
    "cancel", "Cancel", "Ends the run here. What it has written stays.", needs_reason=True, is_dangerous=True
)
_CANCEL_UNDER_WAY = RunAction(
    "cancel",
    "Cancel",
    "Ends the run before its next write. What it has written, or is writing at this moment, stays.",
    needs_reason=True,
    is_dangerous=True,
)
_CANCEL_UNCERTAIN = RunAction(
    "cancel",
    "Cancel",
    "Ends the run here. A write was sent and got no clear answer, so the document may exist at the provider: "
    "look there first. Running the event again later may then write it a second time.",
    needs_reason=True,
    is_dangerous=True,
)
_MARK_DONE = RunAction(
    "mark_done",
    "It was written: go on",
    "Confirm this after you have seen the document at the provider. The step counts as done and the run goes on.",
    needs_reason=True,
)
_SEND_AGAIN = RunAction(
    "send_again",
    "It was not written: send it again",
    "Confirm this only after you have checked at the provider that it is not there; otherwise it will be there twice.",
    needs_reason=True,
    is_dangerous=True,
)


def available_actions(run: Run) -> list[RunAction]:
    """What a person can do with the run now; every state that is not final has at least one."""
    found = _available(run)
    return [each for each in found if each is not _REPLAY] if run.is_undo else found


def _available(run: Run) -> list[RunAction]:
    acknowledge = [_ACKNOWLEDGE] if run.has_errors and run.acknowledged_at is None else []
    if run.trimmed_at is not None:
        # Nothing can run on what is no longer kept; but it can be taken out of “Needs attention”.
        return [*acknowledge, *([_CANCEL] if run.status in (Status.FAILED, Status.CRASHED) else [])]
    if run.status == Status.NEEDS_REVIEW:
        return [_MARK_DONE, _SEND_AGAIN, _CANCEL_UNCERTAIN]
    if run.status == Status.FAILED:
        return [*_both_ways(run), _SKIP, _DONE_MANUALLY, *_anew(run), _CANCEL]
    if run.status == Status.CRASHED:
        return [*_both_ways(run), *_anew(run), _CANCEL]
    if run.status == Status.WAITING and run.wait_reason == Run.WaitReason.HOLD:
        return [_RELEASE, _CANCEL]
    if run.status == Status.WAITING:
        waits_for_proof = run.wait_reason == Run.WaitReason.UNCERTAIN
        if waits_for_proof:
            return [_CANCEL_UNCERTAIN]
        # Who may approve it decides on its request; nobody else can send it on its way.
        return [_CANCEL] if run.wait_reason == Run.WaitReason.APPROVAL else [_NOW, _CANCEL]
    if run.status == Status.QUEUED:
        return [_CANCEL]
    if run.status == Status.RUNNING:
        return [_CANCEL_UNDER_WAY] if run.cancel_asked_at is None else []
    if run.has_errors:
        return [_RETRY_REST, *acknowledge, _REPLAY]
    if run.status in (Status.SUCCEEDED, Status.FILTERED, Status.CANCELLED):
        return [_REPLAY]
    return []


def _both_ways(run: Run) -> list[RunAction]:
    """To try it again as it was, and on the version that was published since."""
    version = newer_version(run)
    if version is None:
        return [_RETRY]
    explanation = (
        f"Starts a new run of the same event on version {version.number}, from its first step, in place of this one. "
        "This run is cancelled, so that the two do not both write."
    )
    return [RunAction("run_again", f"Run again with version {version.number}", explanation), _RETRY_AS_IT_WAS]


def _anew(run: Run) -> list[RunAction]:
    return [_REPLAY] if newer_version(run) is None else []
