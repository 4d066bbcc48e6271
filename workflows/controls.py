"""What the template draws of a form: a control for each declared input, with its value, choices, help and errors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from django.http import QueryDict

from integrations.schema import Field, Kind
from workflows.editing import Sources
from workflows.rows import EACH

PREFIX = "in."
TEXT = "~text"
_SEARCH = "~search"


@dataclass(frozen=True)
class Loaded:
    """Choices of one input as the form shows them."""

    choices: list[tuple[str, str]] = field(default_factory=list)
    fetched_at: datetime | None = None
    is_cut: bool = False
    problem: str = ""


class Declared(Protocol):
    """What is asked for: a Schema, or something like it."""

    def fields(self) -> tuple[Field, ...]:
        """The inputs in order."""

    def clean(self, values: Mapping[str, Any], /) -> Any:
        """Raises InvalidInputError with a sentence per input path."""


#: Given the field, the inputs beside it, and what to search for.
Loader = Callable[[Field, Mapping[str, str], str], Loaded]


@dataclass
class Control:
    """One input as the template draws it."""

    name: str
    path: str
    label: str
    widget: str
    #: The height of a long text.
    lines: int = 3
    help: str = ""
    is_required: bool = False
    takes_tokens: bool = False
    value: str = ""
    text: str = ""
    options: list[tuple[str, str]] = field(default_factory=list)
    empty_label: str = ""
    loaded: Loaded | None = None
    reloads: bool = False
    refresh_key: str = ""
    is_searchable: bool = False
    search: str = ""
    errors: list[str] = field(default_factory=list)
    rows: list[TableRow] = field(default_factory=list)
    #: What it is with the examples, where that is worth saying.
    gives: str = ""
    is_wide: bool = False
    suggestions: list[tuple[str, str]] = field(default_factory=list)

    @property
    def id(self) -> str:
        """For labels; without the dots and tildes of the name."""
        return "id_" + self.name.replace(".", "-").replace("~", "-")

    def is_touched(self, default: object) -> bool:
        """Whether somebody has put something here, has searched here, or has to mend it."""
        typed = self.text or (self.value if self.value != default else "")
        return bool(typed or self.search or self.errors or self.rows)

    @property
    def text_name(self) -> str:
        """The name of the text beside a selection."""
        return self.name + TEXT

    @property
    def ticked(self) -> list[str]:
        """The picked ones of several choices."""
        return self.value.split(",")

    @property
    def search_name(self) -> str:
        """The name of the search beside a selection that is too long to show."""
        return self.name + _SEARCH

    @property
    def describedby(self) -> str:
        """Ids of what explains it, for screen readers."""
        parts = [f"{self.id}-help"] if self.help else []
        return " ".join(parts + ([f"{self.id}-errors"] if self.errors else []))


@dataclass
class TableRow:
    """One row of a table input; with `each` it stands for one row per item of the list chosen there."""

    cells: list[Control]
    each: Control | None = None

    def __iter__(self) -> Iterator[Control]:
        return iter(self.cells)


def controls(
    inputs: Declared,
    sources: Sources,
    errors: Mapping[str, str],
    *,
    load: Loader,
    takes_tokens: bool,
    post: QueryDict | None = None,
    fixed: Collection[str] = (),
    lists: Sequence[tuple[str, str]] = (),
) -> list[Control]:
    """The form's controls in the order the inputs are declared. `lists` are those that rows can be repeated over."""
    plain = {name: value for name, value in sources.items() if isinstance(value, str)}
    drawing = _Drawing(load, plain, errors, takes_tokens, post, fixed, lists)
    columns = (column for f in inputs.fields() for column in f.columns)
    depended_on = _depended_on((*inputs.fields(), *columns))
    made = []
    for each in inputs.fields():
        value = sources.get(each.name, "")
        if each.kind is Kind.ROWS:
            made.append(_table(each, value if isinstance(value, list) else [], drawing))
            continue
        control = _control(each, str(value), each.name, drawing)
        control.reloads = each.name in depended_on
        made.append(control)
    return made


def _depended_on(fields: Iterable[Field]) -> set[str]:
    """The inputs whose values change what others offer."""
    return {name for f in fields if f.dynamic_choices for name in f.dynamic_choices.depends_on}


@dataclass(frozen=True)
class _Drawing:
    """What every control of one form needs."""

    load: Loader
    plain: Mapping[str, str]
    errors: Mapping[str, str]
    takes_tokens: bool
    post: QueryDict | None
    fixed: Collection[str]
    lists: Sequence[tuple[str, str]]


