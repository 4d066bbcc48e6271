"""`manage.py operations`: every trigger and action there is, for people or as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from integrations import registry
from integrations.base import Action, Operation
from integrations.jsonfield import dumps
from integrations.schema import Field


class Command(BaseCommand):
    help = "List every trigger and action with its inputs."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON, with a JSON Schema of each one's inputs")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["json"]:
            self.stdout.write(dumps([told(operation) for operation in registry.operations()]))
            return
        for operation in registry.operations():
            for line in _lines(operation):
                self.stdout.write(line)


def told(operation: Operation) -> dict[str, Any]:
    """An operation as the JSON list shows it."""
    return {
        "key": operation.full_key,
        "name": operation.name,
        "kind": _kind(operation),
        "effect": operation.effect.value if isinstance(operation, Action) else None,
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


def _lines(operation: Operation) -> Iterator[str]:
    effect = f", {operation.effect.value}" if isinstance(operation, Action) else ""
    yield f"{operation.full_key}  {operation.name} ({_kind(operation)}{effect})"
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
