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
    given_back = {"Type": "ACCRECCREDIT", "Contact": contact, "Date": "2026-11-24", "LineItems": [back]}
    put(xero, "CreditNotes", **given_back, Status="AUTHORISED")


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


def tracked(xero: Xero, amount: int, *options: tuple[str, str], code: str = "200") -> dict[str, Any]:
    tracking = [{"Name": name, "Option": option} for name, option in options]
    return {"Description": "x", "Quantity": 1, "UnitAmount": amount, "AccountCode": code, "Tracking": tracking}


def second_category(xero: Xero) -> dict[str, dict[str, Any]]:
    """The categories by name, once there is a second one with two options."""
    xero.put("/TrackingCategories", {"Name": "Campaign"})
    made = next(each for each in xero.get("/TrackingCategories").json()["TrackingCategories"] if not each["Options"])
    for name in ("Spring", "Autumn"):
        xero.put(f"/TrackingCategories/{made['TrackingCategoryID']}/Options", {"Name": name})
    return {each["Name"]: each for each in xero.get("/TrackingCategories").json()["TrackingCategories"]}


def option_of(category: dict[str, Any], name: str) -> str:
    return str(next(one["TrackingOptionID"] for one in category["Options"] if one["Name"] == name))


def test_two_categories_are_combined_or_narrowed_as_asked(xero: Xero) -> None:
    found = second_category(xero)
    region, campaign = found["Region"], found["Campaign"]
    north, spring, autumn = ("Region", "North"), ("Campaign", "Spring"), ("Campaign", "Autumn")
    lines = [
        tracked(xero, 1),
        tracked(xero, 2, north),
        tracked(xero, 4, north, spring),
        tracked(xero, 8, spring),
        tracked(xero, 16, ("Region", "South"), autumn),
    ]
    xero.create(Status="AUTHORISED", LineItems=lines)
    whole = {"fromDate": "2026-11-01", "toDate": "2026-11-30"}

    def sales(**query: str) -> dict[str, str]:
        told = report(xero, "ProfitAndLoss", **whole, **query)
        titles = [cell["Value"] for cell in told["Rows"][0]["Cells"]][1:]
        return dict(zip(titles, figures(told).get("Sales", ["none"] * len(titles)), strict=True))

    both = {"trackingCategoryID": region["TrackingCategoryID"], "trackingCategoryID2": campaign["TrackingCategoryID"]}
    combined = sales(**both)
    assert len(combined) == 5 * 3 + 1
    assert {title: one for title, one in combined.items() if one != "0.00"} == {
        "Unassigned, Unassigned": "1.00", "North, Unassigned": "2.00", "North, Spring": "4.00",
        "Unassigned, Spring": "8.00", "South, Autumn": "16.00", "Total": "31.00",
    }  # fmt: skip
    spring_id = option_of(campaign, "Spring")
    in_spring = sales(**both, trackingOptionID2=spring_id)
    assert {title: one for title, one in in_spring.items() if one != "0.00"} == {
        "North, Spring": "4.00", "Unassigned, Spring": "8.00", "Total": "12.00",
    }  # fmt: skip
    one_of_each = {**both, "trackingOptionID": option_of(region, "North"), "trackingOptionID2": spring_id}
    assert sales(**one_of_each) == {"30 Nov 26": "4.00"}
    assert sales(trackingOptionID2=spring_id) == {"30 Nov 26": "12.00"}
    alone = {"trackingCategoryID2": campaign["TrackingCategoryID"]}
    assert sales(**alone) == {"Spring": "12.00", "Autumn": "16.00", "Unassigned": "3.00", "Total": "31.00"}


def test_a_split_is_made_of_every_compared_period(xero: Xero) -> None:
    region = xero.get("/TrackingCategories").json()["TrackingCategories"][0]
    xero.create(Status="AUTHORISED", LineItems=[tracked(xero, 12, ("Region", "North"))])
    whole = {"fromDate": "2026-11-01", "toDate": "2026-11-30", "periods": 1}
    found = report(xero, "ProfitAndLoss", **whole, trackingCategoryID=region["TrackingCategoryID"])
    titles = [cell["Value"] for cell in found["Rows"][0]["Cells"]][1:]
    assert len(titles) == 2 * 6
    assert titles[1] == "North 30 Nov 26"
    assert titles[5:8] == ["Total 30 Nov 26", "Eastside 30 Oct 26", "North 30 Oct 26"]
    sales = dict(zip(titles, figures(found)["Sales"], strict=True))
    assert (sales["North 30 Nov 26"], sales["North 30 Oct 26"], sales["Total 30 Nov 26"]) == ("12.00", "0.00", "12.00")


