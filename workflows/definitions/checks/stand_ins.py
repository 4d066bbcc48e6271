"""Values that stand for those that only a run knows, so that the rest can be cleaned and compared before.

Each set differs in everything that a comparison could turn on: numbers and days are low in one and high in another,
texts are never the same, what may be left out is left out in one. A choice that is mapped takes each of its values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice, product
from typing import Any

from integrations.schema.fields import Field, Kind
from workflows.language import mapping
from workflows.language.table_rows import cells

#: With more combinations of mapped choices than this, nothing is said of what depends on several inputs.
_MOST_COMBINATIONS = 100
_ID = "00000000-0000-4000-8000-{:012}"


def sets_of(
    fields: Iterable[Field], sources: Mapping[str, Any], known: Mapping[str, str], mapped: set[str]
) -> list[dict[str, Any]]:
    """The inputs with each set of values for those that are mapped, whose paths are added to `mapped`. `known` are
    paths whose mapping is wrong already."""
    places = list(_places({f.name: f for f in fields}, sources, known))
    mapped.update(place.path for place in places if place.is_mapped)
    choosing = [place for place in places if place.is_mapped and place.declared is not None and place.declared.enum]
    picks = [[value for value, _ in place.declared.fixed_choices] for place in choosing if place.declared is not None]
    combinations = [*islice(product(*picks), _MOST_COMBINATIONS + 1)]
    if len(combinations) > _MOST_COMBINATIONS:
        # A text for each choice, which is none of them: so each input is judged alone.
        return [_filled(places, {}, _low)]
    paths = [place.path for place in choosing]
    chosen = [dict(zip(paths, picked, strict=True)) for picked in combinations]
    return [_filled(places, each, how) for each in chosen for how in (_low, _high, _least)]


@dataclass(frozen=True)
class _Place:
    """An input, or a cell, with its constant value if it is not mapped. A table that is mapped whole is one place."""

    path: str
    declared: Field | None
    is_mapped: bool
    number: int
    constant: Any = None
    within: tuple[str, int] | None = None


def _places(fields: Mapping[str, Field], sources: Mapping[str, Any], known: Mapping[str, str]) -> Iterator[_Place]:
    number = 0
    for name, source in sources.items():
        declared = fields.get(name)
        if not isinstance(source, list):
            number += 1
            yield _place(name, declared, source, known, number)
            continue
        columns = {column.name: column for column in declared.columns} if declared is not None else {}
        for index, row in enumerate(source):
            for column, cell in cells(row):
                number += 1
                path = f"{name}.{index}.{column}"
                place = _place(path, columns.get(column), cell, known, number)
                yield _Place(path, place.declared, place.is_mapped, number, place.constant, (name, index))


def _place(path: str, declared: Field | None, source: str, known: Mapping[str, str], number: int) -> _Place:
    try:
        if path not in known and not mapping.references(source):
            return _Place(path, declared, False, number, mapping.evaluate(source, {}))
    except mapping.MappingError:
        pass
    return _Place(path, declared, True, number)


def _filled(places: list[_Place], chosen: Mapping[str, str], how: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for place in places:
        value = chosen.get(place.path, how(place)) if place.is_mapped else place.constant
        if place.within is None:
            values[place.path] = value
            continue
        name, index = place.within
        rows = values.setdefault(name, [])
        rows.extend({} for _ in range(index + 1 - len(rows)))
        rows[index][place.path.rpartition(".")[2]] = value
    return values


def _least(place: _Place) -> Any:
    """Nothing, where nothing may be given."""
    return _low(place) if place.declared is None or place.declared.is_required else None


def _low(place: _Place) -> Any:
    return _value(place, is_high=False)


def _high(place: _Place) -> Any:
    return _value(place, is_high=True)


def _value(place: _Place, *, is_high: bool) -> Any:
    f, year = place.declared, 2100 if is_high else 1990
    if f is None:
        return _text(place)
    if f.kind in (Kind.NUMBER, Kind.INTEGER):
        return _number(f, is_high=is_high)
    stands: dict[Kind, Any] = {
        Kind.DATE: f"{year}-01-01",
        Kind.DATETIME: f"{year}-01-01T00:00:00+00:00",
        Kind.YES_NO: is_high,
        Kind.LIST: [value for value, _ in f.fixed_choices][:1] or [_text(place)],
        Kind.ROWS: [{}],
        Kind.DATA: [],
    }
    return stands.get(f.kind, _text(place))


def _text(place: _Place) -> str:
    text = _ID.format(place.number)
    most = place.declared.max_length if place.declared is not None else None
    return text if most is None else text[-most:]


def _number(f: Field, *, is_high: bool) -> Decimal:
    if is_high:
        return f.maximum if f.maximum is not None else max(Decimal(1_000_000), f.minimum or Decimal(0))
    return f.minimum if f.minimum is not None else min(Decimal(-1_000_000), f.maximum or Decimal(0))
