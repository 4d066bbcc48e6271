"""Lookup tables: what a row is found by, what a saved change writes, and what is kept of it for ever."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.base import Cast, make_cast
from workflows.language.mapping import MappingError
from workflows.lookup_tables import editing, lookup
from workflows.lookup_tables.editing import LookupEditError, differences
from workflows.lookup_tables.lookup import Content, Found, NoTableError, look_up
from workflows.models import LookupRow, LookupTable, LookupVersion

COLUMNS = ("Board", "Account", "Tracking")
ROWS = (
    {"Board": "Oak tables", "Account": "200", "Tracking": "North"},
    {"Board": "Chairs", "Account": "205"},
)


@pytest.fixture
def table(cast: Cast) -> LookupTable:
    return editing.create(cast.team, name="Boards", description="", columns=COLUMNS, rows=ROWS, by=cast.builder)


def _row(table: LookupTable, key: str) -> LookupRow:
    found: LookupRow = LookupRow.objects.get(table=table, key=key, gone_in=None)
    return found


def _edit(table: LookupTable, cast: Cast, **what: object) -> LookupVersion | None:
    values: dict[str, object] = {"changed": {}, "removed": [], "added": [], "note": "", **what}
    return editing.edit_rows(table, by=cast.builder, **values)  # type: ignore[arg-type]


# --- looking up -----------------------------------------------------------------------------------------------------


def test_a_row_is_found_by_its_key_with_the_version_that_said_so(cast: Cast, table: LookupTable) -> None:
    found = look_up(cast.team.pk, "Boards", "Oak tables")
    assert found == Found("Boards", 1, "Board", {"Board": "Oak tables", "Account": "200", "Tracking": "North"})
    assert found.value == "200"


@pytest.mark.parametrize("written", ["oak tables", "  OAK   tables ", "Oak\ttables", "Ｏak tables"])
def test_capitals_spaces_and_wide_letters_do_not_matter(cast: Cast, table: LookupTable, written: str) -> None:
    assert look_up(cast.team.pk, "Boards", written) is not None


def test_an_empty_cell_is_there_as_an_empty_text(cast: Cast, table: LookupTable) -> None:
    found = look_up(cast.team.pk, "Boards", "chairs")
    assert found is not None
    assert found.row == {"Board": "Chairs", "Account": "205", "Tracking": ""}


@pytest.mark.parametrize("value", ["Sofas", "", None, "x" * 5000, "a\x00b"])
def test_what_is_not_there_is_not_found(cast: Cast, table: LookupTable, value: object) -> None:
    assert look_up(cast.team.pk, "Boards", value) is None


def test_numbers_are_looked_up_as_they_are_written(cast: Cast) -> None:
    editing.create(
        cast.team,
        name="Rates",
        description="",
        columns=["Code"],
        rows=[{"Code": "20.50"}, {"Code": "7"}],
        by=cast.builder,
    )
    assert look_up(cast.team.pk, "Rates", Decimal("20.50")) is not None
    assert look_up(cast.team.pk, "Rates", 7) is not None
    found = look_up(cast.team.pk, "Rates", 7)
    assert found is not None
    assert found.value == "7"


def test_a_list_cannot_be_looked_up(cast: Cast, table: LookupTable) -> None:
    with pytest.raises(MappingError, match="A list cannot stand in a text"):
        look_up(cast.team.pk, "Boards", ["Chairs"])


def test_a_table_that_is_not_there_is_an_error_that_names_a_near_one(cast: Cast, table: LookupTable) -> None:
    with pytest.raises(NoTableError, match='no lookup table called "Board"'):
        look_up(cast.team.pk, "Board", "Chairs")
    with pytest.raises(NoTableError, match="Did you mean Boards"):
        look_up(cast.team.pk, "boards", "Chairs")


def test_another_teams_table_is_not_there(cast: Cast, table: LookupTable) -> None:
    with pytest.raises(NoTableError):
        look_up(cast.other_team.pk, "Boards", "Chairs")


def test_a_table_that_was_put_away_is_not_found_until_it_is_brought_back(cast: Cast, table: LookupTable) -> None:
    editing.archive(table, is_archived=True)
    with pytest.raises(NoTableError, match="was put away"):
        look_up(cast.team.pk, "Boards", "Chairs")
    with pytest.raises(LookupEditError, match="put away"):
        _edit(table, cast, added=[{"Board": "Sofas"}])
    editing.archive(table, is_archived=False)
    assert look_up(cast.team.pk, "Boards", "Chairs") is not None


def test_looking_up_takes_three_queries_however_long_the_table(
    cast: Cast, table: LookupTable, django_assert_num_queries: object
) -> None:
    _edit(table, cast, added=[{"Board": f"Board {n}"} for n in range(500)])
    with django_assert_num_queries(3):  # type: ignore[operator]
        look_up(cast.team.pk, "Boards", "Board 499")


def test_a_reader_stays_with_the_version_it_began_with_and_tells_it(cast: Cast, table: LookupTable) -> None:
    reader = lookup.Reader(cast.team.pk)
    assert reader("Boards", "chairs") == {"Board": "Chairs", "Account": "205", "Tracking": ""}
    _edit(table, cast, changed={_row(table, "chairs").pk: {"Board": "Chairs", "Account": "999"}})
    assert reader("Boards", "chairs") == {"Board": "Chairs", "Account": "205", "Tracking": ""}
    assert reader.used == {"Boards": 1}
    assert lookup.Reader(cast.team.pk)("Boards", "chairs") == {"Board": "Chairs", "Account": "999", "Tracking": ""}


# --- versions -------------------------------------------------------------------------------------------------------


def test_each_saved_change_is_a_version_with_who_and_why(cast: Cast, table: LookupTable) -> None:
    chairs, oak = _row(table, "chairs").pk, _row(table, "oak tables").pk
    version = _edit(
        table,
        cast,
        changed={chairs: {"Board": "Chairs", "Account": "210", "Tracking": ""}},
        removed=[oak],
        added=[{"Board": "Sofas", "Account": "220"}],
        note="New chart of accounts",
    )
    assert version is not None
    assert (version.number, version.added, version.changed, version.removed) == (2, 1, 1, 1)
    assert (version.row_count, version.note, version.saved_by) == (2, "New chart of accounts", cast.builder)
    assert lookup.content(table).rows == (
        {"Board": "Chairs", "Account": "210", "Tracking": ""},
        {"Board": "Sofas", "Account": "220", "Tracking": ""},
    )
    assert lookup.content(table, 1).rows == (ROWS[0], {**ROWS[1], "Tracking": ""})


def test_a_change_that_changes_nothing_makes_no_version(cast: Cast, table: LookupTable) -> None:
    chairs = _row(table, "chairs").pk
    assert _edit(table, cast, changed={chairs: {"Board": " Chairs ", "Account": "205", "Tracking": ""}}) is None
    assert LookupVersion.objects.filter(table=table).count() == 1


def test_rows_that_stay_are_not_written_again(cast: Cast, table: LookupTable) -> None:
    _edit(table, cast, added=[{"Board": "Sofas"}])
    _edit(table, cast, added=[{"Board": "Beds"}])
    assert LookupRow.objects.filter(table=table).count() == 4


def test_an_older_version_is_brought_back_as_a_new_one(cast: Cast, table: LookupTable) -> None:
    _edit(table, cast, removed=[_row(table, "chairs").pk])
    editing.edit_columns(table, columns=[("Board", "Board")], key_column="Board", by=cast.builder, note="")
    assert look_up(cast.team.pk, "Boards", "chairs") is None
    version = editing.restore(table, 1, by=cast.builder)
    assert version is not None
    assert (version.number, version.note) == (4, "Version 1 brought back.")
    assert lookup.content(table) == lookup.content(table, 1)
    assert editing.restore(table, 1, by=cast.builder) is None


def test_a_column_is_renamed_with_what_stands_in_it(cast: Cast, table: LookupTable) -> None:
    columns = [("Account", "Account code"), ("Board", "Board"), ("", "Note")]
    version = editing.edit_columns(table, columns=columns, key_column="Board", by=cast.builder, note="")
    assert version is not None
    found = look_up(cast.team.pk, "Boards", "oak tables")
    assert found is not None
    assert found.row == {"Account code": "200", "Board": "Oak tables", "Note": ""}
    assert lookup.content(table, 1).columns == COLUMNS


def test_a_new_empty_column_rewrites_no_row(cast: Cast, table: LookupTable) -> None:
    columns = [*((name, name) for name in COLUMNS), ("", "Note")]
    editing.edit_columns(table, columns=columns, key_column="Board", by=cast.builder, note="")
    assert LookupRow.objects.filter(table=table).count() == 2


def test_the_key_column_can_be_another_one_where_its_values_differ(cast: Cast, table: LookupTable) -> None:
    columns = [(name, name) for name in COLUMNS]
    editing.edit_columns(table, columns=columns, key_column="Account", by=cast.builder, note="")
    assert look_up(cast.team.pk, "Boards", 205) is not None
    with pytest.raises(LookupEditError, match="Tracking is empty"):
        editing.edit_columns(table, columns=columns, key_column="Tracking", by=cast.builder, note="")
    assert LookupTable.objects.get(pk=table.pk).version == 2


def test_two_people_may_edit_different_rows_at_once_but_not_the_same(cast: Cast, table: LookupTable) -> None:
    chairs, oak = _row(table, "chairs").pk, _row(table, "oak tables").pk
    _edit(table, cast, changed={chairs: {"Board": "Chairs", "Account": "1"}})
    # The second person's page was opened before, and holds both rows.
    as_before = {"Board": "Chairs", "Account": "205", "Tracking": ""}
    _edit(table, cast, changed={chairs: as_before, oak: {"Board": "Oak tables", "Account": "2"}})
    assert [row["Account"] for row in lookup.content(table).rows] == ["2", "1"]
    with pytest.raises(LookupEditError, match="Somebody else has changed Chairs"):
        _edit(table, cast, changed={chairs: {"Board": "Chairs", "Account": "3"}})
    with pytest.raises(LookupEditError, match="Somebody else has changed Chairs"):
        _edit(table, cast, removed=[chairs])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"Board": ""}, "Board is empty"),
        ({"Board": "CHAIRS"}, "stands in two rows"),
        ({"Board": "x" * 401}, "longer than 400"),
        ({"Board": "Sofas", "Account": "x" * 501}, "Account is longer than 500"),
        ({"Board": "Sofas", "Account": "a\x00b"}, "cannot be stored"),
    ],
)
def test_a_bad_row_is_refused_and_nothing_is_saved(
    cast: Cast, table: LookupTable, row: dict[str, str], said: str
) -> None:
    with pytest.raises(LookupEditError, match=said):
        _edit(table, cast, added=[{"Board": "Beds"}, row])
    assert look_up(cast.team.pk, "Boards", "Beds") is None
    assert LookupVersion.objects.filter(table=table).count() == 1


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ([], "at least one column"),
        (["Board", "board"], "two columns called board"),
        (["Board", ""], "no name"),
        ([f"Column {n}" for n in range(13)], "at most 12 columns"),
        (["x" * 101], "at most 100"),
    ],
)
def test_columns_that_cannot_be_are_refused(cast: Cast, columns: list[str], said: str) -> None:
    with pytest.raises(LookupEditError, match=said):
        editing.create(cast.team, name="Other", description="", columns=columns, by=cast.builder)
    assert not LookupTable.objects.exists()


def test_names_differ_in_a_team_whatever_their_capitals(cast: Cast, table: LookupTable) -> None:
    with pytest.raises(LookupEditError, match="already a lookup table called boards"):
        editing.create(cast.team, name="boards", description="", columns=["A"], by=cast.builder)
    other = editing.create(cast.other_team, name="Boards", description="", columns=["A"], by=cast.outsider)
    assert other.pk != table.pk


# --- for ever -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda: LookupVersion.objects.update(number=7),
        lambda: LookupVersion.objects.update(note="otherwise"),
        lambda: LookupVersion.objects.update(columns=["Other"]),
        lambda: LookupRow.objects.update(cells={"Account": "666"}),
        lambda: LookupRow.objects.update(key="other"),
        lambda: LookupRow.objects.filter(gone_in=2).update(gone_in=None),
        lambda: LookupRow.objects.filter(gone_in=2).update(gone_in=3),
    ],
)
def test_the_database_refuses_to_change_what_a_version_said(cast: Cast, table: LookupTable, change: object) -> None:
    _edit(table, cast, removed=[_row(table, "chairs").pk])
    with pytest.raises((IntegrityError, DatabaseError), match="append-only"), transaction.atomic():
        change()  # type: ignore[operator]
    assert lookup.content(table, 1).rows == (ROWS[0], {**ROWS[1], "Tracking": ""})


# --- whatever the rows ----------------------------------------------------------------------------------------------

_CELL = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8)


@st.composite
def _contents(draw: st.DrawFn) -> Content:
    columns = ("Key", *draw(st.lists(st.sampled_from(["A", "B", "C"]), unique=True)))
    keys = draw(st.lists(st.sampled_from(["x", "y", "z", "w", "v"]), unique=True))
    rows = tuple({name: key if name == "Key" else draw(_CELL) for name in columns} for key in keys)
    return Content(columns, "Key", rows)


def _trimmed(content: Content) -> Content:
    rows = tuple({name: editing.trimmed(text) for name, text in row.items()} for row in content.rows)
    return Content(content.columns, content.key_column, rows)


class TestHistory(TestCase):
    @given(history=st.lists(_contents(), min_size=1, max_size=5))
    def test_every_version_says_for_ever_what_was_saved(self, history: list[Content]) -> None:
        cast = make_cast()
        table = editing.create(cast.team, name="T", description="", columns=["Key"], by=cast.builder)
        said = {1: lookup.content(table, 1)}
        for wanted in history:
            before = lookup.content(table)
            version = editing.replace(table, lambda _, wanted=wanted: wanted, by=cast.builder, note="")
            assert (version is None) == (not differences(before, _trimmed(wanted)))
            said[table.version] = _trimmed(wanted)
        for number, wanted in said.items():
            kept = lookup.content(table, number)
            assert kept.columns == wanted.columns
            by_key = sorted(wanted.rows, key=lambda row: row["Key"])
            assert sorted(kept.rows, key=lambda row: row["Key"]) == by_key
