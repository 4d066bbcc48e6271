"""What the values in a form's fields give now, with the sample: a value, or why there is none."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from integrations.schema.fields import Kind
from workflows.forms import list_use
from workflows.forms.form_controls import Control
from workflows.language import mapping
from workflows.language.references import example_of
from workflows.language.table_rows import EACH
from workflows.language.values import MappingContext, MappingError, kind_of
from workflows.presenters.editor.available_values import AvailableValues

#: How long all fields of a form may take together; a form must open.
_SECONDS = 3.0


@dataclass(frozen=True)
class Given:
    """What one field gives: `value` shortened, and its kind; or the error."""

    value: str = ""
    kind: str = ""
    error: str = ""


class Evaluation:
    """Works out sources at one place of a workflow, all of them within a few seconds."""

    def __init__(self, here: AvailableValues) -> None:
        self.data = here.data
        self.context: MappingContext = replace(here.context, deadline=time.monotonic() + _SECONDS)
        self._items: dict[str, Mapping[str, Any]] = {}

    def given(self, source: str, each: str = "") -> Given:
        """What the source gives; `each` is the list whose first item it may refer to."""
        try:
            found = mapping.evaluate(source, self._with_item(each), self.context)
        except MappingError as error:
            return Given(error=error.message)
        return Given(example_of(found), kind_of(found))

    def _with_item(self, each: str) -> Mapping[str, Any]:
        if not each.strip():
            return self.data
        if each not in self._items:
            found = mapping.evaluate(each, self.data, self.context)
            first = {"item": found[0]} if isinstance(found, list) and found else {}
            self._items[each] = {**self.data, **first}
        return self._items[each]


def show_values(controls: Iterable[Control], here: AvailableValues) -> None:
    """Note on each control, and on the cells of tables, what its values give."""
    evaluation = Evaluation(here)
    for control in controls:
        _show(control, evaluation)
        for row in control.rows:
            each = row.each.text or row.each.value if row.each else ""
            for cell in [*([row.each] if row.each else []), *row.cells]:
                _show(cell, evaluation, "" if cell is row.each else each)


def _show(control: Control, evaluation: Evaluation, each: str = "") -> None:
    source = control.text or control.value
    if control.takes_tokens and "{{" in source and not control.errors:
        given = evaluation.given(source, each)
        control.gives, control.gives_error = given.value, given.error
        is_cell = control.path.count(".") == 2
        if given.kind == "list" and _holds_one(control, is_cell=is_cell) and list_use.is_plain(source):
            control.list_uses = list_use.uses(is_cell=is_cell)


def _holds_one(control: Control, *, is_cell: bool) -> bool:
    """Whether the field holds one value. A row is repeated for a list, and a long text of its own may hold one, as the
    body of a mail does."""
    if control.path.endswith(EACH):
        return False
    return control.kind not in (Kind.LIST, Kind.ROWS) and (is_cell or control.kind != Kind.LONG_TEXT)
