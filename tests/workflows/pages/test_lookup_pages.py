"""The pages of lookup tables, as finance uses them: rows, columns, versions, files."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.base import Cast, make_connection
from workflows.definitions import editing, validation
from workflows.lookup_tables import editing as lookup_editing
from workflows.lookup_tables import lookup
from workflows.lookup_tables.usage import tables_in, users_of
from workflows.models import LookupRow, LookupTable, LookupVersion, Step, Workflow
from workflows.publishing import publish

ROWS = [
    {"Board": "Oak tables", "Account": "200"},
    {"Board": "Chairs", "Account": "205"},
]


@pytest.fixture
def table(cast: Cast) -> LookupTable:
    return lookup_editing.create(
        cast.team, name="Boards", description="Which account", columns=["Board", "Account"], rows=ROWS, by=cast.builder
    )


def _at(name: str, table: LookupTable, *more: object) -> str:
    return reverse(name, args=[table.pk, *more])


def _row(table: LookupTable, key: str) -> int:
    return int(LookupRow.objects.get(table=table, key=key, gone_in=None).pk)


def _says(response: Any, text: str) -> bool:
    return text in response.content.decode()


def _file(text: str | bytes, name: str = "boards.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode() if isinstance(text, str) else text, "text/csv")


# --- looking --------------------------------------------------------------------------------------------------------


def test_without_tables_the_list_says_what_they_are_for(builder: Client) -> None:
    response = builder.get(reverse("lookup_tables"))
    assert _says(response, "No lookup tables yet")
    assert _says(response, reverse("new_lookup_table"))


def test_the_list_shows_how_many_rows_and_who_changed_them(builder: Client, table: LookupTable) -> None:
    response = builder.get(reverse("lookup_tables"))
    assert _says(response, "version 1, builder")
    assert _says(builder.get(reverse("lookup_tables") + "?q=boa"), "Boards")
    assert _says(builder.get(reverse("lookup_tables") + "?q=zzz"), "Nothing found")


def test_the_sidebar_leads_to_the_tables(builder: Client) -> None:
    assert _says(builder.get(reverse("runs")), f'href="{reverse("lookup_tables")}"')


def test_rows_are_searched_in_every_column(builder: Client, table: LookupTable) -> None:
    found = builder.get(_at("lookup_table", table) + "?q=205").context["rows"]
    assert [cells for _, cells in found] == [["Chairs", "205"]]
    assert _says(builder.get(_at("lookup_table", table) + "?q=%00zzz"), "No row has")


def test_many_rows_come_in_pages(builder: Client, cast: Cast) -> None:
    rows = [{"Board": f"Board {n:03}"} for n in range(60)]
    big = lookup_editing.create(cast.team, name="Big", description="", columns=["Board"], rows=rows, by=cast.builder)
    response = builder.get(_at("lookup_table", big) + "?page=3")
    assert [cells[0] for _, cells in response.context["rows"]] == [f"Board {n:03}" for n in range(50, 60)]
    assert _says(response, "51 to 60 of 60")


def test_somebody_who_only_looks_is_offered_nothing_to_change(client: Client, cast: Cast, table: LookupTable) -> None:
    client.force_login(cast.auditor)
    response = client.get(_at("lookup_table", table))
    assert not _says(response, _at("edit_lookup_rows", table))
    assert _says(response, _at("export_lookup_table", table))


def test_what_stands_in_a_cell_is_never_markup(builder: Client, cast: Cast) -> None:
    evil = '"><script>alert(1)</script>'
    made = lookup_editing.create(
        cast.team, name=evil, description=evil, columns=["Key", evil], rows=[{"Key": evil, evil: evil}], by=cast.builder
    )
    for name in ("lookup_table", "edit_lookup_rows", "edit_lookup_columns", "lookup_versions", "import_lookup_table"):
        assert not _says(builder.get(_at(name, made)), "<script>alert"), name
    assert not _says(builder.get(_at("lookup_version", made, 1)), "<script>alert")


# --- changing -------------------------------------------------------------------------------------------------------


def test_a_new_table_is_made_from_the_names_of_its_columns(builder: Client, cast: Cast) -> None:
    posted = {"name": "Suppliers", "description": "Who", "column_names": "Supplier\r\n\r\n Account \r\n"}
    response = builder.post(reverse("new_lookup_table"), posted)
    made = LookupTable.objects.get()
    assert response["Location"] == _at("edit_lookup_rows", made)
    assert lookup.content(made) == lookup.Content(("Supplier", "Account"), "Supplier", ())
    again = builder.post(reverse("new_lookup_table"), {**posted, "name": "suppliers"})
    assert _says(again, "There is already a lookup table called suppliers")


def test_a_new_table_is_made_from_a_file(builder: Client) -> None:
    file = _file("\ufeffSupplier;Account\r\nTimber Ltd;300\r\n")
    builder.post(reverse("new_lookup_table"), {"name": "Suppliers", "file": file})
    assert lookup.content(LookupTable.objects.get()).rows == ({"Supplier": "Timber Ltd", "Account": "300"},)


def test_a_file_with_bad_rows_makes_no_table_and_they_are_named(builder: Client) -> None:
    response = builder.post(reverse("new_lookup_table"), {"name": "S", "file": _file("A,B\nx,1\n,2\nx,3\n")})
    assert _says(response, "Line 3: A is empty")
    assert _says(response, "Line 4: A x stands on line 2 already.")
    assert not LookupTable.objects.exists()


@pytest.mark.parametrize(
    ("posted", "said"),
    [
        ({"name": "S"}, "Name at least one column, or choose a file."),
        ({"column_names": "A"}, "Give the table a name."),
        ({"name": "S", "column_names": "A\na"}, "two columns called a"),
    ],
)
def test_a_table_without_name_or_columns_is_refused(builder: Client, posted: dict[str, str], said: str) -> None:
    assert _says(builder.post(reverse("new_lookup_table"), posted), said)
    assert not LookupTable.objects.exists()


def test_rows_are_changed_removed_and_added_in_one_version(builder: Client, table: LookupTable, cast: Cast) -> None:
    oak, chairs = _row(table, "oak tables"), _row(table, "chairs")
    posted = {
        "row": [oak, chairs], f"cell.{oak}.0": "Oak tables", f"cell.{oak}.1": "210", f"cell.{chairs}.0": "Chairs",
        f"cell.{chairs}.1": "205", "remove": [chairs], "new": ["0", "1"], "new.0.0": "Sofas", "new.0.1": "220",
        "new.1.0": " ", "new.1.1": "", "note": "New chart of accounts",
    }  # fmt: skip
    response = builder.post(_at("edit_lookup_rows", table) + "?page=1&q=a", posted)
    assert response["Location"] == _at("lookup_table", table) + "?q=a&page=1"
    version = LookupVersion.objects.get(table=table, number=2)
    assert (version.added, version.changed, version.removed) == (1, 1, 1)
    assert (version.note, version.saved_by) == ("New chart of accounts", cast.builder)
    shown = builder.get(_at("lookup_version", table, 2)).content.decode()
    for words in ("New chart of accounts", "1 added", "1 changed", "1 removed", "<del>200</del>", "<ins>210</ins>"):
        assert words in shown


def test_adding_a_row_keeps_what_is_typed_and_saves_nothing(builder: Client, table: LookupTable) -> None:
    oak = _row(table, "oak tables")
    posted = {
        "row": oak,
        f"cell.{oak}.0": "Oak!",
        f"cell.{oak}.1": "9",
        "new": "0",
        "new.0.0": "Sofas",
        "_add_row": "1",
    }
    response = builder.post(_at("edit_lookup_rows", table), posted)
    assert response.context["new"] == [["Sofas", ""], ["", ""]]
    assert response.context["rows"][0]["cells"] == ["Oak!", "9"]
    assert LookupTable.objects.get().version == 1


def test_a_refused_row_is_shown_again_as_it_was_typed(builder: Client, table: LookupTable) -> None:
    posted = {"new": "0", "new.0.0": "CHAIRS", "new.0.1": "1", "note": "why"}
    response = builder.post(_at("edit_lookup_rows", table), posted)
    assert _says(response, "Not saved.")
    assert _says(response, "stands in two rows")
    assert response.context["new"] == [["CHAIRS", "1"]]
    assert LookupTable.objects.get().version == 1


@pytest.mark.parametrize("row", ["0", "x", "99999999999999999999", "-1", ""])
def test_rows_that_are_not_the_tables_change_nothing(builder: Client, table: LookupTable, row: str, cast: Cast) -> None:
    other = lookup_editing.create(
        cast.other_team, name="O", description="", columns=["Board"], rows=[{"Board": "Theirs"}], by=cast.outsider
    )
    theirs = _row(other, "theirs")
    posted = {"row": [row, theirs], f"cell.{theirs}.0": "Mine", "remove": [row, theirs], "new": row}
    builder.post(_at("edit_lookup_rows", table), posted)
    assert lookup.content(other).rows == ({"Board": "Theirs"},)
    assert LookupTable.objects.get(pk=table.pk).version == 1


def test_columns_are_renamed_added_and_removed(builder: Client, table: LookupTable) -> None:
    posted = {
        "column": ["0", "1", "2"], "old.0": "Board", "name.0": "Pin board", "old.1": "Account", "name.1": "Account",
        "remove": "1", "old.2": "", "name.2": "Tax", "key": "0", "note": "Tax too",
    }  # fmt: skip
    builder.post(_at("edit_lookup_columns", table), posted)
    assert lookup.content(table, 2) == lookup.Content(
        ("Pin board", "Tax"), "Pin board", ({"Pin board": "Oak tables", "Tax": ""}, {"Pin board": "Chairs", "Tax": ""})
    )
    response = builder.post(_at("edit_lookup_columns", table), {**posted, "remove": ["0", "1"]})
    assert _says(response, "Not saved.")
    assert LookupTable.objects.get().version == 2


def test_an_older_version_is_brought_back_after_showing_what_changes(builder: Client, table: LookupTable) -> None:
    lookup_editing.replace(table, lambda _: lookup.Content(("Board",), "Board", ()), by=None, note="")  # type: ignore[arg-type]
    response = builder.get(_at("restore_lookup_version", table, 1))
    assert _says(response, "2 added")
    builder.post(_at("restore_lookup_version", table, 1), {"note": "A mistake"})
    assert lookup.content(table, 3).rows == tuple(ROWS)
    assert LookupVersion.objects.get(table=table, number=3).note == "Version 1 brought back. A mistake"


@pytest.mark.parametrize("number", [0, 2, 4_000_000_000])
def test_a_version_that_is_not_there_is_not_found(builder: Client, table: LookupTable, number: int) -> None:
    assert builder.get(_at("lookup_version", table, number)).status_code == 404
    assert builder.get(_at("export_lookup_table", table) + f"?version={number}").status_code == 404


# --- files ----------------------------------------------------------------------------------------------------------


def test_a_file_is_shown_before_it_is_taken_in(builder: Client, table: LookupTable) -> None:
    text = "board;Account;Note\r\nchairs;206;\r\nSofas;220;new\r\n"
    shown = builder.post(_at("import_lookup_table", table), {"file": _file(text), "how": "merge"})
    body = shown.content.decode()
    for words in ("2 rows in the file", "1 added", "1 changed", "<del>205</del>", "<ins>206</ins>", "New column"):
        assert words in body, words
    assert "removed</h3>" not in body
    assert LookupTable.objects.get().version == 1
    builder.post(_at("import_lookup_table", table), {"text": shown.context["text"], "how": "merge", "_save": "1"})
    assert [row["Board"] for row in lookup.content(table, 2).rows] == ["Oak tables", "chairs", "Sofas"]


def test_replacing_says_what_is_removed(builder: Client, table: LookupTable) -> None:
    shown = builder.post(_at("import_lookup_table", table), {"text": "Board\tAccount\nChairs\t205", "how": "replace"})
    assert _says(shown, "1 removed")
    assert _says(shown, "Rows that are not in it are removed.")
    posted = {"text": shown.context["text"], "how": "replace", "_save": "1", "note": "From the new list"}
    builder.post(_at("import_lookup_table", table), posted)
    assert lookup.content(table, 2).rows == ({"Board": "Chairs", "Account": "205"},)
    assert LookupVersion.objects.get(number=2).note == "From the new list"


@pytest.mark.parametrize(
    ("posted", "said"),
    [
        ({}, "Choose a file, or paste rows"),
        ({"text": "Name,Account\nx,1"}, "The first line has to name the column Board."),
        ({"text": "Board,Account\nx,1\n,2", "_save": "1"}, "Line 3: Board is empty"),
        ({"text": "x" * 700_001}, "larger than 700 kB"),
        ({"text": "Board,Account\nOak tables,200\nChairs,205"}, "Nothing changes."),
    ],
)
def test_what_cannot_be_taken_in_is_said_and_saves_nothing(
    builder: Client, table: LookupTable, posted: dict[str, str], said: str
) -> None:
    assert _says(builder.post(_at("import_lookup_table", table), posted), said)
    assert LookupTable.objects.get().version == 1


def test_a_table_goes_out_as_csv_and_comes_in_unchanged(builder: Client, table: LookupTable, cast: Cast) -> None:
    lookup_editing.edit_rows(
        table, changed={}, removed=[], added=[{"Board": "=1+1", "Account": "-5"}], by=cast.builder, note=""
    )
    answer = builder.get(_at("export_lookup_table", table))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="Boards, version 2.csv"'
    text = answer.content.decode("utf-8-sig")
    assert text.splitlines() == ["Board,Account", "Oak tables,200", "Chairs,205", "'=1+1,-5"]
    again = builder.post(_at("import_lookup_table", table), {"file": _file(answer.content), "how": "replace"})
    assert _says(again, "Nothing changes.")
    older = builder.get(_at("export_lookup_table", table) + "?version=1").content.decode("utf-8-sig")
    assert older.splitlines() == ["Board,Account", "Oak tables,200", "Chairs,205"]


# --- what uses it ---------------------------------------------------------------------------------------------------


def _workflow(cast: Cast, name: str = "Pins to invoices") -> Workflow:
    pinterest = make_connection(cast.team, "pinterest")
    return editing.create_workflow(
        cast.team, name=name, operation="pinterest.new_pin", connection=pinterest, by=cast.builder
    )


def test_a_table_that_is_used_keeps_its_name_and_is_not_put_away(
    builder: Client, table: LookupTable, cast: Cast
) -> None:
    workflow = _workflow(cast)
    Step.objects.create(
        workflow=workflow, key="look", name="Look", kind="lookup", position=1, settings={"table": "Boards"}
    )
    assert _says(builder.get(_at("lookup_table", table)), "Pins to invoices")
    refused = builder.post(_at("lookup_table_settings", table), {"name": "Pin boards", "description": ""})
    assert _says(refused, "The name is used in Pins to invoices.")
    assert _says(builder.post(_at("archive_lookup_table", table)), "It is used by")
    table.refresh_from_db()
    assert (table.name, table.is_archived) == ("Boards", False)
    builder.post(_at("lookup_table_settings", table), {"name": "Boards", "description": "For pins"})
    table.refresh_from_db()
    assert table.description == "For pins"


def test_a_table_that_nothing_uses_is_renamed_put_away_and_brought_back(builder: Client, table: LookupTable) -> None:
    builder.post(_at("lookup_table_settings", table), {"name": "Pin boards", "description": ""})
    builder.post(_at("archive_lookup_table", table))
    table.refresh_from_db()
    assert (table.name, table.is_archived) == ("Pin boards", True)
    assert not _says(builder.get(reverse("lookup_tables")), _at("lookup_table", table))
    assert _says(builder.get(reverse("lookup_tables") + "?archived=1"), "Pin boards")
    assert _says(builder.get(_at("lookup_table", table)), "Bring back")
    builder.post(_at("archive_lookup_table", table))
    table.refresh_from_db()
    assert not table.is_archived


def test_uses_are_found_in_conditions_mappings_and_published_versions(cast: Cast, table: LookupTable) -> None:
    in_condition = _workflow(cast, "By a condition")
    comparison = {"left": "{{ trigger.board_name }}", "type": "lookup", "operator": "in_table", "right": "Boards"}
    editing.set_filter(in_condition, group="all", comparisons=[comparison])
    in_mapping = _workflow(cast, "By a mapping")
    step = Step.objects.create(workflow=in_mapping, key="f", name="F", kind="format", position=1)
    step.mappings.create(input="account", value='{{ trigger.board_name | lookup("Boards", "Account") }}')
    text_only = _workflow(cast, "By nothing")
    other = Step.objects.create(workflow=text_only, key="f", name="F", kind="format", position=1)
    other.mappings.create(input="note", value='The lookup "Boards" is not asked, {{ "x" | lookup("Others") }}')
    published = _workflow(cast, "By its version")
    publish.WorkflowVersion.objects.create(
        workflow=published, number=1, plan={"steps": [{"kind": "lookup", "table": "Boards"}]}, plan_sha256="x"
    )
    Workflow.objects.filter(pk=published.pk).update(published=published.versions.get())
    assert [each.name for each in users_of(table)] == ["By a condition", "By a mapping", "By its version"]


@pytest.mark.parametrize(
    ("source", "tables"),
    [
        ('{{ trigger.a | lookup("A") ~ (trigger.b | lookup(table="B", column="x")) }}', {"A", "B"}),
        ('{{ trigger.a | default("x" | lookup("A")) }}', {"A"}),
        ("{{ trigger.a | lookup(trigger.name) }}", set()),
        ("{{ broken", set()),
        ("lookup", set()),
    ],
)
def test_the_tables_of_a_mapping_are_read_from_its_meaning(source: str, tables: set[str]) -> None:
    assert tables_in(source) == tables


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('{{ trigger.board_name | lookup("Boards", "Account") }}', []),
        ('{{ trigger.board_name | lookup("Boards") }}', []),
        ("{{ trigger.board_name | lookup(trigger.title, trigger.title) }}", []),
        ('{{ trigger.board_name | lookup("Boards", "Tax") }}', ['has no column "Tax". It has: Board, Account.']),
        ('{{ "a" | lookup("Nope", "x") ~ ("b" | lookup("Nope")) }}', ['no lookup table called "Nope"']),
    ],
)
def test_a_mapping_that_names_what_is_not_there_is_not_published(
    cast: Cast, table: LookupTable, source: str, said: list[str]
) -> None:
    workflow = _workflow(cast)
    step = Step.objects.create(workflow=workflow, key="f", name="F", kind="format", position=1)
    step.mappings.create(input="account", value=source)
    found = [problem.message for problem in validation.problems(workflow) if "lookup table" in problem.message]
    assert len(found) == len(said)
    for words, message in zip(said, found, strict=True):
        assert words in message


def test_a_condition_on_a_table_that_was_put_away_is_not_published(cast: Cast, table: LookupTable) -> None:
    workflow = _workflow(cast)
    comparison = {"left": "{{ trigger.board_name }}", "type": "lookup", "operator": "in_table", "right": "Boards"}
    editing.set_filter(workflow, group="all", comparisons=[comparison])
    assert not [each for each in validation.problems(workflow) if "put away" in each.message]
    lookup_editing.archive(table, is_archived=True)
    (problem,) = [each for each in validation.problems(workflow) if "put away" in each.message]
    assert problem.step == "filter"
