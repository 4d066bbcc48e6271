"""What a preview keeps in memory where a run writes rows: step runs that are never stored, and what is known beside."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from workflows.engine.lease import Lease
from workflows.models import Run, StepRun
from workflows.preview.ending import Ending
from workflows.preview.limits import Limits, Walk


@dataclass
class CalledPreview:
    """The preview of a workflow that a step calls."""

    run: Run
    ending: Ending
    rows: list[PreviewRow]


@dataclass
class PreviewRow:
    """A step as the preview went through it. `predicted_inputs` are the paths of inputs with predicted values.

    `is_predicted` says that what it gives, or what it decided, hangs on a prediction; `examples` are the paths in its
    output that come from an example and not from what it would write, `earlier` those that come from the last real
    output of its operation, which `earlier_run` gave. `reads_earlier` says that a predicted input comes from such a
    one, so that it may name another record. `is_forced` says that a run would not get there, or not past it.
    """

    step_run: StepRun
    predicted_inputs: list[str] = field(default_factory=list)
    reads_earlier: bool = False
    is_predicted: bool = False
    is_written: bool = False
    is_passed: bool = False
    is_forced: bool = False
    note: str = ""
    examples: list[str] = field(default_factory=list)
    earlier: list[str] = field(default_factory=list)
    earlier_run: int | None = None
    findings: list[dict[str, Any]] = field(default_factory=list)
    called: CalledPreview | None = None


@dataclass
class PreviewLease(Lease):
    """A lease on nothing: step runs are kept here instead of being stored, and calls are made while there is time."""

    run_id: int = 0
    token: int = 0
    walk: Walk = field(default_factory=lambda: Walk(Limits()))
    rows: dict[int, PreviewRow] = field(default_factory=dict)

    def row_of(self, step_run: StepRun) -> PreviewRow:
        """What is kept of this step run."""
        return self.rows.setdefault(id(step_run), PreviewRow(step_run))

    def keep(self) -> None:
        self.walk.check_time()

    def note(self, step_run: StepRun, *, fields: Collection[str] | None = None, is_urgent: bool = False) -> None:
        self.row_of(step_run)

    def record(
        self, step_run: StepRun | None = None, *, run: dict[str, Any] | None = None, unless_cancelled: bool = False
    ) -> None:
        if step_run is not None:
            self.row_of(step_run)

    def drop_notes(self) -> None:
        return None

    def is_cancelled(self, step_run: StepRun) -> bool:
        return False
