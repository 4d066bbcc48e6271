"""Functions for money: to the smallest unit of its currency, halves rounded away from zero, no cent lost.

Without a currency it is the organisation's; if that is unknown, amounts have two decimal places.
Smallest units: https://www.six-group.com/en/products-services/financial-information/data-standards.html (ISO 4217)
"""

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

from workflows.language.functions.number import amounts, format_number, read_number, within
from workflows.language.signatures import function
from workflows.language.values import (
    CALCULATION,
    DECIMALS,
    ITEMS_LIMIT,
    MappingContext,
    MappingLimitError,
    MappingTypeError,
    bounded,
    day_of,
    kind_of,
    shown,
    text_of,
)

_CODE = re.compile(r"[A-Z]{3}")
_NO_PLACES = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_PLACES = "BHD IQD JOD KWD LYD OMR TND"
#: Decimal places of the currencies that do not have two.
_PLACES = {
    **dict.fromkeys(_NO_PLACES.split(), 0),
    **dict.fromkeys(_THREE_PLACES.split(), 3),
    "CLF": 4,
    "UYW": 4,
}


def places_of(currency: str, context: MappingContext) -> int:
    """How many decimal places amounts in this currency have."""
    code = (currency or context.currency).strip().upper()
    if code and not _CODE.fullmatch(code):
        raise MappingTypeError(f"A currency is three letters such as GBP, not {shown(currency)}.")
    return _PLACES.get(code, 2)


def rounded(amount: Fraction, places: int) -> Decimal:
    """The exact amount rounded to this many places, halves away from zero."""
    units = int(abs(amount) * 10**places + Fraction(1, 2))
    return bounded(Decimal(-units if amount < 0 else units).scaleb(-places))


@function(kind="money", label="Decimal places", example='{{ "KWD" | minor_units }}', result=3)
def minor_units(value: str, *, context: MappingContext) -> int:
    """How many decimal places amounts in a currency have: GBP 2, JPY 0, KWD 3."""
    if not value.strip():
        raise MappingTypeError("The currency is empty.")
    return places_of(value, context)


@function(kind="money", label="Round money", example='{{ 1234.5 | round_money("JPY") }}', result=Decimal("1235"))
def round_money(value: Decimal, currency: str = "", *, context: MappingContext) -> Decimal:
    """Rounds to the smallest unit of a currency, halves away from zero."""
    return rounded(Fraction(value), places_of(currency, context))


@function(kind="money", label="Write money", example='{{ 1234.5 | format_money("EUR", "de") }}', result="EUR 1.234,50")
def format_money(value: Decimal, currency: str = "", style: str = "en", *, context: MappingContext) -> str:
    """Writes an amount with its currency and its decimal places as a language does."""
    code = (currency or context.currency).strip().upper()
    written = format_number(round_money(value, currency, context=context), places_of(currency, context), style)
    return f"{code} {written}".strip()


@function(
    kind="money", label="In smallest units", example='{{ 12.50 | to_minor_units("EUR") }}', result=Decimal("1250")
)
def to_minor_units(value: Decimal, currency: str = "", *, context: MappingContext) -> Decimal:
    """An amount in cents or whatever its currency's smallest unit is. More decimal places than it has are an error."""
    return Decimal(_units(value, places_of(currency, context)))


@function(
    kind="money", label="From smallest units", example='{{ 1250 | from_minor_units("EUR") }}', result=Decimal("12.50")
)
def from_minor_units(value: Decimal, currency: str = "", *, context: MappingContext) -> Decimal:
    """An amount from cents or whatever its currency's smallest unit is."""
    return Decimal(_units(value, 0)).scaleb(-places_of(currency, context))


@function(
    kind="money",
    label="Convert",
    example='{{ 100 | convert(1.1745, "EUR", "2026-11-23") }}',
    result=Decimal("117.45"),
)
def convert(
    value: Decimal, rate: Decimal, currency: str = "", rate_date: Any = "", *, context: MappingContext
) -> Decimal:
    """Multiplies by a rate and rounds to the smallest unit of the currency it becomes.

    The rate is yours to state; so is its day, which stands in the workflow for whoever checks it.
    """
    if rate <= 0:
        raise MappingTypeError(f"A rate is above 0, not {shown(rate)}.")
    if rate_date != "":
        day_of(rate_date, context)
    return rounded(Fraction(value) * Fraction(rate), places_of(currency, context))


