"""Samples that follow a trigger's inputs: whose record it is, of what amount, in which status."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any

Sample = dict[str, Any]

#: What grows together, so that totals stay the sum of their lines.
_AMOUNTS = frozenset(
    {"Quantity", "LineAmount", "TaxAmount", "SubTotal", "TotalTax", "Total", "AmountDue", "AmountPaid"}
    | {"RemainingCredit", "Amount", "BankAmount"}
)
_LARGEST_FACTOR = 10**9


def of_contact(sample: Mapping[str, Any], contact_id: Any, label: str) -> Sample:
    """The sample as of this contact; `label` is what the list of contacts calls it, "" if that is not known."""
    if not contact_id:
        return dict(sample)
    named = {"Name": _without_mail(label)} if label else {}
    if isinstance(sample.get("Contact"), Mapping):
        return {**sample, "Contact": {**sample["Contact"], "ContactID": contact_id, **named}}
    paid = sample.get("Invoice")
    if isinstance(paid, Mapping):
        return {**sample, "Invoice": of_contact(paid, contact_id, label)}
    return {**sample, "ContactID": contact_id, **named} if "ContactID" in sample else dict(sample)


def of_amount(sample: Mapping[str, Any], least: Any, name: str = "Total") -> Sample:
    """The sample with quantities and amounts so many times larger that the one of this name reaches `least`."""
    try:
        wanted = Decimal(str(least)) if least else Decimal(0)
    except InvalidOperation:
        return dict(sample)
    has = Decimal(str(sample.get(name) or 0))
    if not wanted.is_finite() or has <= 0 or wanted <= has:
        return dict(sample)
    factor = (wanted / has).to_integral_value(ROUND_CEILING)
    made: Sample = _times(sample, min(int(factor), _LARGEST_FACTOR))
    return made


def in_status(sample: Mapping[str, Any], status: str) -> Sample:
    """The sample in this status; one that is paid has nothing due."""
    if status != "PAID" or "AmountDue" not in sample:
        return {**sample, "Status": status}
    return {**sample, "Status": status, "AmountDue": Decimal("0.00"), "AmountPaid": sample["Total"]}


def overdue_by(sample: Mapping[str, Any], days: Any) -> Sample:
    """The sample on the day on which it is overdue by so many days."""
    many = int(days) if str(days or "").isascii() and str(days or "").isdigit() else 1
    due = date.fromisoformat(str(sample["overdue_on"])) - timedelta(days=min(many, 3650))
    written = due - timedelta(days=30)
    return {**sample, "Date": written.isoformat(), "DueDate": due.isoformat(), "days_overdue": min(many, 3650)}


def first(value: Any) -> str:
    """The first of several ticked values; "" if none is."""
    return str(value[0]) if isinstance(value, list) and value else ""


def _without_mail(label: str) -> str:
    """A contact's name, as its list shows it with the e-mail address in brackets."""
    name, bracket, mail = label.rpartition(" (")
    return name if bracket and "@" in mail else label


def _times(value: Any, factor: int, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {key: _times(inner, factor, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_times(each, factor) for each in value]
    return value * factor if name in _AMOUNTS and isinstance(value, Decimal) else value
