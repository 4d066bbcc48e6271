"""What a worker does when it is woken: due polls and runs, alternately, until there is nothing left.

One task drains many runs, so that the queue's own cost is paid once per batch. It stops after a while so that the
supervisor sees that the cluster is alive, and wakes a worker again if there is more.
"""

from __future__ import annotations

import time
from itertools import count

from django.conf import settings

from workflows.engine.execute import execute
from workflows.engine.lease import claim
from workflows.models import Run, TriggerState
from workflows.runtime import disk, heartbeats, schema_version
from workflows.runtime.broker import wake_worker
from workflows.triggers import polling

#: Well below the queue's own time-out (120 s), minus the longest single step.
LONGEST_SECONDS = 20
#: Polls and runs take precedence alternately, also across tasks: if polling takes longer than its interval, runs would
#: otherwise never be done.
_rounds = count()


def drain(longest: float | None = None) -> int:
    """Do what is due; returns how many runs and polls were processed. Wakes a worker again when it stops early."""
    longest = longest if longest is not None else min(LONGEST_SECONDS, settings.STALE_SECONDS / 3)
    started = time.monotonic()
    done, is_last = 0, False
    while time.monotonic() - started < longest:
        heartbeats.note_progress()
        if schema_version.unknown_migrations() or disk.is_low():
            return done
        if is_last:
            # Whoever has queued one since has woken a worker for it.
            did: object = None if _has_just_polled() else _poll()
        else:
            did = do_one(prefers_runs=next(_rounds) % 2 == 1 or _has_just_polled())
        if not did:
            return done
        is_last = _was_the_only_one(did)
        done += 1
    wake_worker()
    return done


def do_one(*, prefers_runs: bool = False) -> Run | TriggerState | None:
    """Do one poll or one run that is due, and give it. None when there is nothing to do."""
    first, second = (_run, _poll) if prefers_runs else (_poll, _run)
    return first() or second()


#: When no poll was due last. Checking again between any two of a hundred runs a second would be a tenth of the work.
_nothing_due = float("-inf")
_ASK_EVERY = 0.2


def _has_just_polled() -> bool:
    return time.monotonic() - _nothing_due < _ASK_EVERY


def _poll() -> TriggerState | None:
    global _nothing_due
    state = polling.claim()
    if state is None:
        _nothing_due = time.monotonic()
        return None
    polling.poll(state)
    return state


def _run() -> Run | None:
    claimed = claim()
    if claimed is None:
        return None
    run, lease = claimed
    execute(run, lease)
    return run


def _was_the_only_one(done: object) -> bool:
    """Whether this was a run that has ended, and no other was due when it was claimed."""
    return isinstance(done, Run) and not getattr(done, "has_others", True) and done.status not in Run.OPEN
