"""Inputs that several kinds of documents have in common, word for word.

https://developer.xero.com/documentation/api/accounting/types#currencycodes
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from integrations.connectors.xero.fields import choices
from integrations.schema.schema import field


def currency_field() -> Any:
    """The currency of a new document; the organisation's own if none is given."""
    return field(
        "Currency",
        choices=choices.currencies,
        default=None,
        max_length=3,
        help="Left empty: the organisation's own.",
    )


def currency_rate_field() -> Any:
    """How much of the currency one unit of the organisation's own buys; see `creating.rate_problems`."""
    return field(
        "Exchange rate",
        default=None,
        minimum=Decimal("0.000001"),
        decimal_places=6,
        help="So much of the currency is one unit of the organisation's own. Left empty: Xero's rate of the day.",
    )
