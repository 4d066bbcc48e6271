"""How a form can give a record, as a contact, besides picking it: from an earlier step, or found or created first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from integrations.framework.base import Action, Operation, Record
from integrations.framework.registry import operation_or_none
from integrations.models import Connection
from integrations.schema.fields import Field
from workflows.language.references import Token, TokenGroup
from workflows.models import Step, Workflow


@dataclass(frozen=True)
class Giver:
    """The trigger or an earlier step: what it is called here, what it does where, and an example of what it gives."""

    group: TokenGroup
    operation: Operation | None
    connection_id: int | None
    example: Any


def record_inputs(action: Action) -> dict[str, Record]:
    """The inputs of the action, outside of tables, that choose a record which steps hand on."""
    chosen = {f.name: f.dynamic_choices.record for f in action.Inputs.fields() if f.dynamic_choices is not None}
    known = action.connector.records
    return {name: known[record] for name, record in chosen.items() if record in known}


def finder_of(action: Action, record: Record) -> Action | None:
    """The action that finds or creates such a record; None where there is none, and for that action itself."""
    found = operation_or_none(f"{action.connector.key}.{record.finder}") if record.finder else None
    return found if isinstance(found, Action) and found.full_key != action.full_key else None


def asked_fields(finder: Action, record: Record) -> list[Field]:
    """The inputs that say which record to find or create."""
    return [f for f in finder.Inputs.fields() if f.name in record.asked]


def called_by_record(tokens: Iterable[Token], operation: Operation | None, root: str) -> tuple[Token, ...]:
    """The tokens, with the id of a record called after the record, as "The contact"."""
    records = operation.connector.records.values() if operation is not None else ()
    nouns = {f"{root}.{path}": f"The {record.noun}" for record in records for path in record.ids}
    return tuple(replace(token, label=nouns.get(token.path, token.label)) for token in tokens)


def givers(
    groups: Iterable[TokenGroup], workflow: Workflow, steps: Sequence[Step], data: Mapping[str, Any]
) -> list[Giver]:
    """Where values at a place come from, the nearest first."""
    by_key = {step.key: step for step in steps}
    found = []
    for group in groups:
        if group.key == "trigger":
            operation = operation_or_none(workflow.trigger_operation)
            found.append(Giver(group, operation, workflow.trigger_connection_id, data.get("trigger")))
        elif group.key in by_key:
            step = by_key[group.key]
            example = (data.get("steps") or {}).get(step.key)
            found.append(Giver(group, operation_or_none(step.operation), step.connection_id, example))
    return found[::-1]


def earlier(
    record: Record, action: Action, connection: Connection | None, known: Iterable[Giver]
) -> list[tuple[str, str]]:
    """The records that earlier steps give in this organisation, as (source, label)."""
    if connection is None:
        return []
    return [
        offer
        for giver in known
        if giver.operation is not None
        and giver.operation.connector is action.connector
        and giver.connection_id == connection.pk
        for offer in _given(record, giver)
    ]


def _given(record: Record, giver: Giver) -> Iterator[tuple[str, str]]:
    """The giver's record: at the first path that its example has."""
    path = next((each for each in record.ids if _at(giver.example, each)), None)
    if path is None:
        return
    full = f"{_root(giver.group)}.{path}"
    token = next((each for each in giver.group.tokens if each.path == full), None)
    title = next((text for each in record.titles if (text := _at(giver.example, each))), "")
    named = f" ({title})" if title else ""
    yield (token or Token(full, "", "")).source, f"The {record.noun} of {giver.group.label}{named}"


def _root(group: TokenGroup) -> str:
    return "trigger" if group.key == "trigger" else f"steps.{group.key}"


def _at(example: Any, path: str) -> Any:
    for name in path.split("."):
        example = example.get(name) if isinstance(example, Mapping) else None
    return example if isinstance(example, str) else None
