"""The kinds of step, one class each: what it holds and asks for, how it is checked, described and compiled.

May use the language, the rows of steps and what they may refer to; knows nothing of pages or of the engine.
Begin with `base.py`, which defines a kind; then read `delay.py`, an example.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflows.definitions.kinds.action import ActionKind
from workflows.definitions.kinds.approval import ApprovalKind
from workflows.definitions.kinds.base import StepKind
from workflows.definitions.kinds.branch import BranchKind
from workflows.definitions.kinds.call import CallKind
from workflows.definitions.kinds.delay import DelayKind
from workflows.definitions.kinds.filter import FilterKind
from workflows.definitions.kinds.format import FormatKind
from workflows.definitions.kinds.limits import (
    ITERATION,
    MOST_CALLS,
    MOST_ITERATIONS,
    MOST_ITERATIONS_OF_A_RUN,
    MOST_LEVELS,
    USUAL_ITERATIONS,
)
from workflows.definitions.kinds.lookup import LookupKind
from workflows.definitions.kinds.loop import LoopKind
from workflows.definitions.kinds.note import NoteKind
from workflows.definitions.kinds.path import PathKind
from workflows.definitions.kinds.stop import StopKind

__all__ = [
    "ITERATION",
    "KINDS",
    "MOST_CALLS",
    "MOST_ITERATIONS",
    "MOST_ITERATIONS_OF_A_RUN",
    "MOST_LEVELS",
    "USUAL_ITERATIONS",
    "NoteKind",
    "StepKind",
    "label_of",
    "of",
    "read_settings",
    "settings_problems",
]

#: Every kind by its key, in the order in which they are offered.
KINDS: dict[str, StepKind] = {
    kind.key: kind
    for kind in (
        ActionKind(),
        FilterKind(),
        BranchKind(),
        PathKind(),
        LoopKind(),
        FormatKind(),
        LookupKind(),
        DelayKind(),
        ApprovalKind(),
        CallKind(),
        StopKind(),
        NoteKind(),
    )
}


def of(kind: str) -> StepKind:
    """The kind with this key. Raises KeyError if there is none."""
    return KINDS[kind]


def label_of(kind: str) -> str:
    """The kind as people read it."""
    return "Turn of a loop" if kind == ITERATION else KINDS[kind].label if kind in KINDS else kind


def read_settings(kind: str, stored: Mapping[str, Any] | None) -> dict[str, Any]:
    """Every setting that counts for the kind at present, by name; its default if the value is unusable."""
    return KINDS[kind].read(stored)


def settings_problems(kind: str, stored: Mapping[str, Any] | None) -> dict[str, str]:
    """{setting: sentence} for each that stops publishing."""
    return KINDS[kind].setting_problems(stored)
