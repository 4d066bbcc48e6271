"""CSV files as spreadsheets, banks and shops write them, for starts and for lookup tables alike."""

from __future__ import annotations

import io
import tracemalloc
import zipfile

import pytest

from workflows.files import spreadsheets
from workflows.lookup_tables import csv_files
from workflows.triggers import csv_start

TABLE = (["Title", "Amount"], [["Oak table", "1.234,56"], ["Oak chair", "99,50"]])


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\nTitle;Amount\nOak table;1.234,56\nOak chair;99,50\n",
        'sep=,\r\nTitle,Amount\r\nOak table,"1.234,56"\r\nOak chair,"99,50"\r\n',
        "\n\n;;\nTitle;Amount\nOak table;1.234,56\nOak chair;99,50\n",
        "Title;Amount;\nOak table;1.234,56;\nOak chair;99,50;\n",
        "Title;Amount\nOak table;1.234,56;;\nOak chair;99,50;\n",
        "Sales of 24.02.2026\n\nTitle;Amount\nOak table;1.234,56\nOak chair;99,50\n",
        "Sales;\nAccount 7;\n;\nTitle;Amount\nOak table;1.234,56\nOak chair;99,50\n",
        "sep=;\nSales of May\nTitle;Amount\nOak table;1.234,56\nOak chair;99,50\n",
    ],
)
def test_the_table_of_a_file_is_found(text: str) -> None:
    table = csv_start.read(text.encode())
    assert (table.columns, table.rows) == TABLE
    parsed = csv_files.read(text)
    assert parsed.problems == ()
    assert parsed.columns == ("Title", "Amount")
    assert [list(row.values()) for row in parsed.rows] == TABLE[1]


def test_commas_in_the_heading_of_a_file_with_semicolons_part_nothing() -> None:
    table = csv_start.read(b"Amount, net, GBP;Tax, GBP;Paid, on\n1,50;0,30;24.02.2026\n2,50;0,50;25.02.2026\n")
    assert table.columns == ["Amount, net, GBP", "Tax, GBP", "Paid, on"]
    assert table.rows == [["1,50", "0,30", "24.02.2026"], ["2,50", "0,50", "25.02.2026"]]


def test_the_lines_above_the_heading_are_told() -> None:
    text = "Sales of May\nMade by the shop\n\nTitle;Amount\nOak;1,00\nAsh;2,00\n"
    said = "Not used are the lines above the heading: “Sales of May”; “Made by the shop”."
    assert csv_start.read(text.encode()).above == said
    assert csv_files.read(text).note == said
    assert csv_start.read(b"Title;Amount\nOak;1,00\n").above == ""


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("Title\nOak\nAsh\n", ["Title"]),
        ("Title;\nOak;5\nAsh;6\n", ["Title", "Column 2"]),
        (";Title;Amount\n1;Oak;5\n2;Ash;6\n", ["Column 1", "Title", "Amount"]),
        ("Title;Amount;Note\nOak;;\nAsh;;\n", ["Title", "Amount", "Note"]),
    ],
)
def test_a_row_is_never_taken_for_the_heading(text: str, columns: list[str]) -> None:
    table = csv_start.read(text.encode())
    assert table.columns == columns
    assert len(table.rows) == 2
    assert table.above == ""


def test_lines_are_counted_as_the_file_has_them() -> None:
    parsed = csv_files.read("sep=;\nList of May\n\nBoard;Account\nOak;200\n;205\n")
    assert parsed.problems == (csv_files.Problem(6, "Board is empty; every row needs it to be found by."),)


def packed(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, "x" * 100)
    return out.getvalue()


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (packed("xl/workbook.xml"), "an Excel workbook (.xlsx)"),
        (packed("Index/Document.iwa"), "a Numbers spreadsheet"),
        (packed("holiday.jpg"), "a packed file (.zip)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, "an Excel workbook of the old kind (.xls)"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"<!DOCTYPE html><html><table>", "a web page or XML"),
    ],
)
def test_a_file_of_another_kind_is_named_with_what_to_do(raw: bytes, what: str) -> None:
    said = f"The file is {what}, which cannot be read here. Open it in a spreadsheet, save it as CSV"
    with pytest.raises(csv_start.UnreadableFileError) as caught:
        csv_start.read(raw)
    assert caught.value.message.startswith(said)
    [problem] = csv_files.read_file(raw).problems
    assert problem.message.startswith(said)
    assert spreadsheets.other_kind(b"Title;Amount\n") == ""


def test_a_file_of_millions_of_lines_is_refused_without_holding_them() -> None:
    raw = b"T\n" + b"x\n" * 2_600_000
    tracemalloc.start()
    with pytest.raises(csv_start.UnreadableFileError, match="more than 10,000 rows, which is the most"):
        csv_start.read(raw)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 60_000_000
    with pytest.raises(csv_start.UnreadableFileError, match="larger than 5 MB"):
        csv_start.read(b"Title;Amount\n" + b"Oak table;1.234,56\n" * 1_000_000)


def test_a_lookup_table_of_a_million_rows_is_refused_in_words() -> None:
    parsed = csv_files.read_file(b"Board;Account\n" + b"".join(b"Oak %d;200\n" % each for each in range(1_000_000)))
    assert parsed.problems == (csv_files.Problem(10_002, "A lookup table has at most 10,000 rows."),)


def test_a_million_lines_of_nothing_below_the_table_are_no_rows() -> None:
    table = csv_start.read(b"Title;Amount\nOak table;1.234,56\nOak chair;99,50\n" + b";\n" * 1_040_000)
    assert (table.columns, table.rows) == TABLE
