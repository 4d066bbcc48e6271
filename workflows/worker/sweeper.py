"""The sweeper: finds what is due and wakes workers for it, even if the first message was lost.

Every supervisor runs it about once a second. It is cheap when nothing is due, and several may run at once.
"""

from __future__ import annotations

from django.conf import settings
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet

from integrations.core.clock import DatabaseNow, seconds
from integrations.models import Connection
from workflows.engine.due import is_any_due
from workflows.engine.waits import GIVES_UP
from workflows.models import ApprovalRequest, Run, TriggerState
from workflows.runtime.broker import unread_messages, wake_worker
from workflows.triggers import polling, schedules


def sweep() -> int:
    """Queue the runs that may go on and wake workers for what is due; returns how many messages were sent."""
    wake_held()
    schedules.fire_due()
    has_runs = is_any_due()
    has_polls = TriggerState.objects.filter(polling.due_states()).exists()
    if not has_runs and not has_polls:
        return 0
    missing = max(0, (settings.WORKERS if has_runs else 1) - unread_messages())
    wake_worker(missing)
    return missing


def wake_held() -> None:
    """Queue the runs whose reason for waiting is gone."""
    wake_reconnected()
    wake_thawed()
    wake_for_provider()
    wake_decided()


def wake_reconnected() -> int:
    """Queue the runs whose connection is usable again; how many."""
    usable = Q(waits_for__status=Connection.Status.CONNECTED)
    # A connection that was deleted never comes back: the run goes on and fails with that message.
    return _wake(_waiting(Run.WaitReason.CONNECTION).filter(usable | Q(waits_for__isnull=True)))


def wake_thawed() -> int:
    """Queue the runs whose organisation may be written to again; how many."""
    return _wake(_waiting(Run.WaitReason.FREEZE).filter(waits_for__frozen_at__isnull=True))


def wake_for_provider() -> int:
    """Queue the runs whose provider is back, one per provider that may be tried, and those that give up; how many."""
    held = _waiting(Run.WaitReason.DOWN)
    if not held.exists():
        return 0
    budget, long_ago = "waits_for__budget__", DatabaseNow() - seconds(GIVES_UP)
    is_back = Q(**{f"{budget}down_since__isnull": True})
    gives_up = Q(waiting_since__lt=long_ago) & Q(**{f"{budget}down_since__lt": long_ago})
    woken = _wake(held.filter(is_back | gives_up))
    may_try = held.filter(Q(**{f"{budget}probe_at__lte": DatabaseNow()})).values("waits_for")
    tries = may_try.annotate(first=Min("pk")).order_by().values_list("first", flat=True)
    return woken + _wake(Run.objects.filter(pk__in=list(tries), status=Run.Status.WAITING))


def wake_decided() -> int:
    """Queue the runs that wait for approval although their request is decided, which may have been while they began to
    wait, or although the time for it is over; how many."""
    undecided = ApprovalRequest.objects.filter(
        status=ApprovalRequest.Status.OPEN, expires_at__gt=DatabaseNow(), run=OuterRef("pk")
    )
    return _wake(_waiting(Run.WaitReason.APPROVAL).exclude(Exists(undecided)))


def _waiting(reason: Run.WaitReason) -> QuerySet[Run]:
    return Run.objects.filter(status=Run.Status.WAITING, wait_reason=reason)


def _wake(runs: QuerySet[Run]) -> int:
    return runs.update(status=Run.Status.QUEUED, wait_reason="", lease_token=F("lease_token") + 1)
