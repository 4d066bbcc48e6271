"""What a document comes to, computed as Xero computes it, so that a preview shows the cent that Xero will book.

Each line is quantity times unit price, less its discount, rounded to two places; tax is computed per line from that
rounded amount, rounded, and then summed. Halves go away from zero. All summary amounts have two places whatever the
currency: Xero knows no yen without decimals and no dinar with three. Unit prices hold up to four places (`unitdp=4`).
Fractions are used inside, so that nothing is lost on the way to the one rounding.

https://developer.xero.com/documentation/guides/how-to-guides/rounding-in-xero
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from integrations.documents import Totals


class Basis(StrEnum):
    """Whether prices hold the tax. Invoices write it in mixed case, quotes in capitals; here it is lower case."""

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
    """`rate` and `discount_rate` are percentages. `tax_amount` is the workflow's own, which Xero takes where the line
    is taxed at all."""
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
    """The sums of the lines; where prices hold the tax, the subtotal is what remains without it."""
    amount = tax = Decimal("0.00")
    for each in lines:
        amount += each.amount
        tax += each.tax
    if basis is Basis.INCLUSIVE:
        return Totals(sub_total=amount - tax, tax=tax, total=amount)
    return Totals(sub_total=amount, tax=tax, total=amount + tax)


def to_cents(value: Fraction) -> Decimal:
    """Two places, a half away from zero."""
    cents = int(abs(value) * 100 + Fraction(1, 2))
    return Decimal(-cents if value < 0 else cents).scaleb(-2)