@pytest.mark.parametrize("basis", ["false", "true"])
def test_a_balance_sheet_of_one_option_holds_its_lines_and_balances(xero: Xero, basis: str) -> None:
    north = ("Region", "North")
    sale = xero.create(Status="AUTHORISED", LineItems=[tracked(xero, 100, north), tracked(xero, 50)])
    put(xero, "Payments", Invoice={"InvoiceID": sale["InvoiceID"]}, Account=BANK, Amount=172.50, Date="2026-11-23")
    contact = {"ContactID": xero.sandbox.contacts()[0]["id"]}
    bill = {"Type": "ACCPAY", "Contact": contact, "Date": "2026-11-22", "DueDate": "2026-12-22"}
    desk = put(xero, "Invoices", **bill, Status="AUTHORISED", LineItems=[tracked(xero, 40, north, code="710")])
    put(xero, "Payments", Invoice={"InvoiceID": desk["InvoiceID"]}, Account=BANK, Amount=46, Date="2026-11-23")
    region = xero.get("/TrackingCategories").json()["TrackingCategories"][0]
    asked = {"date": "2026-12-31", "paymentsOnly": basis, "periods": 1}
    narrowed = report(xero, "BalanceSheet", **asked, trackingOptionID1=option_of(region, "North"))
    sums = figures(narrowed)
    assert sums["Office Equipment"] == ["40.00", "40.00"]
    assert sums["Current Year Earnings"] == ["100.00", "100.00"]
    assert sums["GST"] == ["9.00", "9.00"]
    # 115 of the sale came in and 46 went out, on accounts that are not tracked.
    assert sums["Tracking Transfers"] == ["-69.00", "-69.00"]
    assert sums["Net Assets"] == sums["Total Equity"] == ["100.00", "100.00"]
    assert "Business Bank Account" not in sums
    chart = {one["AccountID"]: one for one in xero.get("/Accounts").json()["Accounts"]}
    assert chart[accounts(narrowed)["Tracking Transfers"]]["SystemAccount"] == "TRACKINGTRANSFERS"
    both = {"trackingOptionID1": option_of(region, "North"), "trackingOptionID2": option_of(region, "South")}
    assert figures(report(xero, "BalanceSheet", **asked, **both))["Net Assets"] == ["0.00", "0.00"]
    assert "Tracking Transfers" not in figures(report(xero, "BalanceSheet", **asked))


def test_a_balance_sheet_of_any_option_balances(xero: Xero) -> None:
    trade(xero)
    region = xero.get("/TrackingCategories").json()["TrackingCategories"][0]
    ends = {"FromBankAccount": BANK, "ToBankAccount": {"Code": "091"}, "Amount": 5, "Date": "2026-11-24"}

    def end(name: str) -> list[dict[str, str]]:
        own = {"TrackingCategoryID": region["TrackingCategoryID"], "TrackingOptionID": option_of(region, name)}
        return [own]

    put(xero, "BankTransfers", **ends, FromTracking=end("North"), ToTracking=end("South"))
    for name, bank, amount in (
        ("North", "Business Bank Account", "-5.00"),
        ("South", "Business Savings Account", "5.00"),
    ):
        for basis in ("false", "true"):
            asked = {"date": "2026-12-31", "paymentsOnly": basis, "trackingOptionID1": option_of(region, name)}
            sums = figures(report(xero, "BalanceSheet", **asked))
            assert sums["Net Assets"] == sums["Total Equity"]
            assert sums[bank] == [amount]


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("ProfitAndLoss", {"trackingCategoryID": "x"}),
        ("ProfitAndLoss", {"trackingOptionID": "x"}),
        ("ProfitAndLoss", {"trackingCategoryID2": "x"}),
        ("ProfitAndLoss", {"trackingOptionID2": "x"}),
        ("BalanceSheet", {"trackingOptionID1": "x"}),
        ("BalanceSheet", {"trackingOptionID2": "x"}),
    ],
)
def test_tracking_that_does_not_exist_is_refused(xero: Xero, name: str, query: dict[str, str]) -> None:
    answer = xero.get(f"/Reports/{name}", **query)
    assert answer.status_code == 400
    assert next(iter(query)) in answer.json()["Message"]


def test_an_option_of_another_category_is_refused(xero: Xero) -> None:
    found = second_category(xero)
    asked = {"trackingCategoryID": found["Region"]["TrackingCategoryID"]}
    answer = xero.get("/Reports/ProfitAndLoss", **asked, trackingOptionID=option_of(found["Campaign"], "Spring"))
    assert (answer.status_code, answer.json()["Message"]) == (
        400,
        "The trackingOptionID is not an option of that category",
    )


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
