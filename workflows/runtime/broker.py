"""The message queue. This is the only module that uses django-q2.

A message carries no data. It means "check whether there is work"; it may be lost, doubled or late without harm, because
the database rows are the truth and the supervisor wakes workers again for what is due. Sending a message is an INSERT
into the same database, so inside a transaction it takes effect together with the rows it announces, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signals import post_execute
from django_q.tasks import async_task

_WORK = "workflows.worker.tasks.work"
_BEAT = "workflows.worker.tasks.heartbeat"
_CHORES = "workflows.worker.tasks.do_chores"
_BATCHES = "workflows.worker.tasks.continue_batches"
_BACKTESTS = "workflows.worker.tasks.continue_backtests"
_RECONCILIATIONS = "workflows.worker.tasks.continue_reconciliations"
#: Inside `wake_once`: how many workers were asked for so far. None where messages are sent at once.
_gathered: ContextVar[list[int] | None] = ContextVar("gathered", default=None)


def wake_worker(times: int = 1) -> None:
    """Wake a worker, or several, to look for work."""
    gathered = _gathered.get()
    if gathered is not None:
        gathered.append(times)
        return
    # A message that is still unread will find this work as well. If a worker takes it before our transaction ends, the
    # sweeper wakes a worker a second later.
    for _ in range(min(times, max(0, settings.WORKERS - unread_messages()))):
        async_task(_WORK)


@contextmanager
def wake_once() -> Iterator[None]:
    """Combine all wake-ups inside the block into one at its end, so that changing many runs does not send a message
    for each."""
    gathered: list[int] = []
    token = _gathered.set(gathered)
    try:
        yield
    finally:
        _gathered.reset(token)
        if gathered:
            wake_worker(max(gathered))


def wake_for_batches() -> None:
    """Ask a worker to continue the batches of decisions about many runs."""
    async_task(_BATCHES)


def wake_for_backtests() -> None:
    """Ask a worker to continue the backtests."""
    async_task(_BACKTESTS)


def wake_for_reconciliations() -> None:
    """Ask a worker to continue the reconciliations."""
    async_task(_RECONCILIATIONS)


def request_heartbeat() -> None:
    """Ask a worker to record a heartbeat."""
    async_task(_BEAT)


def wake_for_chores() -> None:
    """Ask a worker to do the chores."""
    async_task(_CHORES)


def unread_messages() -> int:
    """How many messages no worker has taken yet."""
    return OrmQ.objects.filter(lock__lte=timezone.now()).count()


def when_acknowledged(do: Callable[[], None]) -> None:
    """Call `do` in the process that records results, each time it has recorded one."""

    def receiver(**kwargs: Any) -> None:
        do()

    post_execute.connect(receiver, weak=False, dispatch_uid="pinxero.acknowledged")
