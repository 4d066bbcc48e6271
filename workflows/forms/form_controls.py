"""The controls of a form: one for each declared input, with its value, choices, help and errors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from django.http import QueryDict

from integrations.schema.schema import Field, Kind
from workflows.definitions.editing import Sources
from workflows.language.table_rows import EACH

PREFIX = "in."
TEXT = "~text"
_SEARCH = "~search"


@dataclass(frozen=True)
class Loaded:
    """The choices of one input, for the form."""

    choices: list[tuple[str, str]] = field(default_factory=list)
    fetched_at: datetime | None = None
    is_cut: bool = False
    problem: str = ""


class Declared(Protocol):
    """The declared inputs: a Schema, or something like it."""

    def fields(self) -> tuple[Field, ...]:
        """The inputs in order."""

    def clean(self, values: Mapping[str, Any], /) -> Any:
        """Raises InvalidInputError with a sentence per input path."""


#: Given the field, the inputs beside it, and what to search for.
Loader = Callable[[Field, Mapping[str, str], str], Loaded]


#: What the selection of a record holds if the record is to be found or created.
FIND = "~find"


@dataclass(frozen=True)
class RecordOffer:
    """How a record, as a contact, can be given besides picking it: one that an earlier step gave, as (source, label);
    or one found or created by what is `asked`, with the `sources` of that."""

    noun: str
    earlier: Sequence[tuple[str, str]] = ()
    asked: Sequence[Field] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    find_help: str = ""

    @property
    def find_label(self) -> str:
        """As "Find or create the contact by name and e-mail"."""
        names = " and ".join(each.label[:1].lower() + each.label[1:] for each in self.asked)
        return f"Find or create the {self.noun} by {names}"


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
    row_label: str = "Row"
    columns: list[Column] = field(default_factory=list)
    #: How much of a table's line it takes: "short", "middle" or "long".
    breadth: str = "middle"
    #: What its value gives with the sample, or why it gives nothing.
    gives: str = ""
    gives_error: str = ""
    #: Where it gives a list but holds one value: the ways to use the list, as (value of the button, label).
    list_uses: list[tuple[str, str]] = field(default_factory=list)
    #: What it holds: which values fit.
    kind: str = "text"
    is_wide: bool = False
    suggestions: list[tuple[str, str]] = field(default_factory=list)
    #: How its record can be given besides picking it, and the controls for finding or creating one, if that is chosen.
    offer: RecordOffer | None = None
    finding: list[Control] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The element's id: its name without dots and tildes."""
        return "id_" + self.name.replace(".", "-").replace("~", "-")

    @property
    def usual_columns(self) -> list[Column]:
        """Of a table: the columns that stand in its lines."""
        return [column for column in self.columns if column.is_usual]

    @property
    def fetched_columns(self) -> list[Column]:
        """Of a table: the columns whose list was fetched, or could not be."""
        return [column for column in self.columns if column.loaded is not None]

    def is_touched(self, default: object) -> bool:
        """Whether somebody filled it in, searched in it, or has to correct it."""
        typed = self.text or (self.value if self.value != default else "")
        return bool(typed or self.search or self.errors or self.rows)

    @property
    def text_name(self) -> str:
        """The name of the text beside a selection."""
        return self.name + TEXT

    @property
    def ticked(self) -> list[str]:
        """The selected values of several choices."""
        return self.value.split(",")

    @property
    def search_name(self) -> str:
        """The name of the search field beside a selection too long to show."""
        return self.name + _SEARCH

    @property
    def describedby(self) -> str:
        """Ids of its help and errors, for screen readers."""
        parts = [f"{self.id}-help"] if self.help else []
        return " ".join(parts + ([f"{self.id}-errors"] if self.errors else []))


@dataclass(frozen=True)
class Column:
    """A column that stands in the lines of a table, or whose list can be fetched again; `loaded` is that list."""

    label: str
    name: str
    breadth: str
    help: str = ""
    is_required: bool = False
    is_usual: bool = True
    loaded: Loaded | None = None


@dataclass
class TableRow:
    """One row of a table input: the cells of its line, and those folded away under *More*. With `each` it becomes one
    row per item of the list chosen there."""

    usual: list[Control]
    more: list[Control] = field(default_factory=list)
    each: Control | None = None
    #: How many of the cells folded away are filled in, and whether one of them must be seen.
    filled: int = 0
    is_more_open: bool = False
    #: What it comes to with the sample, if that is known.
    amount: str = ""

    @property
    def cells(self) -> list[Control]:
        """Every cell, those of the line first."""
        return [*self.usual, *self.more]

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
    offers: Mapping[str, RecordOffer] | None = None,
) -> list[Control]:
    """The form's controls in the order the inputs are declared. `lists` are the lists that rows can be repeated for,
    `offers` the further ways to give a record, by input."""
    plain = {name: value for name, value in sources.items() if isinstance(value, str)}
    state = _FormState(load, plain, errors, takes_tokens, post, fixed, lists, offers or {})
    columns = (column for f in inputs.fields() for column in f.columns)
    depended_on = _depended_on((*inputs.fields(), *columns))
    made = []
    for each in inputs.fields():
        value = sources.get(each.name, "")
        if each.kind is Kind.ROWS:
            made.append(_table(each, value if isinstance(value, list) else [], state))
            continue
        control = _control(each, str(value), each.name, state)
        control.reloads = control.reloads or each.name in depended_on
        made.append(control)
    return made


def _depended_on(fields: Iterable[Field]) -> set[str]:
    """The inputs whose values change the choices of others."""
    return {name for f in fields if f.dynamic_choices for name in f.dynamic_choices.depends_on}


