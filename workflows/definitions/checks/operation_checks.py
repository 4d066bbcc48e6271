"""What stops an operation from working as it is set up: its connection, its permissions, its constant values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from integrations.core.errors import InvalidInputError
from integrations.framework.base import Action
from integrations.models import Connection
from workflows.definitions.checks import stand_ins
from workflows.definitions.checks.complaints import Complaint
from workflows.models import Workflow


def connection_problems(
    workflow: Workflow, connection: Connection | None, provider: str, operation: Any
) -> Iterator[Complaint]:
    """What prevents an operation from working with the connection chosen for it."""
    name = operation.connector.name
    if not operation.connector.needs_connection:
        if problem := operation.connector.closed():
            yield Complaint(None, problem)
        return
    if connection is None or connection.team_id != workflow.team_id or connection.provider != provider:
        yield Complaint("connection", f"Choose the {name} {operation.connector.account_noun} to use.")
        return
    if connection.status == Connection.Status.DISCONNECTED:
        yield Complaint("connection", f"{connection.name} is disconnected. Connect it again or choose another one.")
        return
    missing = operation.missing_scopes(connection.grant.scopes)
    if connection.grant.scopes and missing:
        yield Complaint(
            "connection",
            f"{connection.name} was connected without the permission {', '.join(missing)}. Reconnect it to grant that.",
        )


def lacking_permissions(action: Action, sources: dict[str, Any], connection: Connection | None) -> dict[str, str]:
    """{input: sentence} where its value needs a permission that was not granted with the connection."""
    granted = connection.grant.scopes if connection else []
    if not granted:
        return {}
    always = action.missing_scopes(granted)
    found = {}
    for name in action.scopes_of_values.keys() & sources.keys():
        missing = [each for each in action.missing_scopes(granted, {name: sources[name]}) if each not in always]
        if missing:
            found[name] = (
                f"{connection} was connected without the permission {', '.join(missing)}, which this needs. "
                "Reconnect it to grant that."
            )
    return found


def value_problems(action: Action, sources: dict[str, Any], known: dict[str, str]) -> dict[str, str]:
    """What is wrong whatever the data: {input path: sentence}.

    Values mapped from data are known only in a run, so others stand for them: the inputs are cleaned with several sets
    of these, and what is wrong with every set, at a place that is not mapped itself, cannot be right in any run.
    """
    mapped: set[str] = set()
    sets = stand_ins.sets_of(action.Inputs.fields(), sources, known, mapped)
    found = [_problems_with(action, values) for values in sets]
    always = set.intersection(*(set(each) for each in found)) if found else set()
    return {path: message for path, message in found[0].items() if path in always and not _is_mapped(path, mapped)}


def _problems_with(action: Action, values: dict[str, Any]) -> dict[str, str]:
    try:
        action.Inputs.clean(values)
    except InvalidInputError as error:
        return error.problems
    return {}


def _is_mapped(path: str, mapped: set[str]) -> bool:
    return any(path == each or path.startswith(f"{each}.") for each in mapped)
