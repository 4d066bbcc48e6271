"""Rules that all documents share: fixed lists, days, lock dates, texts, currencies, themes, totals.

Each function adds problems to `messages`, so that a caller gets all of them at once.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from integrations.sandbox.data.organisations import ORGANISATIONS, Organisation
from integrations.sandbox.xero.batch import Record
from integrations.sandbox.xero.books import is_guid
from integrations.sandbox.xero.documents import totals

LINE_AMOUNT_TYPES = ("Exclusive", "Inclusive", "NoTax")
NO_CONTACT = "A Contact must be specified for this type of transaction"
RATES = {"NZD": "1.00", "USD": "0.612345", "AUD": "0.921000", "GBP": "1.00", "EUR": "1.172300"}
_XERO_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")


def one_of(sent: Record, name: str, known: tuple[str, ...], default: str | None, messages: list[str]) -> str:
    value = sent.get(name) or default
    if value in known:
        return str(value)
    if value is None:
        messages.append(f"{name} must be specified: {' or '.join(known)}")
    else:
        messages.append(f"{str(value)[:40]!r} is not a valid {name}: use {', '.join(known)}")
    return known[0]


def days(sent: Record, record: Record, names: tuple[str, ...], messages: list[str]) -> None:
    for name in names:
        if sent.get(name) is None:
            continue
        day = read_day(sent[name])
        if day is None:
            messages.append(f"{name} is not a date: {str(sent[name])[:40]!r}. Use YYYY-MM-DD.")
        else:
            record[name] = day


def read_day(value: Any) -> str | None:
    """A plain day from `2026-11-22`, `2026-11-22T00:00:00` or `/Date(1795305600000+0000)/`."""
    if not isinstance(value, str):
        return None
    match = _XERO_DATE.fullmatch(value)
    try:
        if match:
            return datetime.fromtimestamp(int(match[1]) / 1000, tz=UTC).date().isoformat()
        if len(value) == 10:
            return date.fromisoformat(value).isoformat()
        return datetime.fromisoformat(value).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def check_lock_dates(tenant: str, day: str, messages: list[str]) -> None:
    organisation = ORGANISATIONS[tenant]
    locks = (
        ("end of year lock date", organisation.end_of_year_lock_date),
        ("period lock date", organisation.period_lock_date),
    )
    for name, locked in locks:
        if locked and day <= locked:
            shown = date.fromisoformat(locked).strftime("%d %B %Y").lstrip("0")
            messages.append(f"The document date cannot be before the {name}, currently set at {shown}")
            return


def texts(sent: Record, record: Record, limits: dict[str, int], messages: list[str]) -> None:
    for name, limit in limits.items():
        if sent.get(name) is None:
            continue
        record[name] = str(sent[name]).strip()
        if len(record[name]) > limit:
            messages.append(f"{name} cannot be longer than {limit} characters")


def url(record: Record, messages: list[str]) -> None:
    if record.get("Url") and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", record["Url"]):
        messages.append("Url must be a valid absolute URL")


def theme(organisation: Organisation, sent: Record, record: Record, messages: list[str]) -> None:
    asked = sent.get("BrandingThemeID")
    if asked is None:
        return
    record["BrandingThemeID"] = str(asked).lower()
    known = {one["BrandingThemeID"] for one in organisation.branding_themes()}
    if not is_guid(record["BrandingThemeID"]) or record["BrandingThemeID"] not in known:
        messages.append("BrandingThemeID is not a theme of this organisation")


def currency(organisation: Organisation, sent: Record, record: Record, messages: list[str]) -> None:
    code = str(sent.get("CurrencyCode") or record.get("CurrencyCode") or organisation.currency).upper()
    record["CurrencyCode"] = code
    if code not in organisation.currencies:
        messages.append(f"Organisation is not subscribed to currency {code}")
        return
    record["CurrencyRate"] = rate(organisation, code, sent.get("CurrencyRate") or record.get("CurrencyRate"))


def rate(organisation: Organisation, code: str, asked: Any) -> Decimal:
    """Units of the currency for one unit of the organisation's own; the day's rate if none is given."""
    if code == organisation.currency:
        return Decimal("1.00")
    if isinstance(asked, int | Decimal) and not isinstance(asked, bool) and 0 < asked < 10**9:
        return totals.rounded(Decimal(asked), 6)
    return Decimal(RATES[code])


def money(sent: Record, name: str, messages: list[str]) -> Decimal:
    """An amount above zero with at most two places."""
    value = sent.get(name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 < value < 10**12:
        messages.append(f"{name} must be a number greater than zero")
        return Decimal(0)
    amount = totals.rounded(Decimal(value))
    if amount != value:
        messages.append(f"{name} can have at most 2 decimal places")
    return amount


def add_totals(record: Record) -> None:
    """SubTotal, TotalTax, Total and, if a line has a discount, TotalDiscount."""
    kept = record["LineItems"]
    amounts = totals.document([(line["LineAmount"], line["TaxAmount"]) for line in kept], record["LineAmountTypes"])
    record |= {"SubTotal": amounts.sub_total, "TotalTax": amounts.total_tax, "Total": amounts.total}
    gross = sum((totals.rounded(line["Quantity"] * line["UnitAmount"]) for line in kept), Decimal("0.00"))
    discount = gross - sum((line["LineAmount"] for line in kept), Decimal("0.00"))
    record.pop("TotalDiscount", None)
    if any("DiscountRate" in line or "DiscountAmount" in line for line in kept):
        record["TotalDiscount"] = discount
