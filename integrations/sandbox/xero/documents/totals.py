"""How Xero computes a document: each line rounded half up to two places, tax per line, then summed. Pure."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Amounts:
    sub_total: Decimal
    total_tax: Decimal
    total: Decimal


def rounded(value: Decimal, places: int = 2) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def line_amount(
    quantity: Decimal, unit_amount: Decimal, discount_rate: Decimal | None, discount: Decimal | None
) -> Decimal:
    gross = quantity * unit_amount
    if discount_rate is not None:
        gross = gross * (HUNDRED - discount_rate) / HUNDRED
    elif discount is not None:
        gross = gross - discount
    return rounded(gross)


def line_tax(amount: Decimal, rate: Decimal, line_amount_types: str) -> Decimal:
    """The tax on a line: on top of an exclusive amount, contained in an inclusive one."""
    if line_amount_types == "NoTax":
        return Decimal("0.00")
    if line_amount_types == "Inclusive":
        return rounded(amount * rate / (HUNDRED + rate))
    return rounded(amount * rate / HUNDRED)


def document(lines: list[tuple[Decimal, Decimal]], line_amount_types: str) -> Amounts:
    """Totals of (line amount, tax) pairs."""
    amount = sum((line for line, _ in lines), Decimal("0.00"))
    tax = sum((line_tax for _, line_tax in lines), Decimal("0.00"))
    if line_amount_types == "Inclusive":
        return Amounts(amount - tax, tax, amount)
    return Amounts(amount, tax, amount + tax)
