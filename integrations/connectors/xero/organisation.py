"""Facts of an organisation that forms, dates, totals and checks need.

https://developer.xero.com/documentation/api/accounting/organisation
https://developer.xero.com/documentation/api/accounting/accounts
https://developer.xero.com/documentation/api/accounting/taxrates
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from integrations.connectors.xero.client import records
from integrations.connectors.xero.plain import plain
from integrations.connectors.xero.zones import iana
from integrations.core.errors import TemporaryError
from integrations.transport.http import ApiClient

#: Xero's flag on a tax rate, and the class of accounts that it applies to.
_CLASSES = {
    "CanApplyToAssets": "ASSET",
    "CanApplyToEquity": "EQUITY",
    "CanApplyToExpenses": "EXPENSE",
    "CanApplyToLiabilities": "LIABILITY",
    "CanApplyToRevenue": "REVENUE",
}


def read_details(api: ApiClient) -> dict[str, Any]:
    """The details of an organisation that a connection stores, in three calls: those of `read_organisation`, and

    - `accounts`: the account of each code: {"200": {"name", "class", "type", "tax_type"}}
    - `tax_rates`: the rate of each type: {"OUTPUT2": {"name", "rate" as "15", "classes" of accounts}}
    """
    accounts = records(api.read("/Accounts").json(), "Accounts")
    rates = records(api.read("/TaxRates").json(), "TaxRates")
    return {
        **read_organisation(api),
        **accounts_and_rates(accounts, rates),
    }


def accounts_and_rates(accounts: Iterable[Mapping[str, Any]], rates: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Of `read_details`, what Xero's active accounts and tax rates say."""
    return {
        "accounts": {str(each["Code"]): _account(each) for each in accounts if _is_active(each) and each.get("Code")},
        "tax_rates": {str(each["TaxType"]): _rate(each) for each in rates if _is_active(each) and each.get("TaxType")},
    }


def read_organisation(api: ApiClient) -> dict[str, Any]:
    """The organisation itself, in one call: dates in ISO, the year's end as MM-DD, `timezone` an IANA name or empty."""
    return details_of(api.read("/Organisation").json())


def _is_active(record: Mapping[str, Any]) -> bool:
    return bool(record.get("Status", "ACTIVE") == "ACTIVE")


def _account(account: Mapping[str, Any]) -> dict[str, Any]:
    told = {"name": "Name", "class": "Class", "type": "Type", "tax_type": "TaxType"}
    return {ours: str(account.get(theirs) or "") for ours, theirs in told.items()}


def _rate(rate: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": str(rate.get("Name") or rate["TaxType"]),
        "rate": str(rate.get("EffectiveRate") or 0),
        "classes": [name for flag, name in _CLASSES.items() if rate.get(flag)],
    }


def details_of(body: Any) -> dict[str, Any]:
    """The same, from an answer to /Organisation."""
    found = records(body, "Organisations")
    if len(found) != 1:
        raise TemporaryError("Xero did not tell which organisation this is.")
    told: Mapping[str, Any] = plain(found[0])
    return {
        "name": told.get("Name") or "",
        "country": told.get("CountryCode") or "",
        "currency": told.get("BaseCurrency") or "",
        "timezone": iana(str(told.get("Timezone") or "")),
        "is_demo": bool(told.get("IsDemoCompany")),
        "short_code": told.get("ShortCode") or "",
        "period_lock_date": told.get("PeriodLockDate") or "",
        "end_of_year_lock_date": told.get("EndOfYearLockDate") or "",
        "default_sales_tax": told.get("DefaultSalesTax") or "",
        "financial_year_end": _year_end(told.get("FinancialYearEndMonth"), told.get("FinancialYearEndDay")),
    }


def _year_end(month: Any, day: Any) -> str:
    """MM-DD, empty unless Xero gives a date that exists in a leap year."""
    try:
        return date(2000, int(month), int(day)).strftime("%m-%d")
    except (TypeError, ValueError):
        return ""


def time_zone(api: ApiClient) -> str:
    """The time zone of the organisation: from the stored details, else by one call. UTC if it is unknown."""
    remembered = api.connection.details.get("timezone")
    return str(remembered or read_organisation(api)["timezone"] or "UTC")
