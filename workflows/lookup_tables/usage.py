"""Which workflows use a lookup table, in the draft or as published: in a step, a condition, a mapping."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workflows.language import parser
from workflows.language.mapping import MappingError
from workflows.language.nodes import Apply, Literal, Node
from workflows.lookup_tables.lookup import complaint
from workflows.models import Condition, LookupTable, Mapping, Step, Workflow


def users_of(table: LookupTable) -> list[Workflow]:
    """The team's workflows that name it, ordered by name."""
    found: set[int] = set()
    mine = {workflow.pk: workflow for workflow in Workflow.objects.for_team(table.team).select_related("published")}
    steps = Step.objects.filter(workflow__in=mine).only("workflow_id", "settings")
    found |= {step.workflow_id for step in steps if _names({"step": step.settings}, table.name)}
    texts = Mapping.objects.filter(step__workflow__in=mine, value__contains="lookup")
    found |= {owner for owner, text in texts.values_list("step__workflow_id", "value") if _names(text, table.name)}
    conditions = Condition.objects.filter(step__workflow__in=mine).values(
        "step__workflow_id", "type", "left", "right", "right_until"
    )
    found |= {each["step__workflow_id"] for each in conditions if _names(each, table.name)}
    published = (workflow for workflow in mine.values() if workflow.published is not None)
    found |= {
        workflow.pk for workflow in published if workflow.published and _names(workflow.published.plan, table.name)
    }
    return sorted((mine[pk] for pk in found), key=lambda workflow: workflow.name)


def _names(value: Any, name: str) -> bool:
    """Whether anything in a plan, or in a row of one, looks up in the table."""
    if isinstance(value, str):
        return "lookup" in value and "{{" in value and name in tables_in(value)
    if isinstance(value, list):
        return any(_names(each, name) for each in value)
    if not isinstance(value, dict):
        return False
    if value.get("type") == "lookup" and value.get("right") == name:
        return True
    return value.get("table") == name or any(_names(each, name) for each in value.values())


def complaints(team_id: int, source: str) -> list[str]:
    """What prevents the look-ups of a mapping from working, as far as it names tables and columns literally."""
    if "lookup" not in source:
        return []
    found = (complaint(team_id, table, column) for table, column in asked_in(source))
    return list(dict.fromkeys(filter(None, found)))


def tables_in(source: str) -> set[str]:
    """The lookup tables that a mapping names literally."""
    return {table for table, _ in asked_in(source)}


def asked_in(source: str) -> list[tuple[str, str]]:
    """The tables, each with the column ("" for the row), that a mapping names literally."""
    try:
        return list(_asked(parser.parse(source)))
    except MappingError:
        return []


def _asked(node: Node) -> Iterator[tuple[str, str]]:
    if isinstance(node, Apply) and node.function.name == "lookup":
        table, column = (dict(node.arguments).get(name) for name in ("table", "column"))
        if isinstance(table, Literal) and isinstance(table.constant, str):
            is_named = isinstance(column, Literal) and isinstance(column.constant, str)
            yield table.constant, str(column.constant) if is_named and isinstance(column, Literal) else ""
    for child in node.children():
        yield from _asked(child)
