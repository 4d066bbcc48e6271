"""The balance sheet and the profit and loss: for real against the sandbox, and as Xero may shape them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from integrations.connectors.xero.actions.reports import (
    _PROFIT_AND_LOSS,
    _flat,
    _totals_by_name,
    tracking_category_ids,
    tracking_option_ids,
)
from integrations.core.errors import InvalidInputError
from integrations.framework import registry
from tests.integrations.connectors.xero.test_states import SALE, invoice
from tests.integrations.connectors.xero.writing import written
from tests.integrations.wire import Wire
from tests.provider import Sandbox


@pytest.fixture
def contact(sandbox: Sandbox) -> str:
    return str(sandbox.contacts()[0]["id"])


def report(demo: Any, key: str, **values: Any) -> dict[str, Any]:
    action = registry.action(key)
    return dict(action.run(demo, action.Inputs.clean(values)))


def amount_of(found: dict[str, Any], label: str) -> Decimal:
    (row,) = [row for row in found["rows"] if row["label"] == label]
    assert isinstance(row["amount"], Decimal)
    return row["amount"]


def test_profit_and_loss_grows_by_an_approved_invoice(demo: Any, contact: str, wire: Wire) -> None:
    period = {"from_date": "2026-11-01", "to_date": "2026-11-30"}
    invoice(demo, contact, "AUTHORISED")
    wire.clear()
    found = report(demo, "xero.get_profit_and_loss", **period)
    (call,) = wire.exchanges
    assert call.query == {"fromDate": "2026-11-01", "toDate": "2026-11-30", "standardLayout": "true"}
    (sales,) = [row for row in found["rows"] if row["label"] == "Sales"]
    assert (sales["section"], sales["amount"], sales["is_total"]) == ("Income", Decimal("100.00"), False)
    assert sales["account_id"]
    assert amount_of(found, "Net Profit") == Decimal("100.00")
    assert found["period"] == "1 November 2026 to 30 November 2026"
    assert found["columns"] == ["30 Nov 26"]


def test_a_balance_sheet_compares_and_balances(demo: Any, contact: str, wire: Wire) -> None:
    invoice(demo, contact, "AUTHORISED")
    wire.clear()
    found = report(demo, "xero.get_balance_sheet", as_at="2026-11-30", periods="2", timeframe="QUARTER")
    assert wire.exchanges[0].query == {
        "date": "2026-11-30",
        "periods": "2",
        "timeframe": "QUARTER",
        "standardLayout": "true",
    }
    assert len(found["columns"]) == 3
    assert all(len(row["amounts"]) == 3 for row in found["rows"])
    assert amount_of(found, "Net Assets") == amount_of(found, "Total Equity")
    assert amount_of(found, "Total Assets") - amount_of(found, "Total Liabilities") == amount_of(found, "Net Assets")
    places = {row["label"]: (row["path"], row["heading"], row["section"]) for row in found["rows"]}
    assert places["Accounts Receivable"] == (["Assets", "Current Assets"], "Assets", "Current Assets")
    assert places["Total Current Assets"] == places["Accounts Receivable"]
    assert places["Total Assets"] == (["Assets"], "Assets", "")
    assert places["GST"] == (["Liabilities", "Current Liabilities"], "Liabilities", "Current Liabilities")
    assert places["Total Liabilities"] == (["Liabilities"], "Liabilities", "")
    assert places["Net Assets"] == ([], "", "")
    assert places["Current Year Earnings"] == (["Equity"], "Equity", "Equity")


def test_the_totals_of_a_report_are_figures_by_name_and_the_table_is_what_people_read(demo: Any, contact: str) -> None:
    invoice(demo, contact, "AUTHORISED")
    found = report(demo, "xero.get_profit_and_loss", from_date="2026-11-01", to_date="2026-11-30")
    hundred = Decimal("100.00")
    assert found["figures"] == {
        "total_income": hundred, "gross_profit": hundred, "total_expenses": Decimal("0.00"), "net_profit": hundred,
    }  # fmt: skip
    assert found["table"] == [
        ["", "30 Nov 26"],
        ["Income", None],
        ["Sales", hundred],
        ["Total Income", hundred],
        ["Gross Profit", hundred],
        ["Net Profit", hundred],
    ]
    sheet = report(demo, "xero.get_balance_sheet", as_at="2026-11-30")
    assert sheet["figures"]["total_assets"] == amount_of(sheet, "Total Assets")
    assert sheet["figures"]["total_current_assets"] == amount_of(sheet, "Total Current Assets")
    assert [row[0] for row in sheet["table"]][:3] == ["", "Assets", "Current Assets"]


@pytest.mark.parametrize("label", ["Net Profit", "NET  SURPLUS", "Profit for the Year", "Net Loss"])
def test_the_net_profit_has_one_name_in_all_regions(label: str) -> None:
    assert _totals_by_name([figure(label)], _PROFIT_AND_LOSS)["net_profit"] == Decimal("1.50")


def figure(label: str, heading: str = "", *, is_total: bool = True) -> dict[str, Any]:
    return {"label": label, "heading": heading, "is_total": is_total, "amount": Decimal("1.50")}


def test_a_section_that_xero_leaves_out_is_zero_and_one_of_an_unknown_name_is_not_guessed() -> None:
    boards = figure("Boards", "Less Cost of Sales", is_total=False)
    assert _totals_by_name([boards, figure("Net Profit")], _PROFIT_AND_LOSS)["total_income"] == Decimal("0.00")
    takings = figure("Stall", "Takings", is_total=False)
    found = _totals_by_name([takings, figure("Total Takings", "Takings"), figure("Net Profit")], _PROFIT_AND_LOSS)
    assert (found["total_income"], found["total_takings"]) == (None, Decimal("1.50"))


def _row(label: str) -> dict[str, Any]:
    return {"RowType": "Row", "Cells": [{"Value": label}, {"Value": "1.00"}]}


def _section(title: str | None, *labels: str) -> dict[str, Any]:
    return {"RowType": "Section", "Title": title, "Rows": [_row(label) for label in labels]}


def test_headings_within_headings_last_until_their_own_total() -> None:
    rows = [
        _section(" Assets"),
        _section("Current Assets"),
        _section("Bank", "Account", "Total Bank"),
        _section("", "Total Current Assets"),
        _section("Fixed Assets", "Van"),
        _section(None, "TOTAL ASSETS"),
        _section("", "Net Assets"),
        _section("Equity", "Funds"),
    ]
    assert [(row["label"], row["path"]) for row in _flat(rows)] == [
        ("Account", ["Assets", "Current Assets", "Bank"]),
        ("Total Bank", ["Assets", "Current Assets", "Bank"]),
        ("Total Current Assets", ["Assets", "Current Assets"]),
        ("Van", ["Assets", "Fixed Assets"]),
        ("TOTAL ASSETS", ["Assets"]),
        ("Net Assets", []),
        ("Funds", ["Equity"]),
    ]


def test_a_section_that_is_merely_empty_is_no_heading_of_others() -> None:
    rows = [_section("Income"), _section("Less Cost of Sales", "Boards"), _section("", "Gross Profit")]
    assert [(row["label"], row["path"]) for row in _flat(rows)] == [
        ("Boards", ["Less Cost of Sales"]),
        ("Gross Profit", []),
    ]


def test_a_section_may_hold_sections_and_rows_may_stand_alone() -> None:
    nested = {"RowType": "Section", "Title": "Assets", "Rows": [_section("Bank", "Account"), _row("Total Assets")]}
    found = [(row["label"], row["path"], row["section"]) for row in _flat([nested, _row("Alone")])]
    assert found == [
        ("Account", ["Assets", "Bank"], "Bank"),
        ("Total Assets", ["Assets"], "Assets"),
        ("Alone", [], ""),
    ]


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ({"from_date": "2026-01-01"}, {"to_date": "To is needed beside the other day."}),
        ({"to_date": "2026-01-01"}, {"from_date": "From is needed beside the other day."}),
        ({"from_date": "2026-01-02", "to_date": "2026-01-01"}, {"to_date": "To is before From."}),
        ({"from_date": "2025-01-01", "to_date": "2026-01-02"}, {"to_date": "The period may span 365 days at most."}),
        ({"periods": "12"}, {"periods": "Compare with must be at most 11; this is 12."}),
    ],
)
def test_a_period_that_xero_would_refuse_is_told_first(values: dict[str, str], problems: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        registry.action("xero.get_profit_and_loss").Inputs.clean(values)
    assert caught.value.problems == problems


def test_a_report_is_narrowed_by_tracking_and_takes_the_own_layout(demo: Any, contact: str, wire: Wire) -> None:
    row = {**SALE[0], "tracking_1": "Region: North"}
    days = {"invoice_date": "2026-11-22", "due_date": "2026-12-22"}
    create = registry.action("xero.create_invoice")
    written(demo, create, contact_id=contact, lines=[row, *SALE], status="AUTHORISED", **days)
    (north,) = [value for value, label in tracking_option_ids.load(demo, {}) if label == "Region: North"]
    for key, name, days, expected in (
        (
            "xero.get_profit_and_loss",
            "trackingOptionID",
            {"from_date": "2026-11-01", "to_date": "2026-11-30"},
            "100.00",
        ),
        ("xero.get_balance_sheet", "trackingOptionID1", {"as_at": "2026-11-30"}, "100.00"),
    ):
        wire.clear()
        found = report(demo, key, **days, tracking_option_1=north, is_standard_layout=False)
        assert wire.exchanges[0].query.items() >= {name: north}.items()
        assert "standardLayout" not in wire.exchanges[0].query
        label = "Sales" if key.endswith("loss") else "Current Year Earnings"
        assert amount_of(found, label) == Decimal(expected)
    wire.clear()
    found = report(demo, "xero.get_balance_sheet", as_at="2026-11-30", tracking_option_1=north, is_cash_basis=True)
    assert wire.exchanges[0].query["paymentsOnly"] == "true"
    assert amount_of(found, "Net Assets") == Decimal("0.00")


def test_a_category_is_a_column_for_each_of_its_options(demo: Any) -> None:
    (region,) = [value for value, label in tracking_category_ids.load(demo, {})]
    found = report(demo, "xero.get_profit_and_loss", tracking_category_1=region)
    assert found["columns"] == ["Eastside", "North", "South", "West Coast", "Unassigned", "Total"]
    assert all(len(row["amounts"]) == 6 for row in found["rows"])
