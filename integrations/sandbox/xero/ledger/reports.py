"""Balance sheet and profit and loss, computed from the books and written as Xero's rows.

Values are texts, days are localised texts, a section may be only a heading, and totals have no account.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from integrations.sandbox.data.organisations import ORGANISATIONS
from integrations.sandbox.exchange import clock
from integrations.sandbox.exchange.answers import Answer
from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.xero import answers, books
from integrations.sandbox.xero.ledger import journal, report_columns
from integrations.sandbox.xero.ledger.journal import EXCHANGE, Posting
from integrations.sandbox.xero.ledger.report_columns import Column, long, short

Row = dict[str, Any]
Figures = list[Decimal]
CURRENT_EARNINGS = "abababab-abab-abab-abab-abababababab"  # what Xero itself writes where there is no account
_INCOME = ("REVENUE", "SALES")
_OTHER = ("OTHERINCOME",)
_COSTS = ("EXPENSE", "OVERHEADS")
_ASSETS = (("Bank", ("BANK",)), ("Current Assets", ("CURRENT", "INVENTORY")), ("Fixed Assets", ("FIXED",)))


class _Sheet:
    """The sums of every account in every column."""

    def __init__(self, tenant: str, columns: list[Column], found: list[Posting]) -> None:
        self.accounts = {account["AccountID"]: account for account in ORGANISATIONS[tenant].accounts()}
        self.columns = columns
        self.has_exchange = any(one.account == EXCHANGE for one in found)
        self.sums: dict[str, Figures] = {}
        for one in found:
            figures = self.sums.setdefault(one.account, self.nothing())
            for index, column in enumerate(columns):
                if column.counts(one):
                    figures[index] += one.amount

    def transfer_tracking(self) -> None:
        """Add what one option lacks to balance, on Xero's account for it: only a document's lines are tracked, not what
        is owed or paid for it."""
        own = next(key for key, one in self.accounts.items() if one.get("SystemAccount") == "TRACKINGTRANSFERS")
        self.sums[own] = [-one for one in self.add(*self.sums.values())]

    def nothing(self) -> Figures:
        return [Decimal("0.00") for _ in self.columns]

    def of_types(self, types: Iterable[str], sign: int) -> list[tuple[str, str, Figures]]:
        """Name, id and figures of the accounts of these types that have figures."""
        wanted = set(types)
        found = []
        for key, account in self.accounts.items():
            figures = self.sums.get(key)
            if account["Type"] in wanted and figures is not None and any(figures):
                found.append((account["Name"], key, [sign * one for one in figures]))
        return sorted(found)

    def add(self, *many: Figures) -> Figures:
        return [sum(column, Decimal("0.00")) for column in zip(*many, strict=True)] if many else self.nothing()


def _cell(value: str, account: str = "") -> Row:
    cell: Row = {"Value": value}
    if account:
        cell["Attributes"] = [{"Value": account, "Id": "account"}]
    return cell


def _row(title: str, figures: Figures, account: str = "", kind: str = "Row") -> Row:
    return {"RowType": kind, "Cells": [_cell(title, account)] + [_cell(f"{one + 0:.2f}", account) for one in figures]}


def _section(title: str, rows: list[Row]) -> Row:
    return {"RowType": "Section", "Title": title, "Rows": rows}


def _header(columns: list[Column]) -> Row:
    return {"RowType": "Header", "Cells": [_cell("")] + [_cell(column.title) for column in columns]}


def _group(sheet: _Sheet, title: str, accounts: list[tuple[str, str, Figures]]) -> tuple[list[Row], Figures]:
    """A section of accounts with its total; nothing if there are no accounts."""
    total = sheet.add(*(figures for _, _, figures in accounts))
    if not accounts:
        return [], total
    rows = [_row(name, figures, key) for name, key, figures in accounts]
    name = title.removeprefix("Less ").removeprefix("Plus ")
    return [_section(title, [*rows, _row(f"Total {name}", total, kind="SummaryRow")])], total


def profit_and_loss(call: Call) -> Answer:
    query = call.request.GET
    today = clock.today(ORGANISATIONS[call.tenant].timezone)
    last = report_columns.last_of_month(today)
    start = report_columns.day(call, "fromDate", "FromDate") or (
        report_columns.day(call, "toDate", "ToDate") or today
    ).replace(day=1)
    end = report_columns.day(call, "toDate", "ToDate") or (
        last if start <= last else report_columns.last_of_month(start)
    )
    if end < start or (end - start).days > report_columns.MAX_DAYS:
        raise report_columns.wrong(
            f"The period from {start} to {end} must be from 1 to {report_columns.MAX_DAYS} days long"
        )
    columns = report_columns.by_tracking(call, report_columns.periods(call, start, end))
    found = journal.of(call.tenant, payments_only=books.is_true(query, "paymentsOnly"))
    sheet = _Sheet(call.tenant, columns, found)
    income, earned = _group(sheet, "Income", sheet.of_types(_INCOME, -1))
    goods, cost = _group(sheet, "Less Cost of Sales", sheet.of_types(("DIRECTCOSTS",), 1))
    other, more = _group(sheet, "Plus Other Income", sheet.of_types(_OTHER, -1))
    spent = sheet.of_types(_COSTS, 1)
    if sheet.has_exchange:
        spent.append(("Foreign Currency Gains and Losses", EXCHANGE, sheet.sums[EXCHANGE]))
    expenses, paid = _group(sheet, "Less Operating Expenses", spent)
    gross = sheet.add(earned, [-one for one in cost])
    net = sheet.add(gross, more, [-one for one in paid])
    rows = [_header(columns), *(income or [_section("Income", [])]), *goods]
    rows += [_section("", [_row("Gross Profit", gross)]), *other, *expenses, _section("", [_row("Net Profit", net)])]
    titles = ["Profit and Loss", ORGANISATIONS[call.tenant].name, f"{long(start)} to {long(end)}"]
    return _answer("ProfitAndLoss", "Profit and Loss", titles, today, rows)


def balance_sheet(call: Call) -> Answer:
    today = clock.today(ORGANISATIONS[call.tenant].timezone)
    end = report_columns.day(call, "date") or today
    ends = report_columns.ends(call, end)
    columns = [Column(short(one), lambda posting, one=one: posting.day <= one.isoformat()) for one in ends]  # type: ignore[misc]
    found = journal.of(call.tenant, payments_only=books.is_true(call.request.GET, "paymentsOnly"))
    wanted = report_columns.asked_options(call)
    found = [one for one in found if wanted <= one.options]
    sheet = _Sheet(call.tenant, columns, found)
    if wanted:
        sheet.transfer_tracking()
    rows, assets = [_header(columns), _section("Assets", [])], sheet.nothing()
    for title, types in _ASSETS:
        made, total = _group(sheet, title, sheet.of_types(types, 1))
        rows, assets = rows + made, sheet.add(assets, total)
    rows += [_section("", [_row("Total Assets", assets)]), _section("Liabilities", [])]
    current, owed = _group(sheet, "Current Liabilities", sheet.of_types(("CURRLIAB",), -1))
    net = sheet.add(assets, [-one for one in owed])
    rows += [*current, _section("", [_row("Total Liabilities", owed)]), _section("", [_row("Net Assets", net)])]
    equity = sheet.of_types(("EQUITY",), -1) + _earnings(call.tenant, sheet, found, ends)
    rows += _group(sheet, "Equity", sorted(equity))[0] or [_section("Equity", [])]
    titles = ["Balance Sheet", ORGANISATIONS[call.tenant].name, f"As at {long(end)}"]
    return _answer("BalanceSheet", "Balance Sheet", titles, today, rows)


def _earnings(tenant: str, sheet: _Sheet, found: list[Posting], ends: list[date]) -> list[tuple[str, str, Figures]]:
    """The earnings of this financial year, and those retained from earlier years."""
    classes = {key: account["Class"] for key, account in sheet.accounts.items()} | {EXCHANGE: "EXPENSE"}
    earning = [one for one in found if classes[one.account] in {"REVENUE", "EXPENSE"}]
    current, retained = sheet.nothing(), sheet.nothing()
    for index, end in enumerate(ends):
        begin = _year_begins(end)
        for one in earning:
            if one.day <= end.isoformat():
                (current if one.day >= begin.isoformat() else retained)[index] -= one.amount
    own = next(key for key, one in sheet.accounts.items() if one.get("SystemAccount") == "RETAINEDEARNINGS")
    rows = [("Current Year Earnings", CURRENT_EARNINGS, current)]
    return [*rows, ("Retained Earnings", own, retained)] if any(retained) else rows


def _year_begins(day: date) -> date:
    """The first day of the financial year; both organisations end it on 31 March."""
    return date(day.year if day.month >= 4 else day.year - 1, 4, 1)


def _answer(kind: str, name: str, titles: list[str], today: date, rows: list[Row]) -> Answer:
    report = {
        "ReportID": kind,
        "ReportName": name,
        "ReportType": kind,
        "ReportTitles": titles,
        "ReportDate": long(today),
        "UpdatedDateUTC": f"/Date({clock.now()})/",
        "Fields": [],
        "Rows": rows,
    }
    return answers.envelope("Reports", [report])
