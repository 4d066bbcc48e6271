"""The balance sheet and the profit and loss, as flat rows with exact amounts.

https://developer.xero.com/documentation/api/accounting/reports

Labels differ by region and by the organisation's own layout, so the standard layout is requested; a row's account is
identified by its id, if it has one. `figures` are the totals by name, of the first column, and `table` is the report as
people read it: a list of lists, the headings of its columns first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from integrations.connectors.xero.actions.documents.creating import iso
from integrations.connectors.xero.client import records
from integrations.connectors.xero.fields import choices
from integrations.connectors.xero.samples import records as samples
from integrations.core.errors import TemporaryError
from integrations.framework.base import Action, Effect
from integrations.schema.schema import Choice, Schema, field
from integrations.schema.schema import choices as declare_choices
from integrations.transport.http import ApiClient

#: https://developer.xero.com/documentation/api/accounting/reports: the most periods to compare with, and days in a
#: period.
_MOST_PERIODS, _MOST_DAYS = 11, 365
#: The figures that a report always names, and the labels that Xero gives them in its regions.
_PROFIT_AND_LOSS = {
    "total_income": ("total income", "total revenue", "total turnover", "total trading income"),
    "gross_profit": ("gross profit", "gross surplus", "gross loss"),
    "total_expenses": ("total operating expenses", "total expenses", "total administrative costs"),
    "net_profit": ("net profit", "net surplus", "net income", "net loss", "profit for the year", "net earnings"),
}
_BALANCE_SHEET = {
    "total_assets": ("total assets",),
    "total_liabilities": ("total liabilities",),
    "net_assets": ("net assets",),
    "total_equity": ("total equity", "total capital and reserves", "total members' funds"),
}
#: Totals of sections that have no figure of a fixed name.
_OTHER_TOTALS = frozenset({"total cost of sales", "total direct costs", "total other income"})
_NOTHING = Decimal("0.00")


@declare_choices()
def tracking_category_ids(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Active tracking categories, by id."""
    for category in _categories(api):
        yield category["TrackingCategoryID"], str(category.get("Name"))


