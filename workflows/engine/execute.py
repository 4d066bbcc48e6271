"""Execute one claimed run: walk its tree of steps, and decide how the run stands when the walk stops."""

from __future__ import annotations

import logging
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Count

from integrations.clock import DatabaseNow, seconds
from workflows import aftermath
from workflows.engine import calls, tree
from workflows.engine.lease import Lease, LostLeaseError, let_others_go_first
from workflows.engine.outcomes import FilteredError, ReviewError, StepFailedError, StoppedError, YieldError
from workflows.engine.waiting import WaitError, wake_caller
from workflows.engine.walk import Walk, run_url
from workflows.kinds import TURN
from workflows.models import Run, StepRun

__all__ = ["execute", "run_url"]

logger = logging.getLogger(__name__)

Status = Run.Status


def execute(run: Run, lease: Lease) -> None:
    """Take a claimed run as far as it goes now. Never raises, but for a lost database."""
    try:
        walk = Walk.begin(run, lease)
        try:
            tree.go(walk, run.version.plan["steps"])
            _finish(lease, run, Status.SUCCEEDED, error=_passed_over(walk), result=walk.result)
        except StoppedError as stopped:
            _stop(walk, stopped)
    except LostLeaseError:
        logger.warning("Run %s was taken over by another worker; this one leaves it alone.", run.pk)
    except WaitError as wait:
        _wait(lease, run, wait)
    except YieldError:
        _leave(lease, run)
    except FilteredError as filtered:
        _finish(lease, run, Status.FILTERED, result=filtered.sentence)
    except StepFailedError as failed:
        _finish(lease, run, Status.FAILED, error=failed.message)
    except ReviewError as review:
        _finish(lease, run, Status.NEEDS_REVIEW, error=review.message)
    except (OperationalError, InterfaceError):
        # The database's trouble, not the run's: when the lease is over, it is taken up where it was written down.
        raise
    except Exception:
        logger.exception("Run %s crashed.", run.pk)
        _crash(lease, run)


def _crash(lease: Lease, run: Run) -> None:
    """End the run as crashed, with what is known of its steps if that can be stored at all."""
    error = "Pinxero itself failed in this run; nothing more was sent. The worker's log tells why."
    try:
        _finish(lease, run, Status.CRASHED, error=error)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        # What a step brought may be what cannot be stored; a write that was sent is settled as one of unknown outcome.
        lease.drop_notes()
        _finish(lease, run, Status.CRASHED, error=error)


def _stop(walk: Walk, stopped: StoppedError) -> None:
    """End the run as its stop step says."""
    status = Status(stopped.status)
    if status == Status.FAILED:
        _finish(walk.lease, walk.run, status, error=stopped.message)
    else:
        error = _passed_over(walk) if status == Status.SUCCEEDED else ""
        _finish(walk.lease, walk.run, status, error=error, result=stopped.message)


def _passed_over(walk: Walk) -> str:
    """What failed in a run that went on all the same, for the run's page; "" where nothing did."""
    if not walk.has_failures and walk.run.claims == 1:
        return ""
    walk.lease.record()
    failed = StepRun.objects.filter(run=walk.run, state=StepRun.State.FAILED).exclude(kind=TURN)
    names = failed.values("name", "position").annotate(times=Count("pk")).order_by("position")
    said = [f"{row['name']} ({row['times']:,} times)" if row["times"] > 1 else row["name"] for row in names]
    return f"{', '.join(said)} failed and was passed over. " if said else ""


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
        if run.called_by_id is None and status not in Run.NEEDS_ATTENTION:
            lease.record(run=changes)
            return
        with transaction.atomic():
            lease.record(run=changes)
            if run.called_by_id is not None:
                wake_caller(run)
            aftermath.after(run.pk, status, error)
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
            if wait.calls is not None and calls.has_ended(wait.calls):
                changes["wake_at"] = DatabaseNow()
            lease.record(run=changes)
    except LostLeaseError:
        logger.warning("Run %s was taken over by another worker; this one leaves it alone.", lease.run_id)


def _leave(lease: Lease, run: Run) -> None:
    """Put the run back into the queue, behind what others want of this worker."""
    try:
        lease.record(run={"status": Status.QUEUED, "lease_until": None})
    except LostLeaseError:
        logger.warning("Run %s was taken over by another worker; this one leaves it alone.", lease.run_id)
        return
    let_others_go_first(run.pk)
