"""What people do with workflows and runs. Callers check permissions; these check that it makes sense now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Max

from integrations import registry
from integrations.base import Effect, Start, Trigger
from integrations.clock import DatabaseNow
from integrations.errors import IntegrationError
from integrations.models import Connection
from workflows import by_hand, intake, mending, polling, releasing, safeguards, starting
from workflows.engine import writing
from workflows.engine.lease import database_now
from workflows.engine.waiting import wake_caller
from workflows.models import Decision, Release, Run, Step, StepRun, Workflow
from workflows.queue import ring
from workflows.ways import WayOut, ways_out

__all__ = [
    "NotAllowedNowError",
    "WayOut",
    "activate",
    "cancel",
    "count_release",
    "look_now",
    "mark_done",
    "pause",
    "release",
    "replay",
    "retry",
    "send_again",
    "skip",
    "trigger_of",
    "ways_out",
]

Status = Run.Status
_ITS_TURN = "It was let go together with others; they start one after the other."


class NotAllowedNowError(Exception):
    """It makes no sense in the present state; `message` says why and what to do instead."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


# --- workflows ------------------------------------------------------------------------------------------------------


def trigger_of(workflow: Workflow) -> tuple[Trigger, Connection | None]:
    """What the published version is started by, and on which connection; None where it needs none.

    Raises NotAllowedNowError where it cannot be switched on now.
    """
    if workflow.published is None:
        raise NotAllowedNowError("Publish the workflow first; only a published version can be switched on.")
    told = workflow.published.plan["trigger"]
    try:
        trigger = registry.trigger(told["operation"])
    except registry.UnknownOperationError:
        raise NotAllowedNowError(
            f"The trigger {told['operation']} is not available here any more. Choose another one and publish."
        ) from None
    if isinstance(trigger, Start):
        return trigger, None
    connection = Connection.objects.filter(pk=told["connection"], team_id=workflow.team_id).first()
    if connection is None or not connection.is_usable:
        name = connection.name if connection else "The trigger's connection"
        raise NotAllowedNowError(f"{name} is not connected. Reconnect it, then switch the workflow on.")
    return trigger, connection


def count_release(workflow: Workflow, since: date) -> releasing.Counted:
    """How many events a day would release now. Reads, writes nothing. Raises NotAllowedNowError."""
    trigger, connection = trigger_of(workflow)
    connection = _check_day(trigger, connection, since)
    try:
        return releasing.count(workflow, connection, since)
    except IntegrationError as error:
        raise NotAllowedNowError(f"{connection.name} could not be read to count them. {error.message}") from error


def activate(
    workflow: Workflow, *, by: User | None, since: date | None = None, counted: releasing.Counted | None = None
) -> None:
    """Switch it on: from the next look at the provider on, what is new starts runs. Raises NotAllowedNowError.

    With `since`, what came to be on that day or later starts runs of this workflow too, once; `counted` is what the
    person was shown of it.
    """
    trigger, connection = trigger_of(workflow)
    if since is not None:
        _check_day(trigger, connection, since)
    with transaction.atomic():
        locked = Workflow.objects.select_for_update(of=("self",)).select_related("published").get(pk=workflow.pk)
        if since is not None and locked.status == Workflow.Status.ACTIVE:
            raise NotAllowedNowError(
                "The workflow is active already. Pause it first; then it can be switched on from a day in the past."
            )
        locked.status, locked.pause_reason = Workflow.Status.ACTIVE, ""
        locked.save(update_fields=["status", "pause_reason", "changed_at"])
        safeguards.begin_counting(locked)
        starting.listen(locked)
        state = locked.listens_to
        if state is not None and since is not None:
            Release.objects.create(
                workflow=locked,
                trigger_state=state,
                since=since,
                counted=counted.number if counted else None,
                is_capped=bool(counted and (counted.is_capped or counted.is_partial)),
                asked_by=by,
            )
            polling.start_over(state)
        if state is not None:
            polling.look_now(state)
            ring()
    workflow.refresh_from_db()