@declare_choices()
def tracking_option_ids(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Active options of the active tracking categories, by id."""
    for category in _categories(api):
        for option in category.get("Options") or []:
            if option.get("Status", "ACTIVE") == "ACTIVE":
                yield option["TrackingOptionID"], f"{category.get('Name')}: {option.get('Name')}"


def _categories(api: ApiClient) -> list[dict[str, Any]]:
    found = records(api.read("/TrackingCategories").json(), "TrackingCategories")
    return [category for category in found if category.get("Status", "ACTIVE") == "ACTIVE"]


class GetBalanceSheet(Action):
    """Get the balance sheet as at a day."""

    key = "get_balance_sheet"
    name = "Get balance sheet"
    words = ("report", "assets", "liabilities", "equity", "financial statement", "month end", "year end")
    effect = Effect.READS
    scopes = ("accounting.reports.balancesheet.read",)
    sample = samples.BALANCE_SHEET

    class Inputs(Schema):
        as_at: date | None = field("As at", default=None, help="Left empty: today, where the organisation is.")
        periods: int | None = field(
            "Compare with", default=None, minimum=1, maximum=_MOST_PERIODS, help="So many earlier periods."
        )
        timeframe: choices.Timeframe = field("Each of a", default=choices.Timeframe.MONTH)
        tracking_option_1: str | None = field(
            "First tracking option", choices=tracking_option_ids, default=None, max_length=36
        )
        tracking_option_2: str | None = field(
            "Second tracking option", choices=tracking_option_ids, default=None, max_length=36
        )
        is_standard_layout: bool = field(
            "Standard layout", default=True, help="Xero's own rows instead of the organisation's layout."
        )
        is_cash_basis: bool = field("Cash basis", default=False, help="Count only what was paid.")

    def run(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        query = {
            "date": iso(inputs.as_at),
            "trackingOptionID1": inputs.tracking_option_1,
            "trackingOptionID2": inputs.tracking_option_2,
        }
        return _report(api, "BalanceSheet", inputs, query, _BALANCE_SHEET)

    def describe(self, output: Mapping[str, Any]) -> str:
        return _described(output)


class GetProfitAndLoss(Action):
    """Get the profit and loss of a period."""

    key = "get_profit_and_loss"
    name = "Get profit and loss"
    words = ("P&L", "PnL", "report", "income statement", "revenue", "expenses", "net profit", "month end")
    effect = Effect.READS
    scopes = ("accounting.reports.profitandloss.read",)
    sample = samples.PROFIT_AND_LOSS

    class Inputs(Schema):
        from_date: date | None = field("From", default=None, help="Left empty with To: the current month.")
        to_date: date | None = field("To", default=None)
        periods: int | None = field(
            "Compare with", default=None, minimum=1, maximum=_MOST_PERIODS, help="So many earlier periods."
        )
        timeframe: choices.Timeframe = field("Each of a", default=choices.Timeframe.MONTH)
        tracking_category_1: str | None = field(
            "First tracking category", choices=tracking_category_ids, default=None, max_length=36
        )
        tracking_option_1: str | None = field(
            "First tracking option", choices=tracking_option_ids, default=None, max_length=36
        )
        tracking_category_2: str | None = field(
            "Second tracking category", choices=tracking_category_ids, default=None, max_length=36
        )
        tracking_option_2: str | None = field(
            "Second tracking option", choices=tracking_option_ids, default=None, max_length=36
        )
        is_standard_layout: bool = field(
            "Standard layout", default=True, help="Xero's own rows instead of the organisation's layout."
        )
        is_cash_basis: bool = field("Cash basis", default=False, help="Count only what was paid.")

        def check(self) -> Mapping[str, str]:
            """Both days or neither, in order, and no further apart than Xero allows."""
            if (self.from_date is None) != (self.to_date is None):
                missing, label = ("from_date", "From") if self.from_date is None else ("to_date", "To")
                return {missing: f"{label} is needed beside the other day."}
            if self.from_date is None or self.to_date is None:
                return {}
            if self.to_date < self.from_date:
                return {"to_date": "To is before From."}
            if (self.to_date - self.from_date).days > _MOST_DAYS:
                return {"to_date": f"The period may span {_MOST_DAYS} days at most."}
            return {}

    def run(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        query = {
            "fromDate": iso(inputs.from_date),
            "toDate": iso(inputs.to_date),
            "trackingCategoryID": inputs.tracking_category_1,
            "trackingOptionID": inputs.tracking_option_1,
            "trackingCategoryID2": inputs.tracking_category_2,
            "trackingOptionID2": inputs.tracking_option_2,
        }
        return _report(api, "ProfitAndLoss", inputs, query, _PROFIT_AND_LOSS)

    def describe(self, output: Mapping[str, Any]) -> str:
        return _described(output)


def _report(
    api: ApiClient, kind: str, inputs: Any, days: Mapping[str, str | None], named: Mapping[str, tuple[str, ...]]
) -> dict[str, Any]:
    query = {name: day for name, day in days.items() if day}
    if inputs.periods:
        query |= {"periods": str(inputs.periods), "timeframe": inputs.timeframe.value}
    if inputs.is_standard_layout:
        query["standardLayout"] = "true"
    if inputs.is_cash_basis:
        query["paymentsOnly"] = "true"
    found = records(api.read(f"/Reports/{kind}", query).json(), "Reports")
    if len(found) != 1:
        raise TemporaryError("Xero's answer holds no report.")
    titles = [str(title).strip() for title in found[0].get("ReportTitles") or []]
    told = found[0].get("Rows") or []
    rows = list(_flat(told))
    return {
        "name": str(found[0].get("ReportName") or kind),
        "titles": titles,
        "period": titles[-1] if titles else "",
        "figures": _totals_by_name(rows, named),
        "columns": _columns(told),
        "table": _table(_columns(told), rows),
        "rows": rows,
        "count": len(rows),
    }


def _totals_by_name(rows: Sequence[Mapping[str, Any]], named: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Every total by its label, as "Total Bank" by `total_bank`; those in `named` always.

    Xero leaves out what has no rows: its total is zero. None if a section has an unknown name, which may be the one.
    """
    totals = {_folded(row["label"]): row["amount"] for row in rows if row["is_total"]}
    known = {label for labels in named.values() for label in labels}
    missing = _NOTHING if all(_is_known(row, known) for row in rows if not row["is_total"]) else None
    figures = {name: next((totals[one] for one in labels if one in totals), missing) for name, labels in named.items()}
    others = {_key(label): amount for label, amount in totals.items() if label not in known}
    return figures | {name: amount for name, amount in others.items() if name and name not in figures}


def _is_known(row: Mapping[str, Any], known: Set[str]) -> bool:
    """Whether the row is in a section whose total has one of these labels."""
    section = _folded(row["heading"]).removeprefix("less ").removeprefix("plus ")
    return f"total {section}" in known | _OTHER_TOTALS


def _folded(label: str) -> str:
    return " ".join(label.casefold().split())


def _key(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", label).strip("_")


def _table(columns: list[str], rows: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
    """The rows below their headings, and a heading in a row of its own whenever another one begins."""
    made: list[list[Any]] = [["", *columns]]
    above: list[str] = []
    for row in rows:
        begun = [heading for depth, heading in enumerate(row["path"]) if row["path"][: depth + 1] != above[: depth + 1]]
        made += [[heading, *[None] * len(columns)] for heading in begun]
        made.append([row["label"], *row["amounts"]])
        above = row["path"]
    return made


def _columns(rows: list[dict[str, Any]]) -> list[str]:
    header = next((row for row in rows if row.get("RowType") == "Header"), {})
    return [_text(cell) for cell in (header.get("Cells") or [])[1:]]


def _flat(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every row with figures, with the headings above it in `path`, outermost first.

    Xero shows nesting only by position: a section without rows is a heading ("Assets") for those that follow, down to a
    section without a title that holds its total ("Total Assets").
    """
    headings: list[str] = []
    for index, row in enumerate(rows):
        title, inner = str(row.get("Title") or "").strip(), row.get("Rows") or []
        if row.get("RowType") != "Section":
            yield from _figures([row], headings, "")
        elif not inner and title:
            headings += [title] if any(_totals(each, title) for each in rows[index:]) else []
        elif title:
            yield from _figures(inner, [*headings, title], title)
        else:
            ended = next((depth for depth, heading in enumerate(headings) if _totals(row, heading)), None)
            yield from _figures(inner, headings if ended is None else headings[: ended + 1], "")
            headings = headings[:ended]


def _totals(row: Mapping[str, Any], heading: str) -> bool:
    """Whether this is a section without a title whose rows hold the heading's total."""
    if row.get("RowType") != "Section" or str(row.get("Title") or "").strip():
        return False
    labels = (_text(each["Cells"][0]) for each in row.get("Rows") or [] if each.get("Cells"))
    return any(label.casefold() == f"total {heading.casefold()}" for label in labels)


def _figures(rows: list[dict[str, Any]], path: list[str], section: str) -> Iterator[dict[str, Any]]:
    for row in rows:
        kind = row.get("RowType")
        if kind == "Section":
            title = str(row.get("Title") or "").strip()
            yield from _figures(row.get("Rows") or [], [*path, title] if title else path, title)
        elif kind in {"Row", "SummaryRow"} and row.get("Cells"):
            amounts = [_amount(cell) for cell in row["Cells"][1:]]
            account = _account_of(row["Cells"])
            yield {
                "path": path,
                "heading": path[0] if path else "",
                "section": section,
                "label": _text(row["Cells"][0]),
                "account_id": account,
                "is_total": kind == "SummaryRow" or not account,
                "amount": amounts[0] if amounts else None,
                "amounts": amounts,
            }


def _text(cell: Mapping[str, Any]) -> str:
    return str(cell.get("Value") or "").strip()


def _amount(cell: Mapping[str, Any]) -> Decimal | None:
    """Values arrive as text, empty if there is none."""
    try:
        amount = Decimal(_text(cell))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _account_of(cells: list[dict[str, Any]]) -> str | None:
    for cell in cells:
        for attribute in cell.get("Attributes") or []:
            if attribute.get("Id") == "account":
                return str(attribute.get("Value"))
    return None


def _described(output: Mapping[str, Any]) -> str:
    return f"{output['name']}, {output['period']}" if output["period"] else str(output["name"])
