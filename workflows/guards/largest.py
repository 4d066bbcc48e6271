"""The largest single amount: what is above the team's limit for its currency is held."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from workflows.engine.writes.gates import Intent
from workflows.guards import amounts
from workflows.guards.amounts import Sum
from workflows.guards.settings import Settings
from workflows.guards.stops import Stop

_CODE = "largest_amount"


def look(intent: Intent, settings: Settings) -> Stop | None:
    """Read what the write is about, and decide."""
    if not settings.largest:
        return None
    found = amounts.of_intent(intent)
    return None if found is None else decide(found, settings.largest)


def decide(found: Sum, limits: Mapping[str, Decimal]) -> Stop | None:
    """Whether it is too large. An amount that is not known may be; one whose currency is not known is held against the
    smallest limit. A currency without a limit is free."""
    limit = limits.get(found.currency) if found.currency else min(limits.values(), default=None)
    if limit is None or (found.amount is not None and abs(found.amount) <= limit):
        return None
    told = f"{limit:,.2f} {found.currency}".strip()
    if found.amount is None:
        return Stop(
            _CODE, f"Its amount is not known before it is written, and the team’s largest single amount is {told}."
        )
    return Stop(_CODE, f"{found} is more than the team’s largest single amount, {told}.")
