"""Confirmation of steps that destroy something: what a person has to type, and the warning before publishing.

The name is compared with the choices fetched last, so a form opens and is checked without a call. If nothing was
fetched it cannot be compared here; the action compares it again, with the provider's data, before it writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from integrations.framework import registry
from integrations.framework.base import Action
from integrations.models import ChoiceCache, Connection
from integrations.schema.schema import Field
from workflows.language import mapping
from workflows.models import Step


def problems(action: Action, sources: Mapping[str, Any], connection: Connection | None) -> dict[str, str]:
    """{input: sentence} where the step is not confirmed as the action requires; missing inputs are not
    mentioned."""
    wanted = action.confirmation
    if wanted is None:
        return {}
    target, typed = str(sources.get(wanted.target) or "").strip(), str(sources.get(wanted.typed) or "").strip()
    if not target or not typed:
        return {}
    if _is_mapped(typed):
        return {wanted.typed: "A person types this when building the step; it cannot come from the run."}
    if _is_mapped(target):
        if typed == wanted.sentence:
            return {}
        return {wanted.typed: f"Each run decides which one it is, so type: {wanted.sentence}"}
    name = _name(action, target, connection)
    if typed == wanted.sentence:
        return {wanted.typed: f"One is chosen, so type its name: {name}" if name else "One is chosen: type its name."}
    if name and typed != name:
        return {wanted.typed: f"This is not its name. To confirm, type: {name}"}
    return {}


def destructions(steps: Iterable[Step]) -> list[str]:
    """A sentence for each step that destroys something, for the person who is about to publish."""
    sentences = []
    for step in steps:
        try:
            action = registry.action(step.operation)
        except registry.UnknownOperationError:
            continue
        if action.confirmation is None:
            continue
        row = next((each for each in step.mappings.all() if each.input == action.confirmation.target), None)
        target = row.value.strip() if row else ""
        where = f" in {step.connection.name}" if step.connection else ""
        what = f"whichever {target} stands for in the run"
        if not _is_mapped(target):
            name = _name(action, target, step.connection)
            what = f'"{name}" ({target})' if name else target
        sentences.append(f"{step.name}: {what}{where}. {action.summary} {action.no_undo}".strip())
    return sentences


def _is_mapped(source: str) -> bool:
    try:
        return bool(mapping.references(source))
    except mapping.MappingError:
        return True


def _name(action: Action, value: str, connection: Connection | None) -> str:
    assert action.confirmation is not None
    target = _field(action, action.confirmation.target)
    if connection is None or target.dynamic_choices is None:
        return dict(target.fixed_choices).get(value, "")
    cached = ChoiceCache.objects.filter(connection=connection, key=target.dynamic_choices.key).order_by("-fetched_at")
    labels = (str(label) for row in cached for known, label in row.choices if str(known) == value)
    return next(labels, "").strip()


def _field(action: Action, name: str) -> Field:
    return next(each for each in action.Inputs.fields() if each.name == name)
