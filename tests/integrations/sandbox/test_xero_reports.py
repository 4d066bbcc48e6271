"""The two reports, computed from the books: they balance, and they say what happened."""

from decimal import Decimal
from typing import Any

import pytest

from tests.integrations.sandbox.conftest import Xero
from tests.provider import DEMO, NORTHWIND, Sandbox

BANK = {"Code": "090"}


def put(xero: Xero, plural: str, **record: Any) -> dict[str, Any]:
    answer = xero.put(f"/{plural}", {plural: [record]})
    assert answer.status_code == 200, answer.text
    return dict(answer.json()[plural][0])


def report(xero: Xero, name: str, **query: Any) -> dict[str, Any]:
    answer = xero.get(f"/Reports/{name}", **query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["Reports"][0])


def figures(found: dict[str, Any]) -> dict[str, list[str]]:
    """Label -> values, of every row at either level."""
    rows = [row for top in found["Rows"] for row in [top, *top.get("Rows", [])] if row.get("Cells")]
    return {row["Cells"][0]["Value"]: [cell["Value"] for cell in row["Cells"][1:]] for row in rows}


def accounts(found: dict[str, Any]) -> dict[str, str]:
    rows = [row for top in found["Rows"] for row in top.get("Rows", [])]
    cells = [row["Cells"][0] for row in rows]
    return {cell["Value"]: cell["Attributes"][0]["Value"] for cell in cells if "Attributes" in cell}


def trade(xero: Xero) -> None:
    """A month of a small company: sales, a bill, dollars, stock, payments, a credit and a transfer."""
    sale = xero.create(Status="AUTHORISED")
    put(xero, "Payments", Invoice={"InvoiceID": sale["InvoiceID"]}, Account=BANK, Amount=20, Date="2026-11-23")
    dollars = xero.create(Status="AUTHORISED", CurrencyCode="USD", CurrencyRate=0.5)
    target = {"InvoiceID": dollars["InvoiceID"]}
    put(xero, "Payments", Invoice=target, Account=BANK, Amount=46, Date="2026-11-24", CurrencyRate=0.4)
    contact = {"ContactID": xero.sandbox.contacts()[0]["id"]}
    stock = {"ItemCode": "STOOL-OAK", "Description": "Stools", "Quantity": 10, "UnitAmount": 30}
    bill = {"Type": "ACCPAY", "Contact": contact, "Date": "2026-11-22", "DueDate": "2026-12-22"}
    put(xero, "Invoices", **bill, Status="AUTHORISED", LineItems=[stock])
    xero.create(Status="AUTHORISED", LineItems=[{**stock, "Quantity": 2, "UnitAmount": 89}])
    fee = {"Description": "Fee", "Quantity": 1, "UnitAmount": 7, "AccountCode": "404"}
    put(xero, "BankTransactions", Type="SPEND", Contact=contact, BankAccount=BANK, LineItems=[fee], Date="2026-11-24")
    put(xero, "BankTransfers", FromBankAccount=BANK, ToBankAccount={"Code": "091"}, Amount=5, Date="2026-11-24")
    back = {"Description": "Back", "Quantity": 1, "UnitAmount": 3, "AccountCode": "200"}
    put(xero, "CreditNotes", Type="ACCRECCREDIT", Contact=contact, LineItems=[back], Status="AUTHORISED")


@pytest.mark.parametrize("basis", ["false", "true"])
def test_a_balance_sheet_balances(xero: Xero, basis: str) -> None:
    trade(xero)
    found = figures(report(xero, "BalanceSheet", date="2026-12-31", paymentsOnly=basis, periods=2))
    assert found["Net Assets"] == found["Total Equity"]
    assert len(found["Net Assets"]) == 3
    assets, owed, net = (found[name] for name in ("Total Assets", "Total Liabilities", "Net Assets"))
    assert [Decimal(one) for one in net] == [Decimal(a) - Decimal(b) for a, b in zip(assets, owed, strict=True)]
    assert found["Business Savings Account"] == ["5.00", "5.00", "0.00"]
    # 20 and 46 / 0.4 came in, 7 and 5 went out.
    assert found["Business Bank Account"] == ["123.00", "123.00", "0.00"]


