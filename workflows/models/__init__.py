"""Rows of workflows: what people write (definition), what the machine writes (execution), what both sign (control).

`release` is between: what a person wants of the past, and what the machine made of it.
"""

from workflows.models.backup import Backup
from workflows.models.control import Decision
from workflows.models.definition import Condition, Mapping, Step, Workflow, WorkflowVersion
from workflows.models.execution import Beat, Event, Run, SeenItem, StepRun, TriggerState
from workflows.models.release import Release

__all__ = [
    "Backup",
    "Beat",
    "Condition",
    "Decision",
    "Event",
    "Mapping",
    "Release",
    "Run",
    "SeenItem",
    "Step",
    "StepRun",
    "TriggerState",
    "Workflow",
    "WorkflowVersion",
]
