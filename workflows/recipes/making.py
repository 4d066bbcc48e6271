"""A recipe with its gaps filled in becomes a draft. Nothing is published, and nothing is switched on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from integrations.core.errors import InvalidInputError
from integrations.framework import registry
from integrations.models import Connection, Team
from integrations.schema.cleaning import clean_value
from integrations.schema.fields import Field, Kind
from workflows.definitions import export_import
from workflows.definitions.export_import import Answers
from workflows.models import Workflow
from workflows.recipes.library import GAP, Gap, Recipe

#: How a reference, a statement and a comment of the mapping language begin.
_SYNTAX = ("{{", "{%", "{#")


@dataclass(frozen=True)
class GapForm:
    """The gaps of a recipe as declared inputs, for the form that asks for them."""

    recipe: Recipe

    def fields(self) -> tuple[Field, ...]:
        """The gaps in order."""
        return tuple(gap.declared for gap in self.recipe.gaps)

    def clean(self, values: Mapping[str, Any]) -> dict[str, str]:
        """The text for each gap. Raises InvalidInputError with a sentence by gap."""
        found: dict[str, str] = {}
        problems: dict[str, str] = {}
        for gap in self.recipe.gaps:
            try:
                found[gap.name] = _text_for(gap, str(values.get(gap.name) or ""))
            except ValueError as error:
                problems[gap.name] = str(error)
        problems = problems or _trigger_problems(self.recipe.file.plan["trigger"], found)
        if problems:
            raise InvalidInputError(problems, " ".join(problems.values()))
        return found


def make(
    recipe: Recipe,
    *,
    connections: Mapping[str, Connection],
    values: Mapping[str, str],
    team: Team,
    name: str,
    by: User,
) -> Workflow:
    """A new draft from the recipe. `connections` are those chosen for the file's, `values` what `GapForm.clean` gave.

    Raises ImportFileError if the team has a workflow of that name.
    """
    file = replace(recipe.file, plan=_filled(json.loads(json.dumps(recipe.file.plan)), values))
    answers = Answers(connections=dict(connections), workflows={}, values={})
    return export_import.make(file, answers, team=team, name=name, by=by)


def _text_for(gap: Gap, text: str) -> str:
    text = text.strip()
    if not text:
        if gap.declared.is_required:
            raise ValueError(f"{gap.declared.label} is needed.")
        return ""
    if any(mark in text for mark in _SYNTAX):
        raise ValueError(f"{gap.declared.label} takes a fixed value here. Values from steps can be added in the draft.")
    if gap.holds_emails:
        return _addresses(text)
    cleaned = clean_value(gap.declared, text)
    if isinstance(cleaned, bool):
        return "true" if cleaned else "false"
    if gap.declared.kind is Kind.LIST:
        return ",".join(str(each) for each in cleaned)
    return format(cleaned, "f") if isinstance(cleaned, Decimal) else str(cleaned)


def _trigger_problems(trigger: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, str]:
    """What the trigger says about the gaps in its inputs, by gap; they are constants, so they can be checked now."""
    try:
        registry.operation(trigger["operation"]).Inputs.clean(_filled(trigger["inputs"], values))
    except InvalidInputError as error:
        gaps = {path: GAP.fullmatch(str(trigger["inputs"].get(path, ""))) for path in error.problems}
        return {gap[1]: error.problems[path] for path, gap in gaps.items() if gap}
    return {}


def _addresses(text: str) -> str:
    """E-mail addresses with commas between."""
    parts = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
    for part in parts:
        try:
            validate_email(part)
        except ValidationError:
            raise ValueError(f"“{part[:80]}” is no e-mail address such as jane@example.com.") from None
    return ", ".join(parts)


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    """The plan with the values in its gaps. A value is put in once: what looks like a gap in it stays text."""
    if isinstance(value, dict):
        return {key: _filled(each, values) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, values) for each in value]
    return GAP.sub(lambda match: values[match[1]], value) if isinstance(value, str) else value
