"""A plan in plain English: what an auditor reads instead of a graph. Names instead of ids and syntax."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from integrations.framework import registry
from integrations.framework.base import Door, Start
from integrations.models import ChoiceCache, Connection
from integrations.schema.fields import label_of
from integrations.schema.schema import Field, Kind
from workflows.definitions import kinds, plans, recurrence
from workflows.definitions.kinds.base import end_of
from workflows.language import conditions
from workflows.language.references import pieces, words
from workflows.language.table_rows import EACH, repeats

_TRIGGERS = "trigger"
_INDENT = "  "
_LIST = Field("list", "List", Kind.TEXT, is_required=True)
_WHOLE = re.compile(r"\s*\{\{.*\}\}\s*", re.DOTALL)


@dataclass
class _Names:
    """What the ids and keys of one plan are called."""

    connections: dict[int, str] = field(default_factory=dict)
    choices: dict[tuple[int, str], dict[str, str]] = field(default_factory=dict)
    steps: dict[str, str] = field(default_factory=dict)
    workflows: dict[int, str] = field(default_factory=dict)
    noun: str = "item"

    def connection(self, pk: int | None) -> str:
        """The name of a connection."""
        return self.connections.get(pk or 0, "a connection still to be chosen")

    def value(self, source: Any) -> str:
        """A mapping as people read it."""
        return _in_words(source, self)

    def values(self, values: Mapping[str, Any]) -> str:
        """Named values, each with what it is."""
        return _named(values, self)

    def inside(self, steps: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        """The sentences of the steps inside another one, indented; one without steps does nothing."""
        lines = [f"{_INDENT}{line}" for step in steps for line in _step(step, self)]
        return iter(lines or [f"{_INDENT}Do nothing."])

    def condition(self, tree: Mapping[str, Any]) -> str:
        """A condition as people read it."""
        return conditions.describe(tree, self.value)

    def operation(self, step: Mapping[str, Any]) -> str:
        """What an action does, where, and with which values."""
        return _action(step, self)


@dataclass(frozen=True)
class Sentence:
    """A sentence of a description, with those of the steps inside it."""

    text: str
    inside: list[Sentence] = field(default_factory=list)


def outline(description: str) -> list[Sentence]:
    """A description as nested sentences, by its indentation."""
    top: list[Sentence] = []
    levels = [top]
    for line in description.splitlines():
        text = line.lstrip(" ")
        depth = min((len(line) - len(text)) // len(_INDENT), len(levels) - 1)
        made = Sentence(text)
        levels[depth].append(made)
        levels[depth + 1 :] = [made.inside]
    return top


def describe(plan: dict[str, Any]) -> str:
    """The plan as sentences, one per line, steps inside a step indented by two spaces. Ids are named from the choices
    fetched last, without asking a provider."""
    plan = _on_one_line(plan)
    names = _names(plan)
    # The trigger comes first: it decides what the steps call its data.
    lines = [_trigger(plan["trigger"], names)]
    return "\n".join([*lines, *(line for step in plan["steps"] for line in _step(step, names))])


def _on_one_line(value: Any) -> Any:
    """The same with spaces for line breaks in every text, so that a line of the description is a sentence."""
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, Mapping):
        return {key: _on_one_line(each) for key, each in value.items()}
    return [_on_one_line(each) for each in value] if isinstance(value, list | tuple) else value


def _names(plan: dict[str, Any]) -> _Names:
    used = plans.connections(plan)
    steps = [step for step, _ in plans.each_step(plan)]
    names = _Names(
        connections=dict(Connection.objects.filter(pk__in=used).values_list("pk", "name")),
        steps={step["key"]: step["name"] for step in steps},
    )
    names.workflows = plans.called_names(steps)
    names.connections = _on_one_line(names.connections)
    names.workflows = _on_one_line(names.workflows)
    for row in ChoiceCache.objects.filter(connection__in=used).order_by("fetched_at"):
        labels = names.choices.setdefault((row.connection_id, row.key), {})
        labels.update({str(value): _on_one_line(str(label)) for value, label in row.choices})
    return names


def _trigger(trigger: dict[str, Any], names: _Names) -> str:
    try:
        operation = registry.trigger(trigger["operation"])
    except registry.UnknownOperationError:
        return "No trigger is chosen yet."
    names.noun = operation.noun
    if isinstance(operation, Start) and Door.CLOCK in operation.doors:
        sentence = recurrence.describe(trigger["inputs"], zone=settings.TIME_ZONE)
        return f"It starts {sentence}:"
    detail = _inputs(operation.Inputs.fields(), trigger["inputs"], trigger["connection"], names)
    if not operation.connector.needs_connection:
        return f"{operation.name}{detail}:"
    where = names.connection(trigger["connection"])
    happening = operation.happening or f"there is a new {operation.noun}"
    return f"When {happening} in {where} ({operation.connector.name}){detail}:"


def _step(step: Mapping[str, Any], names: _Names) -> Iterator[str]:
    return kinds.of(step["kind"]).describe(step, names)


def _named(values: Mapping[str, Any], names: _Names) -> str:
    return "; ".join(f"{words(name)} = {_in_words(value, names)}" for name, value in values.items())


def _in_words(source: Any, names: _Names) -> str:
    """A mapping as people read it: a reference in words, a text in quotation marks."""
    text = source if isinstance(source, str) else f"{len(source)} rows"
    found = pieces(text, [])
    sentence = "".join(_reference(piece.text, names) if piece.is_reference else piece.text for piece in found)
    return sentence if _WHOLE.fullmatch(text) and len(found) == 1 else f'"{sentence}"'


def _action(step: Mapping[str, Any], names: _Names) -> str:
    try:
        action = registry.action(step["operation"])
    except registry.UnknownOperationError:
        return f"{step['name']}: {step['operation']}, which is not available here."
    where = f" in {names.connection(step['connection'])}" if action.connector.needs_connection else ""
    detail = _inputs(action.Inputs.fields(), step["inputs"], step["connection"], names)
    return f"{action.name}{where} ({action.connector.name}){detail}.{end_of(step)}"


def _inputs(fields: Iterable[Field], inputs: dict[str, Any], connection: int | None, names: _Names) -> str:
    parts = []
    for each in fields:
        value = inputs.get(each.name)
        if value in (None, "", []):
            continue
        if each.kind is Kind.ROWS and isinstance(value, list):
            rows = [_row(each, row, connection, names) for row in value]
            parts.append(f"{each.label}: {'; '.join(rows)}")
        else:
            parts.append(f"{each.label} = {_value(each, value, connection, names)}")
    return f", with {'; '.join(parts)}" if parts else ""


def _row(table: Field, row: dict[str, Any], connection: int | None, names: _Names) -> str:
    sentence = f"({', '.join(_parts(table.columns, row, connection, names))})"
    return f"for each item of {_value(_LIST, row[EACH], connection, names)} {sentence}" if repeats(row) else sentence


def _parts(columns: Iterable[Field], row: dict[str, Any], connection: int | None, names: _Names) -> list[str]:
    return [
        f"{column.label} = {_value(column, row[column.name], connection, names)}"
        for column in columns
        if row.get(column.name) not in (None, "")
    ]


def _value(each: Field, value: Any, connection: int | None, names: _Names) -> str:
    text = str(value)
    if each.dynamic_choices is not None:
        text = names.choices.get((connection or 0, each.dynamic_choices.key), {}).get(text, text)
    return _in_words(label_of(each, text), names)


def _reference(text: str, names: _Names) -> str:
    """`trigger.title, upper case` as "the pin's title, upper case"."""
    path, _, functions = text.partition(", ")
    root, *rest = path.split(".")
    rest = [part for part in rest if part]
    if root == "steps" and len(rest) > 1:
        sentence = f"{' '.join(words(part).lower() for part in rest[1:])} of “{names.steps.get(rest[0], rest[0])}”"
    elif root in (_TRIGGERS, "run", "workflow", "item", "loop", "error") and rest:
        owner = names.noun if root == _TRIGGERS else root
        sentence = f"the {owner}'s {' '.join(words(part).lower() for part in rest)}"
    else:
        sentence = path
    return f"{sentence}, {functions}" if functions else sentence
