"""Forms of step kinds that have no operation, made from what each kind declares.

A form's sources hold the step's settings and mapping rows together; `split` separates them for storing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from integrations.core.errors import InvalidInputError
from integrations.schema.fields import Choice
from integrations.schema.schema import Field, Kind
from workflows.definitions import editing, kinds
from workflows.definitions.editing import Sources
from workflows.definitions.kinds import StepKind
from workflows.models import Step

NAME_COLUMN, VALUE_COLUMN = "name", "value"


@dataclass(frozen=True)
class KindForm:
    """What a kind's form asks for, given what is chosen so far. Used in place of an operation's Schema."""

    kind: StepKind
    asked: tuple[Field, ...]
    #: The settings that take no mappings.
    fixed: frozenset[str]

    def fields(self) -> tuple[Field, ...]:
        """The inputs in order."""
        return self.asked

    def clean(self, values: Mapping[str, Any], /) -> None:
        """Raises InvalidInputError if a fixed value does not fit."""
        problems = self.kind.setting_problems(_typed(self.kind, values))
        problems = {name: said for name, said in problems.items() if values.get(name) not in (None, "")}
        for each in self.asked:
            value = str(values.get(each.name) or "").strip()
            if each.kind is Kind.INTEGER and value and not _is_whole(value):
                problems[each.name] = f"{each.label} takes a whole number."
            elif each.name == "amount" and value and not _is_amount(value):
                problems[each.name] = "This is not a number above 0."
        if problems:
            raise InvalidInputError(problems)


def form_of(kind: str, sources: Sources, options: Mapping[str, Sequence[Choice]]) -> KindForm:
    """The form for a kind. `options` are the choices of each setting, by its name."""
    known = kinds.of(kind)
    chosen = known.read({name: value for name, value in sources.items() if isinstance(value, str)})
    settings = [each for each in known.settings if each.name in chosen]
    asked = [_with_options(each, options.get(each.name)) for each in settings]
    asked += [each for each in known.inputs if known.asks_for(each, chosen)]
    if known.named is not None:
        columns = (
            Field(NAME_COLUMN, "Name", Kind.TEXT, is_required=True, max_length=100),
            Field(VALUE_COLUMN, "Value", Kind.LONG_TEXT, is_required=True),
        )
        asked.append(
            Field(
                known.named.name,
                known.named.label,
                Kind.ROWS,
                is_required=known.named.is_needed,
                help=known.named.help,
                columns=columns,
                default=[],
            )
        )
    fixed = {each.name for each in settings if each.name not in known.mapped} | {NAME_COLUMN}
    return KindForm(known, tuple(asked), frozenset(fixed))


def _with_options(f: Field, options: Sequence[Choice] | None) -> Field:
    return f if options is None or f.fixed_choices else replace(f, kind=Kind.CHOICE, fixed_choices=tuple(options))


def problems(kind: str, sources: Sources) -> dict[str, str]:
    """A sentence per path for names that are empty, repeated or not allowed."""
    found: dict[str, str] = {}
    named = kinds.of(kind).named
    if named is None:
        return found
    rows = sources.get(named.name)
    seen: set[str] = set()
    for index, row in enumerate(rows if isinstance(rows, list) else []):
        name = row.get(NAME_COLUMN, "").strip()
        path = f"{named.name}.{index}.{NAME_COLUMN}"
        if name and not is_name(name):
            found[path] = "A name is made of letters, digits and _, and begins with a letter, as in net_amount."
        elif name in seen:
            found[path] = f"{name} stands here twice. Give each value a name of its own."
        seen.add(name)
    return found


def is_name(text: str) -> bool:
    """Whether a value can have this name, as in `steps.values.net_amount`."""
    return text.isascii() and text.isidentifier() and not text.startswith("_") and len(text) <= 100


def split(kind: str, sources: Sources) -> tuple[dict[str, Any], Sources]:
    """The step's settings and its mapping rows."""
    known = kinds.of(kind)
    settings = _typed(known, {each.name: sources[each.name] for each in known.settings if each.name in sources})
    if known.named is None:
        names = {each.name for each in known.inputs}
        return settings, {name: value for name, value in sources.items() if name in names}
    rows = sources.get(known.named.name)
    named = rows if isinstance(rows, list) else []
    return settings, {row[NAME_COLUMN].strip(): row[VALUE_COLUMN] for row in named if row.get(NAME_COLUMN, "").strip()}


def stored(step: Step) -> Sources:
    """The sources of a stored step, for its form."""
    known = kinds.of(step.kind)
    found: Sources = {name: _text_of(value) for name, value in known.read(step.settings).items()}
    rows = list(step.mappings.all())
    if known.named is None:
        return found | editing.sources_of(rows)
    rows.sort(key=lambda row: row.pk)  # as they were written, not by their names
    return found | {known.named.name: [{NAME_COLUMN: row.input, VALUE_COLUMN: row.value} for row in rows]}


def defaults(kind: str, **chosen: str) -> Sources:
    """What a new form starts with."""
    known = kinds.of(kind)
    found: Sources = {name: _text_of(value) for name, value in known.read(chosen).items()}
    if known.named is not None:
        found[known.named.name] = [{NAME_COLUMN: "", VALUE_COLUMN: ""}] if known.named.is_needed else []
    return found


def _typed(known: StepKind, values: Mapping[str, Any]) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    for each in known.settings:
        value = values.get(each.name)
        if value in (None, ""):
            continue
        if each.kind is Kind.YES_NO:
            typed[each.name] = value in (True, "true")
        elif each.kind is Kind.INTEGER:
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
