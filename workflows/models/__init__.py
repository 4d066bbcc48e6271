"""The tables: what people define (definition), what the machine records (execution), people's decisions (decision),
starts, samples, safeguards and notices (survival), lookup tables, previews, backtests, backups, postings (what
was written), what a team allows (controls), backfills (release), and what work in portions has in common.

May use the rows of `integrations` and nothing above. Begin with `definition.py`, then `execution.py`.
"""

from workflows.models.backtest import Backtest, BacktestDocument, BacktestItem
from workflows.models.backup import Backup
from workflows.models.controls.approval import (
    Approval,
    ApprovalDelegation,
    ApprovalExclusion,
    ApprovalRequest,
    PolicyDraft,
    PolicyVersion,
    TeamControls,
    WriteHold,
)
from workflows.models.controls.change_control import ControlsChange, PublicationRequest
from workflows.models.controls.guard import GuardLimit, TeamGuards
from workflows.models.decision import Decision
from workflows.models.definition import Condition, DeletedStep, Mapping, Step, Workflow, WorkflowVersion
from workflows.models.execution import Beat, Event, Run, SeenItem, StepRun, TriggerState
from workflows.models.lookup import LookupRow, LookupTable, LookupVersion
from workflows.models.posting import Posting, PostingLine, Reconciliation, ReconciliationFinding, Undo
from workflows.models.preview import Preview, PreviewStep
from workflows.models.release import Release
from workflows.models.revision import Revised, WorkflowPart
from workflows.models.sample import FetchedOutput, SampleItem, SampleReading
from workflows.models.starts import ApiCall, ApiToken, InboundHook, Schedule, Upload
from workflows.models.survival import Batch, Notice, Safeguards

__all__ = [
    "ApiCall",
    "ApiToken",
    "Approval",
    "ApprovalDelegation",
    "ApprovalExclusion",
    "ApprovalRequest",
    "Backtest",
    "BacktestDocument",
    "BacktestItem",
    "Backup",
    "Batch",
    "Beat",
    "Condition",
    "ControlsChange",
    "Decision",
    "DeletedStep",
    "Event",
    "FetchedOutput",
    "GuardLimit",
    "InboundHook",
    "LookupRow",
    "LookupTable",
    "LookupVersion",
    "Mapping",
    "Notice",
    "PolicyDraft",
    "PolicyVersion",
    "Posting",
    "PostingLine",
    "Preview",
    "PreviewStep",
    "PublicationRequest",
    "Reconciliation",
    "ReconciliationFinding",
    "Release",
    "Revised",
    "Run",
    "Safeguards",
    "SampleItem",
    "SampleReading",
    "Schedule",
    "SeenItem",
    "Step",
    "StepRun",
    "TeamControls",
    "TeamGuards",
    "TriggerState",
    "Undo",
    "Upload",
    "Workflow",
    "WorkflowPart",
    "WorkflowVersion",
    "WriteHold",
]
