"""The forms of the kinds of steps that have no operation, made from what `kinds` says of them.

A form's sources are the settings and the mapping rows of the step side by side; `split` takes them apart for storing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from integrations.errors import InvalidInputError
from integrations.fields import Choice
from integrations.schema import Field
from integrations.schema import Kind as Holds
from workflows import editing, kinds
from workflows.editing import Sources
from workflows.kinds import KindOfStep, Setting
from workflows.models import Step

Kind = Step.Kind
#: Kinds whose values people name themselves: the table in the form, and what it and its rows are called.
NAMED = {
    Kind.FORMAT: ("values", "Values", "Later steps find each under its name."),
    Kind.CALL: ("data", "What it gets", "Each stands there as a value of its trigger, under this name."),
}
NAME_COLUMN, VALUE_COLUMN = "name", "value"

_HELP = {
    (Kind.LOOP, "items"): "Its steps run once for each item, one after the other.",
    (Kind.LOOP, "limit"): "A longer list fails the step before anything is done, so that a mistake stays small.",
    (Kind.DELAY, "amount"): "A number, or a value that is one.",
    (
        Kind.DELAY,
        "moment",
    ): "A day begins at midnight where the books are kept. What is past already is not waited for.",
    (Kind.DELAY, "at"): "The time of the working day, where the books are kept.",
    (Kind.LOOKUP, "value"): "What stands in the table's first column; capitals and spaces do not matter.",
    (Kind.LOOKUP, "default"): "Only used where the value is not in the table.",
    (Kind.CALL, "workflow"): "It runs in its published version, as a run of its own.",
    (Kind.STOP, "message"): "Shown in the list of runs, and kept with the run.",
}
_DATED = {(Kind.DELAY, "moment"): Holds.DATETIME}
_LONG = {(Kind.STOP, "message")}


@dataclass(frozen=True)
class KindForm:
    """What a kind's form asks for, given what is chosen so far. Stands where an operation's Schema would."""

    kind: KindOfStep
    asked: tuple[Field, ...]
    #: The settings that are no mappings.
    fixed: frozenset[str]

    def fields(self) -> tuple[Field, ...]:
        """The inputs in order."""
        return self.asked

    def clean(self, values: Mapping[str, Any], /) -> None:
        """Raises InvalidInputError where a fixed value does not fit."""
        problems = kinds.settings_problems(self.kind.key, _typed(self.kind, values))
        problems = {name: said for name, said in problems.items() if values.get(name) not in (None, "")}
        for each in self.asked:
            value = str(values.get(each.name) or "").strip()
            if each.kind is Holds.INTEGER and value and not _is_whole(value):
                problems[each.name] = f"{each.label} takes a whole number."
            elif each.name == "amount" and value and not _is_amount(value):
                problems[each.name] = "This is not a number above 0."
        if problems:
            raise InvalidInputError(problems)


def form_of(kind: str, sources: Sources, options: Mapping[str, Sequence[Choice]]) -> KindForm:
    """The form for a kind. `options` are what a setting may be chosen from, by its name."""
    known = kinds.of(kind)
    chosen = kinds.read_settings(kind, {name: value for name, value in sources.items() if isinstance(value, str)})
    settings = [each for each in known.settings if each.name in chosen]
    asked = [_of_setting(known, each, options.get(each.name)) for each in settings]
    asked += [
        replace(_text(known, name, label, is_required=is_needed), is_required=is_needed)
        for name, label, is_needed in known.inputs or ()
        if name != "default" or chosen.get("missing") == "default"
    ]
    if known.key in NAMED:
        name, label, help_text = NAMED[known.key]
        columns = (
            Field(NAME_COLUMN, "Name", Holds.TEXT, is_required=True, max_length=100),
            Field(VALUE_COLUMN, "Value", Holds.LONG_TEXT, is_required=True),
        )
        is_needed = known.key == Kind.FORMAT
        asked.append(Field(name, label, Holds.ROWS, is_required=is_needed, help=help_text, columns=columns, default=[]))
    fixed = {each.name for each in settings if not each.is_source} | {NAME_COLUMN}
    return KindForm(known, tuple(asked), frozenset(fixed))


def _of_setting(known: KindOfStep, setting: Setting, options: Sequence[Choice] | None) -> Field:
    default = setting.default
    made = replace(_text(known, setting.name, setting.label, is_required=setting.is_needed), default=default)
    if setting.choices or options is not None:
        return replace(made, kind=Holds.CHOICE, fixed_choices=tuple(setting.choices or options or ()))
    if setting.is_yes_no:
        return replace(made, kind=Holds.YES_NO)
    return replace(made, kind=Holds.INTEGER) if setting.least is not None else made


def _text(known: KindOfStep, name: str, label: str, *, is_required: bool) -> Field:
    place = (known.key, name)
    holds = Holds.LONG_TEXT if place in _LONG else _DATED.get(place, Holds.TEXT)
    return Field(name, label, holds, is_required=is_required, help=_HELP.get(place, ""))


def problems(kind: str, sources: Sources) -> dict[str, str]:
    """A sentence per path for names that cannot be: empty, twice, or no name."""
    found: dict[str, str] = {}
    if kind not in NAMED:
        return found
    table = NAMED[Kind(kind)][0]
    rows = sources.get(table)
    seen: set[str] = set()
    for index, row in enumerate(rows if isinstance(rows, list) else []):
        name = row.get(NAME_COLUMN, "").strip()
        path = f"{table}.{index}.{NAME_COLUMN}"
        if name and not is_name(name):
            found[path] = "A name is made of letters, digits and _, and begins with a letter, as in net_amount."
        elif name in seen:
            found[path] = f"{name} stands here twice. Give each value a name of its own."
        seen.add(name)
    return found


def is_name(text: str) -> bool:
    """Whether a value can be referred to by this: `steps.values.net_amount`."""
    return text.isascii() and text.isidentifier() and not text.startswith("_") and len(text) <= 100


def split(kind: str, sources: Sources) -> tuple[dict[str, Any], Sources]:
    """The step's settings and its mapping rows."""
    known = kinds.of(kind)
    settings = _typed(known, {each.name: sources[each.name] for each in known.settings if each.name in sources})
    if known.key not in NAMED:
        names = {name for name, _, _ in known.inputs or ()}
        return settings, {name: value for name, value in sources.items() if name in names}
    rows = sources.get(NAMED[known.key][0])
    named = rows if isinstance(rows, list) else []
    return settings, {row[NAME_COLUMN].strip(): row[VALUE_COLUMN] for row in named if row.get(NAME_COLUMN, "").strip()}


