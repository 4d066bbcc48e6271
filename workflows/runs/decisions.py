"""What people decide about runs. Callers check permissions; these check that it makes sense now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Max

from integrations.audit.actions import Audited
from integrations.audit.record import About, record
from integrations.core.clock import DatabaseNow
from integrations.framework import registry
from integrations.framework.base import Effect
from workflows.approvals import releasing
from workflows.approvals.deciding import withdraw
from workflows.books import postings
from workflows.books.undo import recording
from workflows.engine.waits import wake_caller
from workflows.engine.writes import gates, sending
from workflows.models import Batch, Decision, Run, Step, StepRun, Workflow, WorkflowVersion
from workflows.publishing.activation import NotAllowedNowError
from workflows.runs import manual_completion, retrying, running_again
from workflows.runtime.broker import wake_worker
from workflows.runtime.clock import database_now
from workflows.triggers import intake

Status = Run.Status
_ITS_TURN = "It was let go together with others; they start one after the other."


def retry(run: Run, *, by: User | None, reason: str = "", batch: Batch | None = None) -> None:
    """Go on from the step that failed or waits; in a run that has succeeded, do again what failed and was passed over.

    A call that failed goes on where the run failed that it had started.
    """
    _require_bodies(run)
    allowed = {Status.FAILED, Status.CRASHED, Status.WAITING, Status.SUCCEEDED}
    with _deciding(run, Decision.What.RETRY, by, reason, allowed=allowed, batch=batch) as deciding:
        if deciding.run.wait_reason == Run.WaitReason.HOLD:
            raise NotAllowedNowError("The run is held. Release it, or cancel it.")
        has_succeeded = deciding.run.status == Status.SUCCEEDED
        found = retrying.failed(run, passed_over_too=has_succeeded)
        if has_succeeded and not found:
            raise NotAllowedNowError("The run has succeeded, and no step of it failed. Look at it again.")
        for step_run in found:
            retrying.try_again(run, step_run)
            if step_run.kind == Step.Kind.CALL:
                _retry_called(step_run, by)
        if deciding.run.wait_reason == Run.WaitReason.DELAY:
            retrying.end_delay(run)
        _requeue(run)


def _retry_called(step_run: StepRun, by: User | None) -> None:
    """Let the called run go on where it failed; where that is not possible, the step starts another one."""
    called = Run.objects.filter(pk=(step_run.outcome or {}).get("run") or 0).first()
    if called is not None and called.status in (Status.FAILED, Status.CRASHED):
        retry(called, by=by, reason=f"Run {step_run.run_id}, which called this one, was tried again.")
    elif called is None or called.status == Status.CANCELLED:
        step_run.outcome, step_run.key_group = None, step_run.key_group + 1
        step_run.save(update_fields=["outcome", "key_group"])


def skip(run: Run, *, by: User | None, reason: str) -> None:
    """Go on as if the step that failed were not there."""
    with _deciding(run, Decision.What.SKIP, by, reason, allowed={Status.FAILED}) as deciding:
        step_run = _require_failed(run)
        step_run.state, step_run.finished_at = StepRun.State.SKIPPED, database_now()
        step_run.output = {}
        step_run.attempts = [*step_run.attempts, _line("skipped", by, reason)]
        step_run.save()
        retrying.open_around(run, step_run)
        deciding.about(step_run)
        _requeue(run)


def _require_failed(run: Run) -> StepRun:
    found = retrying.failed(run)
    if not found:
        raise NotAllowedNowError("No step of this run has failed. Look at it again.")
    return found[0]


def release(
    run: Run, *, by: User | None, reason: str = "", at: datetime | None = None, batch: Batch | None = None
) -> None:
    """Release a held run, now or at a moment, and with it the write that a guard holds, as it stands now."""
    with _deciding(run, Decision.What.RELEASE, by, reason, allowed={Status.WAITING}, batch=batch):
        if run.wait_reason != Run.WaitReason.HOLD:
            raise NotAllowedNowError("The run is not held any more. Look at it again.")
        if by is not None and (why_not := releasing.obstacle(run, by)):
            raise NotAllowedNowError(why_not)
        gates.let_go(run, by=by)
        _requeue(run)
        if at is not None:
            Run.objects.filter(pk=run.pk).update(
                status=Status.WAITING, wait_reason=Run.WaitReason.DELAY, wake_at=at, error=_ITS_TURN
            )


def cancel(run: Run, *, by: User | None, reason: str, batch: Batch | None = None) -> None:
    """End the run where it stands. One that is running ends before its next write, once what it sent is recorded."""
    allowed = {Status.FAILED, Status.CRASHED, Status.WAITING, Status.QUEUED, Status.NEEDS_REVIEW, Status.RUNNING}
    with _deciding(run, Decision.What.CANCEL, by, reason, allowed=allowed, batch=batch) as deciding:
        if deciding.run.status == Status.RUNNING:
            if deciding.run.cancel_asked_at is not None:
                raise NotAllowedNowError("The run ends already, before its next write. Look at it again.")
            Run.objects.filter(pk=run.pk).update(cancel_asked_at=DatabaseNow())
            return
        Run.objects.filter(pk=run.pk).update(
            status=Status.CANCELLED,
            wait_reason="",
            wake_at=None,
            finished_at=DatabaseNow(),
            lease_token=F("lease_token") + 1,
        )
        withdraw(run)
        wake_caller(run)


def acknowledge(run: Run, *, by: User | None, reason: str, batch: Batch | None = None) -> None:
    """A person has seen that the run went on over failed steps, and leaves it so: it needs no attention any more."""
    with _deciding(run, Decision.What.ACKNOWLEDGE, by, reason, allowed={Status.SUCCEEDED}, batch=batch) as deciding:
        if not deciding.run.has_errors or deciding.run.acknowledged_at is not None:
            raise NotAllowedNowError("Nothing of this run is left to be acknowledged. Look at it again.")
        Run.objects.filter(pk=run.pk).update(acknowledged_at=DatabaseNow())


def mark_done(run: Run, *, by: User | None, reason: str, provider_id: str = "") -> None:
    """A person has seen that the uncertain write happened, or has done manually what a failed step was to write.

    The step counts as done and the run goes on. A deletion gives later steps the output that it would have had.
    """
    waiting = StepRun.objects.filter(run=run, state=StepRun.State.NEEDS_REVIEW).select_related("connection").first()
    output = manual_completion.deleted(waiting) if waiting else {}
    allowed = {Status.NEEDS_REVIEW, Status.FAILED}
    with _deciding(run, Decision.What.MARK_DONE, by, reason, allowed=allowed) as deciding:
        step_run = deciding.waiting or _require_failed(run)
        if not _writes(step_run):
            raise NotAllowedNowError(f"“{step_run.name}” writes nothing, so nobody can do it by hand. Skip it instead.")
        step_run.state, step_run.error, step_run.finished_at = StepRun.State.SUCCEEDED, "", database_now()
        manual_completion.settle(step_run, output, provider_id)
        step_run.attempts = [*step_run.attempts, _line("marked as done", by, reason)]
        step_run.save()
        postings.record([step_run])
        recording.record([step_run])
        retrying.open_around(run, step_run)
        deciding.about(step_run)
        _requeue(run)


def _writes(step_run: StepRun) -> bool:
    if step_run.kind != Step.Kind.ACTION:
        return False
    try:
        return registry.action(step_run.operation).effect is not Effect.READS
    except registry.UnknownOperationError:
        return True


def send_again(run: Run, *, by: User | None, reason: str) -> None:
    """A person has seen that the uncertain write did not happen: it is sent again under a new key."""
    with _deciding(run, Decision.What.SEND_AGAIN, by, reason, allowed={Status.NEEDS_REVIEW}) as deciding:
        step_run = deciding.waiting
        assert step_run is not None
        step_run.attempts = [*step_run.attempts, _line("to be sent again", by, reason)]
        step_run.error, step_run.idempotency_key = "", None
        sending.again(step_run)
        step_run.save()
        _requeue(run)


def replay(run: Run, *, by: User | None, reason: str = "") -> Run:
    """A new run of the same event on today's version."""
    if run.workflow.published is None:
        raise NotAllowedNowError("The workflow has no published version to run.")
    if run.is_open:
        raise NotAllowedNowError("The run is still under way; cancel it or let it end first.")
    if run.is_undo:
        raise NotAllowedNowError("This run took something back; nothing is left for it to do a second time.")
    _require_bodies(run)
    with transaction.atomic():
        again = _replayed(run, run.workflow.published)
        again.save()
        Decision.objects.create(run=run, what=Decision.What.REPLAY, by=by, reason=reason)
        wake_worker()
        _record(run, Decision.What.REPLAY, by, reason, before=str(run.get_status_display()))
    return again


