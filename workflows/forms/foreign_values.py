"""Values picked from the lists of one organisation that another one does not have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from integrations.schema.fields import Field, Kind, place_of
from workflows.definitions.editing import Sources
from workflows.forms.form_controls import FIND, PREFIX, Control, Loader


@dataclass(frozen=True)
class ForeignValue:
    """A value by the place that the form names, as "Line 1, account", with what it was called where it came from, and
    the id of its control."""

    place: str
    name: str
    value: str
    control_id: str


def foreign_values(
    fields: Sequence[Field], sources: Sources, *, load: Loader, names: Mapping[str, Mapping[str, str]]
) -> list[ForeignValue]:
    """The fixed values that are in no list of the organisation that `load` asks. `names` are what values were called
    before, by the key of their choices. What could not be fetched is not compared.
    """
    found = []
    for path, f, value, beside in _picked(fields, sources):
        loaded = load(f, beside, "")
        if loaded.problem and loaded.choices == [] and loaded.fetched_at is None:
            continue
        if value not in {known for known, _ in loaded.choices}:
            key = f.dynamic_choices.key if f.dynamic_choices is not None else ""
            control_id = "id_" + (PREFIX + path).replace(".", "-")
            name = names.get(key, {}).get(value, value)
            found.append(ForeignValue(place_of(fields, path), name, value, control_id))
    return found


def name_foreign_values(controls: Iterable[Control], found: Iterable[ForeignValue], organisation: str) -> None:
    """Call these values in their lists what they were called where they came from, "not in" the organisation."""
    by_id = {each.control_id: each for each in found}
    for control in controls:
        for each in [control, *(cell for row in control.rows for cell in row)]:
            if foreign := by_id.get(each.id):
                named = f"{foreign.name} (not in {organisation})"
                each.options = [(value, named if value == foreign.value else label) for value, label in each.options]


def _picked(fields: Sequence[Field], sources: Sources) -> Iterator[tuple[str, Field, str, Mapping[str, str]]]:
    """Every fixed value of an input whose choices are fetched: its path, its input, itself, and what stands beside."""
    plain = {name: source for name, source in sources.items() if isinstance(source, str)}
    for f in fields:
        source = sources.get(f.name, "")
        if f.kind is Kind.ROWS and isinstance(source, list):
            for index, row in enumerate(source):
                for column in f.columns:
                    if _is_picked(column, row.get(column.name, "")):
                        yield f"{f.name}.{index}.{column.name}", column, row[column.name], {**plain, **row}
        elif isinstance(source, str) and _is_picked(f, source):
            yield f.name, f, source, plain


def _is_picked(f: Field, source: str) -> bool:
    return f.dynamic_choices is not None and bool(source.strip()) and "{{" not in source and source != FIND
