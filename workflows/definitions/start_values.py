"""What starts a published version, and the values that it then asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from integrations.core import moments
from integrations.core.errors import InvalidInputError
from integrations.core.exact_json import dumps, loads
from integrations.core.sameness import same
from integrations.framework import registry
from integrations.framework.base import Door, Start, Trigger
from integrations.schema.cleaning import clean_value
from integrations.schema.fields import Field, Kind, sentences
from workflows.models import Workflow, WorkflowVersion


class NotStartedError(Exception):
    """The workflow cannot be started this way now; `message` says why and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def trigger_of_version(version: WorkflowVersion) -> Trigger | None:
    """The trigger that the version names; None if it is no longer available."""
    try:
        return registry.trigger(version.plan["trigger"]["operation"])
    except registry.UnknownOperationError:
        return None


def start_of(workflow: Workflow) -> Start | None:
    """What starts the published version, if that is not a trigger at a provider."""
    found = trigger_of_version(workflow.published) if workflow.published else None
    return found if isinstance(found, Start) else None


def opens(workflow: Workflow, door: Door) -> Start:
    """What starts the published version this way. Raises NotStartedError if nothing does."""
    found = start_of(workflow)
    if found is None or door not in found.doors:
        raise NotStartedError(
            f"{workflow.name} is not {_START_WORDS[door]}. Choose another trigger for it and publish."
        )
    return found


def fields_of(workflow: Workflow) -> tuple[Field, ...]:
    """The values that the published version asks for when it is started."""
    found = start_of(workflow)
    return found.fields(inputs_of(workflow)) if found else ()


def inputs_of(workflow: Workflow) -> dict[str, Any]:
    """The published trigger's inputs."""
    return dict(workflow.published.plan["trigger"]["inputs"]) if workflow.published else {}


_START_WORDS = {
    Door.CLOCK: "started by the clock",
    Door.ADDRESS: "started by calls to an address",
    Door.HAND: "started by hand",
    Door.FILE: "started from files",
    Door.API: "started by the API",
    Door.CALL: "started by other workflows",
}


def cleaned(fields: Iterable[Field], values: Mapping[str, Any], *, zone: str = "UTC") -> dict[str, Any]:
    """The given values as their fields hold them, ready to be stored. Raises InvalidInputError.

    A value neither given nor required is None, so that a reference to it finds nothing instead of failing. A moment
    given for a day becomes its day in `zone`.
    """
    made: dict[str, Any] = {}
    problems: dict[str, str] = {}
    declared = {f.name: f for f in fields}
    for name in values.keys() - declared.keys():
        problems[str(name)[:60]] = "The workflow asks for no such value."
    for f in declared.values():
        value = values.get(f.name)
        if value is None or value == "" or value == []:
            made[f.name] = [] if f.kind is Kind.LIST else None
            if f.is_required:
                problems[f.name] = f"{f.label} is needed, but nothing was given."
            continue
        try:
            made[f.name] = _clean(f, value, zone)
        except ValueError as error:
            problems[f.name] = str(error)
    if problems:
        raise InvalidInputError(problems, sentences(declared.values(), problems))
    return made


def _clean(f: Field, value: Any, zone: str) -> Any:
    if f.kind is Kind.DATE:
        with suppress(ValueError):  # anything but a moment is reported below
            moment = moments.read(value)
            if isinstance(moment, datetime) and moment.tzinfo:
                return moment.astimezone(ZoneInfo(zone)).date().isoformat()
    if f.kind is Kind.LIST:
        # Rows of values may be given as a list too, for a loop.
        return value if isinstance(value, list) else [part for part in str(value).splitlines() if part.strip()]
    if f.kind is Kind.CHOICE:
        text = str(clean_value(f, value))
        found = next((each for each, _ in f.fixed_choices if same(each, text)), None)
        if found is None:
            names = ", ".join(each for each, _ in f.fixed_choices)
            raise ValueError(f"{f.label} takes one of {names}; this is “{text[:60]}”.")
        return found
    return loads(dumps(clean_value(f, value)))
