"""The amount of a write, and its currency, as far as they are known before it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from integrations.framework.base import Effect
from workflows.engine.writes.gates import Intent


@dataclass(frozen=True)
class Sum:
    """An amount payable; None where only the provider will know it. `currency` is "" where it is not known."""

    amount: Decimal | None
    currency: str

    def __str__(self) -> str:
        return (
            "an amount not known beforehand" if self.amount is None else f"{self.amount:,.2f} {self.currency}".strip()
        )


def of_intent(intent: Intent) -> Sum | None:
    """What the write is about; None for what has no amount, and for what deletes.

    A payment or a transfer has no lines: its amount is the input of this name, in the organisation's currency where it
    says none of its own.
    """
    if intent.action.effect is Effect.DELETES:
        return None
    document = intent.document
    details = intent.connection.details if intent.connection is not None else {}
    own = str(details.get("currency") or "")
    if document is not None and (document.lines or document.totals):
        return Sum(document.totals.total if document.totals else None, document.currency or own)
    amount = getattr(intent.inputs, "amount", None)
    if isinstance(amount, Decimal):
        return Sum(amount, str(getattr(intent.inputs, "currency", None) or own))
    return None