def stored(step: Step) -> Sources:
    """What the form shows of a step as it stands."""
    found: Sources = {name: _text_of(value) for name, value in kinds.read_settings(step.kind, step.settings).items()}
    rows = list(step.mappings.all())
    if step.kind not in NAMED:
        return found | editing.sources_of(rows)
    rows.sort(key=lambda row: row.pk)  # as they were written, not by their names
    table = NAMED[Kind(step.kind)][0]
    return found | {table: [{NAME_COLUMN: row.input, VALUE_COLUMN: row.value} for row in rows]}


def defaults(kind: str, **chosen: str) -> Sources:
    """What a new form starts with."""
    found: Sources = {name: _text_of(value) for name, value in kinds.read_settings(kind, chosen).items()}
    if kind in NAMED:
        found[NAMED[Kind(kind)][0]] = [{NAME_COLUMN: "", VALUE_COLUMN: ""}] if kind == Kind.FORMAT else []
    return found


def _typed(known: KindOfStep, values: Mapping[str, Any]) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    for each in known.settings:
        value = values.get(each.name)
        if value in (None, ""):
            continue
        if each.is_yes_no:
            typed[each.name] = value in (True, "true")
        elif each.least is not None or each.name == "workflow":
            text = str(value).strip()
            typed[each.name] = int(text) if _is_whole(text) else text
        else:
            typed[each.name] = value
    return typed


def _is_whole(text: str) -> bool:
    return text.isdecimal() and text.isascii() and len(text) < 10


def _is_amount(text: str) -> bool:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return False
    return amount.is_finite() and amount > 0


def _text_of(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
