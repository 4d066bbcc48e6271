"""Action steps that write: the step protocol.

A write is recorded, byte for byte, before it is sent. After that, one of three things is known about it. It happened:
the answer said so, or a look-up found its marker. It certainly did not: the provider refused it, or it was never sent.
Or nobody knows: then it is *uncertain*, and it is settled before anything else happens:

1. Inside the provider's window for repeated keys, the same bytes are sent again under the same key, after a pause, if
   what they were made from still reads the same (`settling`).
2. Later, or where the provider keeps no keys, or where the key's stored answer is an error: wait until the last send
   has certainly ended, then look for the write, three times with growing pauses, because lists lag behind. Only what is
   provably this step's is adopted (`belonging`); several hits are an alarm.
3. Not found: sent again under a new key if nothing at the provider can be the write, else a person decides.

Where there is nothing to look the write up in (an e-mail, a call to some host), a person decides at once.

People, other apps and other runs act between a send and its look-up. So:

- Without a marker at the provider, what already looks like the write before it is sent is recorded and never adopted,
  nor is what another run holds. What differs from the write, or may be another run's, is for a person to judge.
- A missing marker proves nothing where people can edit it: then all unexplained changes since the send are shown.
- Before every second send, the write is read and built again, under a newly taken resource lock. A record that is
  neither as first read nor as wanted is somebody's work, and is not overwritten.
- A 401 or 429 counts as not executed, but before the second send a key or one look-up must confirm it.

The cost: one more read before unmarked writes and repetitions, and a person is asked where the machine would guess.

Source: Xero's idempotency guide (a key's answer, errors included, is kept for six minutes) and the experiments in which
the key alone, and a look-up without the settling time, still wrote twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workflows.engine import step_support
from workflows.engine.writes import gates, resource_lock, sending, settling
from workflows.models import StepRun

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext

State = StepRun.State


def perform(context: RunContext, step: Mapping[str, Any], step_run: StepRun) -> None:
    """Take the write as far as it goes now. Raises a wait or a review where it is not settled yet."""
    action = step_support.action_of(step)
    if step_run.state == State.SENT:
        # Still in this state after a claim: the worker that sent it is gone, and the answer with it.
        step_run.state = State.UNCERTAIN
        step_support.attempt(step_run, "send", "unknown", message="The worker died before the answer was recorded.")
        context.lease.record(step_run)
    if step_run.state == State.PENDING and step_run.first_sent_at is not None:
        # Deferred, perhaps by a gateway after the write was made: settled before it is sent a second time.
        step_run.state = State.UNCERTAIN
    if step_run.state == State.UNCERTAIN:
        sent = settling.inputs_as_sent(context, step, step_run, action)
        settling.settle(context, step, step_run, action, step_support.client(context, step, step_run), sent)
        return
    step_run.marker = step_run.marker or f"PX-{secrets.token_hex(8)}"
    api, inputs = step_support.client(context, step, step_run), step_support.inputs_of(context, step, step_run, action)
    inputs = gates.adjusted(context, step, step_run, action, api, inputs)
    with resource_lock.locked(context, step, step_run, action, inputs):
        if sending.intend(context, step, step_run, action, api, inputs):
            sending.send(context, step, step_run, action, api)
