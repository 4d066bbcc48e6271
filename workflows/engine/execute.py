"""Execute one claimed run: run its steps as far as they go, then record the state of the run."""

from __future__ import annotations

import logging
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Count, F

from integrations.core.clock import DatabaseNow, seconds
from workflows.definitions import plans
from workflows.definitions.kinds import ITERATION
from workflows.engine import after_run, interpreter
from workflows.engine.kinds import call
from workflows.engine.lease import CancelAskedError, Lease, LostLeaseError, let_others_go_first
from workflows.engine.outcomes import FilteredError, ReviewError, StepFailedError, StoppedError, YieldError
from workflows.engine.run_context import RunContext, run_url
from workflows.engine.waits import WaitError, wake_caller
from workflows.models import Run, StepRun

__all__ = ["execute", "run_url"]

logger = logging.getLogger(__name__)

Status = Run.Status


def execute(run: Run, lease: Lease) -> None:
    """Take a claimed run as far as it goes now. Raises only if the database is lost."""
    try:
        if run.cancel_asked_at is not None and not _has_unproved(run):
            raise CancelAskedError(f"run {run.pk}")
        context = RunContext.begin(run, lease)
        try:
            interpreter.run_steps(context, plans.plan_of(run)["steps"])
            _finish(lease, run, Status.SUCCEEDED, error=_passed_over(context), result=context.result)
        except StoppedError as stopped:
            _stop(context, stopped)
    except LostLeaseError:
        logger.warning("Run %s was taken over by another worker; this one leaves it alone.", run.pk)
    except CancelAskedError:
        _finish(lease, run, Status.CANCELLED)
    except WaitError as wait:
        _wait(lease, run, wait)
    except YieldError:
        _yield(lease, run)
    except FilteredError as filtered:
        _finish(lease, run, Status.FILTERED, result=filtered.sentence)
    except StepFailedError as failed:
        _finish(lease, run, Status.FAILED, error=failed.message)
    except ReviewError as review:
        _finish(lease, run, Status.NEEDS_REVIEW, error=review.message)
    except (OperationalError, InterfaceError):
        # The database failed, not the run: once the lease has expired, the run continues where it was last recorded.
        raise
    except Exception:
        logger.exception("Run %s crashed.", run.pk)
        _crash(lease, run)


def _has_unproved(run: Run) -> bool:
    """Whether one of its writes was sent and has no clear outcome: that is settled before the run ends."""
    states = (StepRun.State.SENT, StepRun.State.UNCERTAIN)
    return StepRun.objects.filter(run=run, state__in=states).exists()


def _end_if_asked(run: Run) -> None:
    """End a run that has just begun to wait, if a person has cancelled it: otherwise it would end only when woken."""
    asked = Run.objects.filter(pk=run.pk, status__in=(Status.WAITING, Status.QUEUED), cancel_asked_at__isnull=False)
    if not asked.exists() or _has_unproved(run):
        return
    with transaction.atomic():
        ended = {"status": Status.CANCELLED, "wait_reason": "", "wake_at": None, "finished_at": DatabaseNow()}
        if asked.update(lease_token=F("lease_token") + 1, **ended):
            wake_caller(run)


def _crash(lease: Lease, run: Run) -> None:
    """End the run as crashed, with what is known of its steps if that can be stored."""
    error = "Pinxero itself failed in this run; nothing more was sent. The worker's log tells why."
    try:
        _finish(lease, run, Status.CRASHED, error=error)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        # A step's output may be what cannot be stored; a write that was sent is settled later, as of unknown outcome.
        lease.drop_notes()
        _finish(lease, run, Status.CRASHED, error=error)


def _stop(context: RunContext, stopped: StoppedError) -> None:
    """End the run as its stop step says."""
    status = Status(stopped.status)
    if status == Status.FAILED:
        _finish(context.lease, context.run, status, error=stopped.message)
    else:
        error = _passed_over(context) if status == Status.SUCCEEDED else ""
        _finish(context.lease, context.run, status, error=error, result=stopped.message)


def _passed_over(context: RunContext) -> str:
    """What failed in a run that went on regardless, for the run's page; "" where nothing did."""
    if not context.has_failures and context.run.claims == 1:
        return ""
    context.lease.record()
    failed = StepRun.objects.filter(run=context.run, state=StepRun.State.FAILED).exclude(kind=ITERATION)
    names = failed.values("name", "position").annotate(times=Count("pk")).order_by("position")
    failures = [f"{row['name']} ({row['times']:,} times)" if row["times"] > 1 else row["name"] for row in names]
    return f"{', '.join(failures)} failed and was passed over. " if failures else ""


def _finish(lease: Lease, run: Run, status: Run.Status, *, error: str = "", result: str = "") -> None:
    changes = {
        "status": status,
        "error": error,
        "result": result[:200],
        "finished_at": DatabaseNow(),
        "lease_until": None,
        "waiting_since": None,
    }
    try:
        if run.called_by_id is None and status not in Run.STUCK:
            lease.record(run=changes)
        else:
            with transaction.atomic():
                lease.record(run=changes)
                if run.called_by_id is not None:
                    wake_caller(run)
                after_run.follow_up(run.pk, status, error)
        run.status = status
    except LostLeaseError:
        logger.warning("Run %s was taken over by another worker; this one leaves it alone.", lease.run_id)


def _wait(lease: Lease, run: Run, wait: WaitError) -> None:
    wake: Any = wait.until
    if wait.pause is not None:
        wake = DatabaseNow() + seconds(wait.pause)
    changes = {
        "status": Status.WAITING,
        "wait_reason": wait.reason,
        "wake_at": wake,
        "waits_for": wait.connection,
        "waiting_since": run.waiting_since or DatabaseNow(),
        "error": wait.message,
        "lease_until": None,
    }
    try:
        with transaction.atomic():
            if wait.calls is not None and call.has_ended(wait.calls):
                changes["wake_at"] = DatabaseNow()
            lease.record(run=changes)
    except LostLeaseError:
        logger.warning("Run %s was taken over by another worker; this one leaves it alone.", lease.run_id)
        return
    _end_if_asked(run)


def _yield(lease: Lease, run: Run) -> None:
    """Put the run back into the queue, behind the other runs that wait for this worker."""
    try:
        lease.record(run={"status": Status.QUEUED, "lease_until": None})
    except LostLeaseError:
        logger.warning("Run %s was taken over by another worker; this one leaves it alone.", lease.run_id)
        return
    let_others_go_first(run.pk)