def _check_day(trigger: Trigger, connection: Connection | None, since: date) -> Connection:
    if connection is None:
        raise NotAllowedNowError("Nothing is noticed at a provider here, so there is no past to start from.")
    if not releasing.is_possible(trigger):
        raise NotAllowedNowError(
            f"{trigger.connector.name} does not tell when a {trigger.noun} was made, so this workflow can only start "
            "from now."
        )
    if since > releasing.today(connection):
        raise NotAllowedNowError("Choose a day that is not in the future, or start from now.")
    return connection


def pause(workflow: Workflow, *, by: User | None, reason: str = "") -> None:
    """Switch it off: nothing new is noticed; runs under way go on. Switching on again starts with a baseline."""
    if workflow.status != Workflow.Status.ACTIVE:
        raise NotAllowedNowError("The workflow is not active.")
    releasing.drop(workflow)
    Workflow.objects.filter(pk=workflow.pk).update(
        status=Workflow.Status.PAUSED,
        pause_reason=reason or (f"Paused by {by.get_username()}." if by else "Paused."),
        listens_to=None,
        awaits_baseline=False,
    )
    starting.stop_listening(workflow)
    workflow.refresh_from_db()


def look_now(workflow: Workflow, *, by: User | None) -> None:
    """Poll its trigger now instead of when it is due."""
    if workflow.status != Workflow.Status.ACTIVE or workflow.listens_to is None:
        raise NotAllowedNowError("Only an active workflow looks for new items. Switch it on first.")
    polling.look_now(workflow.listens_to)
    ring()


# --- runs -----------------------------------------------------------------------------------------------------------


def retry(run: Run, *, by: User | None, reason: str = "") -> None:
    """Go on from the step that failed or waits; in a run that has succeeded, do again what failed and was passed over.

    A call that failed goes on where the run failed that it had started.
    """
    _insist_on_bodies(run)
    allowed = {Status.FAILED, Status.CRASHED, Status.WAITING, Status.SUCCEEDED}
    with _deciding(run, Decision.What.RETRY, by, reason, allowed=allowed) as deciding:
        has_succeeded = deciding.run.status == Status.SUCCEEDED
        found = mending.failed(run, passed_over_too=has_succeeded)
        if has_succeeded and not found:
            raise NotAllowedNowError("The run has succeeded, and no step of it failed. Look at it again.")
        for step_run in found:
            mending.try_again(run, step_run)
            if step_run.kind == Step.Kind.CALL:
                _retry_called(step_run, by)
        if deciding.run.wait_reason == Run.WaitReason.DELAY:
            mending.end_delay(run)
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
        step_run = _insist_on_failed(run)
        step_run.state, step_run.finished_at = StepRun.State.SKIPPED, database_now()
        step_run.output = {}
        step_run.attempts = [*step_run.attempts, _line("skipped", by, reason)]
        step_run.save()
        mending.open_around(run, step_run)
        deciding.about(step_run)
        _requeue(run)


def _insist_on_failed(run: Run) -> StepRun:
    found = mending.failed(run)
    if not found:
        raise NotAllowedNowError("No step of this run has failed. Look at it again.")
    return found[0]


def release(run: Run, *, by: User | None, reason: str = "", at: datetime | None = None) -> None:
    """Let a run go that was held: now, or when its turn comes."""
    with _deciding(run, Decision.What.RELEASE, by, reason, allowed={Status.WAITING}):
        if run.wait_reason != Run.WaitReason.HOLD:
            raise NotAllowedNowError("The run is not held any more. Look at it again.")
        _requeue(run)
        if at is not None:
            Run.objects.filter(pk=run.pk).update(
                status=Status.WAITING, wait_reason=Run.WaitReason.DELAY, wake_at=at, error=_ITS_TURN
            )


def cancel(run: Run, *, by: User | None, reason: str) -> None:
    """End the run where it stands."""
    allowed = {Status.FAILED, Status.CRASHED, Status.WAITING, Status.QUEUED, Status.NEEDS_REVIEW}
    with _deciding(run, Decision.What.CANCEL, by, reason, allowed=allowed):
        Run.objects.filter(pk=run.pk).update(
            status=Status.CANCELLED,
            wait_reason="",
            wake_at=None,
            finished_at=DatabaseNow(),
            lease_token=F("lease_token") + 1,
        )
        wake_caller(run)


