"""What the engine does with each kind of step: one module per kind, each with its `HANDLER`.

May use everything of the engine but the interpreter, which calls it. Begin with `base.py`, then `filter.py`.
"""

from __future__ import annotations

from workflows.engine.kinds import action, approval, branch, call, delay, filter, format, lookup, loop, note, stop
from workflows.engine.kinds.base import Handler

#: By kind. Paths have no handler: their branch says which one runs.
HANDLERS: dict[str, Handler] = {
    "action": action.HANDLER,
    "filter": filter.HANDLER,
    "branch": branch.HANDLER,
    "loop": loop.HANDLER,
    "delay": delay.HANDLER,
    "approval": approval.HANDLER,
    "format": format.HANDLER,
    "lookup": lookup.HANDLER,
    "call": call.HANDLER,
    "stop": stop.HANDLER,
    "note": note.HANDLER,
}

__all__ = ["HANDLERS", "Handler"]