def run_again(
    run: Run, *, by: User | None, reason: str = "", writes_twice: bool = False, batch: Batch | None = None
) -> Run:
    """A new run of a failed run's event on the newer version, in its place: the failed one is cancelled. Asked for
    again, it gives the same new run.

    What the failed run has written is written a second time, so with any of that it needs `writes_twice`.
    """
    with transaction.atomic():
        Run.objects.select_for_update().get(pk=run.pk)
        made = Run.objects.filter(again_of=run).first()
        if made is not None:
            return made
        _require_bodies(run)
        with _deciding(
            run, Decision.What.RUN_AGAIN, by, reason, allowed=set(running_again.ENDED_BADLY), batch=batch
        ) as deciding:
            again = _replayed(run, _require_newer(deciding.run, writes_twice=writes_twice))
            again.again_of = run
            again.save()
            Run.objects.filter(pk=run.pk).update(status=Status.CANCELLED, lease_token=F("lease_token") + 1)
            wake_worker()
    return again


def _require_newer(run: Run, *, writes_twice: bool) -> WorkflowVersion:
    version = running_again.newer_version(run)
    if version is None:
        raise NotAllowedNowError("There is no newer version that this run could take place again on.")
    if running_again.is_unclear(run):
        raise NotAllowedNowError(
            "A write of this run was sent and has no clear outcome. Try the run again as it was, which finds that out."
        )
    written = running_again.written(run)
    if written and not writes_twice:
        many = "1 document" if len(written) == 1 else f"{len(written):,} documents"
        raise NotAllowedNowError(f"This run has written {many}. Confirm that all of it is to be written again.")
    return version


