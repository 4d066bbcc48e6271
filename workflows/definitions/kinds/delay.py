"""Delay: waits, then continues automatically."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db.models import TextChoices

from integrations.schema.fields import Field
from integrations.schema.schema import Schema, field
from workflows.definitions.kinds.base import Describer, Examples, InWords, PlanStep, Standing, StepKind, is_time_of_day
from workflows.language.references import Piece


class How(TextChoices):
    FOR = "for", "For some time"
    UNTIL = "until", "Until a date or time"
    UNTIL_WORKING_DAY = "until_working_day", "Until it is a working day"


class Unit(TextChoices):
    MINUTES = "minutes", "minutes"
    HOURS = "hours", "hours"
    DAYS = "days", "days"
    WORKING_DAYS = "working_days", "working days"


class DelayKind(StepKind):
    """The run waits without occupying a worker."""

    key = "delay"
    label = "Delay"
    icon = "schedule"
    explanation = "Waits, then goes on by itself."
    purpose = "Wait for some days, until a date, or until the next working day."
    words = ("pause", "later", "days", "working day", "until", "schedule")
    can_fail = True
    mapped = frozenset({"amount", "moment"})
    only_if = {
        "amount": ("how", How.FOR),
        "unit": ("how", How.FOR),
        "moment": ("how", How.UNTIL),
        "at": ("how", How.UNTIL_WORKING_DAY),
    }
    widgets = {"at": "time"}

    class Settings(Schema):
        how: How = field("How long", default=How.FOR)
        amount: str = field("How many", help="A number, or a value that is one.")
        unit: Unit = field("Unit", default=Unit.DAYS)
        moment: datetime = field(
            "Date or time",
            help="A day begins at midnight where the books are kept. What is past already is not waited for.",
        )
        at: str = field("Not before", default="09:00", help="The time of the working day, where the books are kept.")

    def setting_problem(self, f: Field, value: Any) -> str:
        if f.name == "at" and not is_time_of_day(value):
            return f'{f.label} takes a time of day such as 09:00; this is "{value[:20]}".'
        return ""

    def describe(self, step: PlanStep, describer: Describer) -> Iterator[str]:
        if step["how"] == How.UNTIL:
            yield f"Wait until {describer.value(step['moment'])}."
        elif step["how"] == How.UNTIL_WORKING_DAY:
            yield f"Wait until it is a working day, {step['at']} or later."
        else:
            unit = str(Unit(step["unit"]).label)
            amount = describer.value(step["amount"]).strip('"')
            yield f"Wait for {amount} {unit.replace('days', 'day') if amount == '1' else unit}."

    def sentence(self, step: PlanStep, value: InWords, called: Mapping[int, str]) -> list[Piece]:
        if step["how"] == How.FOR:
            return [Piece("Waits "), *value(step["amount"]), Piece(f" {Unit(step['unit']).label}.")]
        if step["how"] == How.UNTIL:
            return [Piece("Waits until "), *value(step["moment"]), Piece(".")]
        return [Piece(f"Waits until it is a working day, and not before {step['at']}.")]

    def result(self, step: PlanStep, outcome: Mapping[str, Any], output: Mapping[str, Any], *, is_done: bool) -> str:
        if not outcome.get("until"):
            return ""
        until = datetime.fromisoformat(str(output.get("until") or outcome["until"]))
        moment = f"{until:%A}, {until.day} {until:%B %Y}, {until:%H:%M} ({outcome.get('zone', 'UTC')})"
        return f"{'Waited' if is_done else 'Waits'} until {moment}."

    def example(self, place: Standing, data: Mapping[str, Any], examples: Examples) -> Any:
        return {"until": "2026-11-30T09:00:00+00:00"}
