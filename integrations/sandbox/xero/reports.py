"""Balance sheet and profit and loss, computed from what is in the books and printed in Xero's rows.

Values are texts, days are localised texts, a section may be a bare heading, and totals carry no account.
"""

import calendar
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from integrations.sandbox import clock
from integrations.sandbox.answers import Answer
from integrations.sandbox.exchange import Call
from integrations.sandbox.organisations import ORGANISATIONS
from integrations.sandbox.xero import answers, books, postings, rules, tracking
from integrations.sandbox.xero.postings import EXCHANGE, Posting

Row = dict[str, Any]
Figures = list[Decimal]
CURRENT_EARNINGS = "abababab-abab-abab-abab-abababababab"  # what Xero itself prints for what is no account
MAX_DAYS, MAX_PERIODS = 365, 11
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_INCOME = ("REVENUE", "SALES")
_OTHER = ("OTHERINCOME",)
_COSTS = ("EXPENSE", "OVERHEADS")
_ASSETS = (("Bank", ("BANK",)), ("Current Assets", ("CURRENT", "INVENTORY")), ("Fixed Assets", ("FIXED",)))


@dataclass(frozen=True)
class Column:
    """One column of figures: its heading, and which postings count in it."""

    title: str
    counts: Callable[[Posting], bool]


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

    def nothing(self) -> Figures:
        return [Decimal("0.00") for _ in self.columns]

    def of_types(self, types: Iterable[str], sign: int) -> list[tuple[str, str, Figures]]:
        """Name, id and figures of the accounts of these types that have any."""
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
    """A section of accounts with its total; without accounts no section."""
    total = sheet.add(*(figures for _, _, figures in accounts))
    if not accounts:
        return [], total
    rows = [_row(name, figures, key) for name, key, figures in accounts]
    name = title.removeprefix("Less ").removeprefix("Plus ")
    return [_section(title, [*rows, _row(f"Total {name}", total, kind="SummaryRow")])], total


def profit_and_loss(call: Call) -> Answer:
    query = call.request.GET
    today = clock.today(ORGANISATIONS[call.tenant].timezone)
    last = _last_of_month(today)
    start = _day(call, "fromDate", "FromDate") or (_day(call, "toDate", "ToDate") or today).replace(day=1)
    end = _day(call, "toDate", "ToDate") or (last if start <= last else _last_of_month(start))
    if end < start or (end - start).days > MAX_DAYS:
        raise _wrong(f"The period from {start} to {end} must be from 1 to {MAX_DAYS} days long")
    columns = _of_option(call, _periods(call, start, end))
    found = postings.of(call.tenant, payments_only=books.is_true(query, "paymentsOnly"))
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
    titles = ["Profit and Loss", ORGANISATIONS[call.tenant].name, f"{_long(start)} to {_long(end)}"]
    return _answer("ProfitAndLoss", "Profit and Loss", titles, today, rows)


def balance_sheet(call: Call) -> Answer:
    today = clock.today(ORGANISATIONS[call.tenant].timezone)
    end = _day(call, "date") or today
    ends = _ends(call, end)
    columns = [Column(_short(one), lambda posting, one=one: posting.day <= one.isoformat()) for one in ends]  # type: ignore[misc]
    found = postings.of(call.tenant, payments_only=books.is_true(call.request.GET, "paymentsOnly"))
    sheet = _Sheet(call.tenant, columns, found)
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
    titles = ["Balance Sheet", ORGANISATIONS[call.tenant].name, f"As at {_long(end)}"]
    return _answer("BalanceSheet", "Balance Sheet", titles, today, rows)


def _earnings(tenant: str, sheet: _Sheet, found: list[Posting], ends: list[date]) -> list[tuple[str, str, Figures]]:
    """What was earned since the financial year began, and what earlier years left."""
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
    """Both organisations close their books on 31 March."""
    return date(day.year if day.month >= 4 else day.year - 1, 4, 1)


