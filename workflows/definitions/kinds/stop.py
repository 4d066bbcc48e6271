"""Stop: ends the run here, with a message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.db.models import TextChoices

from integrations.schema.schema import Schema, field
from workflows.definitions.checks.reach import Reach
from workflows.definitions.kinds.base import Describer, InWords, PlanStep, StepKind, text_input
from workflows.definitions.step_rows import Placed
from workflows.language.references import Piece


class EndsAs(TextChoices):
    SUCCEEDED = "succeeded", "Done"
    FAILED = "failed", "Failed"
    FILTERED = "filtered", "Filtered"


_WORDS = {EndsAs.SUCCEEDED: "as done", EndsAs.FAILED: "as failed", EndsAs.FILTERED: "as filtered"}


class StopKind(StepKind):
    """Nothing after it runs."""

    key = "stop"
    label = "Stop"
    icon = "stop_circle"
    explanation = "Ends the run here, with a message."
    purpose = "End the run here, as done or as failed, with a message."
    words = ("end", "cancel", "fail", "abort")
    stored_as = {"ends_as": "as"}
    inputs = (
        text_input(
            "message",
            "Message",
            is_required=False,
            help="Shown in the list of runs, and kept with the run.",
            long=True,
        ),
    )

    class Settings(Schema):
        ends_as: EndsAs = field("The run counts as", default=EndsAs.SUCCEEDED)

    def after(self, place: Placed, reach: Reach, follow: Callable[[list[Placed], Reach], Reach | None]) -> Reach | None:
        return None

    def describe(self, step: PlanStep, describer: Describer) -> Iterator[str]:
        message = step["inputs"].get("message")
        end = f", saying {describer.value(message)}" if message else ""
        yield f"Stop here {_WORDS[EndsAs(step['as'])]}{end}."

    def sentence(self, step: PlanStep, value: InWords, called: Mapping[int, str]) -> list[Piece]:
        message = step["inputs"].get("message")
        end = [Piece(": "), *value(message)] if message else [Piece(".")]
        return [Piece(f"Ends the run here, {_WORDS[EndsAs(step['as'])]}"), *end]

    def result(self, step: PlanStep, outcome: Mapping[str, Any], output: Mapping[str, Any], *, is_done: bool) -> str:
        return str(outcome.get("explanation", ""))
