"""Whether a currency is enabled in the organisation.

https://developer.xero.com/documentation/api/accounting/currencies
"""

from __future__ import annotations

from collections.abc import Iterator

from integrations.connectors.xero.checks.lists import CURRENCIES
from integrations.connectors.xero.fields import choices
from integrations.framework.checks import Facts, Finding, stops


def currency_findings(facts: Facts, path: str, code: str | None) -> Iterator[Finding]:
    """What is wrong with a currency, if one is given."""
    if code:
        yield from facts.tried("whether the currency is enabled", lambda: _enabled(facts, path, code))


def _enabled(facts: Facts, path: str, code: str) -> Iterator[Finding]:
    if facts.offers(choices.currencies, code):
        return
    if facts.find(CURRENCIES, lambda each: each.get("Code") == code.upper()) is None:
        known = ", ".join(str(each["Code"]) for each in facts.listed(CURRENCIES))
        yield stops(
            "currency_off",
            path,
            f"The currency {code} is not enabled in {facts.name}.",
            f"Use one of {known}, or add it in Xero.",
        )