@dataclass(frozen=True)
class _FormState:
    """What every control of one form needs."""

    load: Loader
    plain: Mapping[str, str]
    errors: Mapping[str, str]
    takes_tokens: bool
    post: QueryDict | None
    fixed: Collection[str]
    lists: Sequence[tuple[str, str]]
    offers: Mapping[str, RecordOffer]


def _table(f: Field, rows: list[dict[str, str]], state: _FormState) -> Control:
    table = Control(
        name=PREFIX + f.name,
        path=f.name,
        label=f.label,
        row_label=f.row_label,
        widget="rows",
        help=f.help,
        is_required=f.is_required,
        takes_tokens=state.takes_tokens,
        errors=_errors(state.errors, f.name),
    )
    depended_on = _depended_on(f.columns)
    for index, row in enumerate(rows):
        table.rows.append(_row(f, row, index, state, depended_on))
        table.errors.extend(_errors(state.errors, f"{f.name}.{index}"))
    table.columns = [_column(f, column, table.rows) for column in f.columns]
    return table


def _row(f: Field, row: Mapping[str, str], index: int, state: _FormState, depended_on: Collection[str]) -> TableRow:
    # A column's choices may depend on another one of the same row.
    beside = replace(state, plain={**state.plain, **row})
    cells = {
        column.name: _control(column, row.get(column.name, ""), f"{f.name}.{index}.{column.name}", beside)
        for column in f.columns
    }
    for name, cell in cells.items():
        cell.reloads = name in depended_on
    usual = [cells.pop(column.name) for column in f.usual_columns]
    for cell in usual:
        cell.lines = 1
    defaults = {column.name: default_text(column) for column in f.columns}
    touched = [cell for name, cell in cells.items() if cell.is_touched(defaults[name])]
    each = _each(row[EACH], f"{f.name}.{index}.{EACH}", state) if EACH in row and state.takes_tokens else None
    return TableRow(usual, list(cells.values()), each, filled=len(touched), is_more_open=bool(touched))


def _column(f: Field, column: Field, rows: Sequence[TableRow]) -> Column:
    first = next((cell for cell in rows[0] if cell.refresh_key == column.name), None) if rows else None
    return Column(
        column.label,
        column.name,
        _breadth(column),
        column.help,
        is_required=column.is_required,
        is_usual=column in f.usual_columns,
        loaded=first.loaded if first is not None else None,
    )


def _breadth(f: Field) -> str:
    if f.kind in (Kind.NUMBER, Kind.INTEGER, Kind.YES_NO):
        return "short"
    return "long" if f.kind is Kind.LONG_TEXT else "middle"


LIST = Field("list", "One row for each item of", Kind.CHOICE, is_required=True)


def _each(source: str, path: str, state: _FormState) -> Control:
    """The control for the list that a row is repeated for."""
    control = _control(replace(LIST, fixed_choices=tuple(state.lists)), source, path, state)
    control.reloads = True
    return control


def _control(f: Field, value: str, path: str, state: _FormState) -> Control:
    takes_tokens = state.takes_tokens and f.name not in state.fixed
    control = Control(
        name=PREFIX + path,
        path=path,
        refresh_key=f.name,
        label=f.label,
        kind=f.kind,
        widget=_WIDGETS.get(f.kind, "text"),
        help=f.help,
        is_required=f.is_required,
        takes_tokens=takes_tokens,
        value=value,
        errors=_errors(state.errors, path),
        is_wide=f.kind is Kind.LONG_TEXT or f.name == "description",
        breadth=_breadth(f),
    )
    if f.kind is Kind.YES_NO:
        control.options = [("true", "Yes"), ("false", "No")]
    elif f.dynamic_choices is not None:
        control.is_searchable = f.dynamic_choices.is_searchable
        control.search = state.post.get(control.search_name, "")[:100] if state.post is not None else ""
        control.loaded = state.load(f, state.plain, control.search)
        control.options = list(control.loaded.choices)
    elif f.kind is Kind.CHOICE:
        control.options = list(f.fixed_choices)
    elif f.kind is Kind.DATA and takes_tokens:
        control.widget, control.options = "choice", list(state.lists)
    if f.kind is Kind.LIST and f.fixed_choices and not takes_tokens:
        control.widget, control.options = "ticks", list(f.fixed_choices)
    elif f.kind is Kind.LIST:
        control.widget = "long"
    if takes_tokens and path in state.offers:
        _offer_record(control, state.offers[path], state)
    if control.widget == "choice":
        _settle_choice(control, f)
    elif takes_tokens and f.kind in (Kind.DATE, Kind.DATETIME):
        control.suggestions = _DATE_SUGGESTIONS
    elif not takes_tokens and f.kind is Kind.DATE:
        control.widget = "date"
    return control


def _offer_record(control: Control, offer: RecordOffer, state: _FormState) -> None:
    control.offer = offer
    # What is found or created is asked for only where that is chosen.
    control.reloads = bool(offer.asked)
    if control.value == FIND:
        asked = {each.name: replace(each, is_required=True) for each in offer.asked}
        control.finding = [
            _control(each, offer.sources.get(name, ""), f"{control.path}{FIND}.{name}", state)
            for name, each in asked.items()
        ]


def _settle_choice(control: Control, f: Field) -> None:
    """Put a known choice into the selection, anything else into the text field beside it."""
    known = {value for value, _ in control.options}
    if control.offer is not None:
        known |= {source for source, _ in control.offer.earlier} | ({FIND} if control.offer.asked else set())
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