@function(
    kind="money",
    label="Allocate",
    example="{{ 100 | allocate(3) }}",
    result=[Decimal("33.34"), Decimal("33.33"), Decimal("33.33")],
)
def allocate(value: Decimal, over: Any, currency: str = "", *, context: MappingContext) -> list[Decimal]:
    """Shares an amount over so many rows evenly, or over a list of weights, without losing a cent.

    What is left after rounding down goes to the rows that lost most by it, the first ones before others.
    """
    places = places_of(currency, context)
    units = _units(value, places)
    weights = _weights(over)
    whole = sum(weights)
    shares = [abs(units) * weight // whole for weight in weights]
    lost = [abs(units) * weight % whole for weight in weights]
    by_loss = sorted(range(len(shares)), key=lambda row: (-lost[row], row))
    for row in by_loss[: abs(units) - sum(shares)]:
        shares[row] += 1
    sign = -1 if units < 0 else 1
    return [Decimal(sign * share).scaleb(-places) for share in shares]


def _weights(over: Any) -> list[int]:
    """As whole numbers: only their proportions matter."""
    if kind_of(over) != "list":
        rows = read_number(over)
        if rows != rows.to_integral_value() or not 1 <= rows <= ITEMS_LIMIT:
            raise MappingTypeError(f"Over how many rows? A whole number from 1 to {ITEMS_LIMIT:,}, not {shown(over)}.")
        return [1] * int(rows)
    if len(over) > ITEMS_LIMIT:
        raise MappingLimitError(f"The list would have more than {ITEMS_LIMIT:,} items.")
    weights = [int(weight.scaleb(DECIMALS, context=CALCULATION)) for weight in amounts(list(over), "")]
    if any(weight < 0 for weight in weights):
        raise MappingTypeError("A weight is below 0.")
    if not sum(weights):
        raise MappingTypeError("There is no row to allocate to: the weights are missing, or all of them 0.")
    return weights


def _units(amount: Decimal, places: int) -> int:
    units = Fraction(amount) * 10**places
    if units.denominator != 1:
        raise MappingTypeError(f"{shown(amount)} has more than {places} decimal places. Round it first.")
    return int(units)


# --- tax ------------------------------------------------------------------------------------------------------------


@function(kind="money", label="With tax", example="{{ 100 | gross_from_net(20) }}", result=Decimal("120.00"))
def gross_from_net(value: Decimal, rate: Decimal, currency: str = "", *, context: MappingContext) -> Decimal:
    """An amount without tax, and the tax on top of it: both are rounded, then added. The rate is in percent."""
    net = round_money(value, currency, context=context)
    return bounded(net + tax_amount(net, rate, "exclusive", currency, context=context))


@function(kind="money", label="Without tax", example="{{ 120 | net_from_gross(20) }}", result=Decimal("100.00"))
def net_from_gross(value: Decimal, rate: Decimal, currency: str = "", *, context: MappingContext) -> Decimal:
    """An amount with tax, less the tax within it, so that both together make the amount. The rate is in percent."""
    gross = round_money(value, currency, context=context)
    return bounded(gross - tax_amount(gross, rate, "inclusive", currency, context=context))


@function(kind="money", label="Tax", example='{{ 120 | tax_amount(20, "inclusive") }}', result=Decimal("20.00"))
def tax_amount(
    value: Decimal, rate: Decimal, basis: str = "exclusive", currency: str = "", *, context: MappingContext
) -> Decimal:
    """The tax on top of an amount ("exclusive"), or within it ("inclusive"). The rate is in percent."""
    return rounded(_tax(Fraction(value), rate, basis), places_of(currency, context))


@function(
    kind="money",
    label="Tax per line",
    example='{{ trigger.lines | tax_per_line("amount", 20) }}',
    result=[Decimal("20.00"), Decimal("19.98")],
)
def tax_per_line(
    value: list, amount: str, rate: Any, basis: str = "exclusive", currency: str = "", *, context: MappingContext
) -> list[Decimal]:
    """The tax of each line, rounded line by line as Xero does. The rate is a number, or the field that holds it."""
    places = places_of(currency, context)
    found = []
    for line, line_amount in zip(value, amounts(value, amount), strict=True):
        percent = read_number(within(line, text_of(rate))) if kind_of(rate) == "text" else read_number(rate)
        found.append(rounded(_tax(Fraction(rounded(Fraction(line_amount), places)), percent, basis), places))
    return found


def _tax(amount: Fraction, rate: Decimal, basis: str) -> Fraction:
    if not 0 <= rate <= 1_000:
        raise MappingTypeError(f"A tax rate is 0 to 1,000 percent, not {shown(rate)}.")
    if basis == "exclusive":
        return amount * Fraction(rate) / 100
    if basis == "inclusive":
        return amount * Fraction(rate) / (100 + Fraction(rate))
    raise MappingTypeError(f'Tax is "exclusive" (on top) or "inclusive" (within), not {shown(basis)}.')
