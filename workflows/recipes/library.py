"""The recipes, read from the folder `files`.

A file is an exported workflow (`definitions/export_import`) with one more key:

    "recipe": {"order": 10, "group": "...", "sentence": "...",
               "gaps": [{"name": "board_id", "label": "Board", "help": "...", "default": "", "is_needed": true}]}

A gap stands in the plan as `[[board_id]]`. Where it is the whole value of an operation's input, the input says what it
holds, and which list it is picked from; anywhere else the file says so: `"holds"` is a text, a number or e-mail
addresses. Its connections have the provider's key as key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from typing import Any

from integrations.framework import registry
from integrations.framework.base import Connector, Start
from integrations.schema.fields import Field, Kind
from workflows.definitions import export_import, plans
from workflows.definitions.export_import import Portable

GAP = re.compile(r"\[\[([a-z][a-z0-9_]*)\]\]")
_KINDS = {"text": Kind.TEXT, "number": Kind.NUMBER, "emails": Kind.TEXT}


@dataclass(frozen=True)
class Gap:
    """Something that a person fills in. `connection` is the key of the connection whose list it is picked from; ""
    if there is none."""

    declared: Field
    connection: str = ""
    holds_emails: bool = False

    @property
    def name(self) -> str:
        """What it is called in the file."""
        return self.declared.name


@dataclass(frozen=True)
class Recipe:
    """A workflow to start from. `sentence` says what it does, `group` under which heading it stands."""

    key: str
    order: int
    group: str
    sentence: str
    file: Portable
    gaps: tuple[Gap, ...]

    @property
    def name(self) -> str:
        """What a workflow made from it is called."""
        return self.file.name

    @property
    def words(self) -> str:
        """What people find it by: what it is called and does, its connectors, and the words of its steps."""
        used = [registry.operation(place["operation"]) for place in places(self.file.plan)]
        steps = [text for each in used for text in (each.name, *each.words)]
        return " ".join([self.name, self.sentence, self.file.description, *(c.name for c in self.connectors), *steps])

    @property
    def connectors(self) -> list[Connector]:
        """The connectors that it uses, each once, in the order of its steps; a start is none."""
        used = (registry.operation(place["operation"]) for place in places(self.file.plan))
        return list(dict.fromkeys(each.connector for each in used if not isinstance(each, Start)))


@lru_cache(maxsize=1)
def recipes() -> tuple[Recipe, ...]:
    """All recipes in their order."""
    folder = resources.files("workflows.recipes") / "files"
    read = (_recipe(each.name.removesuffix(".json"), each.read_text()) for each in folder.iterdir())
    return tuple(sorted(read, key=lambda recipe: (recipe.order, recipe.key)))


def find(key: str) -> Recipe | None:
    """The recipe with this key."""
    return next((each for each in recipes() if each.key == key), None)


def places(plan: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The trigger and every step with an operation."""
    yield plan["trigger"]
    yield from (step for step, _ in plans.each_step(plan) if step.get("operation"))


def _recipe(key: str, text: str) -> Recipe:
    file, told = export_import.read(text), json.loads(text)["recipe"]
    gaps = tuple(_gap(file.plan, each) for each in told["gaps"])
    return Recipe(key, told["order"], told["group"], told["sentence"], file, gaps)


def _gap(plan: Mapping[str, Any], told: Mapping[str, Any]) -> Gap:
    found = next(_inputs_with(plan, f"[[{told['name']}]]"), None)
    holds = told.get("holds", "text")
    declared, connection = found or (Field(told["name"], "", _KINDS[holds], is_required=True), "")
    default = told.get("default")
    made = replace(
        declared,
        name=told["name"],
        label=told.get("label", declared.label),
        help=told.get("help", ""),
        is_required=told.get("is_needed", True),
        default=default,
    )
    return Gap(made, connection if made.dynamic_choices is not None else "", holds_emails=holds == "emails")


def _inputs_with(plan: Mapping[str, Any], marker: str) -> Iterator[tuple[Field, str]]:
    """The inputs and columns whose whole value is this gap, each with the key of its step's connection."""
    for place in places(plan):
        fields = {each.name: each for each in registry.operation(place["operation"]).Inputs.fields()}
        connection = str(place.get("connection") or "")
        for name, value in place["inputs"].items():
            if value == marker:
                yield fields[name], connection
            columns = {each.name: each for each in fields[name].columns} if isinstance(value, list) else {}
            rows = value if isinstance(value, list) else []
            yield from ((columns[column], connection) for row in rows for column, cell in row.items() if cell == marker)