def _table(f: Field, rows: list[dict[str, str]], drawing: _Drawing) -> Control:
    table = Control(
        name=PREFIX + f.name,
        path=f.name,
        label=f.label,
        widget="rows",
        help=f.help,
        is_required=f.is_required,
        takes_tokens=drawing.takes_tokens,
        errors=_errors(drawing.errors, f.name),
    )
    depended_on = _depended_on(f.columns)
    for index, row in enumerate(rows):
        # A column's choices may depend on another one of the same row.
        beside = replace(drawing, plain={**drawing.plain, **row})
        cells = [
            _control(column, row.get(column.name, ""), f"{f.name}.{index}.{column.name}", beside)
            for column in f.columns
        ]
        for cell in cells:
            cell.reloads = cell.refresh_key in depended_on
        each = _each(row[EACH], f"{f.name}.{index}.{EACH}", drawing) if EACH in row and drawing.takes_tokens else None
        table.rows.append(TableRow(cells, each))
        table.errors.extend(_errors(drawing.errors, f"{f.name}.{index}"))
    return table


LIST = Field("list", "One row for each item of", Kind.CHOICE, is_required=True)


def _each(source: str, path: str, drawing: _Drawing) -> Control:
    """The list that a row is repeated over."""
    return _control(replace(LIST, fixed_choices=tuple(drawing.lists)), source, path, drawing)


def _control(f: Field, value: str, path: str, drawing: _Drawing) -> Control:
    takes_tokens = drawing.takes_tokens and f.name not in drawing.fixed
    control = Control(
        name=PREFIX + path,
        path=path,
        refresh_key=f.name,
        label=f.label,
        widget=_WIDGETS.get(f.kind, "text"),
        help=f.help,
        is_required=f.is_required,
        takes_tokens=takes_tokens,
        value=value,
        errors=_errors(drawing.errors, path),
        is_wide=f.kind is Kind.LONG_TEXT or f.name == "description",
    )
    if f.kind is Kind.YES_NO:
        control.options = [("true", "Yes"), ("false", "No")]
    elif f.dynamic_choices is not None:
        control.is_searchable = f.dynamic_choices.is_searchable
        control.search = drawing.post.get(control.search_name, "")[:100] if drawing.post is not None else ""
        control.loaded = drawing.load(f, drawing.plain, control.search)
        control.options = list(control.loaded.choices)
    elif f.kind is Kind.CHOICE:
        control.options = list(f.fixed_choices)
    if f.kind is Kind.LIST and f.fixed_choices and not takes_tokens:
        control.widget, control.options = "ticks", list(f.fixed_choices)
    elif f.kind is Kind.LIST:
        control.widget = "long"
    if control.widget == "choice":
        _settle_choice(control, f)
    elif takes_tokens and f.kind in (Kind.DATE, Kind.DATETIME):
        control.suggestions = _DATE_SUGGESTIONS
    elif not takes_tokens and f.kind is Kind.DATE:
        control.widget = "date"
    return control


def _settle_choice(control: Control, f: Field) -> None:
    """Put the value where it belongs: a known choice into the selection, anything else into the text beside it."""
    known = {value for value, _ in control.options}
    default = default_text(f)
    labels = dict(control.options)
    control.empty_label = "Choose one" if f.is_required else "Not set"
    if default and default in labels:
        control.empty_label = f"As usual: {labels[default]}"
    if not control.value or control.value in known:
        return
    if control.takes_tokens and "{{" in control.value:
        control.text, control.value = control.value, ""
    elif control.loaded is not None and not control.loaded.problem and not control.loaded.is_cut:
        control.options.append((control.value, f"{control.value} (no longer in the list)"))
    else:
        control.options.append((control.value, control.value))


def default_text(f: Field) -> str:
    return "" if f.default is None or isinstance(f.default, list) else text_of_constant(f.default)


def text_of_constant(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value.value) if isinstance(value, Enum) else str(value)


def _errors(errors: Mapping[str, str], path: str) -> list[str]:
    return [errors[path]] if path in errors else []


_WIDGETS = {Kind.LONG_TEXT: "long", Kind.CHOICE: "choice", Kind.YES_NO: "choice"}
_DATE_SUGGESTIONS = [
    ("{{ run.date }}", "The day of the run"),
    ("{{ run.date | add_days(14) }}", "14 days after the run"),
    ("{{ run.date | add_days(30) }}", "30 days after the run"),
    ("{{ run.date | end_of_month }}", "The last day of the month"),
]
