"""Rows of workflows: what people write (definition), what the machine writes (execution), what both sign (control).

`release` is between: what a person wants of the past, and what the machine made of it.
"""

from workflows.models.backup import Backup
from workflows.models.control import Decision
from workflows.models.definition import Condition, Mapping, Step, Workflow, WorkflowVersion
from workflows.models.execution import Beat, Event, Run, SeenItem, StepRun, TriggerState
from workflows.models.lookup import LookupRow, LookupTable, LookupVersion
from workflows.models.release import Release
from workflows.models.starts import ApiCall, ApiToken, InboundHook, Schedule, Upload
from workflows.models.survival import Batch, Notice, Safeguards

__all__ = [
    "ApiCall",
    "ApiToken",
    "Backup",
    "Batch",
    "Beat",
    "Condition",
    "Decision",
    "Event",
    "InboundHook",
    "LookupRow",
    "LookupTable",
    "LookupVersion",
    "Mapping",
    "Notice",
    "Release",
    "Run",
    "Safeguards",
    "Schedule",
    "SeenItem",
    "Step",
    "StepRun",
    "TriggerState",
    "Upload",
    "Workflow",
    "WorkflowVersion",
]
