"""What a worker does when the bell rings: polls and runs that are due, in turns, until there is nothing left.

One task drains many runs, so that the queue's own cost is paid once per batch. It stops after a while to let the
supervisor see that the cluster is alive, and rings again if there is more.
"""

from __future__ import annotations

import time
from itertools import count

from django.conf import settings

from workflows import beats, disk, newer, polling
from workflows.engine.execute import execute
from workflows.engine.lease import claim
from workflows.queue import ring

#: Well below the queue's own time-out (120 s), minus the longest single step.
LONGEST_SECONDS = 20
#: Whose turn it is, from one bell to the next: where looking takes longer than its interval, runs would never have one.
_turns = count()


def drain(longest: float | None = None) -> int:
    """Do what is due; how many runs and polls were worked on. Rings again when it stops with work left."""
    longest = longest if longest is not None else min(LONGEST_SECONDS, settings.STALE_SECONDS / 3)
    started = time.monotonic()
    done = 0
    while time.monotonic() - started < longest:
        beats.getting_on()
        if newer.unknown_migrations() or disk.is_low():
            return done
        if not do_one(prefers_runs=next(_turns) % 2 == 1 or _has_just_looked()):
            return done
        done += 1
    ring()
    return done


def do_one(*, prefers_runs: bool = False) -> bool:
    """Do one poll or one run that is due. False when there is nothing to do."""
    first, second = (_run, _poll) if prefers_runs else (_poll, _run)
    return first() or second()


#: When no poll was due last. Asking again between any two runs of a hundred a second would be a tenth of the work.
_nothing_due = float("-inf")
_ASK_EVERY = 0.2


def _has_just_looked() -> bool:
    return time.monotonic() - _nothing_due < _ASK_EVERY


def _poll() -> bool:
    global _nothing_due
    state = polling.claim()
    if state is None:
        _nothing_due = time.monotonic()
        return False
    polling.poll(state)
    return True


def _run() -> bool:
    claimed = claim()
    if claimed is None:
        return False
    execute(*claimed)
    return True
