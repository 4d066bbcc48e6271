"""What stops a step from calling another workflow: it cannot be called, or not with these values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from integrations.framework.base import Door
from workflows.definitions import start_values
from workflows.models import Workflow


def problems(called: Workflow, given: Mapping[str, Any]) -> Iterator[tuple[str | None, str]]:
    """What is wrong with calling a published workflow with values of these names: name, "workflow" or None for the
    whole, and a sentence."""
    try:
        start_values.opens(called, Door.CALL)
    except start_values.NotStartedError as error:
        yield "workflow", error.message
        return
    fields = {each.name: each for each in start_values.fields_of(called)}
    for name in given:
        if name not in fields:
            yield name, f"{called.name} asks for no value called {name}. Remove it, or ask for it there."
    for each in fields.values():
        if each.is_required and each.name not in given:
            yield None, f"{called.name} needs the value {each.name} ({each.label}). Add it here."
