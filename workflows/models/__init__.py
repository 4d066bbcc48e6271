"""Rows of workflows: what people write (definition), what the machine writes (execution), what both sign (control)."""

from workflows.models.control import Decision
from workflows.models.definition import Condition, Mapping, Step, Workflow, WorkflowVersion
from workflows.models.execution import Beat, Event, Run, SeenItem, StepRun, TriggerState

__all__ = [
    "Beat",
    "Condition",
    "Decision",
    "Event",
    "Mapping",
    "Run",
    "SeenItem",
    "Step",
    "StepRun",
    "TriggerState",
    "Workflow",
    "WorkflowVersion",
]