def _replayed(run: Run, version: WorkflowVersion) -> Run:
    """The next run of the same event, not yet saved."""
    workflow = Workflow.objects.select_for_update().get(pk=run.workflow_id)
    last = Run.objects.filter(workflow=workflow, event=run.event).aggregate(last=Max("replay"))["last"] or 0
    return intake.new_run(workflow, version, run.event, replay=last + 1)


def _require_bodies(run: Run) -> None:
    if run.trimmed_at is not None:
        raise NotAllowedNowError(
            f"What came in is no longer kept: it was removed on {run.trimmed_at:%-d %B %Y}, so nothing can run on it."
        )


@dataclass
class _Deciding:
    """A decision being made: the run, locked, and the step that waits for a person, if any."""

    run: Run
    waiting: StepRun | None
    step: str

    def about(self, step_run: StepRun) -> None:
        """Which step the decision is about."""
        self.step = step_run.step


@contextmanager
def _deciding(
    run: Run,
    what: Decision.What,
    by: User | None,
    reason: str,
    *,
    allowed: set[Run.Status],
    batch: Batch | None = None,
) -> Iterator[_Deciding]:
    """One transaction around a decision: lock the run, check its state, record the decision."""
    with transaction.atomic():
        locked = Run.objects.select_for_update().get(pk=run.pk)
        if locked.status not in allowed:
            raise NotAllowedNowError(f"The run is {locked.get_status_display().lower()} by now. Look at it again.")
        waiting = StepRun.objects.filter(run=locked, state=StepRun.State.NEEDS_REVIEW).first()
        if locked.status == Status.NEEDS_REVIEW and waiting is None and what != Decision.What.CANCEL:
            raise NotAllowedNowError("No step of this run waits for a decision any more. Look at it again.")
        deciding = _Deciding(locked, waiting, waiting.step if waiting else "")
        before = str(locked.get_status_display())
        yield deciding
        Decision.objects.create(run=locked, step=deciding.step, what=what, by=by, reason=reason, batch=batch)
        _record(run, what, by, reason, before=before, step=deciding.step)
    run.refresh_from_db()


def _record(run: Run, what: Decision.What, by: User | None, reason: str, *, before: str, step: str = "") -> None:
    about = About("run", run.pk, f"Run {run.pk} of {run.workflow.name}")
    words = {"Run": before} | ({"Step": step} if step else {})
    record(Audited(f"run.{what}"), team_id=run.team_id, about=about, by=by, reason=reason, before=words)


def _requeue(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(
        status=Status.QUEUED,
        wait_reason="",
        wake_at=None,
        waits_for=None,
        waiting_since=None,
        error="",
        finished_at=None,
        kills=0,
        cancel_asked_at=None,
        acknowledged_at=None,
        # A worker that may still hold the run must not write to it any more.
        lease_token=F("lease_token") + 1,
    )
    wake_worker()


def _line(outcome: str, by: User | None, reason: str) -> dict[str, str]:
    name = by.get_username() if by else "somebody"
    return {"at": database_now().isoformat(), "what": "person", "outcome": outcome, "message": f"{name}: {reason}"}
