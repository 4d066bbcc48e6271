"""One decision about many runs: try again, let go, cancel. Shown with its number first, then done by a worker.

A batch works through the runs by id, writes down how far it came with each, and each run gets the decision that a
person would have made on its page. One that has moved on meanwhile is passed over. What is let go starts at a pace that
a person can still watch, one a second, so that a wrong one can be stopped.
"""

from __future__ import annotations

import time
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Max, Q, QuerySet

from integrations.clock import DatabaseNow, seconds
from integrations.models import Team
from workflows import beats, lifecycle
from workflows.engine.lease import database_now
from workflows.finding import Filter
from workflows.models import Batch, Run, StepRun
from workflows.queue import one_bell, ring_for_batches

What = Batch.What
#: Real seconds between two runs that are let go.
PACE_SECONDS = 1.0
#: A worker's turn at a batch ends after this long, and another one goes on.
LONGEST_SECONDS = 20.0
_LEASE_SECONDS = 120
_PORTION = 50
_UNPROVED = (StepRun.State.SENT, StepRun.State.UNCERTAIN)


def fitting(team: Team, what: Batch.What, looked_for: Filter) -> QuerySet[Run]:
    """The runs among those looked for to which it can be done now."""
    found = looked_for.find(team)
    if what == What.RETRY:
        return found.filter(status__in=(Run.Status.FAILED, Run.Status.CRASHED))
    held = Q(status=Run.Status.WAITING, wait_reason=Run.WaitReason.HOLD)
    if what == What.RELEASE:
        return found.filter(held)
    # A write whose outcome is not known is decided on its own page, with both facts on the screen.
    waiting = found.filter(status__in=(Run.Status.QUEUED, Run.Status.WAITING))
    return waiting.exclude(wait_reason=Run.WaitReason.UNCERTAIN).exclude(step_runs__state__in=_UNPROVED)


def newest(runs: QuerySet[Run]) -> int:
    """The id up to which a person has been shown how many there are; 0 where there is none."""
    return int(runs.order_by().aggregate(last=Max("pk"))["last"] or 0)


def begin(
    team: Team, what: Batch.What, looked_for: Filter, *, up_to: int, counted: int, by: User, reason: str
) -> Batch:
    """Do it to every fitting run up to that id, in the background."""
    with transaction.atomic():
        batch: Batch = Batch.objects.create(
            team=team, what=what, filter=looked_for.to_dict(), up_to=up_to, counted=counted, by=by, reason=reason
        )
        ring_for_batches()
    return batch


def stop(batch: Batch) -> bool:
    """Do it to no further run. False where it has ended already."""
    under_way = Batch.objects.filter(pk=batch.pk, status=Batch.Status.UNDER_WAY)
    return bool(under_way.update(status=Batch.Status.STOPPED, finished_at=DatabaseNow()))


def work() -> int:
    """Go on with what is under way, for a while; how many runs were worked on."""
    ends = time.monotonic() + LONGEST_SECONDS
    done = 0
    while time.monotonic() < ends:
        batch = _claim()
        if batch is None:
            return done
        done += _portion(batch)
    ring_for_batches()
    return done


def _claim() -> Batch | None:
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=DatabaseNow())
    for pk in Batch.objects.filter(free, status=Batch.Status.UNDER_WAY).order_by("pk").values_list("pk", flat=True):
        mine = Batch.objects.filter(free, pk=pk, status=Batch.Status.UNDER_WAY)
        if mine.update(lease_until=DatabaseNow() + seconds(_LEASE_SECONDS)):
            return Batch.objects.select_related("team", "by").get(pk=pk)
    return None


def _portion(batch: Batch) -> int:
    """Some of the runs; how many. A worker that dies here leaves what it did, and the next one goes on after it."""
    runs = fitting(batch.team, What(batch.what), Filter.of(batch.filter)).filter(
        pk__gt=batch.reached, pk__lte=batch.up_to
    )
    due = list(runs.select_related("workflow", "version").order_by("pk")[:_PORTION])
    with one_bell():
        for run in due:
            beats.getting_on()
            with transaction.atomic():
                mine = Batch.objects.select_for_update().filter(pk=batch.pk, status=Batch.Status.UNDER_WAY)
                if not mine.exists():
                    return len(due)
                is_done = _decide(batch, run)
                counted = {"done": F("done") + 1} if is_done else {"skipped": F("skipped") + 1}
                mine.update(reached=run.pk, lease_until=DatabaseNow() + seconds(_LEASE_SECONDS), **counted)
            batch.done += is_done
    finished = {"status": Batch.Status.DONE, "finished_at": DatabaseNow()} if len(due) < _PORTION else {}
    Batch.objects.filter(pk=batch.pk, status=Batch.Status.UNDER_WAY).update(lease_until=None, **finished)
    return len(due)


def _decide(batch: Batch, run: Run) -> bool:
    reason = f"{batch.reason} (decided for {batch.counted:,} runs at once)".strip()
    try:
        with transaction.atomic():
            if batch.what == What.RETRY:
                lifecycle.retry(run, by=batch.by, reason=reason)
            elif batch.what == What.RELEASE:
                turn = batch.asked_at + seconds(PACE_SECONDS) * batch.done
                lifecycle.release(run, by=batch.by, reason=reason, at=_in_future(turn))
            else:
                lifecycle.cancel(run, by=batch.by, reason=reason)
    except lifecycle.NotAllowedNowError:
        return False
    return True


def _in_future(turn: datetime) -> datetime | None:
    return turn if turn > database_now() else None