def _periods(call: Call, start: date, end: date) -> list[Column]:
    """The asked period and those before it, each as many days long as the first."""
    length = (end - start).days
    columns = []
    for number in range(_count(call) + 1):
        low = _back(start, number * _step(call))
        high = low + timedelta(days=length)
        columns.append(Column(_short(high), _within(low.isoformat(), high.isoformat())))
    return columns


def _within(low: str, high: str) -> Callable[[Posting], bool]:
    return lambda posting: low <= posting.day <= high


def _of_option(call: Call, columns: list[Column]) -> list[Column]:
    """Only what is tracked under an option; or, for a whole category, a column for each of its options."""
    query = call.request.GET
    option, category = query.get("trackingOptionID", "").lower(), query.get("trackingCategoryID", "").lower()
    second = query.get("trackingOptionID2", "").lower()
    if option or second:
        wanted = {one for one in (option, second) if one}
        return [Column(one.title, _tracked(one, wanted)) for one in columns]
    if not category:
        return columns
    found = next((one for one in tracking.categories(call.tenant) if one["TrackingCategoryID"] == category), None)
    if found is None:
        raise _wrong("The trackingCategoryID is not a category of this organisation")
    ids = {one["TrackingOptionID"] for one in found["Options"]}
    first = columns[0]
    split = [Column(one["Name"], _tracked(first, {one["TrackingOptionID"]})) for one in found["Options"]]
    rest = Column("Unassigned", lambda posting: first.counts(posting) and not posting.options & ids)
    return [*split, rest, Column("Total", first.counts)]


def _tracked(column: Column, wanted: set[str]) -> Callable[[Posting], bool]:
    return lambda posting: column.counts(posting) and wanted <= posting.options


def _ends(call: Call, end: date) -> list[date]:
    return [_back(end, number * _step(call), is_end=True) for number in range(_count(call) + 1)]


def _count(call: Call) -> int:
    text = call.request.GET.get("periods", "0")
    if not text.isascii() or not text.isdigit() or int(text[:3]) > MAX_PERIODS:
        raise _wrong(f"periods must be a whole number from 1 to {MAX_PERIODS}")
    return int(text)


def _step(call: Call) -> int:
    frame = call.request.GET.get("timeframe", "MONTH").upper()
    if frame not in _MONTHS:
        raise _wrong(f"timeframe must be one of {', '.join(_MONTHS)}")
    return _MONTHS[frame]


def _back(day: date, months: int, *, is_end: bool = False) -> date:
    """So many months earlier; the end of a month stays the end of one."""
    count = day.year * 12 + day.month - 1 - months
    year, month = divmod(count, 12)
    longest = calendar.monthrange(year, month + 1)[1]
    was_last = is_end and day == _last_of_month(day)
    return date(year, month + 1, longest if was_last else min(day.day, longest))


def _last_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _day(call: Call, *names: str) -> date | None:
    text = next((call.request.GET[name] for name in names if call.request.GET.get(name)), "")
    if not text:
        return None
    day = rules.read_day(text)
    if day is None:
        raise _wrong(f"{names[0]} is not a date: {text[:40]!r}")
    return date.fromisoformat(day)


def _wrong(message: str) -> Exception:
    return answers.bad_request(17, "InvalidDataException", message)


def _short(day: date) -> str:
    return day.strftime("%d %b %y").lstrip("0")


def _long(day: date) -> str:
    return day.strftime("%d %B %Y").lstrip("0")


def _answer(kind: str, name: str, titles: list[str], today: date, rows: list[Row]) -> Answer:
    report = {
        "ReportID": kind,
        "ReportName": name,
        "ReportType": kind,
        "ReportTitles": titles,
        "ReportDate": _long(today),
        "UpdatedDateUTC": f"/Date({clock.now()})/",
        "Fields": [],
        "Rows": rows,
    }
    return answers.envelope("Reports", [report])
