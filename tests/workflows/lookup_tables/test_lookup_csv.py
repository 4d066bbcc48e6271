"""Lookup tables in and out as CSV: what spreadsheets write is read, what is bad is named by its line."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.core import csv_cells
from integrations.core.csv_cells import neutral
from workflows.files.spreadsheets import decode
from workflows.lookup_tables.csv_files import Problem, merged, read, replaced, write
from workflows.lookup_tables.editing import trimmed
from workflows.lookup_tables.lookup import Content, fold

BEFORE = Content(
    ("Board", "Account"),
    "Board",
    ({"Board": "Oak", "Account": "200"}, {"Board": "Ash", "Account": "205"}),
)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_usual_separator_and_line_ending_is_read(separator: str, ending: str) -> None:
    text = ending.join([separator.join(["Board", "Account"]), separator.join(['"Oak, large; new"', "200"]), ""])
    parsed = read(text)
    assert parsed.problems == ()
    assert parsed.columns == ("Board", "Account")
    assert parsed.rows == ({"Board": "Oak, large; new", "Account": "200"},)


@pytest.mark.parametrize(
    ("raw", "has_note"),
    [
        ("Board\nCafé £".encode(), False),
        ("\ufeffBoard\nCafé £".encode(), False),
        ("Board\nCafé £".encode("utf-16"), False),
        ("Board\nCafé £".encode("cp1252"), True),
    ],
)
def test_every_usual_encoding_is_read_and_a_guess_is_told(raw: bytes, has_note: bool) -> None:
    text, note = decode(raw)
    assert read(text).rows == ({"Board": "Café £"},)
    assert bool(note) is has_note


def test_a_single_column_is_a_table_too() -> None:
    assert read("Contact\nBayside Club\n\nRex Media\n").rows == ({"Contact": "Bayside Club"}, {"Contact": "Rex Media"})


def test_a_cell_over_several_lines_becomes_one_line_and_later_lines_keep_their_numbers() -> None:
    parsed = read('Board,Account\n"Oak\nlarge",200\n,1\nAsh,205,extra\noak   LARGE,2\n')
    assert parsed.rows == ({"Board": "Oak large", "Account": "200"},)
    assert parsed.problems == (
        Problem(4, "Board is empty; every row needs it to be found by."),
        Problem(5, "There are 3 cells, but 2 columns."),
        Problem(6, "Board oak LARGE stands on line 2 already."),
    )


def test_short_rows_have_empty_cells_and_empty_columns_at_the_end_do_not_count() -> None:
    parsed = read("Board,Account,,\nOak\nAsh,205,,\n")
    assert parsed.columns == ("Board", "Account")
    assert parsed.rows == ({"Board": "Oak", "Account": ""}, {"Board": "Ash", "Account": "205"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "at least one column"),
        ("Board,,Account\nOak", "has no name"),
        ("Board,board\nOak", "two columns"),
        (",".join(f"c{n}" for n in range(13)), "at most 12"),
        ("a" * 101, "at most 100"),
    ],
)
def test_a_first_line_that_names_no_columns_is_refused(text: str, said: str) -> None:
    (problem,) = read(text).problems
    assert problem.line == 1
    assert said in problem.message


def test_the_key_column_must_be_there_whatever_its_capitals() -> None:
    (problem,) = read("Name,Account\nOak,200", key_column="Board").problems
    assert problem.message == "The first line has to name the column Board. It names: Name, Account."
    assert read("ACCOUNT,board\n200,Oak", key_column="Board").rows == ({"ACCOUNT": "200", "Board": "Oak"},)


def test_too_many_problems_are_counted() -> None:
    parsed = read("Board,Account\n" + ",x\n" * 50)
    assert len(parsed.problems) == 20
    assert parsed.more_problems == 30


def test_too_many_rows_are_refused() -> None:
    parsed = read("Board\n" + "".join(f"{n}\n" for n in range(10_001)))
    assert parsed.problems == (Problem(10_002, "A lookup table has at most 10,000 rows."),)


def test_merging_keeps_what_the_file_does_not_have() -> None:
    parsed = read("board;Note\nASH;new\nElm;too", key_column="Board")
    assert merged(BEFORE, parsed) == Content(
        ("Board", "Account", "Note"),
        "Board",
        (
            {"Board": "Oak", "Account": "200", "Note": ""},
            {"Board": "ASH", "Account": "205", "Note": "new"},
            {"Board": "Elm", "Account": "", "Note": "too"},
        ),
    )


def test_replacing_takes_the_file_as_it_is() -> None:
    parsed = read("account;Board\n1;Ash", key_column="Board")
    assert replaced(BEFORE, parsed) == Content(("Account", "Board"), "Board", ({"Account": "1", "Board": "Ash"},))


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+44 (0) 20", "'+44 (0) 20"),
        ("-Oak", "'-Oak"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("'=1", "''=1"),
        ("-12.50", "-12.50"),
        ("+1,200", "+1,200"),
        ("-5%", "-5%"),
        ("O'Brien", "O'Brien"),
        ("'quoted'", "'quoted'"),
        ("", ""),
    ],
)
def test_what_a_spreadsheet_would_run_is_neutralised(cell: str, written: str) -> None:
    assert neutral(cell) == written


_CELL = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12) | st.sampled_from(
    ["=1+1", "'=x", "+4", "-Oak", '"', 'a"b', "a,b;c", "''=", "\t=1"]
)


@given(keys=st.lists(_CELL, max_size=8), others=st.lists(_CELL, min_size=8, max_size=8))
def test_what_is_written_is_read_back_the_same_and_holds_no_formula(keys: list[str], others: list[str]) -> None:
    named = {fold(key): trimmed(key) for key in keys if fold(key)}
    rows = tuple({"Key": key, "Other": trimmed(other)} for key, other in zip(named.values(), others, strict=False))
    content = Content(("Key", "Other"), "Key", rows)
    written = write(content)
    parsed = read(decode(written)[0])
    assert parsed.problems == ()
    assert parsed.rows == rows
    for row in csv.reader(io.StringIO(written.decode("utf-8-sig"), newline="")):
        for cell in row:
            assert not cell.startswith(("=", "@", "\t", "\r"))
            assert not cell.startswith(("+", "-")) or csv_cells._NUMBER.fullmatch(cell)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_file_gives_rows_or_problems(raw: bytes) -> None:
    parsed = read(decode(raw)[0])
    assert parsed.problems or parsed.columns
    assert all(set(row) == set(parsed.columns) for row in parsed.rows)
