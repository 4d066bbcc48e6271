"""What a read brought stands on the run page as tables: reports with their sections, lists of records."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from workflows.presenters.runs.output_tables import Cell, TableColumn, TableLine, amount, tables


def row(label: str, *amounts: Any, section: str = "Income", is_total: bool = False) -> dict[str, Any]:
    return {"section": section, "label": label, "account_id": "a", "is_total": is_total, "amounts": list(amounts)}


REPORT = {
    "name": "Profit and Loss",
    "period": "October 2026",
    "columns": ["31 Oct 26", "30 Sep 26"],
    "rows": [
        row("Sales", Decimal("9220.05"), None),
        row("Total income", Decimal("9220.05"), Decimal("0.00"), is_total=True),
        row("Rent", Decimal("-1250.50"), Decimal("1000.00"), section="Less expenses"),
        row("Net profit", Decimal("1.10"), Decimal("2.20"), section="", is_total=True),
    ],
    "count": 4,
}


def figures(line: TableLine) -> list[str]:
    return [cell.text for cell in line.cells[1:]]


def test_a_report_has_its_sections_columns_and_totals() -> None:
    (table,) = tables(REPORT)
    assert (table.title, table.is_report, table.left_out) == ("Profit and Loss · October 2026", True, 0)
    assert table.columns == (
        TableColumn(""),
        TableColumn("31 Oct 26", is_number=True),
        TableColumn("30 Sep 26", is_number=True),
    )
    assert [line.heading or line.cells[0].text for line in table.lines] == [
        "Income", "Sales", "Total income", "Less expenses", "Rent", "Net profit",
    ]  # fmt: skip
    assert [line.is_total for line in table.lines] == [False, False, True, False, False, True]
    assert figures(table.lines[1]) == ["9,220.05", ""]
    assert figures(table.lines[4]) == ["\u22121,250.50", "1,000.00"]


def placed(label: str, *path: str, is_total: bool = False) -> dict[str, Any]:
    return {**row(label, Decimal("1.00"), is_total=is_total), "path": list(path)}


def test_headings_stand_above_their_sections_and_each_once() -> None:
    rows = [
        placed("Bank account", "Assets", "Bank"),
        placed("Total Bank", "Assets", "Bank", is_total=True),
        placed("Stock", "Assets", "Current Assets"),
        placed("Total Assets", "Assets", is_total=True),
        placed("GST", "Liabilities", "Current Liabilities"),
        placed("Net Assets", is_total=True),
        placed("Drawings", "Equity"),
    ]
    (table,) = tables({**REPORT, "rows": rows})
    assert [(line.depth, line.heading) if line.heading else line.cells[0].text for line in table.lines] == [
        (0, "Assets"), (1, "Bank"), "Bank account", "Total Bank", (1, "Current Assets"), "Stock", "Total Assets",
        (0, "Liabilities"), (1, "Current Liabilities"), "GST", "Net Assets", (0, "Equity"), "Drawings",
    ]  # fmt: skip


def test_sections_of_the_same_name_under_other_headings_are_told_apart() -> None:
    rows = [placed("Loan", "Assets", "Other"), placed("Debt", "Liabilities", "Other"), placed("Rest", "Other")]
    (table,) = tables({**REPORT, "rows": rows})
    assert [line.heading for line in table.lines if line.heading] == [
        "Assets",
        "Other",
        "Liabilities",
        "Other",
        "Other",
    ]


def test_a_row_with_more_figures_than_headings_keeps_them_all() -> None:
    (table,) = tables({**REPORT, "columns": ["31 Oct 26"]})
    assert [column.label for column in table.columns] == ["", "31 Oct 26", ""]
    assert figures(table.lines[1]) == ["9,220.05", ""]


def test_a_list_shows_what_tells_something_and_numbers_as_numbers() -> None:
    accounts = [
        {"AccountID": "1", "Code": "200", "Name": "Sales", "Empty": "", "Rate": Decimal("15.0000"), "Used": True},
        {"AccountID": "2", "Code": "400", "Name": "Rent", "Empty": None, "Rate": None, "Used": False},
    ]
    (table,) = tables({"accounts": accounts, "count": 2, "warning": "Cut."})
    assert table.title == "Accounts (2)"
    assert [(column.label, column.is_number) for column in table.columns] == [
        ("Code", False), ("Name", False), ("Rate", True), ("Used", False),
    ]  # fmt: skip
    assert table.lines[0].cells == (Cell("200"), Cell("Sales"), Cell("15.0000", is_number=True), Cell("yes"))


def test_records_within_records_are_told_by_their_names() -> None:
    (table,) = tables({"categories": [{"Name": "Region", "Options": [{"Name": "North"}, {"Name": "South"}]}]})
    assert [cell.text for cell in table.lines[0].cells] == ["Region", "North, South"]


def test_a_long_list_is_cut_and_says_how_much_is_missing() -> None:
    (table,) = tables({"things": [{"Name": f"Thing {n}"} for n in range(203)]})
    assert (len(table.lines), table.left_out) == (200, 3)


@pytest.mark.parametrize(
    "output",
    [None, [], "x", {}, {"rows": []}, {"rows": 3, "columns": ["a"]}, {"names": ["a", "b"]}, {"things": [{"ID": "1"}]}],
)
def test_where_there_is_nothing_to_show_there_is_no_table(output: Any) -> None:
    assert tables(output) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1234567.891"), "1,234,567.891"),
        (Decimal("0.00"), "0.00"),
        (Decimal("-0.5"), "\u22120.5"),
        (1200, "1,200"),
        (None, ""),
        (True, ""),
        (Decimal("1E+999999"), "1E+999999"),
        (Decimal("NaN"), "NaN"),
    ],
)
def test_an_amount_keeps_every_digit_that_came(value: Any, text: str) -> None:
    assert amount(value) == text
