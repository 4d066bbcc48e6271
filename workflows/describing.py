"""A plan in plain English: what an auditor reads instead of a graph. No ids and no syntax where people have names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from django.conf import settings

from integrations import registry
from integrations.base import Door, Start
from integrations.fields import label_of
from integrations.models import ChoiceCache, Connection
from integrations.schema import Field, Kind
from workflows import calendar, conditions, kinds, plans
from workflows.models import Step, Workflow
from workflows.rows import EACH, repeats
from workflows.tokens import pieces, words

_TRIGGERS = "trigger"
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
        return self.connections.get(pk or 0, "a connection still to be chosen")


def describe(plan: dict[str, Any]) -> str:
    """The plan as sentences, one per line, what lies inside a step indented by two blanks. Ids are named from the
    choices fetched last, without asking a provider."""
    names = _names(plan)
    return "\n".join([_trigger(plan["trigger"], names), *_steps(plan["steps"], names)])


def _names(plan: dict[str, Any]) -> _Names:
    used = plans.connections(plan)
    steps = [step for step, _ in plans.each_step(plan)]
    names = _Names(
        connections=dict(Connection.objects.filter(pk__in=used).values_list("pk", "name")),
        steps={step["key"]: step["name"] for step in steps},
    )
    called = {step["workflow"] for step in steps if step["kind"] == Step.Kind.CALL}
    if called:
        names.workflows = dict(Workflow.objects.filter(pk__in=called).values_list("pk", "name"))
    for row in ChoiceCache.objects.filter(connection__in=used).order_by("fetched_at"):
        labels = names.choices.setdefault((row.connection_id, row.key), {})
        labels.update({str(value): str(label) for value, label in row.choices})
    return names


def _trigger(trigger: dict[str, Any], names: _Names) -> str:
    try:
        operation = registry.trigger(trigger["operation"])
    except registry.UnknownOperationError:
        return "No trigger is chosen yet."
    names.noun = operation.noun
    if isinstance(operation, Start) and Door.CLOCK in operation.doors:
        said = calendar.describe(trigger["inputs"], zone=settings.TIME_ZONE)
        return f"It starts {said}:"
    detail = _inputs(operation.Inputs.fields(), trigger["inputs"], trigger["connection"], names)
    if not operation.connector.needs_connection:
        return f"{operation.name}{detail}:"
    where = names.connection(trigger["connection"])
    return f"When there is a new {operation.noun} in {where} ({operation.connector.name}){detail}:"


def _steps(steps: Iterable[dict[str, Any]], names: _Names) -> Iterator[str]:
    for step in steps:
        yield from _step(step, names)


def _step(step: dict[str, Any], names: _Names) -> Iterator[str]:
    kind = step["kind"]
    if kind == Step.Kind.FILTER:
        yield f"Go on only if {conditions.describe(step['conditions'])}."
    elif kind == Step.Kind.BRANCH:
        yield f"{step['name']}:"
        yield from _indented(_paths(step["paths"], names))
    elif kind == Step.Kind.LOOP:
        yield _loop(step, names)
        yield from _indented(_steps(step["steps"], names))
    elif kind == Step.Kind.ACTION:
        yield _action(step, names)
        yield from _indented(_steps(step.get("error_steps", ()), names))
    else:
        said = {
            Step.Kind.DELAY: _delay,
            Step.Kind.FORMAT: _format,
            Step.Kind.LOOKUP: _lookup,
            Step.Kind.CALL: _call,
            Step.Kind.STOP: _stop,
        }[Step.Kind(kind)]
        yield said(step, names) + _end(step)


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _paths(paths: list[dict[str, Any]], names: _Names) -> Iterator[str]:
    for number, path in enumerate(paths):
        first, other = ("If", "Otherwise, if") if path["conditions"] else ("Always", "Otherwise")
        condition = f" {conditions.describe(path['conditions'])}" if path["conditions"] else ""
        yield f"{other if number else first}{condition} ({path['name']}):"
        yield from _indented(_steps(path["steps"], names) if path["steps"] else ["Do nothing."])


def _loop(step: dict[str, Any], names: _Names) -> str:
    end = " If one fails, go on with the next:" if step["on_item_error"] == "go_on" else ""
    return f"For each item of {_said(step['items'], names)}, at most {step['limit']:,}{'.' + end if end else ':'}"


def _delay(step: dict[str, Any], names: _Names) -> str:
    if step["how"] == "until":
        return f"Wait until {_said(step['moment'], names)}."
    if step["how"] == "until_working_day":
        return f"Wait until it is a working day, {step['at']} or later."
    unit = dict(kinds.UNITS)[step["unit"]]
    amount = _said(step["amount"], names).strip('"')
    return f"Wait for {amount} {unit.replace('days', 'day') if amount == '1' else unit}."


def _format(step: dict[str, Any], names: _Names) -> str:
    return f"Name values: {_named(step['values'], names)}."


def _lookup(step: dict[str, Any], names: _Names) -> str:
    value = _said(step["inputs"].get("value", ""), names)
    end = ""
    if step["missing"] == "default":
        end = f", and take {_said(step['inputs'].get('default', ''), names)} where it is not there"
    return f"Look {value} up in the table “{step['table']}”{end}."


def _call(step: dict[str, Any], names: _Names) -> str:
    called = names.workflows.get(step["workflow"] or 0, "a workflow that is not there any more")
    detail = f", with {_named(step['inputs'], names)}" if step["inputs"] else ""
    return f"Call the workflow “{called}”{detail}{', and wait until it has ended' if step['waits'] else ''}."


def _stop(step: dict[str, Any], names: _Names) -> str:
    message = step["inputs"].get("message")
    words_for = {"succeeded": "as done", "failed": "as failed", "filtered": "as filtered"}
    return f"Stop here {words_for[step['as']]}{f', saying {_said(message, names)}' if message else ''}."


def _named(values: dict[str, Any], names: _Names) -> str:
    return "; ".join(f"{words(name)} = {_said(value, names)}" for name, value in values.items())


def _said(source: Any, names: _Names) -> str:
    """A mapping as people read it: a reference in words, a text in quotation marks."""
    text = source if isinstance(source, str) else f"{len(source)} rows"
    found = pieces(text, [])
    said = "".join(_reference(piece.text, names) if piece.is_reference else piece.text for piece in found)
    return said if _WHOLE.fullmatch(text) and len(found) == 1 else f'"{said}"'


def _end(step: dict[str, Any]) -> str:
    if step.get("on_error") == Step.OnError.GO_ON:
        return " If it fails, go on."
    return " If it fails:" if step.get("on_error") == Step.OnError.ERROR_PATH else ""


def _action(step: dict[str, Any], names: _Names) -> str:
    try:
        action = registry.action(step["operation"])
    except registry.UnknownOperationError:
        return f"{step['name']}: {step['operation']}, which is not available here."
    where = f" in {names.connection(step['connection'])}" if action.connector.needs_connection else ""
    detail = _inputs(action.Inputs.fields(), step["inputs"], step["connection"], names)
    return f"{action.name}{where} ({action.connector.name}){detail}.{_end(step)}"


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
    said = f"({', '.join(_parts(table.columns, row, connection, names))})"
    return f"for each item of {_value(_LIST, row[EACH], connection, names)} {said}" if repeats(row) else said


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
    return _said(label_of(each, text), names)


def _reference(text: str, names: _Names) -> str:
    """`trigger.title, upper case` as "the pin's title, upper case"."""
    path, _, functions = text.partition(", ")
    root, *rest = path.split(".")
    rest = [part for part in rest if part]
    if root == "steps" and len(rest) > 1:
        said = f"{' '.join(words(part).lower() for part in rest[1:])} of “{names.steps.get(rest[0], rest[0])}”"
    elif root in (_TRIGGERS, "run", "workflow", "item", "loop", "error") and rest:
        owner = names.noun if root == _TRIGGERS else root
        said = f"the {owner}'s {' '.join(words(part).lower() for part in rest)}"
    else:
        said = path
    return f"{said}, {functions}" if functions else said


# --- what has changed -----------------------------------------------------------------------------------------------

#: Words that belong together, and whether the other side has none such.
Words = list[tuple[str, bool]]
_AKIN = 0.4


@dataclass(frozen=True)
class Change:
    """A sentence that became another; `before` is empty for a new one, `after` for one that is gone."""

    before: Words
    after: Words


def changes(before: str, after: str) -> list[Change]:
    """How one description differs from another, sentence by sentence, with the words that differ told apart."""
    old, new = before.splitlines(), after.splitlines()
    found: list[Change] = []
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            found += _pairs(old[i:j], new[k:m])
    return found


def _pairs(old: list[str], new: list[str]) -> Iterator[Change]:
    """Each new sentence with the old one it is most like, if any is like it; then the old ones that are gone."""
    for now in new:
        was = max(old, key=lambda each: _likeness(each, now), default="")
        if was and _likeness(was, now) >= _AKIN:
            old.remove(was)
            yield _change(was.split(), now.split())
        else:
            yield Change([], [(now, True)])
    for was in old:
        yield Change([(was, True)], [])


def _likeness(before: str, after: str) -> float:
    return SequenceMatcher(None, before.split(), after.split(), autojunk=False).ratio()


def _change(old: list[str], new: list[str]) -> Change:
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return Change(
        [(" ".join(old[i:j]), kind != "equal") for kind, i, j, _, _ in codes if j > i],
        [(" ".join(new[k:m]), kind != "equal") for kind, _, _, k, m in codes if m > k],
    )
