"""Facts of an organisation that forms, dates and checks need.

https://developer.xero.com/documentation/api/accounting/organisation
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.errors import TemporaryError
from integrations.http import ApiClient
from integrations.xero.client import records
from integrations.xero.plain import plain
from integrations.xero.zones import iana


def read_details(api: ApiClient) -> dict[str, Any]:
    """What a connection remembers of its organisation: dates ISO or empty, `timezone` an IANA name or empty."""
    return details_of(api.read("/Organisation").json())


def details_of(body: Any) -> dict[str, Any]:
    """The same from an answer of /Organisation."""
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
    }


def time_zone(api: ApiClient) -> str:
    """The zone whose days the books are kept in: as remembered, else by one call. UTC where it is unknown."""
    remembered = api.connection.details.get("timezone")
    return str(remembered or read_details(api)["timezone"] or "UTC")
