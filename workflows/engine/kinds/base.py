"""The engine's half of a kind of step: how it is performed, and what follows.

The other half, what people see and set, is in `workflows.definitions.kinds`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workflows.models import StepRun

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext

PlanStep = Mapping[str, Any]
#: Runs a list of steps.
RunSteps = Callable[["RunContext", list[dict[str, Any]]], None]


def _holds_nothing(step: PlanStep, step_run: StepRun) -> None:
    return None


def _nothing_follows(step: PlanStep, step_run: StepRun) -> list[dict[str, Any]]:
    return []


@dataclass(frozen=True)
class Handler:
    """What the engine does with a kind of step.

    `perform` does the step as far as it goes now; it raises what ends or interrupts the run. `end_again` is called for
    a step that is finished already: it raises again what ended the run there. `follow` gives the steps inside it that
    run next.
    """

    perform: Callable[[RunContext, PlanStep, StepRun, RunSteps], None]
    end_again: Callable[[PlanStep, StepRun], None] = _holds_nothing
    follow: Callable[[PlanStep, StepRun], list[dict[str, Any]]] = _nothing_follows
    #: Whether a failed step of this kind ends the run as `end_again` says, whatever its error setting is.
    ends_when_failed: bool = False


__all__ = ["Handler", "PlanStep", "RunSteps"]