def test_profit_and_loss_says_what_was_earned_and_names_accounts(xero: Xero) -> None:
    trade(xero)
    found = report(xero, "ProfitAndLoss", fromDate="2026-11-01", toDate="2026-11-30")
    sums = figures(found)
    # Sales: 40, 40 at 0.5, 178 of stools, 3 given back.
    assert sums["Sales"] == ["295.00"]
    assert sums["Cost of Goods Sold"] == ["60.00"]
    assert sums["Gross Profit"] == ["235.00"]
    assert sums["Foreign Currency Gains and Losses"] == ["-23.00"]
    assert sums["Bank Fees"] == ["7.00"]
    assert sums["Net Profit"] == ["251.00"]
    names = accounts(found)
    assert names["Foreign Currency Gains and Losses"] == "FXGROUPID"
    chart = {one["AccountID"]: one["Name"] for one in xero.get("/Accounts").json()["Accounts"]}
    assert chart[names["Sales"]] == "Sales"
    assert "Total Income" not in names
    assert found["ReportTitles"] == ["Profit and Loss", "Demo Company (NZ)", "1 November 2026 to 30 November 2026"]
    assert [cell["Value"] for cell in found["Rows"][0]["Cells"]] == ["", "30 Nov 26"]


def test_earlier_periods_are_as_long_as_the_first(sandbox: Sandbox) -> None:
    xero = Xero(sandbox, DEMO)
    found = report(xero, "ProfitAndLoss", fromDate="2026-09-01", toDate="2026-09-15", periods=2, timeframe="MONTH")
    assert [cell["Value"] for cell in found["Rows"][0]["Cells"]] == ["", "15 Sep 26", "15 Aug 26", "15 Jul 26"]
    assert figures(found)["Sales"] == ["251.00", "0.00", "0.00"]
    sheet = report(xero, "BalanceSheet", date="2026-09-30", periods=1, timeframe="QUARTER")
    assert [cell["Value"] for cell in sheet["Rows"][0]["Cells"]] == ["", "30 Sep 26", "30 Jun 26"]


def test_an_empty_set_of_books_still_makes_two_reports(sandbox: Sandbox) -> None:
    sandbox.reset(empty=True)
    xero = Xero(sandbox, NORTHWIND)
    sheet = report(xero, "BalanceSheet")
    assert figures(sheet)["Net Assets"] == ["0.00"]
    assert [row["Title"] for row in sheet["Rows"] if row["RowType"] == "Section"][:2] == ["Assets", ""]
    assert sheet["Rows"][1]["Rows"] == []
    assert accounts(sheet) == {"Current Year Earnings": "abababab-abab-abab-abab-abababababab"}
    assert figures(report(xero, "ProfitAndLoss"))["Net Profit"] == ["0.00"]


def test_a_tracking_option_narrows_and_a_category_splits(xero: Xero) -> None:
    category = xero.get("/TrackingCategories").json()["TrackingCategories"][0]
    line = {"Description": "x", "Quantity": 1, "UnitAmount": 30, "AccountCode": "200"}
    tracked = {**line, "Tracking": [{"Name": "Region", "Option": "North"}]}
    xero.create(Status="AUTHORISED", LineItems=[line, {**tracked, "UnitAmount": 12}])
    whole = {"fromDate": "2026-11-01", "toDate": "2026-11-30"}
    north = next(one["TrackingOptionID"] for one in category["Options"] if one["Name"] == "North")
    assert figures(report(xero, "ProfitAndLoss", **whole, trackingOptionID=north))["Sales"] == ["12.00"]
    split = report(xero, "ProfitAndLoss", **whole, trackingCategoryID=category["TrackingCategoryID"])
    titles = [cell["Value"] for cell in split["Rows"][0]["Cells"]]
    assert titles == ["", "Eastside", "North", "South", "West Coast", "Unassigned", "Total"]
    assert figures(split)["Sales"] == ["0.00", "12.00", "0.00", "0.00", "30.00", "42.00"]


@pytest.mark.parametrize(
    "query", [{"fromDate": "2026-01-01", "toDate": "2027-06-01"}, {"periods": "12"}, {"timeframe": "WEEK"}]
)
def test_a_period_that_cannot_be_is_refused(xero: Xero, query: dict[str, Any]) -> None:
    answer = xero.call("GET", "/Reports/ProfitAndLoss", is_proper=False, **query)
    assert answer.status_code == 400


def test_each_report_needs_its_own_scope(sandbox: Sandbox) -> None:
    xero = Xero(sandbox, scopes="accounting.reports.balancesheet.read")
    assert xero.get("/Reports/BalanceSheet").status_code == 200
    assert xero.get("/Reports/ProfitAndLoss").status_code == 401
