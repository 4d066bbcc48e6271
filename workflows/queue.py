"""The bell: the one seam to django-q2.

The queue carries no knowledge. A message means "look whether there is work"; it may be lost, doubled or late without
harm, because the rows are the truth and the supervisor rings again for what is due. Ringing is an INSERT into the same
database, so inside a transaction it takes effect with the rows that it announces, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.utils import timezone
from django_q.models import OrmQ
from django_q.signals import post_execute
from django_q.tasks import async_task

_WORK = "workflows.tasks.work"
_BEAT = "workflows.tasks.beat"
_CHORES = "workflows.tasks.keep_house"
_BATCHES = "workflows.tasks.go_on_with_batches"
#: While somebody gathers his bells: how many were asked for. None while they ring at once.
_gathered: ContextVar[list[int] | None] = ContextVar("gathered", default=None)


def ring(times: int = 1) -> None:
    """Wake a worker, or several, to look for work."""
    gathered = _gathered.get()
    if gathered is not None:
        gathered.append(times)
        return
    for _ in range(times):
        async_task(_WORK)


@contextmanager
def one_bell() -> Iterator[None]:
    """Let all that is rung inside be one bell at the end: what is done to many runs need not ring for each."""
    gathered: list[int] = []
    token = _gathered.set(gathered)
    try:
        yield
    finally:
        _gathered.reset(token)
        if gathered:
            ring(max(gathered))


def ring_for_batches() -> None:
    """Ask a worker to go on with what is done to many runs."""
    async_task(_BATCHES)


def ring_beat() -> None:
    """Ask a worker for a sign of life."""
    async_task(_BEAT)


def ring_for_chores() -> None:
    """Ask a worker to do the chores."""
    async_task(_CHORES)


def unheard() -> int:
    """How many messages wait for a worker to take them."""
    return OrmQ.objects.filter(lock__lte=timezone.now()).count()


def when_acknowledged(do: Callable[[], None]) -> None:
    """Call this in the process that records results, each time it has recorded one."""

    def receiver(**kwargs: Any) -> None:
        do()

    post_execute.connect(receiver, weak=False, dispatch_uid="pinxero.acknowledged")
