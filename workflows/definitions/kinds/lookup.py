"""Lookup: finds a value in one of the team's lookup tables and gives the rest of its row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import TextChoices

from integrations.schema.fields import Choice, Field
from integrations.schema.schema import Schema, field
from workflows.definitions.kinds.base import (
    Complaint,
    Describer,
    Examples,
    InWords,
    PlanStep,
    Standing,
    StepKind,
    end_of,
    text_input,
)
from workflows.language.references import Piece
from workflows.lookup_tables import lookup
from workflows.models import LookupTable, Step, Workflow


class Missing(TextChoices):
    FAIL = "fail", "The step fails"
    DEFAULT = "default", "A default is used"


class LookupKind(StepKind):
    """Gives `value`, `found`, and every column of the row."""

    key = "lookup"
    label = "Lookup table"
    icon = "table_view"
    explanation = "Looks a value up in a table of your own."
    purpose = "Turn one value into another: a board into its account."
    words = ("mapping", "translate", "table", "price list", "account code", "SKU")
    can_fail = True

    class Settings(Schema):
        table: str = field("Lookup table")
        missing: Missing = field("If it is not there", default=Missing.FAIL)

    inputs = (
        text_input(
            "value",
            "What to look up",
            is_required=True,
            help="What stands in the table's first column; capitals and spaces do not matter.",
        ),
        text_input("default", "Default", is_required=False, help="Only used where the value is not in the table."),
    )

    @property
    def deciding(self) -> frozenset[str]:
        return frozenset({"missing"})

    def asks_for(self, f: Field, chosen: Mapping[str, Any]) -> bool:
        return f.name != "default" or chosen.get("missing") == Missing.DEFAULT

    def options(self, workflow: Workflow, lists: Sequence[Choice]) -> dict[str, Sequence[Choice]]:
        tables = LookupTable.objects.for_team(workflow.team).filter(is_archived=False).order_by("name")
        return {"table": [(name, name) for name in tables.values_list("name", flat=True)]}

    def lacks(self, options: Mapping[str, Sequence[Choice]]) -> str:
        if options["table"]:
            return ""
        return "There are no lookup tables yet. Add one under Lookup tables first, then come back."

    def own_problems(
        self, step: Step, read: Mapping[str, Any], given: Mapping[str, Any], workflow: Workflow
    ) -> Iterator[Complaint]:
        if read["missing"] == Missing.DEFAULT and "default" not in given:
            yield Complaint("default", "Default is needed, but nothing was given.")
        if read["table"] and (problem := lookup.complaint(workflow.team_id, read["table"])):
            yield Complaint("table", problem)

    def describe(self, step: PlanStep, describer: Describer) -> Iterator[str]:
        value = describer.value(step["inputs"].get("value", ""))
        end = ""
        if step["missing"] == Missing.DEFAULT:
            end = f", and take {describer.value(step['inputs'].get('default', ''))} where it is not there"
        yield f"Look {value} up in the table “{step['table']}”{end}.{end_of(step)}"

    def sentence(self, step: PlanStep, value: InWords, called: Mapping[int, str]) -> list[Piece]:
        inputs = step["inputs"]
        missing = [Piece("the step fails.")]
        if step["missing"] == Missing.DEFAULT:
            missing = [*value(inputs.get("default")), Piece(" is used.")]
        middle = f" in the table {step['table'] or '…'}. If it is not there, "
        return [Piece("Looks up "), *value(inputs.get("value")), Piece(middle), *missing]

    def result(self, step: PlanStep, outcome: Mapping[str, Any], output: Mapping[str, Any], *, is_done: bool) -> str:
        if "found" not in output:
            return ""
        where = f"the lookup table “{step['table']}”"
        version = f", version {outcome['version']}" if outcome.get("version") else ""
        return f"Found in {where}{version}." if output["found"] else f"Not in {where}, so the default is used."

    def example(self, place: Standing, data: Mapping[str, Any], examples: Examples) -> Any:
        return examples.first_row(str(place.step.settings.get("table") or ""))
