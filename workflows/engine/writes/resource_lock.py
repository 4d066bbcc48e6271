"""The lock that a write takes if it reads something and writes it back as a whole.

See `integrations.transport.resource_lock`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from integrations.framework.base import Action
from integrations.transport import resource_lock
from workflows.engine.waits import RESOURCE_LOCK_PAUSE, WaitError
from workflows.models import Run, StepRun

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext

State = StepRun.State


@contextmanager
def locked(
    context: RunContext, step: Mapping[str, Any], step_run: StepRun, action: Action, inputs: Any
) -> Iterator[None]:
    """Allow only one run at a time between reading and writing what is written as a whole. Raises WaitError while
    another run has the lock; that does not count as an attempt. A write without a clear answer takes the lock again
    before it continues: the lock may have expired."""
    key = action.lock_key(inputs)
    if not key:
        yield
        return
    token = resource_lock.take(
        context.connections[step["connection"]].pk, key, holder=step_run.marker.removeprefix("PX-")[:8]
    )
    if not token:
        context.lease.record(step_run)
        reason = Run.WaitReason.UNCERTAIN if step_run.state == State.UNCERTAIN else Run.WaitReason.RETRY
        raise WaitError(reason, pause=RESOURCE_LOCK_PAUSE, message="Another run is changing the same thing first.")
    try:
        yield
    finally:
        # A write of unknown outcome may still be in progress: then the lock expires by itself.
        if step_run.state not in {State.SENT, State.UNCERTAIN}:
            resource_lock.give_back(token)