def mark_done(run: Run, *, by: User | None, reason: str, provider_id: str = "") -> None:
    """A person has seen that the uncertain write happened, or has done by hand what a failed step was to write.

    The step counts as done and the run goes on. A deletion then gives to later steps what it would have given.
    """
    waiting = StepRun.objects.filter(run=run, state=StepRun.State.NEEDS_REVIEW).select_related("connection").first()
    output = by_hand.deleted(waiting) if waiting else {}
    allowed = {Status.NEEDS_REVIEW, Status.FAILED}
    with _deciding(run, Decision.What.MARK_DONE, by, reason, allowed=allowed) as deciding:
        step_run = deciding.waiting or _insist_on_failed(run)
        if not _writes(step_run):
            raise NotAllowedNowError(f"“{step_run.name}” writes nothing, so nobody can do it by hand. Skip it instead.")
        step_run.state, step_run.error, step_run.finished_at = StepRun.State.SUCCEEDED, "", database_now()
        by_hand.settle(step_run, output, provider_id)
        step_run.attempts = [*step_run.attempts, _line("marked as done", by, reason)]
        step_run.save()
        mending.open_around(run, step_run)
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
        writing.again(step_run)
        step_run.save()
        _requeue(run)


def replay(run: Run, *, by: User | None, reason: str = "") -> Run:
    """A new run of the same event on today's version."""
    workflow = run.workflow
    if workflow.published is None:
        raise NotAllowedNowError("The workflow has no published version to run.")
    if run.is_open:
        raise NotAllowedNowError("The run is still under way; cancel it or let it end first.")
    _insist_on_bodies(run)
    with transaction.atomic():
        Workflow.objects.select_for_update().get(pk=workflow.pk)
        last = Run.objects.filter(workflow=workflow, event=run.event).aggregate(last=Max("replay"))["last"] or 0
        again = intake.new_run(workflow, workflow.published, run.event, replay=last + 1)
        again.save()
        Decision.objects.create(run=run, what=Decision.What.REPLAY, by=by, reason=reason)
        ring()
    return again


def _insist_on_bodies(run: Run) -> None:
    if run.trimmed_at is not None:
        raise NotAllowedNowError(
            f"What came in is no longer kept: it was removed on {run.trimmed_at:%-d %B %Y}, so nothing can run on it."
        )


@dataclass
class _Deciding:
    """A decision under way: the run as it stands, locked, and the step that waits for a person, where one does."""

    run: Run
    waiting: StepRun | None
    step: str

    def about(self, step_run: StepRun) -> None:
        """Which step the decision is about."""
        self.step = step_run.step


@contextmanager
def _deciding(
    run: Run, what: Decision.What, by: User | None, reason: str, *, allowed: set[Run.Status]
) -> Iterator[_Deciding]:
    """One transaction around a decision: the run is locked, its state checked, the decision written down."""
    with transaction.atomic():
        locked = Run.objects.select_for_update().get(pk=run.pk)
        if locked.status not in allowed:
            raise NotAllowedNowError(f"The run is {locked.get_status_display().lower()} by now. Look at it again.")
        waiting = StepRun.objects.filter(run=locked, state=StepRun.State.NEEDS_REVIEW).first()
        if locked.status == Status.NEEDS_REVIEW and waiting is None and what != Decision.What.CANCEL:
            raise NotAllowedNowError("No step of this run waits for a decision any more. Look at it again.")
        deciding = _Deciding(locked, waiting, waiting.step if waiting else "")
        yield deciding
        Decision.objects.create(run=locked, step=deciding.step, what=what, by=by, reason=reason)
    run.refresh_from_db()


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
        # Whoever may still hold the run must not write to it any more.
        lease_token=F("lease_token") + 1,
    )
    ring()


def _line(outcome: str, by: User | None, reason: str) -> dict[str, str]:
    name = by.get_username() if by else "somebody"
    return {"at": database_now().isoformat(), "what": "person", "outcome": outcome, "message": f"{name}: {reason}"}
