"""A document's totals, computed as Xero does, so that a preview matches Xero to the cent.

Each line is quantity times unit price, less its discount, rounded to two places; tax is computed per line from that
rounded amount, rounded, and then summed. Halves are rounded away from zero. All amounts except unit prices have two
places whatever the currency, even yen and dinar. Unit prices have up to four places (`unitdp=4`). Calculations use
fractions, so that nothing is lost before the one rounding.

https://developer.xero.com/documentation/guides/how-to-guides/rounding-in-xero
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from integrations.schema.documents import Totals


class Basis(StrEnum):
    """Whether prices include tax. Xero writes it in mixed case for invoices and in capitals for quotes; here it is
    lower case."""

    EXCLUSIVE = "exclusive"
    INCLUSIVE = "inclusive"
    NO_TAX = "notax"

    @classmethod
    def of(cls, line_amount_types: str) -> Basis:
        """The basis that Xero's `LineAmountTypes` means."""
        return cls(line_amount_types.lower())


@dataclass(frozen=True)
class LineAmounts:
    """A line's amount as Xero keeps it in `LineAmount`, and the tax on top of it or within it."""

    amount: Decimal
    tax: Decimal


def line(
    *,
    quantity: Decimal,
    unit_amount: Decimal,
    rate: Decimal,
    basis: Basis,
    discount_rate: Decimal | None = None,
    discount_amount: Decimal | None = None,
    tax_amount: Decimal | None = None,
) -> LineAmounts:
    """`rate` and `discount_rate` are percentages. `tax_amount` is the workflow's own, which Xero uses if the line is
    taxed at all."""
    gross = Fraction(quantity) * Fraction(unit_amount)
    if discount_rate:
        gross -= gross * Fraction(discount_rate) / 100
    elif discount_amount:
        gross -= Fraction(discount_amount)
    amount = to_cents(gross)
    if basis is Basis.NO_TAX or not rate:
        return LineAmounts(amount, Decimal("0.00"))
    if tax_amount is not None:
        return LineAmounts(amount, to_cents(Fraction(tax_amount)))
    share = Fraction(rate) / (100 + Fraction(rate)) if basis is Basis.INCLUSIVE else Fraction(rate) / 100
    return LineAmounts(amount, to_cents(Fraction(amount) * share))


def document(lines: Iterable[LineAmounts], basis: Basis) -> Totals:
    """The sums of the lines; if prices include tax, the subtotal is without it."""
    amount = tax = Decimal("0.00")
    for each in lines:
        amount += each.amount
        tax += each.tax
    if basis is Basis.INCLUSIVE:
        return Totals(sub_total=amount - tax, tax=tax, total=amount)
    return Totals(sub_total=amount, tax=tax, total=amount + tax)


def to_cents(value: Fraction) -> Decimal:
    """Two places, halves rounded away from zero."""
    cents = int(abs(value) * 100 + Fraction(1, 2))
    return Decimal(-cents if value < 0 else cents).scaleb(-2)
