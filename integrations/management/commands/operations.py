"""`manage.py operations`: every trigger and action, for people, as JSON, or as the table in docs/operations.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from integrations.core.exact_json import dumps
from integrations.framework import registry
from integrations.framework.base import Action, Operation, Start, Trigger
from integrations.schema.schema import Field


class Command(BaseCommand):
    help = "List every trigger and action with its inputs."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON, with a JSON Schema of each one's inputs")
        parser.add_argument("--markdown", action="store_true", help="print the rows of the table in docs/operations.md")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["markdown"]:
            for operation in registry.operations():
                self.stdout.write(_row(operation))
            return
        if options["json"]:
            self.stdout.write(dumps([description_of(operation) for operation in registry.operations()]))
            return
        for operation in registry.operations():
            for line in _lines(operation):
                self.stdout.write(line)


def description_of(operation: Operation) -> dict[str, Any]:
    """An operation as the JSON list shows it."""
    return {
        "key": operation.full_key,
        "name": operation.name,
        "kind": _kind(operation),
        "effect": operation.effect.value if isinstance(operation, Action) else None,
        "cadence": _cadence(operation) if isinstance(operation, Trigger) else None,
        "summary": operation.summary,
        "scopes": list(operation.scopes),
        "inputs": [_input(each) for each in operation.Inputs.fields()],
        "schema": operation.Inputs.json_schema(),
        "sample": operation.sample,
    }


def _input(declared: Field) -> dict[str, Any]:
    return {
        "name": declared.name,
        "label": declared.label,
        "type": declared.kind.value,
        "required": declared.is_required,
        "choices": _choices(declared),
        **({"columns": [_input(column) for column in declared.columns]} if declared.columns else {}),
    }


def _choices(declared: Field) -> str | None:
    if declared.fixed_choices:
        return "fixed"
    return "fetched" if declared.dynamic_choices else None


def _kind(operation: Operation) -> str:
    return "action" if isinstance(operation, Action) else "trigger"


def _cadence(trigger: Trigger) -> str:
    """Whether the provider reports what is new, or is polled, or there is no provider."""
    if isinstance(trigger, Start):
        return "started"
    return "instant" if trigger.doorbell else "polled"


def _kind_and_manner(operation: Operation) -> str:
    """Of an action what it does to the provider's data, of a trigger how soon it notices."""
    if isinstance(operation, Action):
        return f"action, {operation.effect.value}"
    return f"trigger, {_cadence(operation)}" if isinstance(operation, Trigger) else _kind(operation)


def _row(operation: Operation) -> str:
    return f"| `{operation.full_key}` | {_kind_and_manner(operation)} | {operation.summary} |"


def _lines(operation: Operation) -> Iterator[str]:
    yield f"{operation.full_key}  {operation.name} ({_kind_and_manner(operation)})"
    yield f"    {operation.summary}"
    yield f"    needs: {', '.join(operation.scopes) or 'no scopes'}"
    for declared in operation.Inputs.fields():
        yield from _input_lines(declared, "    ")
    yield ""


def _input_lines(declared: Field, indent: str) -> Iterator[str]:
    marks = [declared.kind.value, "required" if declared.is_required else ""]
    marks.append(f"{_choices(declared)} choices" if _choices(declared) else "")
    yield f"{indent}- {declared.name}: {declared.label} ({', '.join(mark for mark in marks if mark)})"
    for column in declared.columns:
        yield from _input_lines(column, indent + "    ")
