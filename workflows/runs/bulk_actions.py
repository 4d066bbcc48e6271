"""One decision about many runs: try again, release, cancel, acknowledge. The number is shown first; a worker does it.

A batch works through the runs by id and records its progress after each. Each run gets the decision that a person would
have made on its page; one that has moved on meanwhile is skipped. Released runs start one per second, a pace that a
person can watch, so that a mistake can be stopped.
"""

from __future__ import annotations

import time
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, F, Max, Q, QuerySet

from integrations.audit.actions import Audited
from integrations.audit.record import record
from integrations.core.clock import DatabaseNow, seconds
from integrations.models import Team
from workflows.models import Batch, Run, StepRun
from workflows.publishing import activation
from workflows.runs import decisions, running_again
from workflows.runs.search import Filter, runs_of
from workflows.runtime import heartbeats
from workflows.runtime.broker import wake_for_batches, wake_once
from workflows.runtime.clock import database_now

What = Batch.What
#: Real seconds between two released runs.
PACE_SECONDS = 1.0
#: A task stops working on batches after this long, and another one continues.
LONGEST_SECONDS = 20.0
_LEASE_SECONDS = 120
_PORTION = 50
_UNPROVED = (StepRun.State.SENT, StepRun.State.UNCERTAIN)


def fitting(team: Team, what: Batch.What, looked_for: Filter, *, writes_twice: bool = False) -> QuerySet[Run]:
    """The runs that match the filter and to which it can be done now. Of those to be run again, the ones that have
    written something only if it `writes_twice`."""
    found = looked_for.find(team)
    if what == What.RETRY:
        return found.filter(status__in=running_again.ENDED_BADLY)
    if what == What.RUN_AGAIN:
        newer = running_again.fitting(found)
        return newer if writes_twice else newer.exclude(pk__in=running_again.having_written(newer).values("pk"))
    if what == What.ACKNOWLEDGE:
        return found.filter(status=Run.Status.SUCCEEDED, error__gt="", acknowledged_at__isnull=True)
    held = Q(status=Run.Status.WAITING, wait_reason=Run.WaitReason.HOLD)
    if what == What.RELEASE:
        return found.filter(held)
    # A write whose outcome is not known is decided on its own page, where both facts are shown.
    waiting = found.filter(status__in=(Run.Status.QUEUED, Run.Status.WAITING))
    return waiting.exclude(wait_reason=Run.WaitReason.UNCERTAIN).exclude(step_runs__state__in=_UNPROVED)


def newest(runs: QuerySet[Run]) -> int:
    """The highest id among the runs; 0 where there are none."""
    return int(runs.order_by().aggregate(last=Max("pk"))["last"] or 0)


def begin(
    team: Team,
    what: Batch.What,
    looked_for: Filter,
    *,
    up_to: int,
    counted: int,
    by: User,
    reason: str,
    writes_twice: bool = False,
) -> Batch:
    """Do it to every matching run up to that id, in the background. Runs that have written something are run again
    only if it `writes_twice`."""
    with transaction.atomic():
        batch: Batch = Batch.objects.create(
            team=team,
            what=what,
            filter=looked_for.to_dict(),
            up_to=up_to,
            counted=counted,
            by=by,
            reason=reason,
            writes_twice=writes_twice,
        )
        wake_for_batches()
        record(Audited.RUNS_DECIDED, team_id=team.pk, about=batch, by=by, reason=reason)
    return batch


def outcomes(batch: Batch) -> dict[str, int]:
    """How many of the runs that the batch decided about are in which status now; of those run again, the new runs."""
    counted = runs_of(batch.pk).order_by().values("status").annotate(many=Count("pk"))
    return {row["status"]: row["many"] for row in counted}


def stop(batch: Batch) -> bool:
    """Stop the batch before its next run. False where it has ended already."""
    under_way = Batch.objects.filter(pk=batch.pk, status=Batch.Status.UNDER_WAY)
    return bool(under_way.update(status=Batch.Status.STOPPED, finished_at=DatabaseNow()))


def work() -> int:
    """Continue the open batches for a while; returns how many runs were processed."""
    ends = time.monotonic() + LONGEST_SECONDS
    done = 0
    while time.monotonic() < ends:
        batch = _claim()
        if batch is None:
            return done
        done += _portion(batch)
    wake_for_batches()
    return done


def _claim() -> Batch | None:
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=DatabaseNow())
    for pk in Batch.objects.filter(free, status=Batch.Status.UNDER_WAY).order_by("pk").values_list("pk", flat=True):
        mine = Batch.objects.filter(free, pk=pk, status=Batch.Status.UNDER_WAY)
        if mine.update(lease_until=DatabaseNow() + seconds(_LEASE_SECONDS)):
            return Batch.objects.select_related("team", "by").get(pk=pk)
    return None


def _portion(batch: Batch) -> int:
    """Process some of the runs; returns how many. If the worker dies here, the next one continues after the last run
    recorded."""
    runs = fitting(batch.team, What(batch.what), Filter.of(batch.filter), writes_twice=batch.writes_twice).filter(
        pk__gt=batch.reached, pk__lte=batch.up_to
    )
    due = list(runs.select_related("workflow__published", "version", "event").order_by("pk")[:_PORTION])
    with wake_once():
        for run in due:
            heartbeats.note_progress()
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
                decisions.retry(run, by=batch.by, reason=reason, batch=batch)
            elif batch.what == What.RUN_AGAIN:
                decisions.run_again(run, by=batch.by, reason=reason, writes_twice=batch.writes_twice, batch=batch)
            elif batch.what == What.RELEASE:
                turn = batch.asked_at + seconds(PACE_SECONDS) * batch.done
                decisions.release(run, by=batch.by, reason=reason, at=_in_future(turn), batch=batch)
            elif batch.what == What.ACKNOWLEDGE:
                decisions.acknowledge(run, by=batch.by, reason=reason, batch=batch)
            else:
                decisions.cancel(run, by=batch.by, reason=reason, batch=batch)
    except activation.NotAllowedNowError:
        return False
    return True


def _in_future(turn: datetime) -> datetime | None:
    return turn if turn > database_now() else None
