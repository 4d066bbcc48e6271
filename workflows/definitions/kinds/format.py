"""Format: names values for later steps to use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workflows.definitions.kinds.base import Describer, Examples, NamedValues, PlanStep, Standing, StepKind, end_of


class FormatKind(StepKind):
    """Each value becomes an output of the step under its name."""

    key = "format"
    label = "Format"
    icon = "calculate"
    explanation = "Names values for later steps to use."
    purpose = "Work out an amount, a date or a text once, and give it a name."
    words = ("calculate", "sum", "total", "tax", "VAT", "round", "date", "formula", "currency")
    can_fail = True
    named = NamedValues(
        "values",
        "Values",
        "Later steps find each under its name.",
        plan_key="values",
        is_needed=True,
    )

    def describe(self, step: PlanStep, describer: Describer) -> Iterator[str]:
        yield f"Name values: {describer.values(step['values'])}.{end_of(step)}"

    def example(self, place: Standing, data: Mapping[str, Any], examples: Examples) -> Any:
        found = {row.input: examples.evaluate(row.value, data) for row in place.step.mappings.all()}
        return {name: "" if value is None else value for name, value in found.items()}
