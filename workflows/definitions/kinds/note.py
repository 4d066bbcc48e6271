"""Note: a text in the workflow for colleagues and auditors; it does nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workflows.definitions.kinds.base import Describer, InWords, PlanStep, StepKind, text_input
from workflows.language.references import Piece


class NoteKind(StepKind):
    """May hold values, so that a run shows what they were at that point."""

    key = "note"
    label = "Note"
    icon = "sticky_note_2"
    explanation = "A text for colleagues and auditors. It stands in the workflow and on every run, and does nothing."
    purpose = "Explain something to colleagues and auditors, right where it happens."
    words = ("comment", "remark", "explanation", "document")
    is_numbered = False
    can_fail = False
    inputs = (
        text_input(
            "text",
            "Text",
            is_required=True,
            help="May hold values: a run's page then shows what they were.",
            long=True,
        ),
    )

    def describe(self, step: PlanStep, describer: Describer) -> Iterator[str]:
        text = describer.value(step["inputs"].get("text", "")).strip('"')
        yield f"Note: {text}"

    def sentence(self, step: PlanStep, value: InWords, called: Mapping[int, str]) -> list[Piece]:
        return value(step["inputs"].get("text"))

    def result(self, step: PlanStep, outcome: Mapping[str, Any], output: Mapping[str, Any], *, is_done: bool) -> str:
        return str(outcome.get("text", ""))
