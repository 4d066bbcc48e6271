"""Approval: asks people something, and waits until they have decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import TextChoices

from integrations.models import Role
from integrations.schema.fields import Field
from integrations.schema.schema import Schema, field
from workflows.definitions.kinds.base import Describer, Examples, InWords, PlanStep, Standing, StepKind, text_input
from workflows.language.references import Piece

MOST_PEOPLE = 5


class Who(TextChoices):
    APPROVER = Role.APPROVER.value, "Approvers"
    ADMINISTRATOR = Role.ADMINISTRATOR.value, "Administrators"


class Refused(TextChoices):
    FAIL = "fail", "The step fails"
    GO_ON = "go_on", "The run goes on; a condition can look at what was decided"


class ApprovalKind(StepKind):
    """A question beside the team's policy: whoever built, edited or started it does not answer it."""

    key = "approval"
    label = "Approval"
    icon = "approval"
    explanation = "Asks people, and waits until they have decided."
    purpose = "Ask approvers something before the run goes on, beside the team's policy."
    words = ("approve", "ask", "question", "sign off", "confirm", "four eyes")
    can_fail = True
    inputs = (
        text_input(
            "message",
            "What do you ask?",
            is_required=True,
            help="May hold values. They find it under Approvals, and get a mail.",
            long=True,
        ),
    )

    class Settings(Schema):
        who: Who = field("Who decides", default=Who.APPROVER)
        people: int = field("How many of them", default=1, help="Who built, edited or started it is none of them.")
        refused: Refused = field("If it is refused, or nobody decides in time", default=Refused.FAIL)

    def setting_problem(self, f: Field, value: Any) -> str:
        if f.name == "people" and not 1 <= int(value) <= MOST_PEOPLE:
            return f"{f.label} is a number from 1 to {MOST_PEOPLE}; this is {value}."
        return ""

    def describe(self, step: PlanStep, describer: Describer) -> Iterator[str]:
        message = describer.value(step["inputs"].get("message", "")).strip('"')
        end = "the step fails" if step["refused"] == Refused.FAIL else "go on all the same"
        yield f"Ask {_people(step)}: {message}. Wait until they have decided; if it is refused, {end}."

    def sentence(self, step: PlanStep, value: InWords, called: Mapping[int, str]) -> list[Piece]:
        return [Piece(f"Asks {_people(step)}: "), *value(step["inputs"].get("message"))]

    def result(self, step: PlanStep, outcome: Mapping[str, Any], output: Mapping[str, Any], *, is_done: bool) -> str:
        message = str(outcome.get("message", ""))
        if not output.get("decision"):
            return f"Asked: {message}" if message else ""
        reason = f": {output['reason']}" if output.get("reason") else ""
        by = f" by {output['by']}" if output.get("by") else ""
        return f"Asked: {message} {str(output['decision']).capitalize()}{by}{reason}"

    def example(self, place: Standing, data: Mapping[str, Any], examples: Examples) -> Any:
        return {"decision": "approved", "by": "approver", "reason": ""}


def _people(step: PlanStep) -> str:
    names = {Who.APPROVER: ("an approver", "approvers"), Who.ADMINISTRATOR: ("an administrator", "administrators")}
    one, many = names[Who(step["who"])]
    return one if step["people"] == 1 else f"{step['people']} {many}"
