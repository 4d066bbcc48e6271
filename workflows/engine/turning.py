"""The turn that a write takes where it reads something and writes it back as a whole; see `integrations.turns`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from integrations import turns
from integrations.base import Action
from workflows.engine.waiting import TURN_PAUSE, WaitError
from workflows.models import Run, StepRun

if TYPE_CHECKING:
    from workflows.engine.walk import Walk

State = StepRun.State


@contextmanager
def turn_of(walk: Walk, step: Mapping[str, Any], step_run: StepRun, action: Action, inputs: Any) -> Iterator[None]:
    """Only one run at a time between the reading and the writing of what is written as a whole. Raises WaitError while
    it is another's turn; that is no try."""
    key = action.turn(inputs)
    if not key:
        yield
        return
    token = turns.take(walk.connections[step["connection"]].pk, key)
    if not token:
        walk.lease.record(step_run)
        raise WaitError(Run.WaitReason.RETRY, pause=TURN_PAUSE, message="Another run is changing the same thing first.")
    try:
        yield
    finally:
        # A write of unknown outcome may still be under way: then the turn ends by itself.
        if step_run.state not in {State.SENT, State.UNCERTAIN}:
            turns.give_back(token)
