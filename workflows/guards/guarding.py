"""The gate: every guard of the team is asked, at every send, and a write waits for all the reasons that there are.

A guard gives a `Stop` or None. What is held waits until a person lets exactly these bytes go, for all the reasons that
hold them then. Taking back what was written is no new document: no guard looks at it.
"""

from __future__ import annotations

from workflows.engine import step_support
from workflows.engine.waits import WaitError
from workflows.engine.writes import gates, uncertain
from workflows.engine.writes.gates import Intent
from workflows.guards import duplicates, largest, live, locked, settings, volume
from workflows.guards.stops import Stop

#: Asked in this order; what one refuses is not held by those after it.
GUARDS = (locked.look, duplicates.look, live.look, largest.look, volume.look)


def gate(intent: Intent) -> None:
    """Let the write pass, or raise what stops it. Registered in `gates.GATES`."""
    known = settings.of_run(intent.run)
    if known.are_off or intent.run.is_undo:
        return
    stops = [stop for look in GUARDS if (stop := look(intent, known)) is not None]
    for stop in stops:
        if stop.refuses:
            raise _refused(intent, stop)
    held: WaitError | None = None
    for stop in stops:
        try:
            gates.hold(intent, stop.code, stop.message)
        except WaitError as wait:
            held = held or wait
    if held is not None:
        raise held


def _refused(intent: Intent, stop: Stop) -> Exception:
    """A failed step; where it may have been written already, a person looks at it instead."""
    step_support.attempt(intent.step_run, "guard", "refused", message=stop.message)
    if intent.is_repeat:
        return uncertain.review(
            intent.context,
            intent.step_run,
            f"It was sent, no clear answer came, and a guard does not let it go again: {stop.message} Look at the "
            "provider yourself, then say whether it was written.",
        )
    return step_support.fail(intent.context, intent.step_run, f"{stop.message} Nothing was sent.")
