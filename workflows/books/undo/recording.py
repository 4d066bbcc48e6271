"""Recording that a posting is taken back, in the transaction that records the step which did it.

The engine calls `record` through `lease.RECORDERS`, and a decision of a person beside its own save.
"""

from __future__ import annotations

from collections.abc import Iterable

from workflows.definitions import plans
from workflows.models import StepRun, Undo


def record(rows: Iterable[StepRun]) -> None:
    """Mark what these step runs took back. They must be stored themselves, in the same transaction."""
    for row in rows:
        if row.state == StepRun.State.SUCCEEDED and plans.is_undoing(row.operation):
            asked = Undo.objects.filter(run=row.run_id, step=row.step, state=Undo.State.ASKED)
            asked.update(state=Undo.State.DONE, done_at=row.finished_at)
